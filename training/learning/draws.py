"""Random numbers from seeds, one row per sample: equal on every device, in any batch and order.

Torch's generators give one stream for a whole batch, so that a sample's numbers would depend on its
neighbours, and a resumed run would need their state. Here number i of a sample is a hash of its seed and i
(the finaliser of SplitMix64; Steele, Lea and Flood, OOPSLA 2014).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_GOLDEN = -0x61C8864680B583EB  # 2^64 over the golden ratio, as signed 64 bits
_FIRST = -0x40A7B892E31B1A47
_SECOND = -0x6B2FB644ECCEEE15
_HALF = 1 << 31


def seeds_of(*keys: int | Tensor) -> Tensor:
    """Hash whole numbers to one seed per row.

    Args:
        keys: ints or int64 tensors (B,), at least one of them a tensor.

    Returns:
        int64 (B,), on the tensors' device.
    """
    example = next(key for key in keys if isinstance(key, Tensor))
    seeds = torch.zeros_like(example, dtype=torch.int64)
    for key in keys:
        seeds = _hash(seeds + _GOLDEN + key)
    return seeds


def uniform(seeds: Tensor, count: int, salt: int) -> Tensor:
    """Draw uniform numbers in [0, 1).

    Args:
        seeds: int64 (B,).
        count: numbers per seed.
        salt: any number; other salts give independent numbers for other purposes.

    Returns:
        float32 (B, count).
    """
    high, _ = _halves(seeds, count, salt)
    return (high >> 7).to(torch.float32) / (1 << 24)


def integers(seeds: Tensor, count: int, highest: int, salt: int) -> Tensor:
    """Draw whole numbers from 0 up to but not including `highest`: int64 (B, count)."""
    high, _ = _halves(seeds, count, salt)
    return (high * highest) >> 31


def gaussian(seeds: Tensor, shape: Sequence[int], salt: int) -> Tensor:
    """Draw Gaussian numbers of mean 0 and variance 1 (Box and Muller, 1958).

    Args:
        seeds: int64 (B,).
        shape: shape of one sample's numbers.
        salt: as for `uniform`.

    Returns:
        float32 (B, *shape).
    """
    count = math.prod(shape)
    high, low = _halves(seeds, (count + 1) // 2, salt)
    radius = ((high.to(torch.float32) + 0.5) / _HALF).log().mul_(-2).sqrt_()
    angle = low.to(torch.float32) * (2 * math.pi / _HALF)
    both = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
    return both[:, :count].reshape(-1, *shape)


def _halves(seeds: Tensor, count: int, salt: int) -> tuple[Tensor, Tensor]:
    """Two independent numbers below 2^31 for each position, each int64 (B, count)."""
    places = torch.arange(1, count + 1, device=seeds.device) * _GOLDEN
    mixed = _hash(seeds_of(seeds, salt)[:, None] + places)
    return (mixed >> 33) & (_HALF - 1), mixed & (_HALF - 1)


def _hash(numbers: Tensor) -> Tensor:
    """Mix bits; arithmetic is modulo 2^64, and right shifts fill with zeros."""
    numbers = (numbers ^ ((numbers >> 30) & ((1 << 34) - 1))) * _FIRST
    numbers = (numbers ^ ((numbers >> 27) & ((1 << 37) - 1))) * _SECOND
    return numbers ^ ((numbers >> 31) & ((1 << 33) - 1))
