"""Pictures as tiles, whose rays are traced together, and back."""

from __future__ import annotations

import math

from torch import Tensor

from training.rooms.tracing.shapes import Vector

_SIDE = 8
"""Of tiles, px, where pictures are a multiple of it."""

_BLOCK = 4
"""Tiles along each side of a block, where pictures are a multiple of blocks."""


def side_of_tiles(size: int) -> int:
    """The greatest side up to 8 px that pictures of `size` px are tiled by without rest, halving from 8."""
    return math.gcd(size, _SIDE)


def blocks_of_tiles(size: int) -> bool:
    """True if 16 consecutive tiles always form a square block of 4 x 4 tiles of 8 x 8 px."""
    return size % (_SIDE * _BLOCK) == 0


def tiled(maps: Tensor) -> Tensor:
    """Maps (F, size, size, ...) as tiles (F * tiles, pixels, ...); those of a block lie together."""
    frames, size = maps.shape[:2]
    side, block, across = _split_of(size)
    split = maps.reshape(frames, across, block, side, across, block, side, -1).permute(0, 1, 4, 2, 5, 3, 6, 7)
    return split.reshape(frames * (across * block) ** 2, side * side, *maps.shape[3:])


def untiled(tiles: Tensor, size: int) -> Tensor:
    """Maps (F, size, size, ...) out of tiles: the inverse of `tiled`."""
    side, block, across = _split_of(size)
    inner = math.prod(tiles.shape[2:])
    split = tiles.reshape(-1, across, across, block, block, side, side, inner).permute(0, 1, 3, 5, 2, 4, 6, 7)
    return split.reshape(-1, size, size, *tiles.shape[2:])


def _split_of(size: int) -> tuple[int, int, int]:
    """Side of tiles in px, of blocks in tiles, of pictures in blocks."""
    side = side_of_tiles(size)
    block = _BLOCK if blocks_of_tiles(size) else 1
    return side, block, size // side // block


def by_turn(tiles: Tensor) -> Tensor:
    """Pixels (T, 64) of blocks as groups (T, 64) of one place each in a pattern of 4 x 4 px.

    Group 16 b + i holds, of block b, the pixels whose place is i.
    """
    split = tiles.reshape(-1, _BLOCK * _BLOCK, 2, 4, 2, 4)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(len(tiles), -1)


def from_turns(groups: Tensor) -> Tensor:
    """The inverse of `by_turn`."""
    split = groups.reshape(-1, 4, 4, _BLOCK * _BLOCK, 2, 2)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(len(groups), -1)


def components(vectors: Tensor) -> Vector:
    """Vectors (..., 3) as three tensors, each whole in memory."""
    x, y, z = (vectors[..., i].contiguous() for i in range(3))
    return x, y, z
