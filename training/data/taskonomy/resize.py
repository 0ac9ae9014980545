"""Resizing of a frame's labels in their codes.

Colours are resized as `taskbank` resizes photographs. Depth is interpolated in logarithms, as networks learn
it, other measured labels in their codes; segment and class numbers are taken from the nearest pixel. A pixel
of whose neighbours some have unknown depth is unknown in every domain that depth masks
(https://github.com/StanfordVL/taskonomy, `task_data_loading.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import functional as transforms

from taskbank.labels.codes import DOMAINS, TRUSTED_DEPTH, Coding

_MASKED = frozenset(
    {
        "depth_zbuffer",
        "depth_euclidean",
        "normal",
        "principal_curvature",
        "reshading",
        "edge_occlusion",
        "keypoints3d",
    }
)
_UNKNOWN = {Coding.DEPTH: 65535, Coding.NORMAL: 127}  # 0 in all other codings
_WHOLE = 0.99  # share of a pixel's neighbours whose depth must be known


def resize_frame(codes: Mapping[str, NDArray[Any]], size: int) -> dict[str, NDArray[Any]]:
    """Resize all pictures of a frame; those of the right size stay unchanged.

    Args:
        codes: domain -> codes (side, side) or (side, side, C), all of one side.
        size: side of the result in px.

    Returns:
        the same domains and dtypes.
    """
    side = next(iter(codes.values())).shape[0]
    if side == size:
        return dict(codes)
    resized = {domain: _resize(domain, values, size) for domain, values in codes.items()}
    depth = codes.get("depth_zbuffer", codes.get("depth_euclidean"))
    if depth is not None:
        # Only pixels whose neighbours all have known depth are trusted.
        known = torch.from_numpy((depth < TRUSTED_DEPTH).astype(np.float32))
        trusted = (_bilinear(known[None], size)[0] >= _WHOLE).numpy()
        for domain in _MASKED & resized.keys():
            resized[domain][~trusted] = _UNKNOWN.get(DOMAINS[domain].coding, 0)
    return resized


def _resize(domain: str, values: NDArray[Any], size: int) -> NDArray[Any]:
    """Resize one picture, (side, side[, C])."""
    planes = torch.from_numpy(np.ascontiguousarray(values[..., None] if values.ndim == 2 else values))
    planes = planes.permute(2, 0, 1)
    match DOMAINS[domain].coding:
        case Coding.COLOUR:
            placed = transforms.resize(planes, [size, size], antialias=True)
        case Coding.NUMBER:
            placed = functional.interpolate(planes[None].float(), (size, size), mode="nearest-exact")[0]
        case Coding.DEPTH:
            placed = torch.expm1(_bilinear(torch.log1p(planes.float()), size)).round()
        case _:
            placed = _bilinear(planes.float(), size).round()
    array: NDArray[Any] = placed.permute(1, 2, 0).numpy().astype(values.dtype)
    return array[..., 0] if values.ndim == 2 else array


def _bilinear(planes: Tensor, size: int) -> Tensor:
    """Interpolate bilinearly: (C, side, side) -> (C, size, size)."""
    return functional.interpolate(planes[None], (size, size), mode="bilinear", align_corners=False)[0]
