"""Classes of whole pictures."""

from __future__ import annotations

import torch
from torch import Tensor


def class_object(categories: Tensor) -> Tensor:
    """Find the class of the object nearest to the middle of the picture.

    Args:
        categories: int (F, H, W), class seen in each pixel, -1 for none.

    Returns:
        int64 (F,), of equally near pixels the first by rows; -1 where no pixel has a class.
    """
    height, width = categories.shape[-2:]
    down = torch.arange(height, device=categories.device) * 2 - (height - 1)
    across = torch.arange(width, device=categories.device) * 2 - (width - 1)
    off = down[:, None] ** 2 + across**2
    flat = categories.flatten(1).long()
    # Positions are part of the sort key, so that the first of equal minima is found.
    order = off.flatten() * off.numel() + torch.arange(off.numel(), device=off.device)
    nearest = torch.where(flat >= 0, order, order.max() + 1).argmin(dim=1, keepdim=True)
    return flat.gather(1, nearest)[:, 0]
