"""Whole frames: every place of a map is that of the photo, for any shape and any fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.taskbank.clips import corner_frames, write_clip
from tests.taskbank.toy import TOYS, toy_network
from torch.nn import functional

from taskbank.bank.bank import Bank
from taskbank.drawing.render import picture
from taskbank.file_predictions import Saving, predict_files
from taskbank.images.framing import (
    View,
    blend_squares,
    cut_squares,
    fit_photo,
    squares_of,
    to_input_frame,
    to_network_frame,
    view_of,
)
from taskbank.images.photo import Photo
from taskbank.images.reading import read_photo
from taskbank.inference.decode import Reading
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.labels.files import read_label
from taskbank.options import Fit, Frame
from taskbank.saving.export import Form, save_prediction
from taskbank.saving.point_cloud import focal_length, unproject

SHAPES = [
    (17, 333),
    (333, 17),
    (640, 480),
    (480, 640),
    (1000, 100),
    (1, 1),
    (1, 50),
    (50, 1),
    (700, 3),
    (5000, 1),
]
FITS_AND_FRAMES = [(fit, frame) for fit in Fit for frame in Frame]
MAPS = ("depth_zbuffer", "normal", "segment_semantic", "segment_unsup2d", "colorization", "inpainting")
NUMBERS = ("class_scene", "room_layout", "jigsaw")


def noise(width: int, height: int, seed: int = 0) -> Photo:
    """A photo of random colours."""
    rng = np.random.default_rng(seed)
    return read_photo(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def padded_map(view: View, inside: float, outside: float) -> torch.Tensor:
    """A map (1, rows, columns) that has one value on the photo and another on padding, pixel by pixel."""
    columns, rows = view.size
    box = view.box
    x = box.left + (np.arange(columns) + 0.5) * (box.right - box.left) / columns
    y = box.top + (np.arange(rows) + 0.5) * (box.bottom - box.top) / rows
    on = ((x > 0) & (x < view.width))[None] & ((y > 0) & (y < view.height))[:, None]
    return torch.from_numpy(np.where(on, inside, outside)).float()[None]


@given(st.integers(1, 6000), st.integers(1, 6000), st.sampled_from([16, 128, 256]))
@settings(max_examples=200)
def test_whole_photos_are_covered_by_few_overlapping_squares(width: int, height: int, size: int) -> None:
    """Half a side apart at most, fifteen at most, near the photo's aspect unless it is beyond 8 : 1."""
    view = view_of(width, height, Fit.WHOLE, size)
    columns, rows = view.size
    assert min(columns, rows) == size
    assert columns % 4 == rows % 4 == 0
    aspect = max(width, height) / min(width, height)
    assert abs(max(columns, rows) - size * min(aspect, 8)) <= max(2, size / 16)
    squares = squares_of(view)
    assert len(squares) <= 15
    starts = [max(square) for square in squares]
    assert all(square[0 if columns <= rows else 1] == 0 for square in squares)
    assert (starts[0], starts[-1]) == (0, max(columns, rows) - size)
    assert all(0 < gap <= size / 2 + 2 for gap in np.diff(starts))


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([1, 2, 4]))
@settings(max_examples=100)
def test_squares_that_are_cut_and_blended_are_the_photo(width: int, height: int, share: int) -> None:
    """At any resolution: what all squares agree on stays as it is."""
    view = view_of(width, height, Fit.WHOLE, 32)
    columns, rows = view.size
    image = torch.rand((2, rows // share, columns // share), generator=torch.Generator().manual_seed(0))
    full = image.repeat_interleave(share, 1).repeat_interleave(share, 2)
    maps = cut_squares(full, view)[..., ::share, ::share]
    assert torch.allclose(blend_squares(maps, view), image, atol=1e-6)


def test_seams_are_blended_linearly() -> None:
    """Two squares that say 0 and 1: a ramp where they overlap, without a step."""
    view = view_of(48, 32, Fit.WHOLE, 32)
    assert squares_of(view) == [(0, 0), (16, 0)]
    maps = torch.stack([torch.zeros(1, 32, 32), torch.ones(1, 32, 32)])
    row = blend_squares(maps, view)[0, 0]
    assert (float(row[:16].max()), float(row[32:].min())) == (0, 1)
    # Weights 15.5 to 0.5 against 0.5 to 15.5 sum to 16 at every place.
    assert torch.allclose(row[16:32], (torch.arange(16) + 0.5) / 16)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fit", Fit)
def test_a_gradient_lands_where_it_was(shape: tuple[int, int], fit: Fit) -> None:
    """The network that gives back columns and rows of the photo, at its own resolution."""
    view = view_of(*shape, fit, 128)
    columns, rows = view.size
    box = view.box
    x = box.left + (torch.arange(columns) + 0.5) * (box.right - box.left) / columns
    y = box.top + (torch.arange(rows) + 0.5) * (box.bottom - box.top) / rows
    places = torch.stack([x.expand(rows, -1), y[:, None].expand(-1, columns)]).double()
    found, seen = to_input_frame(places, view)
    assert found.shape == (2, shape[1], shape[0])
    assert bool(seen.all()) is (fit is not Fit.CROP or shape[0] == shape[1])
    for axis, side, step in (
        (0, shape[0], (box.right - box.left) / columns),
        (1, shape[1], (box.bottom - box.top) / rows),
    ):
        truth = torch.arange(side) + 0.5
        wrong = (found[axis] - (truth[None] if axis == 0 else truth[:, None])).abs()[seen]
        # Between the centres of the outermost places it is exact; beyond them the edge is continued.
        assert wrong.max() <= step / 2 + 1e-3
        assert wrong.median() < 1e-3 or side <= 2 * step


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [1, 2, 16])
def test_nothing_of_the_padding_leaks(shape: tuple[int, int], share: int) -> None:
    """Into the photo's frame or the network's, from maps of any resolution."""
    view = view_of(*shape, Fit.PAD, 128)
    full = padded_map(view, 1.0, 1e6)
    # A place of a smaller map is on padding if any of its pixels is, and then it is far off.
    small = functional.max_pool2d(full[None], share)[0]
    thin = min(shape) * 128 / max(shape) < 2 * share
    for place in (to_input_frame, to_network_frame):
        values, seen = place(small, view)
        assert bool(seen.any())
        if not thin:
            assert values[0][seen].max() == 1
    assert bool(to_input_frame(full, view)[1].all())


@pytest.fixture(scope="module", params=TOYS, ids=lambda made: made.name)
def bank(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Networks for maps and for numbers, in either architecture."""
    networks = {task: toy_network(task, request.param, seed) for seed, task in enumerate((*MAPS, *NUMBERS))}
    folder = tmp_path_factory.mktemp("toy") / request.param.name
    return Bank.save(folder, name="toy", architecture=request.param, networks=networks)


def seen_truth(prediction: Any) -> np.ndarray:
    """Mark the pixels of a prediction that show the photo, by the box alone."""
    view, (rows, columns) = prediction.views[0], prediction.array.shape[:2]
    box = view.box
    if prediction.frame is Frame.NETWORK:
        x = box.left + (np.arange(columns) + 0.5) * (box.right - box.left) / columns
        y = box.top + (np.arange(rows) + 0.5) * (box.bottom - box.top) / rows
        inside: np.ndarray = ((x > 0) & (x < view.width))[None] & ((y > 0) & (y < view.height))[:, None]
        return inside
    x, y = np.arange(columns) + 0.5, np.arange(rows) + 0.5
    boxed: np.ndarray = ((x > box.left) & (x < box.right))[None] & ((y > box.top) & (y < box.bottom))[:, None]
    return boxed


@pytest.mark.parametrize(("fit", "frame"), FITS_AND_FRAMES)
def test_pixels_that_were_not_seen_are_unknown_in_every_form(
    bank: Bank, tmp_path: Path, fit: Fit, frame: Frame
) -> None:
    """NaN or label 0 in arrays, transparent in pictures, 65535 in 16 bits, absent from clouds."""
    photo = noise(96, 64)
    (made,) = Engine(bank, MAPS, Settings(device="cpu", fit=fit, size=64)).run([photo.as_bytes()])
    for task in MAPS:
        prediction = made.prediction(task, Reading(frame=frame))
        array = prediction.array
        known = (
            array > 0
            if task == "segment_semantic"
            else np.isfinite(array.reshape(*array.shape[:2], -1)[..., 0])
        )
        truth = seen_truth(prediction)
        assert np.array_equal(known, truth), task
        assert bool(truth.all()) is (
            fit in {Fit.WHOLE, Fit.STRETCH} or (fit is Fit.PAD) is (prediction.frame is Frame.INPUT)
        )
        save_prediction(prediction, made.inputs, tmp_path, (Form.PNG, Form.PLY))
        with Image.open(tmp_path / f"{task}.png") as image:
            assert ("A" in image.getbands()) is (not np.asarray(seen_picture(prediction)).all())
            if "A" in image.getbands():
                assert np.array_equal(np.asarray(image)[..., 3] > 0, seen_picture(prediction))
        if task == "depth_zbuffer":
            codes = read_label(tmp_path / "depth_zbuffer_16bit.png", task)
            assert np.array_equal(codes == 65535, ~truth)
            header = (tmp_path / "depth_zbuffer.ply").read_bytes().split(b"end_header")[0].decode()
            assert f"element vertex {int(truth.sum())}\n" in header


def seen_picture(prediction: Any) -> np.ndarray:
    """Mark the pixels of a picture that show the photo: pictures of embeddings lie over the photo."""
    if prediction.task != "segment_unsup2d":
        return seen_truth(prediction)
    view = prediction.views[0]
    seen: np.ndarray = to_input_frame(torch.zeros(1, 4, 4), view)[1].numpy()
    return seen


@pytest.mark.parametrize("size", [(333, 17), (90, 160), (160, 90), (64, 64), (66, 64)])
def test_a_whole_map_is_that_of_the_network_run_on_squares_of_the_resized_photo(
    bank: Bank, size: tuple[int, int]
) -> None:
    """By hand: resize, cut, run, weigh; then enlarge to the photo."""
    photo = noise(*size)
    (made,) = Engine(bank, ["normal"], Settings(device="cpu", size=64)).run([photo.as_bytes()])
    view = made.inputs[0].view
    columns, rows = view.size
    resized = fit_photo(photo, Fit.STRETCH, 64)[0] if size == (66, 64) else made.inputs[0].square
    assert resized.shape == (3, rows, columns)
    network, total, weight = bank.load("normal"), torch.zeros(3, rows, columns), torch.zeros(rows, columns)
    tent = torch.minimum(torch.arange(64) + 0.5, 63.5 - torch.arange(64))
    tent = tent[None] if columns > rows else tent[:, None]
    for left, top in squares_of(view):
        place = (slice(top, top + 64), slice(left, left + 64))
        with torch.inference_mode():
            total[:, *place] += network(resized[None, :, *place])[0] * tent
        weight[place] += tent
    raw = total / weight
    assert torch.allclose(made.raw["normal"], raw, atol=1e-4)
    given = made.prediction("normal")
    assert given.views[0].fit is Fit.WHOLE
    assert given.array.shape == (size[1], size[0], 3)
    if min(size) >= 64:  # enlarging, for which both are the same formula
        enlarged = functional.interpolate(raw[None], size[::-1], mode="bilinear")[0]
        expected = functional.normalize(enlarged, dim=0).permute(1, 2, 0).numpy()
        assert np.abs(given.array - expected).max() < 1e-3


def test_a_batch_of_mixed_shapes_gives_what_each_photo_gives_alone(bank: Bank) -> None:
    """In order, whatever shapes are shown together, with one that cannot be read among them."""
    shapes = [(64, 64), (96, 64), (64, 96), (96, 64), (300, 20), (64, 64)]
    photos: list[Any] = [noise(*shape, seed=number).as_bytes() for number, shape in enumerate(shapes)]
    items = [*photos[:2], "missing.png", *photos[2:]]
    # The numbers of `resnet50` need its own size; maps of 64 px take a sixteenth of the time.
    own = {} if bank.index.architecture["name"] == "resnet50" else {"size": 64}
    for tasks, size in ((MAPS, {"size": 64}), (NUMBERS, own)):
        config: dict[str, Any] = {"device": "cpu", **size}
        together = list(Engine(bank, tasks, Settings(batch_size=8, **config)).run(items))
        assert [outcome.error is None for outcome in together] == [True, True, False, *[True] * 4]
        engine = Engine(bank, tasks, Settings(batch_size=1, **config))
        for photo, outcome in zip(photos, [one for one in together if one.error is None], strict=True):
            (alone,) = engine.run([photo])
            for task in tasks:
                assert torch.allclose(outcome.raw[task], alone.raw[task], atol=1e-3, rtol=1e-3), task
                assert outcome.prediction(task).views == alone.prediction(task).views


def test_tasks_that_need_a_square_see_the_middle_one_and_say_so(bank: Bank) -> None:
    """In the facts, while maps beside them cover everything; all is seen of a square photo."""
    config: dict[str, Any] = {} if bank.index.architecture["name"] == "resnet50" else {"size": 64}
    (wide,) = Engine(bank, (*MAPS, *NUMBERS), Settings(device="cpu", **config)).run(
        [noise(120, 80).as_bytes()]
    )
    for task in NUMBERS:
        (seen,) = wide.prediction(task).facts()["inputs"]
        assert (seen["fit"], seen["crop_box"], seen["unseen"]) == ("crop", [20, 0, 100, 80], 0.3333)
        assert seen["left_out"] == (
            "the network saw the middle square: 20 px on the left, 20 px on the right are left out"
        )
    for task in MAPS:
        (seen,) = wide.prediction(task).facts()["inputs"]
        assert (seen["fit"], seen["crop_box"], seen["unseen"]) == ("whole", [0, 0, 120, 80], 0)
        assert "left_out" not in seen
    (square,) = Engine(bank, NUMBERS, Settings(device="cpu", **config)).run([noise(80, 80).as_bytes()])
    assert square.prediction("class_scene").facts()["inputs"][0]["unseen"] == 0


@pytest.mark.parametrize("fit", Fit)
def test_thin_photos_are_predicted_and_drawn(bank: Bank, fit: Fit) -> None:
    """Sides of one pixel, and far beyond 8 : 1."""
    sizes = [(1, 1), (1, 50), (50, 1), (2000, 1), (17, 333)]
    photos = [noise(*size).as_bytes() for size in sizes]
    outcomes = Engine(bank, MAPS, Settings(device="cpu", fit=fit, size=64, batch_size=2)).run(photos)
    for (width, height), outcome in zip(sizes, outcomes, strict=True):
        for task in MAPS:
            prediction = outcome.prediction(task)
            drawn = picture(prediction, outcome.inputs)
            assert drawn.size == (width, height)
            if task != "segment_unsup2d":
                assert prediction.array.shape[:2] == (height, width)
            if fit is not Fit.CROP and task == "depth_zbuffer":
                assert np.isfinite(prediction.array).all()


def test_reports_say_which_tasks_did_not_see_all_of_an_input(bank: Bank, tmp_path: Path) -> None:
    """Of images and videos: heads see the middle square, and with a crop all do."""
    Image.fromarray(noise(96, 64).as_bytes()).save(tmp_path / "photo.png")
    write_clip(tmp_path / "clip.mp4", corner_frames(2, 96, 64))
    inputs = [(tmp_path / "photo.png",), (tmp_path / "clip.mp4",)]
    tasks = ["normal", "class_scene"] if bank.index.architecture["name"] == "compact" else ["normal"]
    for fit in Fit:
        given = Settings(device="cpu", fit=fit, size=64)
        saving = Saving(folder=tmp_path / fit, forms=(Form.JSON,))
        for report in predict_files(bank, tasks, inputs, saving, settings=given):
            assert report.error is None
            missed = {Fit.WHOLE: tasks[1:], Fit.CROP: tasks}.get(fit, [])
            assert report.unseen == dict.fromkeys(missed, pytest.approx(1 / 3))


def test_representations_are_of_the_middle_square(bank: Bank) -> None:
    """Other networks read them, and they have one shape."""
    photo = noise(120, 80).as_bytes()
    whole, crop = (
        next(Engine(bank, ["normal"], Settings(device="cpu", fit=fit)).encode([photo])).raw["normal"]
        for fit in (Fit.WHOLE, Fit.CROP)
    )
    assert torch.equal(whole, crop)
    assert whole.shape == (8, 16, 16)


@pytest.mark.parametrize("frame", Frame)
@pytest.mark.parametrize("size", [(160, 90), (90, 160), (1000, 100)])
def test_clouds_of_whole_photos_lie_where_the_camera_saw_them(
    bank: Bank, frame: Frame, size: tuple[int, int]
) -> None:
    """A wall 2 m ahead, whose width is that of the field of view; without one, the middle square has 75 degrees."""
    (made,) = Engine(bank, ["depth_zbuffer"], Settings(device="cpu", size=64)).run([noise(*size).as_bytes()])
    share = float(np.log(1 + 2.0 * 512) / np.log(2**16))
    made = replace(made, raw={"depth_zbuffer": torch.full_like(made.raw["depth_zbuffer"], share)})
    assert np.allclose(made.prediction("depth_zbuffer", Reading(frame=frame)).array, 2.0, atol=1e-3)
    assert focal_length(made.inputs[0].view) == pytest.approx(min(size) / 2 / np.tan(np.radians(37.5)))
    points = unproject(made.prediction("depth_zbuffer", Reading(frame=frame)), fov=60)
    across = points[..., 0].max() - points[..., 0].min()
    columns = points.shape[1]
    assert across == pytest.approx(2 * 2.0 * np.tan(np.radians(30)) * (columns - 1) / columns, rel=1e-3)
    pixel = 2 * 2.0 * np.tan(np.radians(30)) / size[0]
    assert np.ptp(points[..., 1]) == pytest.approx(
        pixel * size[1] * (points.shape[0] - 1) / points.shape[0], rel=1e-3
    )
