"""Panoramas behind windows: equirectangular images from a folder.

`python -m training.rooms.surfaces.environments PACKAGE OUT` makes such a folder out of npm's `@pmndrs/assets`
(CC0 1.0): 18 panoramas of 512 x 256 px, of cities, landscapes and halls. It needs the package `OpenEXR`.

    npm pack @pmndrs/assets && tar xzf pmndrs-assets-*.tgz
    pip install OpenEXR
    python -m training.rooms.surfaces.environments package environments
"""

from __future__ import annotations

import argparse
import base64
import binascii
import importlib
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from training.arguments import ScriptParser
from training.errors import DataError, TrainingError
from training.rooms.surfaces.materials import Colour

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_SKY = 0.55
"""Share of the rows, from the top, that contribute to the light through windows."""

_MIDDLE, _SHOWN = 0.6, 0.35
"""The pixel brighter than this share of a panorama gets this linear value."""


@dataclass(frozen=True, slots=True)
class Environments:
    """Panoramas, numbered by their sorted paths. The middle row is the horizon, the top row straight up.

    Attributes:
        pixels: uint8 (images, side, 2 * side, 3), sRGB.
    """

    pixels: Tensor

    @classmethod
    def load(cls, folder: str | Path, *, side: int = 256, device: torch.device | str = "cpu") -> Environments:
        """Load all panoramas in a folder and its subfolders.

        Args:
            folder: searched for JPEG, PNG and WebP files, twice as wide as high.
            side: number of rows after scaling.
            device: device of the tensors.

        Raises:
            DataError: there is no image, a file is not an image, or it has another shape.
        """
        root = Path(folder)
        paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS)
        if not paths:
            raise DataError(
                f"no panorama in {root}: expected images ending in {', '.join(sorted(_ENDINGS))}; convert "
                "other formats first, see training/README.md"
            )
        return cls(torch.stack([_read(path, side) for path in paths]).to(device))

    def __len__(self) -> int:
        """Return the number of panoramas."""
        return len(self.pixels)

    @property
    def tints(self) -> tuple[Colour, ...]:
        """Return the colour of the light of each panorama: linear RGB, mean 1, with half the saturation."""
        rows = max(1, int(_SKY * self.pixels.shape[1]))
        mean = _linear(self.pixels[:, :rows]).mean((1, 2)).double().cpu().clamp(min=1e-4)
        tinted = 0.5 + 0.5 * mean / mean.mean(1, keepdim=True)
        return tuple((float(r), float(g), float(b)) for r, g, b in tinted)

    def colours(self, directions: Tensor, number: Tensor, turn: Tensor) -> Tensor:
        """Look up linear RGB in directions, float32 (R, 3).

        Args:
            directions: float32 (R, 3), unit, world.
            number: (R,), number of the panorama, modulo their number.
            turn: float32 (R,), rotation about the vertical in radians.
        """
        height, width = self.pixels.shape[1:3]
        image = number.long() % len(self)
        x, y, z = directions.unbind(-1)
        column = ((torch.atan2(y, x) + turn) / (2 * math.pi)).frac() * width - 0.5
        row = ((0.5 - torch.asin(z.clamp(-1, 1)) / math.pi) * height - 0.5).clamp(0, height - 1)
        left, top = column.floor(), row.floor()
        s, t = (column - left)[:, None], (row - top)[:, None]
        i, j = left.to(torch.int64), top.to(torch.int64)

        def pixel(across: Tensor, down: Tensor) -> Tensor:
            place = (down.clamp(max=height - 1), torch.remainder(across, width))
            return _linear(self.pixels[image, *place])

        above = pixel(i, j) * (1 - s) + pixel(i + 1, j) * s
        below = pixel(i, j + 1) * (1 - s) + pixel(i + 1, j + 1) * s
        return above * (1 - t) + below * t


def _linear(pixels: Tensor) -> Tensor:
    return (pixels.to(torch.float32) / 255) ** 2.2


def _read(path: Path, side: int) -> Tensor:
    """uint8 (side, 2 * side, 3)."""
    try:
        with Image.open(path) as image:
            if image.width != 2 * image.height:
                raise DataError(
                    f"{path} has {image.width} x {image.height} px: a panorama of all directions is twice as "
                    "wide as high; remove it or crop it"
                )
            scaled = image.convert("RGB").resize((2 * side, side), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{path} is not an image that can be read: {error}; remove or repair it") from error
    return torch.from_numpy(np.array(scaled))


def shown(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Expose a panorama: the pixel brighter than 60 % of all gets a linear value of 0.35.

    Args:
        light: float32 (H, W, 3), linear RGB.

    Returns:
        uint8 (H, W, 3), sRGB.
    """
    known = np.nan_to_num(light, posinf=1e4).clip(0)
    middle = max(float(np.quantile(known.mean(-1), _MIDDLE)), 1e-6)
    values: NDArray[np.uint8] = np.round(255 * (known / middle * _SHOWN).clip(0, 1) ** (1 / 2.2)).astype(
        np.uint8
    )
    return values


def exr_of_module(text: str) -> bytes:
    """Unpack the EXR file in a JavaScript module that exports it as a `data:` URL.

    Raises:
        DataError: the module holds no such file.
    """
    _, found, rest = text.partition("base64,")
    if not found:
        raise DataError("the module holds no file in base64: expected one of the package's hdri/*.exr.js")
    try:
        return base64.b64decode(rest.split("'")[0].split('"')[0], validate=True)
    except binascii.Error as error:
        raise DataError(f"the module holds no file in base64: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert the panoramas of `@pmndrs/assets` to PNG files."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="the unpacked package: a folder with hdri/*.exr.js")
    parser.add_argument("out", type=Path, help="folder for the PNG files")
    given = parser.parse_args(arguments)
    try:
        modules = sorted((given.package / "hdri").glob("*.exr.js"))
        if not modules:
            raise DataError(f"no hdri/*.exr.js in {given.package}: give the folder of the unpacked package")
        try:
            reader = importlib.import_module("OpenEXR")
        except ImportError as error:
            raise DataError("reading EXR files needs the package OpenEXR: pip install OpenEXR") from error
        given.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as place:
            for module in modules:
                file = Path(place) / "panorama.exr"
                file.write_bytes(exr_of_module(module.read_text(encoding="utf-8")))
                with reader.File(str(file)) as opened:
                    light = np.asarray(opened.channels()["RGB"].pixels, dtype=np.float32)
                name = module.name.removesuffix(".exr.js") + ".png"
                Image.fromarray(shown(light)).save(given.out / name)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 (a command)
        return 1
    print(f"{given.out}: {len(modules)} panoramas")  # noqa: T201 (a command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
