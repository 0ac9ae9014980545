"""Mosaic of several named pictures: a frame of the side-by-side video."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from taskbank.drawing.canvas import font

CELL = 256
"""Side of a picture in px: that of the network's own square."""

_GAP = 12
_HEAD = 36  # px above a picture, for its name
_LINE = 26  # px of a line of text
_GROUND = (17, 20, 26)
_NAME = (240, 242, 246)
_WORDS = (168, 176, 190)
_COLUMNS = 3  # most columns


class Mosaic:
    """Cells with names; names are drawn once, pictures for each frame.

    Args:
        names: of the cells.
        lines: text about the whole mosaic, in free cells if any, else below.
    """

    def __init__(self, names: Sequence[str], lines: Sequence[str]) -> None:
        columns = min(len(names), _COLUMNS)
        rows = ceil(len(names) / columns)
        width = columns * (CELL + _GAP) + _GAP
        height = rows * (_HEAD + CELL + _GAP)
        free = columns * rows - len(names)
        below = 0 if free else len(lines) * _LINE + _GAP
        self._places = [
            (_GAP + column * (CELL + _GAP), _HEAD + row * (_HEAD + CELL + _GAP))
            for row in range(rows)
            for column in range(columns)
        ]
        self._ground = Image.new("RGB", (width, height + below), _GROUND)
        draw = ImageDraw.Draw(self._ground)
        for (left, top), name in zip(self._places, names, strict=False):
            draw.text((left, top - _HEAD / 2), _cut(name, CELL, 20), fill=_NAME, font=font(20), anchor="lm")
        left, top = self._places[-free] if free else (_GAP, height)
        room = (free or columns) * (CELL + _GAP) - _GAP
        for number, line in enumerate(lines):
            at = (left, top + (number + 0.5) * _LINE)
            draw.text(at, _cut(line, room, 16), fill=_WORDS, font=font(16), anchor="lm")

    def fill(self, pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
        """Fill the cells with pictures, each as large as fits: uint8 (H, W, 3)."""
        filled = self._ground.copy()
        for (left, top), picture in zip(self._places, pictures, strict=False):
            share = CELL / max(picture.size)
            size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
            shown = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
            filled.paste(shown, (left + (CELL - size[0]) // 2, top + (CELL - size[1]) // 2))
        return np.asarray(filled)


def _cut(words: str, width: int, size: int) -> str:
    """Shorten text to fit a width in px."""
    letters = font(size)
    if letters.getlength(words) <= width:
        return words
    while words and letters.getlength(words + "…") > width:
        words = words[:-1]
    return words.rstrip() + "…"
