"""Corners of surfaces in range images, in the spirit of NARF (Steder et al., ICRA 2011), dense and in torch.

NARF looks for points about which the surface changes strongly in different directions within a support of
given metric size. Here:

1. Change between neighbouring pixels: the difference of their normals, where a right angle counts 1, and the
   step out of the tangent planes of both, where 5 cm or more count 1, so that borders of objects count like
   folds. Planes have no change, at any slant.
2. Its structure tensor, in units of change and not of its square, is summed over the neighbours within half
   the support, 0.15 m in space, so that surfaces behind an object do not count as near it. Sums are divided
   by the half support in pixels, so that they do not depend on distance or resolution.
3. The lesser eigenvalue measures the change across the main direction: 0 on planes and along straight edges,
   about 1 at the corner of a box. The response is 1 - exp(-lesser).

Large supports are summed on smaller copies of the picture, in which half the support is 2 to 4 px.
"""

from __future__ import annotations

from math import ceil, log2

import torch
from torch import Tensor
from torch.nn import functional

_HALF_SUPPORT = 0.15  # metres
_WHOLE_STEP = 0.05  # metres out of the tangent planes that count as much as a right angle
_RADIUS = 2.5  # px, half the support on the best copy; from half to twice this
_STEEPNESS = 2.0  # steepness of the response


def keypoints3d(in_camera: Tensor, normals: Tensor, focal: Tensor) -> Tensor:
    """Measure how much each surface point looks like a corner, at a support of 0.3 m.

    Args:
        in_camera: float (F, H, W, 3), surface points in camera frames, metres.
        normals: float (F, H, W, 3), their unit normals, in the same frames.
        focal: float (F,), focal length in px.

    Returns:
        float (F, H, W) in [0, 1).
    """
    points = in_camera.movedim(-1, 1)
    pixels = _HALF_SUPPORT * focal[:, None, None, None] / _length(points).clamp(min=1e-3)
    wanted = (pixels / _RADIUS).log2().clamp(min=0)
    # Structure tensors of surface change per px: (F, 3, H, W), the parts xx, yy and xy.
    directions = normals.movedim(-1, 1)
    across = _smooth(_changes(points, directions, dim=3))
    down = _smooth(_changes(points, directions, dim=2))
    length = (across.square() + down.square()).sum(1, keepdim=True).sqrt().clamp(min=1e-9)
    parts = [(one * other).sum(1) for one, other in ((across, across), (down, down), (across, down))]
    change = torch.stack(parts, dim=1) / length
    owners = _nearest(points, window=3, stride=1)
    total = torch.zeros_like(change)
    for level in range(ceil(log2(max(min(points.shape[-2:]) / _RADIUS, 1)))):
        share = (1 - (wanted - level).abs()).clamp(min=0)
        if share.any():
            centres = points if level == 0 else owners
            summed = _supported(change * 2**level, owners, centres, focal / 2**level)
            total += share * functional.interpolate(summed, points.shape[-2:], mode="bilinear")
        change, owners = functional.avg_pool2d(change, 2, ceil_mode=True), _nearest(owners, 2, 2)
    xx, yy, xy = total.unbind(1)
    lesser = ((xx + yy) / 2 - torch.hypot((xx - yy) / 2, xy)).clamp(min=0)  # eigenvalue
    return 1 - torch.exp(-_STEEPNESS * lesser)


def _changes(points: Tensor, normals: Tensor, dim: int) -> Tensor:
    """Changes between neighbouring pixels: (F, 4, H, W), half of the change before and after each pixel."""
    count = points.shape[dim]
    here, there = (points.narrow(dim, start, count - 1) for start in (0, 1))
    normal_here, normal_there = (normals.narrow(dim, start, count - 1) for start in (0, 1))
    leap = there - here
    off = torch.minimum(*((leap * side).sum(1, keepdim=True).abs() for side in (normal_here, normal_there)))
    step = (off / _WHOLE_STEP).clamp(max=1) * (_length(there) - _length(here)).sign()
    change = torch.cat([(normal_there - normal_here) * 0.5**0.5, step], dim=1)
    change = change / _length(change).clamp(min=1)
    edges = [0, 0, 0, 0]
    edges[2 * (3 - dim) : 2 * (3 - dim) + 2] = [1, 1]
    padded = functional.pad(change, edges)
    return (padded.narrow(dim, 0, count) + padded.narrow(dim, 1, count)) / 2


def _smooth(field: Tensor) -> Tensor:
    """Apply a binomial blur, so that slanted edges, which are staircases of pixels, have one direction."""
    # Uses sums, as convolutions round to ten bits of mantissa on GPUs (TF32).
    padded = functional.pad(field, (2, 2, 2, 2), mode="replicate")
    for dim in (3, 2):
        count = padded.shape[dim] - 4
        a, b, c, d, e = (padded.narrow(dim, start, count) for start in range(5))
        padded = ((a + e) + 4 * (b + d) + 6 * c) / 16
    return padded


def _nearest(points: Tensor, window: int, stride: int) -> Tensor:
    """The point nearest to the camera in windows of points (F, 3, H, W)."""
    closeness, where = functional.max_pool2d(
        -_length(points), window, stride, padding=window // 2 if stride == 1 else 0,
        ceil_mode=True, return_indices=True,
    )  # fmt: skip
    found = points.flatten(2).gather(2, where.flatten(2).expand(-1, 3, -1))
    return found.reshape(len(points), 3, *closeness.shape[-2:])


def _supported(change: Tensor, owners: Tensor, centres: Tensor, focal: Tensor) -> Tensor:
    """Sum change over supports, divided by half the support.

    Args:
        change: (F, 3, h, w), per px.
        owners: (F, 3, h, w), the surface points that change belongs to.
        centres: (F, 3, h, w), the middles of the supports.
        focal: (F,), px.
    """
    reach = ceil(2 * _RADIUS)
    height, width = change.shape[-2:]
    around = functional.pad(change, (reach,) * 4)
    places = functional.pad(owners, (reach,) * 4, value=torch.inf)
    summed = torch.zeros_like(change)
    for row in range(2 * reach + 1):
        for column in range(2 * reach + 1):
            if (row - reach) ** 2 + (column - reach) ** 2 > reach**2:
                continue
            window = (..., slice(row, row + height), slice(column, column + width))
            off = (places[window] - centres).square().sum(1, keepdim=True)
            weight = (1 - off / _HALF_SUPPORT**2).clamp(min=0).square()
            summed.addcmul_(around[window], weight)
    return summed * (_length(centres) / (_HALF_SUPPORT * focal[:, None, None, None]))


def _length(vectors: Tensor) -> Tensor:
    """Length of vectors (F, C, H, W), as (F, 1, H, W)."""
    length: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return length
