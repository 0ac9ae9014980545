"""Images in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_PIXELS = 40_000_000
"""Most pixels of a photograph that are held in memory, 120 MB; networks see a hundredth of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One image in memory.

    Attributes:
        pixels: uint8 (3, h, w) in [0, 255], or float32 (3, h, w) in [0, 1] if the source had a finer
            resolution of values. Images of more than `MOST_PIXELS` are held at a whole fraction of their
            size.
        name: path of the file, or "image" and the type of the object, for messages and provenance.
        size: columns and rows of the image if `pixels` are reduced; None if they are not.
    """

    pixels: Tensor
    name: str
    size: tuple[int, int] | None = None

    @property
    def width(self) -> int:
        """Columns of the image."""
        return self.size[0] if self.size else int(self.pixels.shape[-1])

    @property
    def height(self) -> int:
        """Rows of the image."""
        return self.size[1] if self.size else int(self.pixels.shape[-2])

    def rows(self, start: int, stop: int) -> Tensor:
        """Return rows of the image at full size, (3, stop - start, width); reduced pixels are repeated."""
        if self.size is None:
            return self.pixels[:, start:stop]
        down = torch.arange(start, stop) * self.pixels.shape[-2] // self.height
        across = torch.arange(self.width) * self.pixels.shape[-1] // self.width
        return self.pixels[:, down][..., across]

    def as_bytes(self) -> NDArray[np.uint8]:
        """Return the image at full size, uint8 (H, W, 3), for drawing."""
        return _as_bytes(self.rows(0, self.height))

    def held_bytes(self) -> NDArray[np.uint8]:
        """Return the held pixels, uint8 (h, w, 3), for small drawings."""
        return _as_bytes(self.pixels)


def _as_bytes(pixels: Tensor) -> NDArray[np.uint8]:
    """Convert (3, H, W) to uint8 (H, W, 3)."""
    if pixels.dtype != torch.uint8:
        pixels = (pixels * 255 + 0.5).to(torch.uint8)
    return pixels.permute(1, 2, 0).contiguous().numpy()
