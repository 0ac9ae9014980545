"""What the network of each task is shown: the photo, or what is left of it for the task to work with."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import torch
from torch import Tensor

from taskbank.colour import lightness
from taskbank.constants import jigsaw_permutations
from taskbank.framing import Fit, View, fill_square, fit_photo
from taskbank.images import Photo
from taskbank.tasks import Task, find_task

_GRID = 3  # tiles across and down
_TILE_SHARE = 0.9  # of a cell's side: the seams must not give the puzzle away


class Shown(StrEnum):
    """What a network is shown of a photo."""

    WHOLE = "whole"
    LIGHTNESS = "lightness"
    HOLE = "hole"
    TILES = "tiles"


_SHOWN = {"colorization": Shown.LIGHTNESS, "inpainting": Shown.HOLE, "jigsaw": Shown.TILES}


def shown_to(task: Task) -> Shown:
    """What the network of a task is shown when it predicts.

    Denoising is shown the photo as it is: no noise is added.
    """
    return _SHOWN.get(task.name, Shown.WHOLE)


def shown_to_encoder(task: Task) -> Shown:
    """What the encoder of a task is shown when only its representation is wanted.

    Holes and tiles serve training and prediction; as a source of features the encoder sees the photo.
    """
    return Shown.LIGHTNESS if shown_to(task) is Shown.LIGHTNESS else Shown.WHOLE


def shown_for_readout(source: str, target: Task) -> Shown:
    """What the encoder of a source is shown when a target is read out from it.

    What is hidden from the target's own network is hidden from the source's too.

    Args:
        source: any name of a task.
        target: the task read out.
    """
    form = shown_to(target)
    return shown_to_encoder(find_task(source)) if form is Shown.WHOLE else form


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One photo, ready for every network.

    Attributes:
        photo: as it was read.
        view: what part of it networks see.
        square: float32 (3, S, S) in [-1, 1], that part.
        tiles: float32 (9, 3, S, S) in [-1, 1], shuffled; None where no task asks for them.
        order: number of the permutation in which `tiles` lie; None without tiles.
    """

    photo: Photo
    view: View
    square: Tensor
    tiles: Tensor | None = None
    order: int | None = None


def look_at(photo: Photo, fit: Fit | str, size: int, *, tiles: bool = False) -> Sight:
    """Fit a photo, and cut it into shuffled tiles where they are wanted.

    The order of tiles depends on the photo alone, so that the same photo gives the same prediction.

    Raises:
        InvalidInputError: an unknown fit, or a size that is no multiple of 16.
    """
    square, view = fit_photo(photo, fit, size)
    if not tiles:
        return Sight(photo, view, square)
    permutations = jigsaw_permutations()
    order = zlib.crc32(square.numpy().tobytes()) % len(permutations)
    cut = _cut_tiles(photo, view.fit, size)
    return Sight(photo, view, square, cut[torch.from_numpy(permutations[order].copy())], order)


def _cut_tiles(photo: Photo, fit: Fit, size: int) -> Tensor:
    """The middles of 3 x 3 cells, row by row: (9, 3, size, size)."""
    cell = ceil(size / _TILE_SHARE)
    square, _ = fill_square(photo, fit, cell * _GRID)
    start = (cell - size) // 2
    cells = square.unfold(1, cell, cell).unfold(2, cell, cell)
    middles = cells[..., start : start + size, start : start + size]
    return middles.permute(1, 2, 0, 3, 4).flatten(0, 1)


def show(squares: Tensor, shown: Shown, channels: int = 3) -> Tensor:
    """What is left of whole squares for a network.

    Args:
        squares: float (B, 3, S, S) in [-1, 1].
        shown: WHOLE, LIGHTNESS (100 is 1, 0 is -1) or HOLE (the middle half of rows and columns is 0). Tiles
            are cut from the photo instead, by `look_at`.
        channels: of the network's first layer; lightness is repeated to fill them.

    Returns:
        float (B, channels, S, S); `squares` itself where it is shown whole.
    """
    if shown is Shown.LIGHTNESS:
        light = lightness((squares.float() + 1) / 2) / 50 - 1
        return light.to(squares.dtype).expand(-1, channels, -1, -1)
    if shown is Shown.HOLE:
        start, stop = hole(squares.shape[-1])
        left = squares.clone()
        left[..., start:stop, start:stop] = 0
        return left
    return squares


def hole(size: int) -> tuple[int, int]:
    """First and last row (exclusive) of the square that inpainting hides; columns alike."""
    return size // 4, size - size // 4
