"""Folders of real frames with measured depth.

Files are `NAME_rgb.jpg` or `.png`, `NAME_depth.png` (uint16 millimetres along the optical axis, 0 unknown)
and, where there are any, `NAME_label.png` (uint8, NYU40 class minus one, 39 and more unknown; the classes of
Gupta et al., CVPR 2013), `NAME_pose.txt` (see `sequences.py`), `rotations.csv` (see `gravity.py`) and
`camera.json` (see `camera.py`). All frames have one size and one camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from training.data.real.camera import Intrinsics
from training.data.real.patches import Patches, fit_patches
from training.data.real.planes import Planes, fit_planes
from training.errors import DataError

_MILLIMETRES = 1000
_UNKNOWN_LABEL = 39
_RIGID = 1e-3  # tolerance of rotation matrices, as numbers in files are rounded


@dataclass(frozen=True)
class RealFrame:
    """One frame; derived labels are computed on demand.

    Attributes:
        name: name of its files, without ending.
        rgb: uint8 (H, W, 3).
        depth: float32 (H, W), metres along the optical axis, NaN where unknown.
        labels: uint8 (H, W), NYU40 class numbers from 1, 0 unknown; None if there is no file.
        intrinsics: intrinsics of the camera.
        pose: float64 (4, 4), camera (OpenCV axes) to world, metres; None if unknown.
    """

    name: str
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    labels: NDArray[np.uint8] | None
    intrinsics: Intrinsics
    pose: NDArray[np.float64] | None = None

    @cached_property
    def planes(self) -> Planes:
        """Planes fitted to the points around each pixel."""
        return fit_planes(self.depth, self.intrinsics)

    @cached_property
    def patches(self) -> Patches:
        """Flat patches."""
        return fit_patches(self.depth, self.intrinsics)

    @property
    def normals(self) -> NDArray[np.float32]:
        """float32 (H, W, 3), OpenCV camera frame, facing the camera; NaN where they are not reliable."""
        return np.where(self.planes.reliable[..., None], self.planes.normals, np.float32(np.nan))

    @property
    def distance(self) -> NDArray[np.float32]:
        """float32 (H, W), metres along the ray."""
        points = self.intrinsics.points(torch.from_numpy(self.depth))
        distance: NDArray[np.float32] = points.norm(dim=0).numpy()
        return distance


@dataclass(frozen=True, slots=True)
class RealFolder:
    """A folder of real frames.

    Attributes:
        root: the folder.
        intrinsics: camera of all frames.
    """

    root: Path
    intrinsics: Intrinsics

    def names(self) -> list[str]:
        """List the names of the frames, sorted.

        Raises:
            DataError: there are no frames.
        """
        return [picture.stem.removesuffix("_rgb") for picture in self._pictures()]

    def frames(self) -> Iterator[RealFrame]:
        """Yield the frames in the order of names.

        Raises:
            DataError: there are no frames, or a file is missing, damaged, or of another size.
        """
        for picture in self._pictures():
            yield _frame(picture, self.intrinsics)

    def frame(self, name: str) -> RealFrame:
        """Read one frame.

        Raises:
            DataError: a file is missing, damaged, or of another size.
        """
        found = [picture for picture in self._pictures() if picture.stem == f"{name}_rgb"]
        if not found:
            raise DataError(f"no frame {name!r} in {self.root}: {name}_rgb.jpg is missing")
        return _frame(found[0], self.intrinsics)

    def _pictures(self) -> list[Path]:
        """Files of pictures, sorted by name."""
        pictures = [path for end in ("jpg", "png") for path in self.root.glob(f"*_rgb.{end}")]
        if not pictures:
            raise DataError(f"no frames in {self.root}: files must be called NAME_rgb.jpg and NAME_depth.png")
        return sorted(pictures, key=lambda path: path.stem)


def _frame(picture: Path, intrinsics: Intrinsics) -> RealFrame:
    """Read one frame from its files."""
    name = picture.stem.removesuffix("_rgb")
    rgb = _read(picture)
    depth = picture.with_name(f"{name}_depth.png")
    millimetres = _read(depth).astype(np.float32)
    labels = picture.with_name(f"{name}_label.png")
    codes = _read(labels) if labels.exists() else None
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise DataError(f"{picture} has no three colours (its shape is {rgb.shape}): save it as RGB")
    for path, array in ((depth, millimetres), (labels, codes)):
        if array is not None and array.shape != rgb.shape[:2]:
            raise DataError(
                f"{path} has shape {array.shape}, but {picture.name} has {rgb.shape[:2]}: all pictures of a "
                "frame must be of one size, with one channel for depth and labels"
            )
    return RealFrame(
        name=name,
        rgb=rgb,
        depth=np.where(millimetres > 0, millimetres / _MILLIMETRES, np.float32(np.nan)),
        labels=None if codes is None else np.where(codes < _UNKNOWN_LABEL, codes + 1, 0).astype(np.uint8),
        intrinsics=intrinsics,
        pose=_read_pose(picture.with_name(f"{name}_pose.txt")),
    )


def _read_pose(path: Path) -> NDArray[np.float64] | None:
    """Read a frame's pose; None if there is no file, or the file marks the frame as lost.

    Raises:
        DataError: the matrix is not a rigid motion.
    """
    if not path.exists():
        return None
    try:
        pose = np.array(path.read_text(encoding="utf-8").split(), dtype=np.float64).reshape(4, 4)
    except ValueError as error:
        raise DataError(f"{path} is not a pose ({error}): write a 4 x 4 matrix, 16 numbers") from error
    if not np.isfinite(pose).all():
        return None
    turn = pose[:3, :3]
    rigid = np.abs(turn @ turn.T - np.eye(3)).max() < _RIGID and np.linalg.det(turn) > 0
    if not rigid or np.abs(pose[3] - [0, 0, 0, 1]).max() > _RIGID:
        raise DataError(
            f"{path} is not a rigid motion: rows must be those of a rotation and a location in metres, the "
            "last 0 0 0 1"
        )
    return pose


def _read(path: Path) -> NDArray[np.uint8]:
    """Read the codes of a picture.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image)
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for broken PNG chunks
        raise DataError(f"cannot read {path}: {error}") from error
