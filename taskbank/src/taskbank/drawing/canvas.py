"""Drawing with Pillow: smooth lines and readable text on photos."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from taskbank.images.framing import View
from taskbank.images.photo import Photo

Colour: TypeAlias = str | tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

LARGEST = 1280
"""Longer side in px of photos that are drawn on: lines and text are no sharper on larger ones."""

_RIM: Colour = (20, 20, 20)
_LARGE = 4_000_000  # px above which the layer is not enlarged: one px is small there
_SMOOTH = 2  # lines are drawn this many times larger and shrunk, as Pillow does not smooth them


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font at a size in px."""
    return ImageFont.load_default(max(size, 8))


def photo_image(photo: Photo, largest: int = LARGEST) -> Image.Image:
    """Return a photo to draw on, whose longer side is at most `largest` px."""
    image = Image.fromarray(photo.held_bytes())
    image.thumbnail((largest, largest))
    return image


def seen_image(square: Tensor) -> Image.Image:
    """Convert the network's input, float (3, rows, columns) in [-1, 1], to an image."""
    pixels = ((square + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def on_photo(image: Image.Image, view: View, shares: Iterable[Iterable[float]]) -> list[Point]:
    """Map points of the network's square to a drawing of the photo.

    Args:
        image: the whole photo, at any size.
        view: what part of it the network saw.
        shares: (column, row) of each point, as shares of the square, 0 to 1.
    """
    points = [view.to_input(x * view.size[0], y * view.size[1]) for x, y in shares]
    return [(x * image.width / view.width, y * image.height / view.height) for x, y in points]


class Canvas:
    """An image with methods that draw smooth lines and text.

    Args:
        image: RGB; a copy is drawn on.
        rims: whether lines and letters have dark rims, so that they are visible on any background.
    """

    def __init__(self, image: Image.Image, *, rims: bool = True) -> None:
        self._rims = rims
        self._ground = image.convert("RGB")
        self._smooth = _SMOOTH if image.width * image.height <= _LARGE else 1
        large = (image.width * self._smooth, image.height * self._smooth)
        # A separate layer, so that pixels without drawing stay unchanged.
        self._layer = Image.new("RGBA", large)
        self._draw = ImageDraw.Draw(self._layer)
        self.unit = max(1.0, max(image.size) / 256)
        """Width in px of a line that is clearly visible at this image size."""

    def line(self, points: Iterable[Point], colour: Colour, width: float = 1.5) -> None:
        """Draw a line; width in units."""
        path = [(x * self._smooth, y * self._smooth) for x, y in points]
        core = max(1, round(width * self.unit * self._smooth))
        if self._rims:
            self._draw.line(path, fill=_RIM, width=core + round(self.unit * self._smooth), joint="curve")
        self._draw.line(path, fill=colour, width=core, joint="curve")

    def dot(self, at: Point, colour: Colour, radius: float = 3) -> None:
        """Draw a filled circle; radius in units."""
        x, y = at[0] * self._smooth, at[1] * self._smooth
        reach = radius * self.unit * self._smooth
        box = (x - reach, y - reach, x + reach, y + reach)
        self._draw.ellipse(box, fill=colour, outline=_RIM, width=max(1, round(self.unit)))

    def text(self, at: Point, words: str, colour: Colour, size: float = 11, anchor: str = "mm") -> None:
        """Draw text; size in units."""
        place = (at[0] * self._smooth, at[1] * self._smooth)
        rim = max(1, round(self.unit * self._smooth * 0.7)) if self._rims else 0
        letters = font(round(size * self.unit * self._smooth))
        self._draw.text(
            place, words, fill=colour, font=letters, anchor=anchor, stroke_width=rim, stroke_fill=_RIM
        )

    def done(self) -> Image.Image:
        """Return the drawing at the image's original size."""
        drawn = self._layer.reduce(self._smooth)
        return Image.alpha_composite(self._ground.convert("RGBA"), drawn).convert("RGB")


def below(image: Image.Image, panel: Image.Image) -> Image.Image:
    """Place a panel below an image of the same width."""
    joined = Image.new("RGB", (image.width, image.height + panel.height), "white")
    joined.paste(image, (0, 0))
    joined.paste(panel, (0, image.height))
    return joined


def beside(images: Iterable[Image.Image], height: int = 256, gap: int = 6) -> Image.Image:
    """Place images in a row, scaled to one height."""
    row = [
        image.resize((max(1, round(image.width * height / image.height)), height), Image.Resampling.LANCZOS)
        for image in images
    ]
    joined = Image.new("RGB", (sum(image.width + gap for image in row) - gap, height), "white")
    left = 0
    for image in row:
        joined.paste(image, (left, 0))
        left += image.width + gap
    return joined


def clip_segment(start: np.ndarray, stop: np.ndarray, near: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Clip a segment to the part in front of the camera.

    Args:
        start: float (3,), camera frame, looking along -z.
        stop: the other end.
        near: least distance in front of the camera.

    Returns:
        the ends of that part, or None if the whole segment is behind `near`.
    """
    if start[2] > -near and stop[2] > -near:
        return None
    if start[2] > -near:
        start = start + (stop - start) * ((-near - start[2]) / (stop[2] - start[2]))
    elif stop[2] > -near:
        stop = stop + (start - stop) * ((-near - stop[2]) / (start[2] - stop[2]))
    return start, stop
