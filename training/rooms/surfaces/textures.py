"""Images of materials from a folder, for `Surface.PHOTO`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from training.errors import DataError
from training.rooms.surfaces.patterns import Spots

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class Textures:
    """Square images that tile, numbered by their sorted paths, each with its mipmap levels.

    Attributes:
        texels: uint8 (images, texels of all sizes, 3), sRGB, the largest size first, row by row.
        side: side of the largest size, px, a power of two.
    """

    texels: Tensor
    side: int

    @classmethod
    def load(cls, folder: str | Path, *, side: int = 128, device: torch.device | str = "cpu") -> Textures:
        """Load all images in a folder and its subfolders.

        Args:
            folder: searched for JPEG, PNG and WebP files.
            side: px after scaling, a power of two.
            device: device of the tensors.

        Raises:
            ValueError: the side is not a power of two.
            DataError: there is no image, or a file is not an image.
        """
        if side < 1 or side & (side - 1):
            raise ValueError(f"the side of textures must be a power of two, got {side}")
        root = Path(folder)
        paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS)
        if not paths:
            raise DataError(f"no texture in {root}: expected images ending in {', '.join(sorted(_ENDINGS))}")
        return cls(torch.stack([_sizes(_read(path, side)) for path in paths]).to(device), side)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.texels)

    def colours(self, spots: Spots) -> Tensor:
        """Look up linear RGB albedo at points, float32 (R, 3): image `seed`, tiled every `scale` metres."""
        image = spots.seed.long() % len(self)
        pixels = (spots.footprint / spots.scale.clamp(min=1e-3) * self.side).clamp(min=1)
        most = self.side.bit_length() - 1
        level = pixels.log2().round().to(torch.int64).clamp(0, most)
        side = self.side >> level
        start = (self.side**2 * 4 - (side * 2) ** 2) // 3
        x = spots.u / spots.scale.clamp(min=1e-3) * side - 0.5
        y = -spots.v / spots.scale.clamp(min=1e-3) * side - 0.5
        left, top = x.floor(), y.floor()
        s, t = (x - left)[:, None], (y - top)[:, None]
        i, j = left.to(torch.int64), top.to(torch.int64)

        def texel(column: Tensor, row: Tensor) -> Tensor:
            place = start + torch.remainder(row, side) * side + torch.remainder(column, side)
            return (self.texels[image, place].to(torch.float32) / 255) ** 2.2

        above = texel(i, j) * (1 - s) + texel(i + 1, j) * s
        below = texel(i, j + 1) * (1 - s) + texel(i + 1, j + 1) * s
        return above * (1 - t) + below * t


def _read(path: Path, side: int) -> Tensor:
    """uint8 (side, side, 3)."""
    try:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((side, side), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{path} is not an image that can be read: {error}; remove or repair it") from error
    return torch.from_numpy(np.array(small))


def _sizes(image: Tensor) -> Tensor:
    """Texels of an image and its mipmap levels down to one pixel."""
    current = image.to(torch.float32)
    rows = [current.flatten(0, 1)]
    while len(current) > 1:
        current = (current[::2, ::2] + current[1::2, ::2] + current[::2, 1::2] + current[1::2, 1::2]) / 4
        rows.append(current.flatten(0, 1))
    return torch.cat(rows).round().to(torch.uint8)
