"""Pictures of a card: chosen by a rule, small enough, drawn from what networks gave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from tests.training.toy_store import toy_store
from training.stages.evaluation.picture_page import LARGEST_BYTES, Cell, page, write_jpeg
from training.stages.evaluation.showcase import PHOTOGRAPHS, RANKED_BY, draw_showcase, photographs, ranks

from taskbank.bank.bank import Bank


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("showcase")
    store = toy_store(root / "frames", rooms=2)
    networks = {name: toy_network(name) for name in ("normal", "depth_zbuffer", "jigsaw")}
    bank = Bank.save(root / "bank", name="toy", architecture=TOY_COMPACT, networks=networks, image_size=32)
    shown = draw_showcase(bank, store, root / "pictures", limit=5, device="cpu")
    assert [one.file for one in shown] == ["frames_normal.jpg", "frames_depth_zbuffer.jpg", "photographs.jpg"]
    assert shown[0].words == "Normals: best, median and worst of 5 held-out frames"
    assert "chelsea: Stefan van der Walt, CC0" in shown[-1].words
    return root / "pictures"


def test_every_picture_is_a_small_jpeg(drawn: Path) -> None:
    for path in drawn.iterdir():
        assert path.stat().st_size <= LARGEST_BYTES
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")


def test_frames_come_with_their_truth_and_photographs_with_all_tasks(drawn: Path) -> None:
    """Three columns and three rows; a photograph and two tasks, four rows."""
    with Image.open(drawn / "frames_normal.jpg") as frames, Image.open(drawn / "photographs.jpg") as photos:
        assert frames.width == photos.width
        assert photos.height > frames.height


def test_the_least_the_middle_and_the_greatest_error_are_shown() -> None:
    assert ranks(np.array([3.0, np.nan, 1.0, 2.0, 5.0, 4.0])) == (2, 0, 4)
    assert ranks(np.array([np.nan, 7.0])) == (1, 1, 1)


def test_every_ranking_names_a_number_of_its_measure() -> None:
    from training.stages.evaluation.scores import measure_of

    from taskbank.tasks.registry import find_task

    rng = np.random.default_rng(0)
    for name, (number, _, words) in RANKED_BY.items():
        measure = measure_of(find_task(name))
        shape = (8, 8, 3) if name == "normal" else (8, 8)
        values = rng.uniform(0.5, 1.0, shape)
        if name == "segment_semantic":
            values = rng.integers(1, 4, shape).astype(np.uint8)
        measure.add(values, values)
        assert number in measure.result()
        assert words.format(0.5)


def test_photographs_come_with_the_package_and_are_colourful() -> None:
    shown = photographs()
    assert len(shown) == len(PHOTOGRAPHS)
    assert all(photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 for photo in shown)


def test_a_picture_that_cannot_be_small_loses_quality(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    write_jpeg(tmp_path / "noise.jpg", Image.fromarray(noise))
    assert (tmp_path / "noise.jpg").stat().st_size <= LARGEST_BYTES


def test_cells_lie_under_their_headings() -> None:
    red, blue = (Image.new("RGB", (10, 20), colour) for colour in ("red", "blue"))
    whole = np.asarray(page(("a", "b"), [[Cell(red), Cell(blue, "words")]]))
    columns = [np.flatnonzero((whole == colour).all(2).any(0)) for colour in ((255, 0, 0), (0, 0, 255))]
    assert columns[0].max() < columns[1].min()
    assert len(columns[0]) == len(columns[1]) == 112
