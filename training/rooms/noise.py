"""Counter-based random numbers and smooth noise, equal on all devices and in all batches.

A number depends only on the integers from which it is hashed (a frame's seed, a pixel, a purpose), so there
is no generator state.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_MIX = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)


def _signed(number: int) -> int:
    """The int32 with the same bits."""
    return (number & 0xFFFFFFFF) - (1 << 32 if number & 0x80000000 else 0)


_FACTORS = tuple(_signed(number) for number in _MIX)


def hashed(*numbers: Tensor | int) -> Tensor:
    """Hash up to four integers, at least one of them an int32 tensor, to int32; tensors broadcast."""
    total: Tensor | int = 0
    for number, factor in zip(numbers, _FACTORS, strict=False):
        part = number * factor if isinstance(number, Tensor) else _signed(number * factor)
        total = part ^ total
    if not isinstance(total, Tensor):
        raise TypeError(f"one of the numbers to hash must be a tensor, got {numbers!r}")
    total = (total ^ _shifted(total, 16)) * _signed(0x7FEB352D)
    total = (total ^ _shifted(total, 15)) * _signed(0x846CA68B)
    return total ^ _shifted(total, 16)


def _shifted(number: Tensor, bits: int) -> Tensor:
    """Logical right shift of int32, filled with zeros."""
    return (number >> bits) & ((1 << (32 - bits)) - 1)


def uniform(*numbers: Tensor | int) -> Tensor:
    """Hash integers to float32 in [0, 1), see `hashed`."""
    return (hashed(*numbers) & 0xFFFFFF).to(torch.float32) * 2.0**-24


def gaussian(*numbers: Tensor | int) -> Tensor:
    """Hash up to three integers to float32 of a standard normal distribution (Box and Muller)."""
    radius = (-2 * torch.log1p(-uniform(*numbers, 0x51))).sqrt()
    return radius * torch.cos(2 * math.pi * uniform(*numbers, 0xA7))


def value_noise(x: Tensor, y: Tensor, seed: Tensor) -> Tensor:
    """Compute smooth noise in the plane with one free value per unit square: float32 in [-1, 1]."""
    left, low = x.floor(), y.floor()
    i, j = left.to(torch.int32), low.to(torch.int32)
    s, t = _eased(x - left), _eased(y - low)
    below = torch.lerp(uniform(i, j, seed), uniform(i + 1, j, seed), s)
    above = torch.lerp(uniform(i, j + 1, seed), uniform(i + 1, j + 1, seed), s)
    return torch.lerp(below, above, t) * 2 - 1


def _eased(t: Tensor) -> Tensor:
    return t * t * (3 - 2 * t)


def cloud(x: Tensor, y: Tensor, seed: Tensor, footprint: Tensor, octaves: int = 4) -> Tensor:
    """Sum noise of halving scales, without scales smaller than a pixel: float32, about [-1, 1].

    Args:
        x: float32 (R,), in units of the coarsest period.
        y: float32 (R,).
        seed: int32 (R,).
        footprint: float32 (R,), width of a pixel in the same units.
        octaves: number of scales.
    """
    total = torch.zeros_like(x)
    for octave in range(octaves):
        frequency = 2.0**octave
        weight = faded(footprint * frequency) * 0.55**octave
        total = total + weight * value_noise(x * frequency, y * frequency, seed + octave)
    return total


def faded(footprint: Tensor) -> Tensor:
    """Return the weight of a detail of period 1: 1 if a pixel covers little of it, 0 if more than 0.7."""
    return (1.4 - 2 * footprint).clamp(0, 1)
