"""Segment numbers from embeddings of pixels: mean shift with the kernel that the networks learn.

In the loss of unsupervised segmentation, p = 2 / (1 + exp(d^2)) is the probability that two pixels with
embeddings at distance d belong together (Zamir et al., CVPR 2018, supplement). Every sampled pixel moves to
the mean of all samples, weighted by p, until it converges; modes with p > 1/2 are one segment. The sample is
a grid, so the result is deterministic.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from taskbank.images.framing import View, to_input_frame

MOST_SEGMENTS = 255
"""Most segments: their numbers have 8 bits, and 0 is reserved."""

_TOGETHER = math.log(3)  # squared distance at which p is 1/2
_SAMPLED = 32  # rows and columns of the grid
_MOVES = 30
_STILL = 1e-4  # squared distance; shorter moves count as converged


def number_segments(embedding: Tensor, view: View) -> Tensor:
    """Number the segments of a photo.

    Args:
        embedding: float (C, h, w), over the whole fitted photo.
        view: the part of the photo that the network saw.

    Returns:
        uint8 (height, width) of the photo: 1 is the largest of the sampled segments, and so on, at most 255;
        0 for pixels that the network did not see.
    """
    _, rows, columns = embedding.shape
    picked = [torch.linspace(0, side - 1, min(side, _SAMPLED)).round().long() for side in (rows, columns)]
    points = embedding[:, picked[0]][:, :, picked[1]].flatten(1).T.float()  # (at most 1024, C)
    modes = find_modes(points[points.isfinite().all(dim=1)])  # cells on padding are NaN
    numbers, seen = to_input_frame(embedding, view, lambda strip: _nearest(strip, modes))
    return numbers[0].masked_fill(~seen, 0)


def find_modes(points: Tensor) -> Tensor:
    """Find the modes of a set of points by mean shift.

    Args:
        points: float (N, C).

    Returns:
        (K, C) with 1 <= K <= 255, the mode of most points first.
    """
    shifted = points
    for _ in range(_MOVES):
        kernel = 2 * torch.sigmoid(-torch.cdist(shifted, points).square())
        moved = kernel @ points / kernel.sum(dim=1, keepdim=True)
        still = (moved - shifted).square().sum(dim=1).max() < _STILL
        shifted = moved
        if still:
            break
    # Choose one point from every group of points that belong together, the largest group first.
    company = torch.cdist(shifted, shifted).square() < _TOGETHER
    left = torch.ones(len(shifted), dtype=torch.bool, device=shifted.device)
    chosen: list[int] = []
    while left.any() and len(chosen) < MOST_SEGMENTS:
        best = int((company & left).sum(dim=1).masked_fill(~left, -1).argmax())
        chosen.append(best)
        left &= ~company[best]
    return shifted[chosen]


def _nearest(strip: Tensor, modes: Tensor) -> Tensor:
    """Return the number of the nearest mode, from 1: (C, rows, width) -> uint8 (1, rows, width)."""
    # Squared distances without the pixel's squared length, which is the same for all modes.
    distances = modes.square().sum(dim=1, keepdim=True) - 2 * modes @ strip.flatten(1).float()
    return (distances.argmin(dim=0) + 1).to(torch.uint8).reshape(1, *strip.shape[1:])
