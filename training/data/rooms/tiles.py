"""Pictures as tiles, whose rays are traced together, and back."""

from __future__ import annotations

import math

from torch import Tensor

from training.data.rooms.shapes import Vector

_SIDE = 8
"""Of tiles, px, where pictures are a multiple of it."""


def side_of_tiles(size: int) -> int:
    """The greatest side up to 8 px that pictures of `size` px are tiled by without rest, halving from 8."""
    return math.gcd(size, _SIDE)


def tiled(maps: Tensor) -> Tensor:
    """Maps (F, size, size, ...) as tiles (F * tiles, pixels, ...)."""
    frames, size = maps.shape[:2]
    side = side_of_tiles(size)
    across = size // side
    split = maps.reshape(frames, across, side, across, side, -1).transpose(2, 3)
    return split.reshape(frames * across * across, side * side, *maps.shape[3:])


def untiled(tiles: Tensor, size: int) -> Tensor:
    """Maps (F, size, size, ...) out of tiles: the inverse of `tiled`."""
    side = side_of_tiles(size)
    across = size // side
    split = tiles.reshape(-1, across, across, side, side, math.prod(tiles.shape[2:])).transpose(2, 3)
    return split.reshape(-1, size, size, *tiles.shape[2:])


def components(vectors: Tensor) -> Vector:
    """Vectors (..., 3) as three tensors, each whole in memory."""
    x, y, z = (vectors[..., i].contiguous() for i in range(3))
    return x, y, z
