"""Inputs of a task's network in training, in tests and as a source.

They are the inputs that `taskbank` makes when it predicts, but for two tasks. Denoising learns with added
noise; photographs have their own. Jigsaw learns from tiles cut at a random place of their cells, so that
edges do not run on from tile to tile; when it predicts, tiles are the middles of the cells.
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
"""Standard deviation of the noise that denoising learns to take away; pictures are in [0, 1]."""

_GRID = 3  # tiles across and down
_TILE_SHARE = 0.9  # of a cell's side
_ORDER, _PLACE, _GRAIN = 101, 102, 103  # salts


def network_input(task: Task, rgb: Tensor, sample_seeds: Tensor) -> Tensor:
    """Return the input of a task's network in training and in tests.

    Args:
        task: any task but `random`.
        rgb: uint8, or float in [0, 1], (B, 3, H, W), or (B, P, 3, H, W) for tasks of P images.
        sample_seeds: int64 (B,), of noise, permutations and places of tiles.

    Returns:
        float32 in [-1, 1], the shape of `rgb`; for jigsaw (B, 9, 3, H, W), shuffled tiles in the order
        `jigsaw_orders` gives.
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
    """Numbers of the permutations in which tiles are shown: int64 (B,), 0 to 99."""
    return integers(sample_seeds, 1, len(jigsaw_permutations()), _ORDER)[:, 0]


def as_unit(rgb: Tensor) -> Tensor:
    """Pictures as float32 in [0, 1]; whole numbers are bytes."""
    return rgb.to(torch.float32) / 255 if rgb.dtype == torch.uint8 else rgb.to(torch.float32)


def resized(maps: Tensor, size: int | None) -> Tensor:
    """Maps at another size, bilinear and antialiased.

    Args:
        maps: float (..., C, H, W).
        size: side in px; None, or the size they have, leaves them as they are.
    """
    if size is None or maps.shape[-1] == size:
        return maps
    flat = maps.reshape(-1, *maps.shape[-3:])
    scaled = functional.interpolate(flat, (size, size), mode="bilinear", antialias=True)
    return scaled.reshape(*maps.shape[:-2], size, size)


def shuffled_tiles(unit: Tensor, sample_seeds: Tensor) -> Tensor:
    """Nine tiles of each picture, each a random nine tenths of its cell at the picture's own size.

    Args:
        unit: float (B, 3, H, W).
        sample_seeds: int64 (B,).

    Returns:
        float (B, 9, 3, H, W): place i shows tile `jigsaw_permutations()[order, i]`.
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
    """Pictures in [-1, 1] as `taskbank` shows them."""
    flat = unit.reshape(-1, *unit.shape[-3:]) * 2 - 1
    return as_input(flat, shown, flat.shape[1]).reshape(unit.shape)
