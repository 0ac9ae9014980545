"""Pictures: a room whose geometry is known is drawn as it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network

from taskbank.bank.bank import Bank
from taskbank.drawing.canvas import Canvas, beside, clip_segment
from taskbank.drawing.picture_scale import depth_limits
from taskbank.drawing.render import UNSEEN, picture
from taskbank.drawing.sheet import caption, sheet
from taskbank.errors import InvalidInputError
from taskbank.geometry import euler_angles
from taskbank.images.colour import rgb_to_lab
from taskbank.images.colour_maps import colour_map, paint
from taskbank.images.reading import read_photo
from taskbank.inference.decode import Reading
from taskbank.inference.engine import Engine, Outcome
from taskbank.inference.preprocess import preprocess
from taskbank.inference.settings import Settings
from taskbank.inference.whitening import whiten
from taskbank.options import Fit, Frame
from taskbank.tasks.registry import TASKS

PHOTO = read_photo(np.random.default_rng(0).integers(60, 200, (96, 128), dtype=np.uint8))
SIDE = 64
LOOKS_ALONG_X = np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])
MAPS = (
    "normal",
    "depth_zbuffer",
    "curvature",
    "inpainting",
    "colorization",
    "segment_semantic",
    "edge_texture",
)
ALL = tuple(name for name, task in TASKS.items() if name != "random")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A toy bank of every task with a decoder."""
    networks = {task: toy_network(task, TOY_COMPACT, seed) for seed, task in enumerate(ALL)}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks)


def outcome(bank: Bank, task: str, raw: torch.Tensor, fit: str = "stretch") -> Outcome:
    """Return the outcome for a task whose network gives `raw`."""
    inputs = tuple(
        preprocess(PHOTO, fit, SIDE, tiles=task == "jigsaw") for _ in range(TASKS[task].num_images)
    )
    return Outcome(sources=("photo",) * len(inputs), inputs=inputs, raw={task: raw.float()}, bank=bank)


def drawn(bank: Bank, task: str, raw: torch.Tensor, fit: str = "stretch", **options: Any) -> np.ndarray:
    """The picture, as an array of ints."""
    made = outcome(bank, task, raw, fit)
    return np.asarray(picture(made.prediction(task), made.inputs, **options)).astype(int)


def halves(left: list[float], right: list[float]) -> torch.Tensor:
    """A map whose left and right halves differ."""
    values = torch.tensor([left, right]).T[..., None, None]
    return torch.cat([values[:, i].expand(-1, SIDE, SIDE // 2) for i in (0, 1)], dim=-1)


def test_normals_have_the_colours_of_the_dataset(bank: Bank) -> None:
    """A floor is purple, a ceiling green, a wall that is faced has no blue."""
    given = drawn(bank, "normal", halves([0, -1, 0], [0, 1, 0]))
    assert given[50, 20].tolist() == [127, 0, 127]
    assert given[50, 110].tolist() == [127, 255, 127]
    assert drawn(bank, "normal", halves([0, 0, -1], [0, 0, -1]))[50, 20].tolist() == [127, 127, 0]


def test_near_is_brighter_than_far(bank: Bank) -> None:
    """Between the limits that the caption names."""
    share = [np.log(1 + 512 * metres) / np.log(2**16) for metres in (1.0, 4.0)]
    made = outcome(bank, "depth_zbuffer", halves([share[0]], [share[1]]))
    prediction = made.prediction("depth_zbuffer")
    given = np.asarray(picture(prediction, made.inputs)).astype(int)
    assert given[50, 20].sum() > given[50, 110].sum() + 300
    assert depth_limits(prediction) == pytest.approx((1, 4), rel=0.01)
    assert caption(prediction) == "1.0 m (bright) to 4.0 m"


def test_what_the_network_did_not_see_is_grey(bank: Bank) -> None:
    """Beside the crop."""
    given = drawn(bank, "reshading", halves([1.0], [1.0]), "crop")
    assert given.shape == (96, 128, 3)
    assert given[:, 16:112].min() == 255
    assert (given[:, :16] == UNSEEN).all()
    assert (given[:, 112:] == UNSEEN).all()


def test_classes_are_painted_over_the_photo(bank: Bank) -> None:
    """Background is not; chairs are blue, and named."""
    raw = torch.eye(17)[[0, 2]].tolist()
    given = drawn(bank, "segment_semantic", halves(raw[0], raw[1]))
    photo = PHOTO.as_bytes().astype(int)
    assert np.array_equal(given[60:, :60], photo[60:, :60])
    blue = np.array([0, 0, 255])
    assert np.abs(given[60:, 70:] - (photo[60:, 70:] * 0.4 + blue * 0.6)).mean() < 3
    assert np.abs(given[:10, :60] - photo[:10, :60]).max() > 60  # the legend


def test_embeddings_tell_segments_apart(bank: Bank) -> None:
    """Equal vectors have equal colours, different ones do not; the picture repeats."""
    vectors = torch.randn((2, 64), generator=torch.Generator().manual_seed(0)).tolist()
    given = drawn(bank, "segment_unsup2d", halves(vectors[0], vectors[1]))
    assert given.shape == (96, 128, 3)
    assert np.ptp(given[:, :60], axis=(0, 1)).max() == 0
    assert np.abs(given[5, 5] - given[5, 120]).max() > 100
    assert np.array_equal(given, drawn(bank, "segment_unsup2d", halves(vectors[0], vectors[1])))


def yellow(given: np.ndarray) -> np.ndarray:
    """Mark the pixels of floor lines."""
    return (given[..., 0] > 200) & (given[..., 1] > 150) & (given[..., 2] < 90)


def test_the_room_is_drawn_where_its_edges_are(bank: Bank) -> None:
    """A camera in the middle of a cube: the far wall is a square in the middle, its floor line below."""
    layout = [0, 0, 0, *euler_angles(LOOKS_ALONG_X), 4, 4, 4]
    given = drawn(bank, "room_layout", torch.from_numpy(whiten("room_layout", layout)), fov=120.0)
    rows, columns = np.nonzero(yellow(given))
    # Half of the square is tan(60 degrees); the far floor edge is one unit below the axis per unit ahead.
    expected = 96 * (0.5 + 0.5 / np.tan(np.radians(60)))
    assert rows.min() == pytest.approx(expected, abs=2)
    level = columns[rows == round(expected)]
    half = 64 / np.tan(np.radians(60))
    assert level.min() == pytest.approx(64 - half, abs=3)
    assert level.max() == pytest.approx(64 + half, abs=3)


def test_axes_point_where_the_room_does(bank: Bank) -> None:
    """Seen along x: y is to the left, z up, and x vanishes in the middle."""
    raw = torch.from_numpy(np.concatenate([LOOKS_ALONG_X.T @ axis for axis in np.eye(3)]))
    given = drawn(bank, "vanishing_point", raw)
    coloured = np.ptp(given, axis=-1) > 90
    red, green, blue = (coloured & (given.argmax(-1) == channel) for channel in range(3))
    rows, columns = np.nonzero(red)
    assert np.median(rows) == pytest.approx(48, abs=4)
    assert np.median(columns) == pytest.approx(64, abs=4)
    assert np.median(np.nonzero(green)[1]) < 55
    assert np.median(np.nonzero(blue)[0]) < 42
    untouched = (slice(70, None), slice(None))
    assert np.array_equal(given[untouched], PHOTO.as_bytes()[untouched])


def test_a_solved_puzzle_is_the_photo(bank: Bank) -> None:
    """Apart from the seams."""
    order = preprocess(PHOTO, "stretch", SIDE, tiles=True).order
    assert order is not None
    raw = torch.zeros(100)
    raw[order] = 9
    made = outcome(bank, "jigsaw", raw)
    solved = picture(made.prediction("jigsaw"), made.inputs)
    square = np.asarray(
        Image.fromarray(((made.inputs[0].square + 1) * 127.5 + 0.5).byte().permute(1, 2, 0).numpy())
    )
    assert np.array_equal(np.asarray(solved)[:19, :19], square[:19, :19])
    assert np.array_equal(np.asarray(solved)[24:40, 44:60], square[24:40, 44:60])


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("frame", list(Frame))
def test_every_task_has_a_picture(bank: Bank, fit: Fit, frame: Frame) -> None:
    """With any fit, in either frame; inputs stay as they are."""
    pixels = PHOTO.pixels.clone()
    settings = Settings(device="cpu", fit=fit, size=64)
    for number in (1, 2, 3):
        tasks = [task for task in ALL if TASKS[task].num_images == number]
        item = PHOTO.as_bytes() if number == 1 else (PHOTO.as_bytes(),) * number
        (made,) = Engine(bank, tasks, settings).run([item])
        for task in tasks:
            prediction = made.prediction(task, Reading(frame=frame))
            shown = picture(prediction, made.inputs)
            assert shown.mode == "RGB"
            if task in MAPS:
                columns = 84 if fit is Fit.WHOLE else 64
                assert shown.size == ((128, 96) if frame is Frame.INPUT else (columns, 64))
            assert isinstance(caption(prediction), str)
    assert torch.equal(PHOTO.pixels, pixels)


def test_sights_of_another_photo_are_refused(bank: Bank) -> None:
    """They would not fit the map."""
    made = outcome(bank, "normal", halves([0, 0, -1], [0, 0, -1]))
    other = (preprocess(read_photo(np.zeros((9, 9), np.uint8)), "crop", SIDE),)
    with pytest.raises(InvalidInputError, match="not those of the prediction"):
        picture(made.prediction("normal"), other)


def test_the_sheet_holds_every_picture_and_its_name() -> None:
    """In rows; small pictures are enlarged, large ones shrunk."""
    red = Image.new("RGB", (10, 20), "red")
    page = sheet({"normal": red, "depth_zbuffer": red, "reshading": red}, {"normal": "words"}, red, columns=2)
    assert page.size == (2 * 264 + 8, 2 * 304 + 8)
    given = np.asarray(page).astype(int)
    assert (given[8 + 128, 8 + 128] == [255, 0, 0]).all()
    assert given[8 + 256 : 8 + 296, 272:].min() < 100
    assert (given[312 + 128, 272 + 128] == [255, 0, 0]).all()


def test_colour_maps_are_perceptual() -> None:
    """Lightness rises steadily along the sequential map, and falls to both sides of the diverging one."""
    lab = {
        name: rgb_to_lab(torch.from_numpy(colour_map(name).copy() / 255.0).T[..., None])[0, :, 0].numpy()
        for name in ("sequential", "diverging", "grey")
    }
    assert np.diff(lab["sequential"]).min() > 0
    steps = np.diff(lab["sequential"][::16])
    assert steps.max() < 1.6 * steps.min()
    assert abs(int(lab["diverging"].argmax()) - 127) < 3
    assert paint(np.array([[-1.0, 0, 1, 2, np.nan]]), "grey")[0, :, 0].tolist() == [0, 0, 255, 255, 0]


def test_segments_behind_the_camera_are_cut() -> None:
    """At the near plane, or altogether."""
    ahead, behind = np.array([0.0, 0, -2]), np.array([0.0, 0, 2])
    assert clip_segment(behind, behind, 0.1) is None
    for ends in ((ahead, behind), (behind, ahead)):
        cut = clip_segment(*ends, 0.1)
        assert cut is not None
        assert sorted(float(end[2]) for end in cut) == [-2, pytest.approx(-0.1)]


def test_drawing_leaves_the_image_as_it_is(tmp_path: Path) -> None:
    """A canvas is a copy."""
    image = Image.new("RGB", (40, 30), "white")
    canvas = Canvas(image)
    canvas.line([(0, 0), (39, 29)], "red")
    canvas.text((20, 15), "x", "black")
    assert canvas.done().size == (40, 30)
    assert image.getcolors() == [(1200, (255, 255, 255))]
    assert beside([image, image], height=15).size == (46, 15)
    assert not list(tmp_path.iterdir())
