"""Pictures of predictions, in the style of the paper and the dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from taskbank.drawing.canvas import Canvas, seen_image
from taskbank.drawing.picture_scale import (
    CurvatureScale,
    DepthScale,
    EmbeddingScale,
    InverseScale,
    Scale,
    measure,
)
from taskbank.drawing.scene_pictures import (
    classes_picture,
    layout_picture,
    match_picture,
    numbers_picture,
    pose_picture,
    puzzle_picture,
    vanishing_picture,
)
from taskbank.errors import InvalidInputError
from taskbank.images.colour_maps import SEMANTIC_PALETTE, paint
from taskbank.images.framing import to_input_frame
from taskbank.inference.preprocess import Preprocessed, hole
from taskbank.inference.results import Prediction
from taskbank.labels.codes import encode
from taskbank.options import DEFAULT_FOV, Frame
from taskbank.tasks.kinds import OutputKind

_ROWS = 256  # rows of a photo that are painted at once
_COVER = 0.6  # opacity of a class's colour over the photo
UNSEEN = (128, 128, 128)
"""Colour of pixels that the network did not see."""


def picture(
    prediction: Prediction,
    inputs: tuple[Preprocessed, ...],
    *,
    fov: float = DEFAULT_FOV,
    scale: Scale | None = None,
) -> Image.Image:
    """Draw a prediction.

    Args:
        prediction: of any task.
        inputs: the network's inputs, see `taskbank.inference.engine.Outcome`.
        fov: field of view of what the network saw, in degrees; used to draw rooms and vanishing points.
        scale: scale of colours, see `picture_scale.measure`; None measures it on the prediction.

    Returns:
        RGB. Maps have the size of the prediction, embeddings that of the photo; pixels that the network did
        not see are grey, see `seen_pixels`.

    Raises:
        InvalidInputError: `inputs` are not those of the prediction.
    """
    # Networks that see one square have the middle one of a whole photo.
    for shown in (inputs, tuple(one.part(whole=False) for one in inputs)):
        if tuple(one.view for one in shown) == prediction.views:
            break
    else:
        raise InvalidInputError("the inputs are not those of the prediction: take both from one outcome")
    if prediction.kind in _DRAWN:
        return _DRAWN[prediction.kind](prediction, shown, fov)
    chosen = scale or measure([prediction])
    if isinstance(chosen, EmbeddingScale):
        # Their main directions are the colours; they are enlarged to the photo's area.
        vectors = prediction.array.reshape(-1, prediction.array.shape[-1])
        span = max(chosen.high - chosen.low, 1e-9)
        shares = ((vectors - chosen.mean) @ chosen.directions - chosen.low) / span
        small = torch.from_numpy(shares.clip(0, 1).astype(np.float32) * 255)
        small = small.T.reshape(3, *prediction.array.shape[:2])
        placed, seen = to_input_frame(small, shown[0].view, lambda strip: (strip + 0.5).to(torch.uint8))
        pixels = placed.permute(1, 2, 0).numpy().copy()
        pixels[~seen.numpy()] = UNSEEN
        return Image.fromarray(pixels)
    colours = _colours(prediction, chosen)
    colours[~seen_pixels(prediction)] = UNSEEN
    image = Image.fromarray(colours)
    if prediction.task != "inpainting":
        return image
    # A red frame around the region that was hidden from the network.
    preprocessed = shown[0]
    left, top, right, bottom = map(float, hole(*preprocessed.view.size))
    if prediction.frame is Frame.INPUT:
        (left, top), (right, bottom) = (
            preprocessed.view.to_input(left, top),
            preprocessed.view.to_input(right, bottom),
        )
    drawn = image.copy()
    width = max(1, max(image.size) // 128)
    corner = (max(left, right - 1), max(top, bottom - 1))  # in tiny photos the hole is smaller than a pixel
    ImageDraw.Draw(drawn).rectangle((left, top, *corner), outline="red", width=width)
    return drawn


def seen_pixels(prediction: Prediction) -> NDArray[np.bool_]:
    """Mark the pixels of a map's picture that have a value.

    Args:
        prediction: a map.

    Returns:
        bool (H, W) of the picture: false for pixels that the network did not see, or whose vector has no
        direction.
    """
    array = prediction.array
    if prediction.kind is OutputKind.EMBEDDING:
        blank = torch.zeros(1, *array.shape[:2])
        seen: NDArray[np.bool_] = to_input_frame(blank, prediction.views[0])[1].numpy()
        return seen
    if prediction.kind is OutputKind.SEMANTIC_MAP:
        labelled: NDArray[np.bool_] = array > 0
        return labelled
    known: NDArray[np.bool_] = ~np.isnan(array if array.ndim == 2 else array[..., 0])
    return known


def _colours(prediction: Prediction, scale: Scale | None) -> NDArray[np.uint8]:
    """Return the colours of a map's values, uint8 (H, W, 3)."""
    array = prediction.array
    if isinstance(scale, CurvatureScale):
        return paint(0.5 + array.mean(-1) / scale.reach / 2, "diverging")
    if isinstance(scale, DepthScale | InverseScale):  # near is bright in both: 1, and far is 0
        if isinstance(scale, InverseScale):
            near = (array - scale.low) / max(scale.high - scale.low, 1e-9)
        else:
            span = max(np.log(scale.high / scale.low), 1e-6)
            near = 1 - np.log(np.maximum(array, scale.low) / scale.low) / span
        return paint(near, "sequential")
    match prediction.kind:
        case OutputKind.NORMALS:
            # In the dataset's encoding: zero is 127.
            return encode("normal", torch.from_numpy(np.array(array))).numpy()
        case OutputKind.HEAT_MAP:
            highest = (prediction.value_range or (0, 1))[1]
            return paint(array / highest, "grey")
        case OutputKind.MAP:
            low, high = prediction.value_range or (0, 1)
            shares = (array - low) / (high - low)
            return paint(shares, "sequential") if array.ndim == 2 else _bytes(shares)
        case _:
            return _bytes(array)


def _bytes(shares: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Convert brightness, 0 to 1, to bytes; NaN is black."""
    levels: NDArray[np.uint8] = np.nan_to_num(shares * 255 + 0.5).astype(np.uint8)
    return levels


def _semantic_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], _fov: float) -> Image.Image:
    """Draw classes over the photo, with a legend of those that cover most of it."""
    preprocessed = inputs[0]
    table = np.array([ImageColor.getrgb(name) for name in ("black", *SEMANTIC_PALETTE)], np.float32)
    labels = prediction.array
    in_photo = prediction.frame is Frame.INPUT
    painted = np.array(preprocessed.photo.as_bytes() if in_photo else seen_image(preprocessed.square))
    for start in range(0, len(painted), _ROWS):  # in strips, as a large photo as floats takes gigabytes
        rows = slice(start, start + _ROWS)
        covered = painted[rows] * np.float32(1 - _COVER) + table[labels[rows]] * _COVER
        classified = (labels[rows] >= 2)[..., None]
        np.copyto(painted[rows], covered.astype(np.uint8), where=classified)
    seen = seen_pixels(prediction)
    painted[~seen] = UNSEEN
    image = Image.fromarray(painted)
    counts = np.bincount(labels.ravel(), minlength=len(table))[2:]
    shown = [
        number for number in np.argsort(-counts, kind="stable")[:6] if counts[number] > labels.size / 200
    ]
    if not shown:
        return image
    # The legend is in the upper left corner of the region that the network saw.
    names = prediction.classes or tuple(f"class {number}" for number in range(len(SEMANTIC_PALETTE)))
    canvas = Canvas(image)
    left, top = int(seen.any(0).argmax()), int(seen.any(1).argmax())
    for row, number in enumerate(shown):
        channel = int(number) + 1
        middle = top + 4 * canvas.unit + 13 * canvas.unit * (row + 0.5)
        canvas.dot((left + 9 * canvas.unit, middle), SEMANTIC_PALETTE[channel], 4.5)
        canvas.text((left + 17 * canvas.unit, middle), names[channel], "white", 10, anchor="lm")
    return canvas.done()


_DRAWN: Mapping[OutputKind, Callable[[Prediction, tuple[Preprocessed, ...], float], Image.Image]] = {
    OutputKind.LAYOUT: layout_picture,
    OutputKind.VANISHING_POINTS: vanishing_picture,
    OutputKind.POSE: pose_picture,
    OutputKind.CLASSES: classes_picture,
    OutputKind.MATCH: match_picture,
    OutputKind.NUMBERS: numbers_picture,
    OutputKind.PERMUTATION: puzzle_picture,
    OutputKind.SEMANTIC_MAP: _semantic_picture,
}
