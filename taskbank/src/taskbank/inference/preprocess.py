"""Preprocessing of photos for the network of each task: whole, as lightness, with a hole, or as tiles."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

import torch
from torch import Tensor

from taskbank.constants import jigsaw_permutations
from taskbank.images.colour import lightness
from taskbank.images.framing import Box, View, fill_square, fit_photo
from taskbank.images.reading import Photo
from taskbank.options import Fit
from taskbank.tasks.registry import DecoderForm, Task, find_task

_GRID = 3  # tiles across and down
_TILE_SHARE = 0.9  # of a cell's side: the seams must not give the puzzle away


class InputKind(StrEnum):
    """Form in which a network is shown a photo."""

    WHOLE = "whole"
    LIGHTNESS = "lightness"
    HOLE = "hole"
    TILES = "tiles"


_SHOWN = {"colorization": InputKind.LIGHTNESS, "inpainting": InputKind.HOLE, "jigsaw": InputKind.TILES}


def input_kind(task: Task) -> InputKind:
    """Return the form of a photo that the network of a task is shown to predict.

    Denoising is shown the photo as it is: no noise is added.
    """
    return _SHOWN.get(task.name, InputKind.WHOLE)


def encoder_input_kind(task: Task) -> InputKind:
    """Return the form of a photo that the encoder of a task is shown if only its representation is used.

    Holes and tiles serve training and prediction; as a source of features the encoder sees the photo.
    """
    return InputKind.LIGHTNESS if input_kind(task) is InputKind.LIGHTNESS else InputKind.WHOLE


def readout_input_kind(source: str, target: Task) -> InputKind:
    """Return the form of a photo that the encoder of a source is shown to read out a target.

    Parts that are hidden from the target's own network are hidden from the source's too.

    Args:
        source: any name of a task.
        target: the task read out.
    """
    form = input_kind(target)
    return encoder_input_kind(find_task(source)) if form is InputKind.WHOLE else form


def sees_whole(task: Task) -> bool:
    """Tell whether a task's network predicts maps, so that it can be shown whole photos, square by square.

    Heads for classes, numbers, poses, matches and permutations see one square, as does all code outside of
    this package that reads representations.
    """
    return task.decoder in {DecoderForm.PIXEL, DecoderForm.COLORIZATION}


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessed:
    """One photo, ready for every network.

    Attributes:
        photo: as it was read.
        view: what part of it networks see.
        square: float32 (3, S, S) in [-1, 1], that part; (3, rows, columns) where the fit is `whole`.
        tiles: float32 (9, 3, S, S) in [-1, 1], shuffled; None where no task asks for them.
        order: number of the permutation in which `tiles` lie; None without tiles.
        middle: the same photo's middle square, for networks that give no maps; None where there are none, or
            where `square` is shown to all networks.
    """

    photo: Photo
    view: View
    square: Tensor
    tiles: Tensor | None = None
    order: int | None = None
    middle: Preprocessed | None = None

    def for_task(self, task: Task) -> Preprocessed:
        """Return what the network of a task is given: this, or the middle square where the task needs one."""
        return self.part(whole=sees_whole(task))

    def part(self, *, whole: bool) -> Preprocessed:
        """Return what networks that take whole photos are given, or those that take squares."""
        return self if whole or self.middle is None else self.middle


def preprocess(
    photo: Photo, fit: Fit | str, size: int, *, tiles: bool = False, square: bool = False
) -> Preprocessed:
    """Fit a photo, and cut it into shuffled tiles where they are wanted.

    The order of tiles depends on the photo alone, so that the same photo gives the same prediction.

    Args:
        photo: of any size.
        fit: how it fills the networks' input.
        size: side of the networks' square in px.
        tiles: whether the photo is cut into tiles. They are those of a square.
        square: whether, beside a whole photo, its middle square is wanted.

    Raises:
        InvalidInputError: an unknown fit, or a size that is no multiple of 16.
    """
    image, view = fit_photo(photo, fit, size)
    if view.fit is Fit.WHOLE and photo.width == photo.height:
        # Its middle square is all of it, and nothing has to be run twice.
        return replace(preprocess(photo, Fit.CROP, size, tiles=tiles), view=view)
    if view.fit is Fit.WHOLE:
        middle = preprocess(photo, Fit.CROP, size, tiles=tiles) if square or tiles else None
        return Preprocessed(photo, view, image, middle=middle)
    if not tiles:
        return Preprocessed(photo, view, image)
    permutations = jigsaw_permutations()
    order = zlib.crc32(image.numpy().tobytes()) % len(permutations)
    cut = _cut_tiles(photo, view.fit, size)
    return Preprocessed(photo, view, image, cut[torch.from_numpy(permutations[order].copy())], order)


def as_square_photo(preprocessed: Preprocessed, side: int) -> Preprocessed:
    """Make the middle square of a photo the photo, so that maps can be put over it.

    Args:
        preprocessed: of a photo that was shown whole or cropped.
        side: of the square in px.

    Returns:
        the same images for networks, with a photo of `side` px, uint8; the box, relative to that photo, is
        larger than it where the network saw more.
    """
    square, middle = fill_square(preprocessed.photo, Fit.CROP, side)
    photo = Photo(((square + 1) * 127.5).round().to(torch.uint8), preprocessed.photo.name)

    def placed(one: Preprocessed) -> Preprocessed:
        box, share = one.view.box, side / (middle.box.right - middle.box.left)
        across = [(edge - middle.box.left) * share for edge in (box.left, box.right)]
        down = [(edge - middle.box.top) * share for edge in (box.top, box.bottom)]
        view = View(side, side, Box(across[0], down[0], across[1], down[1]), one.view.size, one.view.fit)
        return replace(one, photo=photo, view=view)

    return replace(
        placed(preprocessed), middle=None if preprocessed.middle is None else placed(preprocessed.middle)
    )


def _cut_tiles(photo: Photo, fit: Fit, size: int) -> Tensor:
    """The middles of 3 x 3 cells, row by row: (9, 3, size, size)."""
    cell = ceil(size / _TILE_SHARE)
    square, _ = fill_square(photo, fit, cell * _GRID)
    start = (cell - size) // 2
    cells = square.unfold(1, cell, cell).unfold(2, cell, cell)
    middles = cells[..., start : start + size, start : start + size]
    return middles.permute(1, 2, 0, 3, 4).flatten(0, 1)


def as_input(images: Tensor, shown: InputKind, channels: int = 3) -> Tensor:
    """Take from fitted photos what a network is not to see.

    Args:
        images: float (B, 3, rows, columns) in [-1, 1].
        shown: WHOLE, LIGHTNESS (100 is 1, 0 is -1) or HOLE (a square in the middle is 0, half as wide as the
            shorter side). Tiles are cut from the photo instead, by `preprocess`.
        channels: of the network's first layer; lightness is repeated to fill them.

    Returns:
        float (B, channels, rows, columns); `images` itself where it is shown whole.
    """
    if shown is InputKind.LIGHTNESS:
        light = lightness((images.float() + 1) / 2) / 50 - 1
        return light.to(images.dtype).expand(-1, channels, -1, -1)
    if shown is InputKind.HOLE:
        left, top, right, bottom = hole(images.shape[-1], images.shape[-2])
        rest = images.clone()
        rest[..., top:bottom, left:right] = 0
        return rest
    return images


def hole(columns: int, rows: int) -> tuple[int, int, int, int]:
    """Left, upper, right and lower edge (the last two exclusive) of the square that inpainting hides."""
    quarter = min(columns, rows) // 4
    side = min(columns, rows) - 2 * quarter
    left, top = (columns - side) // 2, (rows - side) // 2
    return left, top, left + side, top + side
