"""Perceptually uniform colour maps, made in CIE Lab, and colours of classes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.images.colour import lab_to_rgb

SEMANTIC_PALETTE = (
    "white", "red", "blue", "yellow", "magenta", "green", "indigo", "darkorange", "cyan", "pink",
    "yellowgreen", "black", "darkgreen", "brown", "gray", "purple", "darkviolet",
)  # fmt: skip
"""Colours of the semantic classes, those of the original pictures; the background is not painted."""

# Lightness, a, b at equal steps. Lightness alone gives the order, so maps are also readable in grey.
_ANCHORS = {
    "sequential": ((8, 12, -28), (28, 42, -44), (46, 58, -6), (64, 40, 48), (82, 6, 66), (97, -8, 34)),
    "diverging": ((28, 12, -48), (55, 0, -36), (90, 0, 0), (58, 46, 30), (32, 52, 36)),
}


@cache
def colour_map(name: str) -> NDArray[np.uint8]:
    """Return the 256 colours of a colour map.

    Args:
        name: `sequential` (dark to bright), `diverging` (blue, light in the middle, red), `grey`.

    Returns:
        read-only uint8 (256, 3), sRGB.
    """
    if name == "grey":
        table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        anchors = np.array(_ANCHORS[name], dtype=np.float64)
        steps = np.linspace(0, len(anchors) - 1, 256)
        lab = np.stack([np.interp(steps, np.arange(len(anchors)), column) for column in anchors.T])
        rgb = lab_to_rgb(torch.from_numpy(lab)[..., None])[..., 0].numpy()
        table = np.round(rgb.T * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


def paint(shares: NDArray[np.floating], name: str) -> NDArray[np.uint8]:
    """Map numbers to colours.

    Args:
        shares: float (H, W); 0 is the first colour, 1 the last; numbers beyond are clipped. NaN gets the
            first colour.
        name: of the colour map.

    Returns:
        uint8 (H, W, 3).
    """
    steps = np.nan_to_num(np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8)
    colours: NDArray[np.uint8] = colour_map(name)[steps]
    return colours
