"""Predictions for photographs in the dataset's own files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from torch.nn import functional

from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError, OutputError
from taskbank.file_predictions import Saving, predict_files
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.labels.codes import encode
from taskbank.labels.files import CLASSES, label_name, read_classes, read_label
from taskbank.options import Fit
from taskbank.saving.dataset import building_name, folder_of, without_folder
from taskbank.saving.export import Form
from taskbank.tasks.registry import TASKS

CPU = Settings(device="cpu", batch_size=2)
LABELLED = [
    "normal", "depth_zbuffer", "curvature", "reshading", "edge_occlusion", "segment_unsup25d",
    "segment_semantic", "class_object", "class_scene", "room_layout", "vanishing_point",
]  # fmt: skip


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank of every kind of task for single images."""
    names = [*LABELLED, "autoencoding", "jigsaw"]
    networks = {task: toy_network(task, seed=number) for number, task in enumerate(names)}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two wide photographs and a damaged one between them."""
    folder = tmp_path_factory.mktemp("x") / "my photos"
    folder.mkdir()
    for number in range(3):
        small = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize((400, 300)).save(folder / f"{'abc'[number]}.png")
    (folder / "b.png").write_bytes(b"damaged")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def out(bank: Bank, photos: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is written for them."""
    folder = tmp_path_factory.mktemp("out")
    saving = Saving(folder=folder, forms=(Form.DATASET,), fov=60)
    tasks = [*LABELLED, "autoencoding", "jigsaw"]
    reports = list(predict_files(bank, tasks, [(path,) for path in photos], saving, settings=CPU))
    assert [report.error is None for report in reports] == [True, False, True]
    return folder


def path_of(out: Path, domain: str, point: int = 0) -> Path:
    """A file of a photograph."""
    return out / "my_photos" / domain / label_name(domain, point, 0)


def test_files_are_those_of_the_dataset(out: Path) -> None:
    """By photograph; the damaged one has none; the table says which is which."""
    assert sorted(path.name for path in out.iterdir()) == ["my_photos", "my_photos.csv"]
    folders = {path.name for path in (out / "my_photos").iterdir()}
    domains = {domain for task in LABELLED if (domain := folder_of(task))}
    assert folders == domains | {"rgb", "point_info"}
    for domain in folders:
        names = sorted(path.name for path in (out / "my_photos" / domain).iterdir())
        assert names == [label_name(domain, point, 0) for point in (0, 2)]
    rows = (out / "my_photos.csv").read_text().splitlines()
    assert rows[0] == "point,view,photograph"
    assert [row.split(",")[:2] for row in rows[1:]] == [["0", "0"], ["1", "0"], ["2", "0"]]
    assert rows[3].endswith("my photos/c.png")


def test_colours_are_the_middle_square(out: Path, photos: list[Path]) -> None:
    """At 512 px, as the dataset has it."""
    colours = read_label(path_of(out, "rgb"), "rgb")
    assert colours.shape == (512, 512, 3)
    with Image.open(photos[0]) as image:
        middle = image.crop((50, 0, 350, 300)).resize((512, 512), Image.Resampling.BILINEAR)
    assert np.abs(colours.astype(int) - np.asarray(middle)).max() <= 2


def test_labels_are_the_predictions_in_code(bank: Bank, tmp_path: Path) -> None:
    """Of a photograph of 512 px, which fills the square, they are what is predicted for it."""
    noise = np.random.default_rng(5).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((512, 512)).save(tmp_path / "square.png")
    tasks = ["normal", "depth_zbuffer", "curvature", "reshading", "edge_occlusion", "segment_semantic"]
    saving = Saving(folder=tmp_path, forms=(Form.DATASET,), building="my_photos")
    list(predict_files(bank, tasks, [(tmp_path / "square.png",)], saving, settings=CPU))
    (outcome,) = Engine(bank, tasks, CPU).run([tmp_path / "square.png"])
    for task in tasks:
        domain = folder_of(task) or ""
        codes = read_label(path_of(tmp_path, domain), domain).astype(int)
        expected = encode(domain, torch.from_numpy(np.array(outcome.prediction(task).array))).numpy()
        assert np.array_equal(codes, expected), task


def test_labels_lie_over_the_middle_square_of_a_wide_photograph(
    out: Path, bank: Bank, photos: list[Path]
) -> None:
    """Depth is the middle of the whole map, twice as large, by the formula of the original networks."""
    (outcome,) = Engine(bank, ["depth_zbuffer"], CPU).run([photos[0]])
    raw = outcome.raw["depth_zbuffer"]
    assert raw.shape == (1, 256, 340)  # to the nearest 4 px
    # The map covers 400 px in 340 columns, of which the middle 300 px are shown.
    places = ((np.arange(512) + 0.5) * 300 / 512 + 50) * 340 / 400 - 0.5
    low = np.floor(places).astype(int)
    share = torch.from_numpy(places - low).float()
    tall = functional.interpolate(raw[None], (512, 340), mode="bilinear")[0, 0]
    large = tall[:, low] * (1 - share) + tall[:, low + 1] * share
    expected = torch.exp2(16 * large.clamp(0, 1)).numpy() - 1
    codes = read_label(path_of(out, "depth_zbuffer"), "depth_zbuffer").astype(float)
    assert np.abs(codes - expected).max() <= 0.51 + 1e-4 * expected.max()


def test_labels_of_cropped_photographs_are_the_networks_square(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """Twice as large."""
    cropped = Settings(device="cpu", fit=Fit.CROP)
    saving = Saving(folder=tmp_path, forms=(Form.DATASET,), building="my_photos")
    list(predict_files(bank, ["depth_zbuffer"], [(photos[0],)], saving, settings=cropped))
    (outcome,) = Engine(bank, ["depth_zbuffer"], cropped).run([photos[0]])
    large = functional.interpolate(outcome.raw["depth_zbuffer"][None], (512, 512), mode="bilinear")[0, 0]
    expected = torch.exp2(16 * large.clamp(0, 1)).numpy() - 1
    codes = read_label(path_of(tmp_path, "depth_zbuffer"), "depth_zbuffer").astype(float)
    assert np.abs(codes - expected).max() <= 0.51 + 1e-5 * expected.max()


def test_classes_are_as_the_dataset_has_them(out: Path, bank: Bank, photos: list[Path]) -> None:
    """And come back as the probabilities that were predicted."""
    (outcome,) = Engine(bank, ["class_object", "class_scene"], CPU).run([photos[0]])
    for domain, length in CLASSES.items():
        assert np.load(path_of(out, domain)).shape == (length,)
        given = outcome.prediction(domain).array
        assert np.allclose(read_classes(path_of(out, domain), domain), given, atol=1e-5)


def test_embeddings_become_numbers_of_segments(out: Path) -> None:
    """From 1, none is left out."""
    numbers = read_label(path_of(out, "segment_unsup25d"), "segment_unsup25d")
    assert numbers.shape == (512, 512)
    assert numbers.min() >= 1


def test_point_infos_say_what_is_known_and_no_more(out: Path, photos: list[Path], bank: Bank) -> None:
    """No place in the world; the room in the camera's frame; three directions."""
    facts = json.loads(path_of(out, "point_info", 2).read_text())
    assert (facts["point_uuid"], facts["view_id"], facts["resolution"]) == ("2", 0, 512)
    assert facts["photograph"] == str(photos[2])
    assert facts["crop_box"] == [50, 0, 350, 300]
    assert facts["predicted_by"] == {"bank": "toy", "sha256": bank.digest}
    assert not {"camera_location", "camera_rotation_final", "bounding_box_ranges"} & facts.keys()
    assert np.tan(facts["field_of_view_rads"] / 2) == pytest.approx(300 / 400 * np.tan(np.radians(30)))
    assert len(facts["room_in_camera_frame"]["edges"]) == 3
    (outcome,) = Engine(bank, ["vanishing_point"], CPU).run([photos[2]])
    x, y, z = outcome.prediction("vanishing_point").array
    directions = facts["vanishing_points_gaussian_sphere"]
    assert directions["z"] == pytest.approx(z.tolist())
    assert directions["x"][2] == pytest.approx(max(abs(x[2]), abs(y[2])), abs=1e-6)
    before, after = np.cross(x, y), np.cross(directions["x"], directions["y"])
    assert after == pytest.approx(before, abs=1e-6)


def test_existing_files_stop_everything_unless_allowed(
    bank: Bank, photos: list[Path], tmp_path: Path
) -> None:
    """Of any photograph, and the table."""
    (tmp_path / "hall.csv").write_text("mine")
    saving = Saving(folder=tmp_path, forms=(Form.DATASET,), building="hall")
    with pytest.raises(OutputError, match=r"1 result\(s\) exist already \(.*hall.csv\)"):
        list(predict_files(bank, ["normal"], [(photos[0],)], saving, settings=CPU))
    assert (tmp_path / "hall.csv").read_text() == "mine"
    allowed = Saving(folder=tmp_path, forms=(Form.DATASET, Form.JSON), building="hall", overwrite=True)
    list(predict_files(bank, ["normal"], [(photos[0],)], allowed, settings=CPU))
    assert (tmp_path / "hall" / "normal" / "point_0_view_0_domain_normal.png").exists()
    assert (tmp_path / "a" / "normal.json").exists()
    assert "field_of_view_rads" not in json.loads(
        (tmp_path / "hall" / "point_info" / "point_0_view_0_domain_point_info.json").read_text()
    )


def test_what_has_no_form_in_the_dataset_is_refused(bank: Bank, photos: list[Path], tmp_path: Path) -> None:
    """Before a network is loaded."""
    saving = Saving(folder=tmp_path / "out", forms=(Form.DATASET,))
    with pytest.raises(InvalidInputError, match="the dataset has no files for autoencoding, jigsaw"):
        list(predict_files(bank, ["autoencoding", "jigsaw"], [(photos[0],)], saving, settings=CPU))
    padded = Settings(device="cpu", fit=Fit.PAD)
    with pytest.raises(InvalidInputError, match="goes with --fit whole or crop, not pad"):
        list(predict_files(bank, ["normal"], [(photos[0],)], saving, settings=padded))
    assert not (tmp_path / "out").exists()


def test_tasks_without_a_folder_are_known() -> None:
    """Pictures of colours, orders of tiles, what compares images, and the random projection."""
    assert set(without_folder(TASKS)) == {
        "autoencoding", "colorization", "denoising", "inpainting", "jigsaw", "random",
        "egomotion", "fixated_pose", "nonfixated_pose", "point_matching",
    }  # fmt: skip
    assert folder_of("curvature") == "principal_curvature"


def test_buildings_are_named_after_their_folder_or_as_told() -> None:
    """In letters that a folder may have."""
    assert building_name([Path("holiday 2024/a.jpg")]) == "holiday_2024"
    assert building_name([Path("/a.jpg")]) == "photographs"
    assert building_name([Path("x/a.jpg")], "hall-2") == "hall-2"
    for wrong in ("../up", "", ".hidden", "a b"):
        with pytest.raises(InvalidInputError, match="must be letters, digits"):
            building_name([Path("x/a.jpg")], wrong)
