"""Photographs in the Live tab: what the page shows and saves is what the library predicts."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

import taskbank
import taskbank_demo
from taskbank.tasks.registry import find_task
from toy_demo import SINGLE
from visit import Visit

Uploads: TypeAlias = Callable[[], list[Path]]

pytestmark = pytest.mark.browser

EXAMPLES = Path(taskbank_demo.__file__).parent / "examples"
OFFICE = EXAMPLES / "office.jpg"
LOUNGE = [EXAMPLES / f"lounge_{number}.jpg" for number in (1, 2, 3)]


def predict_office(visit: Visit) -> None:
    """Upload a photograph and wait for the last card."""
    visit.upload("#live-photo", OFFICE)
    visit.until("#live-status", f"{len(SINGLE)} tasks in")


def test_an_upload_is_answered_by_every_task_of_the_bank(visit: Visit, uploads: Uploads) -> None:
    """Each with its name and a picture that arrives; the upload is gone."""
    predict_office(visit)
    cards = visit.page.locator("#live-gallery button[data-task]")
    assert sorted(card.get_attribute("data-task") or "" for card in cards.all()) == sorted(SINGLE)
    for task in SINGLE:
        card = visit.page.locator(f"#live-gallery button[data-task={task}]")
        expect(card.locator(".tb-card-name")).to_have_text(find_task(task).label)
        if task != "class_scene":
            image = card.locator("img")
            expect(image).to_have_js_property("complete", value=True)
            assert image.evaluate("image => image.naturalWidth") >= 256
    assert visit.page.locator("[data-waiting]").count() == 0
    assert uploads() == []


@pytest.mark.parametrize("task", ["depth_zbuffer", "normal"])
def test_a_map_opens_at_full_size_with_the_librarys_values(
    visit: Visit, bank: str, tmp_path: Path, task: str
) -> None:
    """Under the pointer, in the array, and in the pictures that are saved."""
    predict_office(visit)
    expected = taskbank.load(task, bank=bank, device="cpu").predict(OFFICE).array
    visit.page.locator(f"button[data-task={task}]").click()
    dialog = visit.page.get_by_role("dialog", name=find_task(task).label)
    expect(dialog).to_be_visible()
    links = dialog.get_by_role("navigation", name="Downloads").get_by_role("link").all()
    saved = {path.name: path for path in (visit.download(link, tmp_path) for link in links)}
    np.testing.assert_array_equal(np.load(saved[f"{task}.npy"]), expected)
    with Image.open(OFFICE) as photo, Image.open(saved[f"{task}.png"]) as picture:
        assert picture.size == photo.size
    if task == "depth_zbuffer":
        with Image.open(saved[f"{task}_16bit.png"]) as deep:
            np.testing.assert_allclose(np.asarray(deep) / 512, np.minimum(expected, 127.99), atol=1 / 512)
    column, row = photo.width // 4, photo.height * 3 // 4
    point_at(dialog.locator(".tb-pick"), (column + 0.5) / photo.width, (row + 0.5) / photo.height)
    expect(dialog.locator(".tb-readout-place")).to_have_text(f"x {column}, y {row}")
    value = np.atleast_1d(expected[row, column])
    shown = f"{value[0]:.4g} m" if len(value) == 1 else f"({', '.join(f'{one:+.3f}' for one in value)})"
    expect(dialog.locator(".tb-readout-value")).to_have_text(shown)


def point_at(picture: Locator, x: float, y: float) -> None:
    """Click at a place of a picture, from 0 to 1."""
    box = picture.bounding_box()
    assert box is not None
    picture.click(position={"x": box["width"] * x, "y": box["height"] * y})


def test_classes_are_listed_with_the_librarys_probabilities(visit: Visit, bank: str) -> None:
    """The ten likeliest in the dialog."""
    predict_office(visit)
    expected = taskbank.load("class_scene", bank=bank, device="cpu").predict(OFFICE).top(10)
    visit.page.locator("button[data-task=class_scene]").click()
    bars = visit.page.locator("dialog[open] .tb-bar")
    expect(bars).to_have_count(10)
    shown = [bar.inner_text().split("\n") for bar in bars.all()]
    assert shown == [[name.split(",")[0], f"{share:.0%}"] for name, share in expected]


def test_all_results_are_saved_as_the_datasets_files(visit: Visit, tmp_path: Path) -> None:
    """In a zip whose pictures open."""
    predict_office(visit)
    saved = visit.download(visit.page.locator("#live-zip"), tmp_path)
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert any("depth_zbuffer" in name for name in names)
        for name in names:
            if name.endswith(".png"):
                with archive.open(name) as file, Image.open(file) as picture:
                    picture.load()


def test_two_photographs_are_compared_and_three_follow_the_camera(visit: Visit, bank: str) -> None:
    """Values of matching and of egomotion are the library's."""
    visit.go("Two or three")
    for number, photo in enumerate(LOUNGE[:2], 1):
        visit.upload(f"#together-photo-{number}", photo)
        expect(visit.page.locator(f"#together-photo-{number} img")).to_be_visible()
    visit.page.locator("#together-run").click()
    visit.until("#together-status", "1 task in")
    match = taskbank.load("point_matching", bank=bank, device="cpu").predict(tuple(LOUNGE[:2]))
    visit.until("#together-gallery button[data-task=point_matching]", f"{float(match.array):.0%}")
    visit.upload("#together-photo-3", LOUNGE[2])
    expect(visit.page.locator("#together-photo-3 img")).to_be_visible()
    visit.page.locator("#together-run").click()
    visit.until("#together-status", "2 tasks in")
    visit.page.locator("#together-gallery button[data-task=egomotion]").click()
    poses = taskbank.load("egomotion", bank=bank, device="cpu").predict(tuple(LOUNGE)).array.reshape(-1, 6)
    way = ", ".join(f"{number:+.3f}" for number in poses[0, 3:])
    visit.until("dialog[open] .tb-facts >> nth=0", f"({way}) m")


def test_tasks_can_be_chosen_and_predicted_again(visit: Visit) -> None:
    """Without another upload."""
    predict_office(visit)
    visit.page.get_by_role("button", name="Choose tasks").click()
    for task in SINGLE:
        if task != "normal":
            visit.page.get_by_label(find_task(task).label, exact=True).uncheck()
    visit.page.locator("#live-again").click()
    visit.until("#live-status", "1 task in")
    expect(visit.page.locator("#live-gallery button[data-task]")).to_have_count(1)


def test_an_example_is_one_click(visit: Visit) -> None:
    """And predicts like an upload."""
    visit.page.get_by_role("button", name="Example: office").click()
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
