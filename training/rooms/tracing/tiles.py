"""Division of pictures into tiles, whose rays are traced together, and its inverse."""

from __future__ import annotations

import math

from torch import Tensor

from training.rooms.tracing.shapes import Vector

_SIDE = 8
"""Side of tiles in px, for pictures whose side is a multiple of it."""

_BLOCK = 4
"""Tiles along each side of a block, for pictures whose side is a multiple of blocks."""


def side_of_tiles(size: int) -> int:
    """Return the largest side of tiles, halving from 8 px, that divides pictures of `size` px."""
    return math.gcd(size, _SIDE)


def blocks_of_tiles(size: int) -> bool:
    """Return True if 16 consecutive tiles always form a square block of 4 x 4 tiles of 8 x 8 px."""
    return size % (_SIDE * _BLOCK) == 0


def tiled(maps: Tensor) -> Tensor:
    """Convert maps (F, size, size, ...) to tiles (F * tiles, pixels, ...), ordered by blocks."""
    frames, size = maps.shape[:2]
    side, block, across = _split_of(size)
    split = maps.reshape(frames, across, block, side, across, block, side, -1).permute(0, 1, 4, 2, 5, 3, 6, 7)
    return split.reshape(frames * (across * block) ** 2, side * side, *maps.shape[3:])


def untiled(tiles: Tensor, size: int) -> Tensor:
    """Convert tiles to maps (F, size, size, ...), the inverse of `tiled`."""
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
    """Regroup the pixels (T, 64) of blocks by their position in a pattern of 4 x 4 px.

    Group 16 b + i holds the pixels of block b whose position is i.
    """
    split = tiles.reshape(-1, _BLOCK * _BLOCK, 2, 4, 2, 4)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(len(tiles), -1)


def from_turns(groups: Tensor) -> Tensor:
    """Invert `by_turn`."""
    split = groups.reshape(-1, 4, 4, _BLOCK * _BLOCK, 2, 2)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(len(groups), -1)


def components(vectors: Tensor) -> Vector:
    """Split vectors (..., 3) into three contiguous tensors."""
    x, y, z = (vectors[..., i].contiguous() for i in range(3))
    return x, y, z
