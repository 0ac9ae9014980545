"""Photometric augmentation: simulated cameras, light and compression, in batches on any device."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from training.learning.draws import gaussian, integers, seeds_of, uniform

_DRAWS = 20  # random numbers per picture
_NUMBERS, _SHIFTS = 401, 402  # salts
_LUMA = (0.299, 0.587, 0.114)
_KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
_BLOCK = 8  # side of JPEG's blocks in px
_DARKEST = 1e-3


def photometric(unit: Tensor, seeds: Tensor) -> Tensor:
    """Apply random gamma, exposure, white balance, contrast, saturation, blur, vignetting, noise and JPEG.

    Args:
        unit: float (B, 3, H, W) in [0, 1], or (B, P, 3, H, W), whose images vary independently; sides are
            multiples of 8.
        seeds: int64 (B,).

    Returns:
        the same shape, in [0, 1].
    """
    if unit.ndim == 5:
        batch, images = unit.shape[:2]
        numbers = torch.arange(images, device=seeds.device).repeat(batch)
        each = seeds_of(seeds.repeat_interleave(images), numbers)
        return photometric(unit.flatten(0, 1), each).reshape(unit.shape)
    # Each number is used once; first those that decide if an effect is applied, then those for its strength.
    u = uniform(seeds, _DRAWS, _NUMBERS)[..., None, None, None].unbind(1)
    # Gamma, exposure and white balance; values above white are clipped.
    gamma, exposure, balance = _around(u[0], 1.6), _around(u[1], 1.5), torch.cat(u[2:5], 1)
    picture = unit.clamp(min=_DARKEST) ** gamma * (exposure * _around(balance, 1.25))
    picture = picture.clamp(0, 1)
    luma = (picture * picture.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
    saturation = torch.where(u[5] < 0.1, 0.0, 1.5 * u[6])
    picture = luma + saturation * (picture - luma)
    # Blur and JPEG are half of the work, so they are applied to the selected pictures only.
    blurred = (u[7] < 0.35).flatten().nonzero()[:, 0]
    smooth = torch.lerp(picture[blurred], _smoothed(picture[blurred]), u[8][blurred])
    picture = picture.index_copy(0, blurred, smooth)
    # Vignetting grows with the squared distance from the middle, which is 1 in the corners.
    height, width = unit.shape[-2:]
    y, x = (torch.linspace(-1, 1, side, device=unit.device) ** 2 / 2 for side in (height, width))
    picture = picture * (1 - torch.where(u[9] < 0.3, 0.5 * u[10], 0.0) * (y[:, None] + x))
    # All pictures have the same field of noise, shifted, as drawing new noise would cost more than the rest.
    down, across = integers(seeds, 2, max(height, width), _SHIFTS).unbind(1)
    rows = (torch.arange(height, device=seeds.device) + down[:, None]) % height
    columns = (torch.arange(width, device=seeds.device) + across[:, None]) % width
    noise = _field(height, width, unit.device)[:, rows[:, :, None], columns[:, None, :]].movedim(1, 0)
    spread = torch.where(u[11] < 0.5, 0.06 * u[12].square(), 0.0)
    picture = (picture + spread * noise).clamp(0, 1)
    stored = (u[13] < 0.3).flatten().nonzero()[:, 0]
    return picture.index_copy(0, stored, _blocky(picture[stored], 0.01 + 0.06 * u[14][stored]))


def _around(number: Tensor, factor: float) -> Tensor:
    """Map a number in [0, 1) to a factor between 1 / `factor` and `factor`, uniform in its logarithm."""
    return torch.exp((2 * number - 1) * math.log(factor))


def _smoothed(picture: Tensor) -> Tensor:
    """Apply a binomial filter of five px twice, with a standard deviation of 1.4 px."""
    kernel = picture.new_tensor(_KERNEL).repeat(picture.shape[1], 1, 1, 1)
    for _ in range(2):
        picture = functional.pad(picture, (2, 2, 2, 2), mode="replicate")
        picture = functional.conv2d(picture, kernel, groups=len(kernel))
        picture = functional.conv2d(picture, kernel.transpose(2, 3), groups=len(kernel))
    return picture


@cache
def _field(height: int, width: int, device: torch.device) -> Tensor:
    """Noise of mean 0 and variance 1, (3, height, width)."""
    return gaussian(torch.zeros(1, dtype=torch.int64, device=device), (3, height, width), _SHIFTS)[0]


def _blocky(picture: Tensor, step: Tensor) -> Tensor:
    """Round the cosine coefficients of blocks of 8 x 8 px, high frequencies more coarsely, as JPEG does.

    Args:
        picture: float (B, 3, H, W).
        step: float (B, 1, 1, 1), step of the lowest frequency.
    """
    batch, channels, height, width = picture.shape
    cosines, frequency = _cosines(picture.device)
    blocks = picture.reshape(batch, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(
        3, 4
    )
    steps = step[..., None, None] * (1 + frequency[:, None] + frequency)
    rounded = (cosines @ blocks @ cosines.T / steps).round() * steps
    return (cosines.T @ rounded @ cosines).transpose(3, 4).reshape(picture.shape).clamp(0, 1)


@cache
def _cosines(device: torch.device) -> tuple[Tensor, Tensor]:
    """The orthonormal cosine transform of eight numbers, (8, 8), and its frequencies (8,)."""
    place = torch.arange(_BLOCK, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi / _BLOCK * (place + 0.5) * place[:, None]) * math.sqrt(2 / _BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix, place
