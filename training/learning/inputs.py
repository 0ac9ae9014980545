"""Inputs of a task's network in training, in tests and as a source.

They equal the inputs of predictions in `taskbank` except for two tasks. Denoising is trained with added
noise; photographs have noise of their own. Jigsaw is trained with tiles cut at a random position in their
cells, so that edges do not continue from tile to tile; in predictions, tiles are the middles of the cells.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from taskbank.constants import jigsaw_permutations
from taskbank.inference.preprocess import InputKind, as_input, encoder_input_kind, input_kind
from taskbank.tasks.registry import Task
from training.learning.draws import gaussian, integers, uniform

NOISE = 0.1
"""Standard deviation of the noise that denoising learns to remove; pictures are in [0, 1]."""

_GRID = 3  # tiles across and down
_TILE_SHARE = 0.9  # share of a cell's side
_ORDER, _PLACE, _GRAIN = 101, 102, 103  # salts


def network_input(task: Task, rgb: Tensor, sample_seeds: Tensor) -> Tensor:
    """Return the input of a task's network in training and in tests.

    Args:
        task: any task but `random`.
        rgb: uint8, or float in [0, 1], (B, 3, H, W), or (B, P, 3, H, W) for tasks of P images.
        sample_seeds: int64 (B,), seeds of noise, permutations and positions of tiles.

    Returns:
        float32 in [-1, 1], the shape of `rgb`; for jigsaw (B, 9, 3, H, W), tiles shuffled by `jigsaw_orders`.
    """
    unit = as_unit(rgb)
    if task.name == "denoising":
        noise = gaussian(sample_seeds, unit.shape[1:], _GRAIN)
        unit = (unit + NOISE * noise).clamp(0, 1)
    if input_kind(task) is InputKind.TILES:
        return shuffled_tiles(unit, sample_seeds) * 2 - 1
    return _shown(unit, input_kind(task))


def encoder_input(task: Task, rgb: Tensor) -> Tensor:
    """Return the input of a task's encoder when it is a source: the whole picture, or its lightness.

    Args:
        task: any task.
        rgb: as for `network_input`.

    Returns:
        float32 in [-1, 1], the shape of `rgb`.
    """
    return _shown(as_unit(rgb), encoder_input_kind(task))


def jigsaw_orders(sample_seeds: Tensor) -> Tensor:
    """Draw the numbers of the permutations of tiles: int64 (B,), 0 to 99."""
    return integers(sample_seeds, 1, len(jigsaw_permutations()), _ORDER)[:, 0]


def as_unit(rgb: Tensor) -> Tensor:
    """Convert pictures to float32 in [0, 1]; integers are divided by 255."""
    return rgb.to(torch.float32) / 255 if rgb.dtype == torch.uint8 else rgb.to(torch.float32)


def resized(maps: Tensor, size: int | None) -> Tensor:
    """Resize maps, bilinearly and antialiased.

    Args:
        maps: float (..., C, H, W).
        size: side in px; None, or the present size, leaves them unchanged.
    """
    if size is None or maps.shape[-1] == size:
        return maps
    flat = maps.reshape(-1, *maps.shape[-3:])
    scaled = functional.interpolate(flat, (size, size), mode="bilinear", antialias=True)
    return scaled.reshape(*maps.shape[:-2], size, size)


def shuffled_tiles(unit: Tensor, sample_seeds: Tensor) -> Tensor:
    """Cut nine tiles of each picture, each a random nine tenths of its cell, resized to the picture's size.

    Args:
        unit: float (B, 3, H, W).
        sample_seeds: int64 (B,).

    Returns:
        float (B, 9, 3, H, W): position i holds tile `jigsaw_permutations()[order, i]`.
    """
    batch, channels, height, width = unit.shape
    orders = torch.from_numpy(jigsaw_permutations().copy()).to(unit.device)[jigsaw_orders(sample_seeds)]
    free = uniform(sample_seeds, 2 * _GRID**2, _PLACE).reshape(batch, -1, 2).to(unit.dtype)
    cells = torch.stack([orders % _GRID, orders // _GRID], dim=-1)  # column, row
    jitter = (free - 0.5) * (1 - _TILE_SHARE)
    middles = (cells + 0.5 + jitter.gather(1, orders[..., None].expand(-1, -1, 2))) * (2 / _GRID) - 1
    theta = unit.new_zeros(batch, _GRID**2, 2, 3)
    theta[..., 0, 0] = theta[..., 1, 1] = _TILE_SHARE / _GRID
    theta[..., 2] = middles
    shape = [batch * _GRID**2, 1, height, width]
    grid = functional.affine_grid(theta.flatten(0, 1), shape, align_corners=False)
    grid = grid.reshape(batch, _GRID**2 * height, width, 2)
    tiles = functional.grid_sample(unit, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return tiles.reshape(batch, channels, _GRID**2, height, width).transpose(1, 2)


def _shown(unit: Tensor, shown: InputKind) -> Tensor:
    """Convert pictures to [-1, 1] as `taskbank` preprocesses them."""
    flat = unit.reshape(-1, *unit.shape[-3:]) * 2 - 1
    return as_input(flat, shown, flat.shape[1]).reshape(unit.shape)
