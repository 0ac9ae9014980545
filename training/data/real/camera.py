"""The camera of a folder of real frames: four numbers, given or read from `camera.json`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.errors import DataError

CAMERA_FILE = "camera.json"
"""File in a folder of frames: a JSON object with the numbers `fx`, `fy`, `cx` and `cy`, in px."""

_NAMES = ("fx", "fy", "cx", "cy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsics:
    """A pinhole camera.

    Attributes:
        fx: focal length in px along columns.
        fy: focal length in px along rows.
        cx: column of the optical axis, in px from the middle of the first pixel.
        cy: row of the optical axis, likewise.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            DataError: a number is not possible; the message names it.
        """
        for name, value in asdict(self).items():
            if not math.isfinite(value) or (name in {"fx", "fy"} and value <= 0):
                raise DataError(f"camera has {name} = {value:g}: focal lengths must be above 0, in px")

    def rays(self, height: int, width: int) -> Tensor:
        """Compute the directions through the middles of pixels.

        Returns:
            float64 (3, height, width), OpenCV camera frame: +x right, +y down, +z ahead, z is 1.
        """
        rows = torch.arange(height, dtype=torch.float64)[:, None].expand(height, width)
        columns = torch.arange(width, dtype=torch.float64)[None].expand(height, width)
        x, y = (columns - self.cx) / self.fx, (rows - self.cy) / self.fy
        return torch.stack([x, y, torch.ones_like(x)])

    def points(self, depth: Tensor) -> Tensor:
        """Back-project pixels.

        Args:
            depth: (H, W), metres along the optical axis.

        Returns:
            (3, H, W), metres, OpenCV camera frame; with the dtype of `depth`.
        """
        return (self.rays(*depth.shape) * depth).to(depth.dtype)


def read_camera(folder: Path) -> Intrinsics | None:
    """Read the camera from a folder's `camera.json`; None if there is no such file.

    Raises:
        DataError: the file does not hold the four numbers.
    """
    path = folder / CAMERA_FILE
    if not path.is_file():
        return None
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        return Intrinsics(**{name: float(written[name]) for name in _NAMES})
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f'{path} is not a camera ({error!r}): write {{"fx": 389.1, "fy": 390.2, "cx": 213.3, "cy": '
            "156.7}, four numbers in px"
        ) from error
