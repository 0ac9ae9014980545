"""The short way: `taskbank.load` and `taskbank.predict`."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network

import taskbank
from taskbank.bank.bank import Bank
from taskbank.bank.quantise import Storage
from taskbank.drawing.render import picture
from taskbank.errors import ImageError, InvalidInputError, MissingTaskError, TaskBankError, UnknownTaskError
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.inference.whitening import whiten
from taskbank.options import Frame
from taskbank.tasks.kinds import MAPS

PHOTO = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
TASKS = (
    "normal",
    "depth_zbuffer",
    "class_object",
    "segment_semantic",
    "segment_unsup2d",
    "vanishing_point",
    "fixated_pose",
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank."""
    networks: dict[str, Any] = {task: toy_network(task, TOY_COMPACT, seed) for seed, task in enumerate(TASKS)}
    networks["random"] = toy_encoder()
    return Bank.save(
        tmp_path_factory.mktemp("toy") / "bank", name="toy", architecture=TOY_COMPACT, networks=networks
    )


def test_a_prediction_says_what_it_is(bank: Bank) -> None:
    """Array, unit, range, convention, crop box, bank."""
    given = taskbank.load("depth", bank=bank).predict(PHOTO)
    assert (given.task, given.unit, given.value_range) == ("depth_zbuffer", "m", (0.0, 65535 / 512))
    assert given.array.shape == (40, 60)
    assert (given.box.left, given.box.right, given.frame) == (0, 60, Frame.INPUT)
    cropped = taskbank.load("depth", bank=bank, fit="crop").predict(PHOTO)
    assert (cropped.box.left, cropped.box.right) == (10, 50)
    assert given.convention == "distance along the optical axis"
    assert (given.bank, given.bank_digest) == ("toy", bank.digest)
    assert given.sources == ("image (ndarray)",)


def test_predictions_are_frozen(bank: Bank) -> None:
    """Fields and numbers."""
    given = taskbank.load("normals", bank=bank).predict(PHOTO)
    with pytest.raises(FrozenInstanceError):
        given.unit = "ft"
    with pytest.raises(ValueError, match="read-only"):
        given.array[0] = 0


def test_every_form_of_one_photo_gives_the_same(bank: Bank, tmp_path: Path) -> None:
    """A path, a PIL image, an array, a tensor; one alone or in a list."""
    path = tmp_path / "photo.png"
    Image.fromarray(PHOTO).save(path)
    predictor = taskbank.load("normals", bank=bank, device="cpu")
    tensor = torch.from_numpy(PHOTO).permute(2, 0, 1)
    expected = predictor.predict(path).array
    assert expected.shape == (40, 60, 3)
    for given in (str(path), Image.open(path), PHOTO, tensor):
        assert np.array_equal(predictor.predict(given).array, expected, equal_nan=True)
        several = predictor.predict([given])
        assert len(several) == 1
        assert np.array_equal(several[0].array, expected, equal_nan=True)
    assert len(predictor.predict(torch.stack([tensor, tensor]))) == 2
    assert predictor.predict([]) == []


def test_several_tasks_give_one_result_each(bank: Bank) -> None:
    """By canonical name; a list gives a list."""
    given = taskbank.predict(PHOTO, ["normals", "depth", "normal"], bank=bank)
    assert list(given) == ["normal", "depth_zbuffer"]
    several = taskbank.predict([PHOTO, PHOTO], "depth", bank=bank)
    assert [list(results) for results in several] == [["depth_zbuffer"]] * 2


def test_all_is_what_the_bank_can_predict_from_one_image(bank: Bank) -> None:
    """Not the pose of two, nor the encoder without decoder."""
    given = taskbank.predict(PHOTO, "all", bank=bank)
    assert set(given) == set(TASKS) - {"fixated_pose"}
    assert list(taskbank.predict(PHOTO, ["all", "normals"], bank=bank)) == list(given)


def test_all_does_not_hide_a_name_that_does_not_fit(bank: Bank) -> None:
    """A pair is asked for beside single images."""
    with pytest.raises(InvalidInputError, match="these tasks cannot run together"):
        taskbank.predict(PHOTO, ["all", "fixated_pose"], bank=bank)


def test_maps_can_be_had_in_the_networks_frame(bank: Bank) -> None:
    """256 px on the shorter side, without gaps."""
    given = taskbank.predict(PHOTO, "normals", bank=bank, frame="network")["normal"]
    assert given.array.shape == (256, 384, 3)
    assert not np.isnan(given.array).any()


def test_normals_come_in_either_convention(bank: Bank) -> None:
    """y and z turn round."""
    predictor = taskbank.load("normals", bank=bank, fit="stretch")
    opencv, opengl = (predictor.predict(PHOTO, normals=axes).array for axes in ("opencv", "opengl"))
    assert np.allclose(opencv * [1, -1, -1], opengl)
    assert np.allclose(np.linalg.norm(opencv, axis=-1), 1, atol=1e-5)


def test_classes_have_names(bank: Bank) -> None:
    """Likeliest first."""
    given = taskbank.load("imagenet", bank=bank).predict(PHOTO)
    top = given.top()
    assert len(top) == 5
    assert top[0][1] == pytest.approx(float(given.array.max()))
    assert given.classes[281] == "tabby"
    assert sorted(share for _, share in top)[::-1] == [share for _, share in top]
    with pytest.raises(InvalidInputError, match="'normal' gives normals"):
        taskbank.load("normals", bank=bank).predict(PHOTO).top()


def test_facts_are_json_ready(bank: Bank) -> None:
    """With the values of small predictions."""
    for task, given in taskbank.predict(PHOTO, "all", bank=bank).items():
        facts = json.loads(json.dumps(given.facts(), allow_nan=False))
        assert facts["task"] == task
        whole = given.kind in MAPS
        assert facts["inputs"][0]["crop_box"] == ([0, 0, 60, 40] if whole else [10, 0, 50, 40])
        assert facts["inputs"][0]["fit"] == ("whole" if whole else "crop")
        assert facts["inputs"][0]["network_size"] == ([384, 256] if whole else [256, 256])
        assert facts["bank"] == {"name": "toy", "sha256": bank.digest}
    assert len(taskbank.predict(PHOTO, "vanishing", bank=bank)["vanishing_point"].facts()["values"]) == 3


def test_facts_of_tiny_maps_are_json_ready(bank: Bank) -> None:
    """They hold no values, as those that were not seen are no numbers."""
    tiny = PHOTO[:3, :4]
    for task in ("depth_zbuffer", "segment_semantic"):
        facts = taskbank.predict(tiny, task, bank=bank)[task].facts()
        assert facts["shape"] == [3, 4]
        assert "values" not in json.loads(json.dumps(facts, allow_nan=False))


def test_semantic_maps_have_a_palette_and_a_legend(bank: Bank) -> None:
    """A class is painted in the colour that the facts name."""
    (outcome,) = Engine(bank, ["semantic"], Settings(device="cpu")).run([PHOTO])
    given = outcome.prediction("segment_semantic")
    facts = given.facts()
    assert len(facts["palette"]) == len(facts["classes"]) == 17
    painted = np.asarray(picture(given, outcome.inputs)).astype(float)
    row, column = np.argwhere(given.array >= 2)[-1]
    named = ImageColor.getrgb(facts["palette"][given.array[row, column] - 1])
    assert np.abs(painted[row, column] - (0.4 * PHOTO[row, column] + 0.6 * np.array(named))).max() <= 1


def test_pairs_are_tuples(bank: Bank) -> None:
    """And a list of tuples is several predictions."""
    predictor = taskbank.load("pose", bank=bank)
    assert predictor.predict((PHOTO, PHOTO)).array.shape == (6,)
    assert len(predictor.predict([(PHOTO, PHOTO), (PHOTO, PHOTO[::-1].copy())])) == 2
    with pytest.raises(InvalidInputError, match="a tuple of 2 images, not 1"):
        predictor.predict([PHOTO, PHOTO])


def test_representations_are_arrays(bank: Bank) -> None:
    """One per image, normalised or as decoders read them; also of encoders without decoder."""
    predictor = taskbank.load("random", bank=bank)
    code = predictor.encode(PHOTO)
    assert code.shape == (8, 16, 16)
    assert code.dtype == np.float32
    assert np.abs(code.mean((1, 2))).max() < 1e-3
    raw = predictor.encode([PHOTO, PHOTO], normalize=False)
    assert np.abs(raw.mean((2, 3))).max() > 1e-3
    assert np.allclose(
        (raw - raw.mean((2, 3), keepdims=True)) / raw.std((2, 3), keepdims=True), code, atol=0.01
    )
    assert predictor.encode([]).shape == (0, 8, 16, 16)
    with pytest.raises(MissingTaskError, match="no decoder for 'random'"):
        predictor.predict(PHOTO)


def test_mistakes_are_named(bank: Bank, tmp_path: Path) -> None:
    """Each with the way out."""
    mistakes: list[tuple[type[TaskBankError], str, Any]] = [
        (UnknownTaskError, "did you mean normal", lambda: taskbank.load("nromal", bank=bank)),
        (MissingTaskError, "no task 'curvature'", lambda: taskbank.load("curvature", bank=bank)),
        (
            InvalidInputError,
            "unknown setting devise",
            lambda: taskbank.load("normal", bank=bank, devise="cpu"),
        ),
        (
            InvalidInputError,
            "unknown frame 'x': choose input or network",
            lambda: taskbank.predict(PHOTO, "normal", bank=bank, frame="x"),
        ),
        (
            InvalidInputError,
            "unknown normals 'x': choose opencv or opengl",
            lambda: taskbank.predict(PHOTO, "normal", bank=bank, normals="x"),
        ),
        (ImageError, "does not exist", lambda: taskbank.predict(tmp_path / "no.png", "normal", bank=bank)),
        (
            ImageError,
            r"image \(ndarray\) holds floats",
            lambda: taskbank.predict(PHOTO / 1.0, "normal", bank=bank),
        ),
    ]
    for kind, message, call in mistakes:
        with pytest.raises(kind, match=message):
            call()


def test_without_a_bank_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a build that left the bundled one out."""
    monkeypatch.setattr("taskbank.bank.source._BUNDLED_FOLDER", tmp_path)
    monkeypatch.delenv("TASKBANK_BANK", raising=False)
    with pytest.raises(TaskBankError, match="Name another one.*--bank, or in the variable TASKBANK_BANK"):
        taskbank.load("normals")


def test_the_variable_names_the_default_bank(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """For scripts and the command."""
    monkeypatch.setenv("TASKBANK_BANK", bank.where)
    assert taskbank.load("normals").bank.digest == bank.digest


def test_egomotion_gives_three_poses_from_three_images(tmp_path: Path) -> None:
    """A network that always says a turn, then a step: JSON and picture show all three cameras."""
    turn, step = [0, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, 0, 2.0]
    network = toy_network("egomotion")
    output = network.decoder.get_submodule("output")
    with torch.no_grad():
        for parameter in network.decoder.get_submodule("direct").parameters():
            parameter.zero_()
        output.get_parameter("weight").zero_()
        output.get_parameter("bias").copy_(torch.from_numpy(whiten("egomotion", [*turn, *step])))
    bank = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"egomotion": network},
        storage=Storage.FP32,
    )
    (outcome,) = Engine(bank, ["egomotion"], Settings(device="cpu")).run([(PHOTO, PHOTO, PHOTO)])
    given = outcome.prediction("egomotion")
    assert np.allclose(given.array, [turn, step, [0, 0.5, 0, 0, 0, 2]], atol=1e-4)
    facts = given.facts()
    assert facts["pairs"] == [[1, 2], [2, 3], [1, 3]]
    assert np.allclose(facts["angles_in_degrees"][2], [0, np.degrees(0.5), 0], atol=0.01)
    assert np.allclose(facts["values"], given.array)
    assert len(facts["inputs"]) == 3
    pixels = np.asarray(picture(given, outcome.inputs)).astype(int)
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    for camera in (red - green > 100, (green - red > 60) & (green - blue > 60), blue - red > 100):
        assert camera.sum() > 50
