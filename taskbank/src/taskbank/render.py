"""Pictures of predictions, as people know them from the paper and the dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from taskbank.canvas import Canvas, seen_image
from taskbank.colour_maps import paint
from taskbank.errors import InvalidInputError
from taskbank.framing import to_input_frame
from taskbank.geometry import DEFAULT_FOV
from taskbank.inputs import Sight, hole
from taskbank.results import Frame, Prediction
from taskbank.scene_pictures import (
    classes_picture,
    layout_picture,
    match_picture,
    pose_picture,
    puzzle_picture,
    vanishing_picture,
)
from taskbank.task_kinds import OutputKind

SEMANTIC_PALETTE = (
    "white", "red", "blue", "yellow", "magenta", "green", "indigo", "darkorange", "cyan", "pink",
    "yellowgreen", "black", "darkgreen", "brown", "gray", "purple", "darkviolet",
)  # fmt: skip
"""Colours of the semantic classes, those of the original pictures; the background is not painted."""

_COVER = 0.6  # of the photo by a class's colour
_SAMPLED = 7  # every so many pixels are enough to find an embedding's main directions
_DIMMED = 0.35  # brightness of what the network did not see


def picture(prediction: Prediction, sights: tuple[Sight, ...], *, fov: float = DEFAULT_FOV) -> Image.Image:
    """The picture of a prediction.

    Args:
        prediction: of any task.
        sights: what its network was shown, see `taskbank.engine.Outcome`.
        fov: field of view of what the network saw, in degrees; rooms and vanishing points are drawn with it.

    Returns:
        RGB. Maps have the size of the prediction; what the network did not see is the photo, dimmed.

    Raises:
        InvalidInputError: `sights` are not those of the prediction.
    """
    if tuple(sight.view for sight in sights) != prediction.views:
        raise InvalidInputError("the sights are not those of the prediction: take both from one outcome")
    draw = _DRAWN.get(prediction.kind, _map_picture)
    return draw(prediction, sights, fov)


def _map_picture(prediction: Prediction, sights: tuple[Sight, ...], _fov: float) -> Image.Image:
    """A map with a colour per pixel."""
    sight = sights[0]
    array = prediction.array
    seen = ~np.isnan(array if array.ndim == 2 else array[..., 0])
    colours = _colours(prediction, seen)
    if not seen.all():
        colours[~seen] = (_base(prediction, sight)[~seen] * _DIMMED).astype(np.uint8)
    image = Image.fromarray(colours)
    return _with_hole(image, sight, prediction.frame) if prediction.task == "inpainting" else image


def _colours(prediction: Prediction, seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) of a map's values."""
    array = prediction.array
    match prediction.kind:
        case OutputKind.NORMALS:
            # The dataset's code: zero is 127.
            return np.nan_to_num(array * 127 + 127.5).astype(np.uint8)
        case OutputKind.DEPTH:
            low, high = depth_limits(prediction)
            span = max(np.log(high / low), 1e-6)
            # Near is bright.
            return paint(1 - np.log(np.maximum(array, low) / low) / span, "sequential")
        case OutputKind.CURVATURE:
            mean = array.mean(-1)
            reach = max(float(np.percentile(np.abs(mean[seen]), 98)), 1e-6) if seen.any() else 1.0
            return paint(0.5 + mean / reach / 2, "diverging")
        case OutputKind.HEAT_MAP:
            highest = (prediction.value_range or (0, 1))[1]
            return paint(array / highest, "grey")
        case _:
            return np.nan_to_num(array * 255 + 0.5).astype(np.uint8)


def depth_limits(prediction: Prediction) -> tuple[float, float]:
    """Nearest and farthest distance in metres that a depth picture tells apart: 2 % lie beyond each."""
    seen = prediction.array[~np.isnan(prediction.array)]
    if seen.size == 0:
        return 0.1, 1.0
    low, high = np.percentile(seen, [2, 98])
    return max(float(low), 0.01), max(float(high), 0.011)


def _base(prediction: Prediction, sight: Sight) -> NDArray[np.uint8]:
    """The photo in the prediction's frame, uint8 (H, W, 3)."""
    if prediction.frame is Frame.INPUT:
        return sight.photo.as_bytes()
    return np.asarray(seen_image(sight.square))


def _with_hole(image: Image.Image, sight: Sight, frame: Frame) -> Image.Image:
    """A red frame around what was hidden from the network."""
    start, stop = map(float, hole(sight.view.size))
    left, top, right, bottom = start, start, stop, stop
    if frame is Frame.INPUT:
        (left, top), (right, bottom) = sight.view.to_input(start, start), sight.view.to_input(stop, stop)
    drawn = image.copy()
    width = max(1, max(image.size) // 128)
    ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), outline="red", width=width)
    return drawn


def _semantic_picture(prediction: Prediction, sights: tuple[Sight, ...], _fov: float) -> Image.Image:
    """Classes over the photo, with a legend of those that cover most of it."""
    sight = sights[0]
    photo = _base(prediction, sight).astype(np.float32)
    table = np.array([ImageColor.getrgb(name) for name in ("black", *SEMANTIC_PALETTE)], np.float32)
    labels = prediction.array
    painted = photo * (1 - _COVER) + table[labels] * _COVER
    painted = np.where((labels >= 2)[..., None], painted, photo)
    painted[labels == 0] = photo[labels == 0] * _DIMMED
    image = Image.fromarray(painted.astype(np.uint8))
    counts = np.bincount(labels.ravel(), minlength=len(table))[2:]
    shown = [
        number for number in np.argsort(-counts, kind="stable")[:6] if counts[number] > labels.size / 200
    ]
    return _with_legend(image, prediction, [int(number) + 1 for number in shown])


def _with_legend(image: Image.Image, prediction: Prediction, channels: list[int]) -> Image.Image:
    """Names and colours of classes in the upper left corner."""
    names = prediction.classes or tuple(f"class {number}" for number in range(len(SEMANTIC_PALETTE)))
    canvas = Canvas(image)
    step = 13 * canvas.unit
    for row, channel in enumerate(channels):
        middle = 4 * canvas.unit + step * (row + 0.5)
        canvas.dot((9 * canvas.unit, middle), SEMANTIC_PALETTE[channel], 4.5)
        canvas.text((17 * canvas.unit, middle), names[channel], "white", 10, anchor="lm")
    return canvas.done() if channels else image


def _embedding_colours(prediction: Prediction) -> torch.Tensor:
    """The three directions in which the vectors differ most, as red, green and blue: (3, h, w), 0 to 255."""
    vectors = torch.from_numpy(prediction.array.reshape(-1, prediction.array.shape[-1]).copy())
    some = vectors[::_SAMPLED]
    mean = some.mean(0)
    _, directions = torch.linalg.eigh((some - mean).T @ (some - mean))
    best = directions[:, -3:].flip(1)
    # A direction has no sign of its own: the largest component is made positive, so pictures repeat.
    signs = best.gather(0, best.abs().argmax(0, keepdim=True)).sign()
    shares = (vectors - mean) @ (best * signs)
    low, high = (shares[::_SAMPLED].quantile(share).item() for share in (0.01, 0.99))
    scaled = ((shares - low) / max(high - low, 1e-9)).clamp(0, 1)
    colours: torch.Tensor = scaled.T.reshape(3, *prediction.array.shape[:2]).float() * 255
    return colours


def _embedding_picture(prediction: Prediction, sights: tuple[Sight, ...], _fov: float) -> Image.Image:
    """The embedding's main directions as colours, where the photo is."""
    sight = sights[0]
    colours = _embedding_colours(prediction)
    placed, seen = to_input_frame(colours, sight.view, lambda strip: (strip + 0.5).to(torch.uint8))
    image = placed.permute(1, 2, 0).numpy().copy()
    outside = ~seen.numpy()
    image[outside] = (sight.photo.as_bytes()[outside] * _DIMMED).astype(np.uint8)
    return Image.fromarray(image)


_DRAWN: Mapping[OutputKind, Callable[[Prediction, tuple[Sight, ...], float], Image.Image]] = {
    OutputKind.LAYOUT: layout_picture,
    OutputKind.VANISHING_POINTS: vanishing_picture,
    OutputKind.POSE: pose_picture,
    OutputKind.CLASSES: classes_picture,
    OutputKind.MATCH: match_picture,
    OutputKind.PERMUTATION: puzzle_picture,
    OutputKind.SEMANTIC_MAP: _semantic_picture,
    OutputKind.EMBEDDING: _embedding_picture,
}
