from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFolder
from training.errors import DataError

_CAMERA = Intrinsics(fx=60, fy=62, cx=30.5, cy=33)


def _write(folder: Path, name: str, depth: np.ndarray, labels: np.ndarray | None = None) -> None:
    size = depth.shape
    Image.fromarray(np.full((*size, 3), 128, np.uint8)).save(folder / f"{name}_rgb.jpg")
    Image.fromarray(np.nan_to_num(depth * 1000).round().astype(np.uint16)).save(folder / f"{name}_depth.png")
    if labels is not None:
        Image.fromarray(labels).save(folder / f"{name}_label.png")


def test_frames_come_by_name_with_metres_and_classes_from_one(tmp_path: Path) -> None:
    depth = np.full((16, 16), 1.25, np.float32)
    depth[0, 0] = np.nan
    labels = np.zeros((16, 16), np.uint8)
    labels[0, :3] = (38, 39, 255)
    _write(tmp_path, "b", depth, labels)
    _write(tmp_path, "a", depth)
    first, second = RealFolder(tmp_path, _CAMERA).frames()
    assert (first.name, first.labels) == ("a", None)
    assert second.rgb.shape == (16, 16, 3)
    assert np.isnan(second.depth[0, 0])
    assert second.depth[5, 5] == np.float32(1.25)
    assert second.labels is not None
    assert second.labels[0, :4].tolist() == [39, 0, 0, 1]
    assert second.distance[5, 5] == pytest.approx(
        1.25 * np.hypot(np.hypot((5 - 30.5) / 60, (5 - 33) / 62), 1)
    )


def test_a_folder_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no frames in .*: files must be called NAME_rgb.jpg and NAME_depth.png"
    ):
        next(RealFolder(tmp_path, _CAMERA).frames())


def test_a_frame_without_depth_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "a", np.ones((8, 8), np.float32))
    (tmp_path / "a_depth.png").unlink()
    with pytest.raises(DataError, match=r"cannot read .*a_depth\.png"):
        next(RealFolder(tmp_path, _CAMERA).frames())
