"""Adaptive average pooling that can be exported for maps of any size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_jit: Any = torch.jit  # its functions have no types
_is_exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)  # 2.6 has the latter


def average_places(x: Tensor, places: int) -> Tensor:
    """Average a map over `places` x `places` parts, as `adaptive_avg_pool2d` does.

    During export or tracing, the same sums are computed as matrix products: ONNX has no adaptive pooling for
    maps of unknown size.

    Args:
        x: float (B, C, h, w).
        places: rows and columns that are kept.

    Returns:
        float (B, C, places, places).
    """
    if not (_is_exporting() or _jit.is_tracing()):
        return functional.adaptive_avg_pool2d(x, places)
    shares = []  # weights of the cells in the mean of each part, for rows and for columns: (places, size)
    for size in x.shape[-2:]:
        cell = torch.arange(size, device=x.device)[None]
        part = torch.arange(places, device=x.device)[:, None]
        first = torch.div(part * size, places, rounding_mode="floor")
        end = torch.div((part + 1) * size + places - 1, places, rounding_mode="floor")
        inside = ((cell >= first) & (cell < end)).to(x.dtype)
        shares.append(inside / inside.sum(1, keepdim=True))
    rows, columns = shares
    averaged: Tensor = rows @ x @ columns.T
    return averaged
