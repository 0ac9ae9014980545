"""Pages of pictures in rows and columns, as JPEGs of limited size for a card."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from taskbank.drawing.canvas import font
from training.atomic_files import write_whole

LARGEST_BYTES = 300_000
"""Largest size in bytes of a picture on a card."""

_CELL = 224  # px
_GAP, _LINE = 6, 20
_QUALITIES = (88, 80, 70, 60, 50, 40)
_INK, _GREY = (20, 20, 20), (90, 90, 90)


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture.

    Attributes:
        picture: RGB of any size.
        words: line of text under it.
    """

    picture: Image.Image
    words: str = ""


def page(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """Arrange pictures under headings, RGB on white.

    Args:
        headings: headings of the columns.
        rows: cells, one per heading in each row.
    """
    width = len(headings) * (_CELL + _GAP) + _GAP
    height = _LINE + len(rows) * (_CELL + _LINE + _GAP) + _GAP
    whole = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(whole)
    for column, heading in enumerate(headings):
        middle = _GAP + column * (_CELL + _GAP) + _CELL / 2
        draw.text((middle, _GAP), heading, fill=_INK, font=font(14), anchor="ma")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            at = (_GAP + column * (_CELL + _GAP), _LINE + _GAP + row * (_CELL + _LINE + _GAP))
            # The picture lies in the middle of its cell, as large as possible.
            share = _CELL / max(cell.picture.size)
            wide, high = (max(1, round(side * share)) for side in cell.picture.size)
            small = cell.picture.convert("RGB").resize((wide, high), Image.Resampling.LANCZOS)
            whole.paste(small, (at[0] + (_CELL - wide) // 2, at[1] + (_CELL - high) // 2))
            middle = at[0] + _CELL / 2
            draw.text((middle, at[1] + _CELL + 2), cell.words, fill=_GREY, font=font(13), anchor="ma")
    return whole


def write_jpeg(path: Path, picture: Image.Image) -> None:
    """Write a picture in the best quality within `LARGEST_BYTES`.

    Raises:
        StorageError: the file cannot be written.
    """
    for quality in _QUALITIES:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=quality, subsampling=0 if quality > 75 else 2)
        content = stream.getvalue()
        if len(content) <= LARGEST_BYTES:
            break
    write_whole(path, lambda file: file.write(content))
