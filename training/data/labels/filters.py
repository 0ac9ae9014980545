"""Gradients and blurs of batches of pictures, on any device, equal to those of scikit-image and SciPy.

The original labels were made at 512 px. For smaller pictures the filters change so that the labels stay the
same: lengths shrink with the picture, and a gradient is the change over a 512th of the picture's width. A
slope then has the same value at every size, and a jump, which is one pixel wide at every size, keeps its sum
over the picture: blurred or shrunk to a common size, the labels agree.
"""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor
from torch.nn import functional

from training.data.labels import ORIGINAL_SIZE


def shrunk(length: float, size: int) -> float:
    """Convert a length in px of pictures of `ORIGINAL_SIZE` to px of pictures of another size."""
    return length * size / ORIGINAL_SIZE


def gradient(values: Tensor) -> Tensor:
    """Compute the magnitude of Sobel gradients per 512th of the picture's width, as `skimage.filters.sobel`.

    Args:
        values: float (..., H, W).

    Returns:
        the same shape; a jump of height 1 across the picture gives 0.71 times W / 512 beside it.
    """
    size = values.shape[-1]
    stack = functional.pad(values.reshape(-1, 1, *values.shape[-2:]), (1, 1, 1, 1), mode="replicate")
    rows = (stack[..., :-2, :] + 2 * stack[..., 1:-1, :] + stack[..., 2:, :]) / 4
    columns = (stack[..., :-2] + 2 * stack[..., 1:-1] + stack[..., 2:]) / 4
    across = rows[..., 2:] - rows[..., :-2]
    down = columns[..., 2:, :] - columns[..., :-2, :]
    magnitude: Tensor = torch.hypot(across, down) * (0.5**0.5 * size / ORIGINAL_SIZE)
    return magnitude.reshape(values.shape)


def blur(values: Tensor, sigma: float) -> Tensor:
    """Apply a Gaussian blur, as `skimage.filters.gaussian` (cut off at four sigma, edges repeated).

    It is computed in float64, because float32 convolutions have ten bits of mantissa on GPUs (TF32) unless
    the whole process disables that.

    Args:
        values: float (..., H, W).
        sigma: px.

    Returns:
        the same shape.
    """
    reach = ceil(4 * sigma - 0.5)
    if reach < 1:
        return values
    places = torch.arange(-reach, reach + 1, device=values.device, dtype=torch.float64)
    weights = torch.exp(-0.5 * (places / sigma) ** 2)
    weights = weights / weights.sum()
    stack = values.double().reshape(-1, 1, *values.shape[-2:])
    stack = functional.pad(stack, (reach, reach, reach, reach), mode="replicate")
    stack = functional.conv2d(stack, weights[None, None, None, :])
    return functional.conv2d(stack, weights[None, None, :, None]).reshape(values.shape).to(values.dtype)


def grey(rgb: Tensor) -> Tensor:
    """Compute the luma of colours, as `skimage.color.rgb2gray`.

    Args:
        rgb: float (..., 3), sRGB in [0, 1].

    Returns:
        float (...) in [0, 1].
    """
    return rgb @ rgb.new_tensor([0.2125, 0.7154, 0.0721])
