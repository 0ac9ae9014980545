"""The Live tab without a browser: results as they arrive, values, downloads."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network

import taskbank
from taskbank.bank.bank import Bank
from taskbank.tasks.registry import TASKS
from taskbank_demo.errors import MissingError, UploadError
from taskbank_demo.example_photos import SINGLE, TOGETHER, copy_example, copy_together, example_buttons
from taskbank_demo.live.api import predict_files
from taskbank_demo.live.cards import bars, gallery
from taskbank_demo.live.detail import open_detail, value_at
from taskbank_demo.live.files import save_dataset
from taskbank_demo.live.predict import SECTIONS, Card, choose, in_sections
from taskbank_demo.live.run import PageState, run_steps
from taskbank_demo.live.store import find_shot, forget_shot, load_outcome
from taskbank_demo.live.words import WORDS
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings

HELD = ("depth_zbuffer", "normal", "class_scene", "segment_unsup2d", "jigsaw", "point_matching", "egomotion")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """A toy bank of one task of most kinds."""
    networks = {task: toy_network(task) for task in HELD}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    bank = Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks).where
    return make_services(DemoSettings(bank=bank, device="cpu"), tmp_path_factory.mktemp("files"))


def upload(services: Services, seed: int = 0) -> str:
    """A photograph of seeded noise where uploads lie; 40 x 30, so that the network sees columns 5 to 34."""
    noise = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    path = services.new_folder() / "photo.png"
    Image.fromarray(noise).save(path)
    return str(path)


@pytest.fixture(scope="module")
def last(services: Services) -> PageState:
    """The last step of a request of all tasks of one photograph."""
    return list(run_steps(services, [upload(services)], None))[-1]


def test_the_gallery_fills_in_task_by_task(services: Services) -> None:
    """Each step has one empty card less, and the last says how long it took."""
    path = upload(services)
    steps = list(run_steps(services, [path], ["normals", "depth", "jigsaw"]))
    assert [step.gallery.count("data-waiting") for step in steps] == [3, 2, 1, 0]
    assert [step.gallery.count("<button") for step in steps] == [0, 1, 2, 3]
    assert [step.finished for step in steps] == [False, False, False, True]
    assert "1 of 3 tasks" in steps[1].status
    assert "3 tasks in" in steps[-1].status
    assert not Path(path).exists(), "the upload is deleted"


def test_a_new_request_deletes_the_last_one_of_its_page(services: Services) -> None:
    """And nothing else."""
    first = next(run_steps(services, [upload(services)], ["normal"])).shot
    other = next(run_steps(services, [upload(services)], ["normal"])).shot
    next(run_steps(services, [upload(services)], ["normal"], first.token))
    assert not first.folder.exists()
    assert other.folder.is_dir()


def test_a_bad_upload_is_deleted_and_the_last_result_stays(services: Services, last: PageState) -> None:
    """The page goes on showing it."""
    path = services.new_folder() / "a.png"
    path.write_bytes(b"hello")
    with pytest.raises(UploadError, match=r"a.png cannot be read"):
        list(run_steps(services, [path], None, last.shot.token))
    assert not path.exists()
    assert last.shot.folder.is_dir()


def test_no_photograph_is_said_in_words(services: Services) -> None:
    """With what to do."""
    with pytest.raises(UploadError, match="upload, paste or take one, or choose an example"):
        list(run_steps(services, [None], None))


def test_tasks_the_bank_lacks_are_named_with_those_it_holds(services: Services) -> None:
    """Also tasks for another number of photographs."""
    networks = services.need_networks()
    with pytest.raises(MissingError, match=r"reshading cannot be predicted from 1 .*choose from .*normal"):
        choose(networks, ["reshading", "normal"], 1)
    with pytest.raises(MissingError, match="point_matching cannot be predicted from 1"):
        choose(networks, ["point_matching"], 1)
    assert choose(networks, [], 2) == ["point_matching"]
    assert choose(networks, None, 3) == ["point_matching", "egomotion"]


def test_a_task_that_has_no_time_left_says_so_on_its_card(services: Services, tmp_path: Path) -> None:
    """The others of the request stay."""
    slow = make_services(
        DemoSettings(bank=services.need_networks().bank.where, request_seconds=1e-9), tmp_path
    )
    step = list(run_steps(slow, [upload(slow)], ["normal", "depth"]))[-1]
    assert step.finished
    assert step.gallery.count('role="alert"') == 2
    assert "so it was stopped" in step.gallery


def test_stored_results_are_those_of_the_library(services: Services, last: PageState) -> None:
    """Bit by bit, for maps, tiles and numbers."""
    photo = last.shot.photographs[0]
    bank = services.need_networks().bank
    for task in ("depth_zbuffer", "normal", "jigsaw", "class_scene", "segment_unsup2d"):
        ours = load_outcome(services, last.shot, [task]).prediction(task)
        theirs = taskbank.load(task, bank=bank, device="cpu").predict(photo)
        np.testing.assert_array_equal(ours.array, theirs.array)
        assert ours.details == theirs.details


def test_a_result_shows_picture_values_and_downloads(services: Services, last: PageState) -> None:
    """The files that the links name are there."""
    shown = open_detail(services, last.shot.token, "depth_zbuffer")
    assert "Z-Depth" in shown
    for name in ("depth_zbuffer.png", "depth_zbuffer_16bit.png", "depth_zbuffer.npy", "depth_zbuffer.json"):
        assert f'download="{name}"' in shown
        assert (last.shot.folder / name).is_file()
    for word in ("least", "median", "greatest", ">m<", "toy"):
        assert word in shown
    assert "left out" not in shown
    assert "the middle square: 5 px on the left, 5 px on the right are left out" in open_detail(
        services, last.shot.token, "class_scene"
    )


@pytest.mark.parametrize(
    "token", ["", "result-1", "../../etc", "result-" + "0" * 32, "result-" + "g" * 32, None, 7, ["a"]]
)
def test_a_token_that_names_no_result_opens_nothing(services: Services, token: object) -> None:
    """Whatever a client makes up; deleting it deletes nothing."""
    with pytest.raises(MissingError, match="kept for 15 minutes"):
        open_detail(services, token, "normal")
    with pytest.raises(MissingError):
        find_shot(services, token)
    before = sorted(services.folder.iterdir())
    forget_shot(services, token)
    assert sorted(services.folder.iterdir()) == before


@pytest.mark.parametrize("task", ["reshading", "../normal", "", None, "point_matching"])
def test_a_task_that_was_not_run_opens_nothing(services: Services, last: PageState, task: object) -> None:
    """Names from the page are not trusted."""
    with pytest.raises(MissingError, match=r"There is no (task|result)"):
        open_detail(services, last.shot.token, task)


def test_the_value_under_the_pointer_is_that_of_the_array(services: Services, last: PageState) -> None:
    """Read as the page asks: by shares of the picture."""
    open_detail(services, last.shot.token, "depth_zbuffer")
    array = np.load(last.shot.folder / "depth_zbuffer.npy")
    asked = {"token": last.shot.token, "task": "depth_zbuffer", "x": 20.5 / 40, "y": 10.5 / 30}
    assert value_at(services, asked) == {"place": "x 20, y 10", "value": f"{array[10, 20]:.4g} m"}
    assert value_at(services, asked | {"x": 0})["value"] == f"{array[10, 0]:.4g} m"
    assert value_at(services, asked | {"x": 1, "y": 1})["place"] == "x 39, y 29"


def test_embeddings_lie_in_the_network_s_own_frame(services: Services, last: PageState) -> None:
    """Their picture lies over the photograph all the same."""
    open_detail(services, last.shot.token, "segment_unsup2d")
    array = np.load(last.shot.folder / "segment_unsup2d.npy")
    asked = {"token": last.shot.token, "task": "segment_unsup2d", "x": 0.5, "y": 0.5}
    first = array[array.shape[0] // 2, array.shape[1] // 2, 0]
    assert value_at(services, asked)["value"].startswith(f"({first:+.2f}, ")
    assert value_at(services, asked)["value"].endswith("64 numbers")
    left = array[array.shape[0] // 2, int(0.01 * array.shape[1]), 0]
    assert value_at(services, asked | {"x": 0.01})["value"].startswith(f"({left:+.2f}, ")


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "a",
        [],
        {},
        {"token": "x"},
        {"task": "normal", "x": 0.5, "y": 0.5, "token": "../../etc"},
        {"task": "../../etc/passwd"},
    ],
)
def test_questions_for_values_that_make_no_sense_are_answered_in_words(
    services: Services, asked: object
) -> None:
    """No traceback, no file."""
    assert value_at(services, asked)["place"] == ""


@pytest.mark.parametrize(("x", "y"), [(-0.1, 0.5), (0.5, float("nan")), ("a", 0.5), (None, 0.5)])
def test_places_outside_the_picture_have_no_value(
    services: Services, last: PageState, x: object, y: object
) -> None:
    """Numbers from the page are not trusted either."""
    open_detail(services, last.shot.token, "normal")
    asked = {"token": last.shot.token, "task": "normal", "x": x, "y": y}
    assert value_at(services, asked) == {"place": "", "value": "no value here"}


def test_the_dataset_zip_holds_labels_of_all_tasks_that_have_one(services: Services, last: PageState) -> None:
    """Under the dataset's own names, and no path leads out."""
    packed = save_dataset(services, last.shot, last.shot.tasks)
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
    assert "photographs/depth_zbuffer/point_0_view_0_domain_depth_zbuffer.png" in names
    assert "photographs/class_scene/point_0_view_0_domain_class_scene.npy" in names
    assert "photographs/rgb/point_0_view_0_domain_rgb.png" in names
    assert not any("jigsaw" in name or name.startswith(("/", "..")) for name in names)


def test_programs_get_facts_and_files_like_those_of_the_command(services: Services) -> None:
    """One entry a task; uploads are deleted."""
    path = upload(services)
    facts, files = predict_files(services, [path], ["normals", "depth"])
    assert sorted(facts) == ["depth_zbuffer", "normal"]
    assert facts["depth_zbuffer"]["unit"] == "m"
    assert facts["normal"]["inputs"][0]["source"] == "photograph_1.png"
    names = {Path(file).name for file in files}
    assert {"normal.png", "normal.npy", "normal.json", "depth_zbuffer_16bit.png"} <= names
    assert all(Path(file).is_relative_to(services.folder) for file in files)
    assert not Path(path).exists()


def test_three_photographs_serve_tasks_of_two_and_of_three(services: Services) -> None:
    """Those of two see the first two."""
    facts, _ = predict_files(services, [upload(services, seed) for seed in range(3)], None)
    assert sorted(facts) == ["egomotion", "point_matching"]
    assert len(facts["egomotion"]["inputs"]) == 3
    assert [seen["source"] for seen in facts["point_matching"]["inputs"]] == [
        "photograph_1.png",
        "photograph_2.png",
    ]


def test_four_photographs_are_too_many_for_programs_too(services: Services) -> None:
    """All of them are deleted."""
    paths = [upload(services, seed) for seed in range(4)]
    with pytest.raises(UploadError, match="4 photographs were sent"):
        predict_files(services, paths, None)
    assert not any(Path(path).exists() for path in paths)


def test_every_task_has_words_and_a_place_in_the_gallery() -> None:
    """But the random projection, which predicts nothing."""
    shown = [name for name in TASKS if name != "random"]
    assert sorted(WORDS) == sorted(shown)
    placed = [name for _, names in in_sections(shown) for name in names]
    assert sorted(placed) == sorted(shown)
    assert len(SECTIONS) == 4


def test_what_files_and_errors_say_cannot_become_html() -> None:
    """Names and messages are escaped."""
    card = Card(task="normal", done=True, error="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in gallery(["normal"], {"normal": card})
    assert "<b>evil" not in bars([("<b>evil</b>", 0.5)])


def test_examples_are_small_pictures_and_copied_like_uploads(services: Services) -> None:
    """They stay themselves."""
    for path in (*SINGLE.values(), *TOGETHER):
        assert path.stat().st_size < 100_000
        with Image.open(path) as image:
            assert image.format == "JPEG"
    copied = [copy_example(services, "office"), *copy_together(services)]
    assert all(Path(path).is_relative_to(services.folder) for path in copied)
    with pytest.raises(MissingError, match="choose bedroom"):
        copy_example(services, "../office")
    assert example_buttons().count('alt="Example: ') == len(SINGLE)


def test_facts_beside_an_array_are_json(services: Services, last: PageState) -> None:
    """They are what the value under the pointer is read with."""
    open_detail(services, last.shot.token, "normal")
    facts = json.loads((last.shot.folder / "normal.json").read_text(encoding="utf-8"))
    assert facts["frame"] == "input"
    assert facts["inputs"][0]["crop_box"] == [0, 0, 40, 30]


def test_a_result_opened_again_is_new_html(services: Services, last: PageState) -> None:
    """Or the page would do nothing about it."""
    first, second = (open_detail(services, last.shot.token, "normal") for _ in range(2))
    assert first != second
