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
from taskbank.images.photo import Photo
from taskbank.options import Fit
from taskbank.tasks.registry import DecoderForm, Task, find_task

_GRID = 3  # tiles along each side
_TILE_SHARE = 0.9  # of a cell's side; gaps, so that seams do not reveal the order


class InputKind(StrEnum):
    """Kind of a network's input."""

    WHOLE = "whole"
    LIGHTNESS = "lightness"
    HOLE = "hole"
    TILES = "tiles"


_SHOWN = {"colorization": InputKind.LIGHTNESS, "inpainting": InputKind.HOLE, "jigsaw": InputKind.TILES}


def input_kind(task: Task) -> InputKind:
    """Return the kind of input of a task's network in prediction.

    For denoising this is the unchanged photo: no noise is added.
    """
    return _SHOWN.get(task.name, InputKind.WHOLE)


def encoder_input_kind(task: Task) -> InputKind:
    """Return the kind of input of a task's encoder if only its representation is used.

    Holes and tiles are for training and prediction only; as a source of features the encoder sees the photo.
    """
    return InputKind.LIGHTNESS if input_kind(task) is InputKind.LIGHTNESS else InputKind.WHOLE


def readout_input_kind(source: str, target: Task) -> InputKind:
    """Return the kind of input of a source's encoder if a target is read out from it.

    Parts that are hidden from the target's own network are hidden from the source's too.

    Args:
        source: any name of a task.
        target: the task that is read out.
    """
    form = input_kind(target)
    return encoder_input_kind(find_task(source)) if form is InputKind.WHOLE else form


def sees_whole(task: Task) -> bool:
    """Return True if a task's network predicts maps, so that it can take whole photos, square by square.

    Heads for classes, numbers, poses, matches and permutations take one square, and so does code outside this
    package that reads representations.
    """
    return task.decoder in {DecoderForm.PIXEL, DecoderForm.COLORIZATION}


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessed:
    """One photo, preprocessed for every network.

    Attributes:
        photo: the original photo.
        view: the part of the photo that networks see.
        square: float32 (3, S, S) in [-1, 1], that part; (3, rows, columns) if the fit is `whole`.
        tiles: float32 (9, 3, S, S) in [-1, 1], shuffled; None if no task takes tiles.
        order: index of the permutation of `tiles`; None without tiles.
        middle: the same photo's middle square, for networks that do not predict maps; None if there are none,
            or if all networks take `square`.
    """

    photo: Photo
    view: View
    square: Tensor
    tiles: Tensor | None = None
    order: int | None = None
    middle: Preprocessed | None = None

    def for_task(self, task: Task) -> Preprocessed:
        """Return the input of a task's network: this, or the middle square if the task needs one."""
        return self.part(whole=sees_whole(task))

    def part(self, *, whole: bool) -> Preprocessed:
        """Return the input of networks that take whole photos, or of those that take one square."""
        return self if whole or self.middle is None else self.middle


def preprocess(
    photo: Photo, fit: Fit | str, size: int, *, tiles: bool = False, square: bool = False
) -> Preprocessed:
    """Fit a photo to the networks' input, and cut it into shuffled tiles on request.

    The order of tiles depends on the photo alone, so that the same photo gives the same prediction.

    Args:
        photo: of any size.
        fit: how it fills the networks' input.
        size: side of the networks' square in px.
        tiles: whether tiles are cut, from the photo's square.
        square: whether the middle square of a whole photo is made too.

    Raises:
        InvalidInputError: an unknown fit, or a size that is not a multiple of 16.
    """
    image, view = fit_photo(photo, fit, size)
    if view.fit is Fit.WHOLE and photo.width == photo.height:
        # The middle square is the whole photo, so networks need not run twice.
        return replace(preprocess(photo, Fit.CROP, size, tiles=tiles), view=view)
    if view.fit is Fit.WHOLE:
        middle = preprocess(photo, Fit.CROP, size, tiles=tiles) if square or tiles else None
        return Preprocessed(photo, view, image, middle=middle)
    if not tiles:
        return Preprocessed(photo, view, image)
    permutations = jigsaw_permutations()
    order = zlib.crc32(image.numpy().tobytes()) % len(permutations)
    # Tiles are the middles of 3 x 3 cells of the photo, row by row: (9, 3, size, size).
    cell = ceil(size / _TILE_SHARE)
    whole, _ = fill_square(photo, view.fit, cell * _GRID)
    start = (cell - size) // 2
    cells = whole.unfold(1, cell, cell).unfold(2, cell, cell)
    middles = cells[..., start : start + size, start : start + size]
    cut = middles.permute(1, 2, 0, 3, 4).flatten(0, 1)
    return Preprocessed(photo, view, image, cut[torch.from_numpy(permutations[order].copy())], order)


def as_square_photo(preprocessed: Preprocessed, side: int) -> Preprocessed:
    """Replace the photo by its middle square, so that maps get the square's pixels.

    Args:
        preprocessed: of a photo with the fit `whole` or `crop`.
        side: of the square in px.

    Returns:
        the same network inputs, with a uint8 photo of `side` px; the box is relative to that photo, and
        larger than it if the network saw more.
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


def as_input(images: Tensor, shown: InputKind, channels: int = 3) -> Tensor:
    """Convert fitted photos to a network's kind of input.

    Args:
        images: float (B, 3, rows, columns) in [-1, 1].
        shown: WHOLE, LIGHTNESS (100 is 1, 0 is -1) or HOLE (a square in the middle is 0, half as wide as the
            shorter side). Tiles are cut from the photo instead, by `preprocess`.
        channels: of the network's first layer; lightness is repeated to fill them.

    Returns:
        float (B, channels, rows, columns); `images` itself for WHOLE.
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
    """Return left, upper, right and lower edge (last two exclusive) of the square that inpainting hides."""
    quarter = min(columns, rows) // 4
    side = min(columns, rows) - 2 * quarter
    left, top = (columns - side) // 2, (rows - side) // 2
    return left, top, left + side, top + side
