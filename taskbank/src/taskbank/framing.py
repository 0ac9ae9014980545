"""From a photo's frame to the network's square and back.

Every fit is one box of the input that fills the network's square: `crop` takes the centred square, `pad` a
square around the whole photo, `stretch` the photo as it is. The way back is the same map inverted, so the
box is all that has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as transforms

from taskbank.errors import InvalidInputError
from taskbank.images import Photo

STEP = 16
"""Sides of network inputs are multiples of this: a place of a representation covers so many px."""

_STRIP = 1 << 22  # numbers that one strip of a map holds at most while it is enlarged


class Fit(StrEnum):
    """How a photo fills the network's square."""

    CROP = "crop"
    PAD = "pad"
    STRETCH = "stretch"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in px of the input; the top left corner of the top left pixel is (0, 0).

    Attributes:
        left: column of the left edge; negative where the box is wider than the image.
        top: row of the upper edge.
        right: column of the right edge.
        bottom: row of the lower edge.
    """

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class View:
    """What part of an input the network saw.

    Attributes:
        width: columns of the input.
        height: rows of the input.
        box: the part of the input that fills the network's square.
        size: side of that square in px.
        fit: how the box was chosen.
    """

    width: int
    height: int
    box: Box
    size: int
    fit: Fit

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """A point of the network's square, in its px, as (column, row) of the input."""
        box = self.box
        return (
            box.left + x * (box.right - box.left) / self.size,
            box.top + y * (box.bottom - box.top) / self.size,
        )


def check_size(size: int) -> int:
    """The side of a network's square, if it can be one.

    Raises:
        InvalidInputError: it is no positive multiple of 16.
    """
    if size < STEP or size % STEP:
        below = max(size // STEP, 1) * STEP
        raise InvalidInputError(
            f"size {size} is no positive multiple of {STEP}: {below} and {below + STEP} are next"
        )
    return size


def fit_photo(photo: Photo, fit: Fit | str = Fit.CROP, size: int = 256) -> tuple[Tensor, View]:
    """A photo as a network takes it.

    Args:
        photo: of any size.
        fit: how it fills the square. Padding is mid-grey, 0.
        size: side of the square in px, a multiple of 16; networks are trained on 256.

    Returns:
        float32 (3, size, size) in [-1, 1], sRGB; and what part of the photo that is.

    Raises:
        InvalidInputError: an unknown fit, or a size that is no multiple of 16.
    """
    if fit not in set(Fit):
        raise InvalidInputError(f"unknown fit {fit!r}: choose {', '.join(Fit)}")
    check_size(size)
    return fill_square(photo, Fit(fit), size)


def fill_square(photo: Photo, fit: Fit, size: int) -> tuple[Tensor, View]:
    """As `fit_photo`, for a square of any side, from which tiles are cut, say."""
    width, height = photo.width, photo.height
    if fit is Fit.PAD:
        return _padded(photo, size)
    box = Box(0, 0, width, height)
    if fit is Fit.CROP:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = Box(left, top, left + side, top + side)
    cut = photo.pixels[..., int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    return _scaled(cut, (size, size)), View(width, height, box, size, fit)


def _padded(photo: Photo, size: int) -> tuple[Tensor, View]:
    """The whole photo in the middle of a grey square."""
    longest = max(photo.width, photo.height)
    columns = max(1, round(size * photo.width / longest))
    rows = max(1, round(size * photo.height / longest))
    left, top = (size - columns) // 2, (size - rows) // 2
    square = torch.zeros(3, size, size)
    square[:, top : top + rows, left : left + columns] = _scaled(photo.pixels, (rows, columns))
    # The share is rounded to whole px of the square, so the two axes may differ by a hair.
    across, down = photo.width / columns, photo.height / rows
    box = Box(-left * across, -top * down, (size - left) * across, (size - top) * down)
    return square, View(photo.width, photo.height, box, size, Fit.PAD)


def _scaled(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Pixels at another size, bilinear with antialiasing, float32 in [-1, 1]."""
    scaled = transforms.resize(pixels, list(size), v2.InterpolationMode.BILINEAR, antialias=True)
    unit: Tensor = transforms.to_dtype(scaled, torch.float32, scale=True)
    return unit * 2 - 1


def to_input_frame(
    values: Tensor, view: View, decode: Callable[[Tensor], Tensor] = lambda strip: strip
) -> tuple[Tensor, Tensor]:
    """A map of the network's square, enlarged and put where the photo was.

    Args:
        values: float (C, h, w), of any resolution, over the whole square.
        view: of the photo.
        decode: what is done to the enlarged values, pixel by pixel: float (C, rows, width) -> any
            (D, rows, width). Maps of many channels are never held as a whole at the photo's size.

    Returns:
        (D, height, width), bilinear between the places of the map before `decode`; and bool
        (height, width), true where the network saw the pixel. Elsewhere values are those of the nearest
        edge.
    """
    box = view.box
    columns = _places(view.width, box.left, box.right, values.shape[-1])
    rows = _places(view.height, box.top, box.bottom, values.shape[-2])
    wide = _lerp(values, columns, -1)
    step = max(1, _STRIP // (values.shape[0] * view.width))
    seen = _inside(rows, values.shape[-2])[:, None] & _inside(columns, values.shape[-1])[None, :]
    strips = (decode(_lerp(wide, strip, -2)) for strip in torch.split(rows, step))
    return join_rows(strips, view.height), seen


def join_rows(strips: Iterable[Tensor], height: int) -> Tensor:
    """Strips (D, rows, W) put one under another: (D, height, W).

    They are asked for one by one, so that a large map is never held twice.
    """
    joined, start = torch.empty(0), 0
    for strip in strips:
        if start == 0:
            joined = strip.new_empty(strip.shape[0], height, strip.shape[-1])
        stop = start + strip.shape[-2]
        joined[:, start:stop] = strip
        start = stop
    return joined


def _places(count: int, low: float, high: float, cells: int) -> Tensor:
    """Centres of `count` pixels in units of the `cells` between `low` and `high`, 0 at the first's centre."""
    return (torch.arange(count, dtype=torch.float64) + 0.5 - low) * cells / (high - low) - 0.5


def _inside(places: Tensor, cells: int) -> Tensor:
    """Which of the places lie in the square."""
    return (places > -0.5) & (places < cells - 0.5)


def _lerp(values: Tensor, places: Tensor, axis: int) -> Tensor:
    """Linear interpolation along one axis, the ends continued."""
    clamped = places.clamp(0, values.shape[axis] - 1)
    low = clamped.floor().long()
    high = (low + 1).clamp(max=values.shape[axis] - 1)
    share = (clamped - low).to(values.dtype)
    share = share if axis == -1 else share[:, None]
    before, after = values.index_select(axis, low), values.index_select(axis, high)
    return torch.lerp(before, after, share)
