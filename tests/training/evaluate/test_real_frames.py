from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training.errors import DataError
from training.evaluate.real_frames import Intrinsics, RealFolder, fit_normals

_CAMERA = Intrinsics(fx=60, fy=62, cx=30.5, cy=33)


def _plane(normal: np.ndarray, distance: float, size: int = 64) -> np.ndarray:
    """Depth of a plane whose points p have normal . p = -distance."""
    rows, columns = np.mgrid[:size, :size]
    rays = np.stack(
        [(columns - _CAMERA.cx) / _CAMERA.fx, (rows - _CAMERA.cy) / _CAMERA.fy, np.ones((size, size))], -1
    )
    depth: np.ndarray = (-distance / (rays @ normal)).astype(np.float32)
    return depth


def _write(folder: Path, name: str, depth: np.ndarray, labels: np.ndarray | None = None) -> None:
    size = depth.shape
    Image.fromarray(np.full((*size, 3), 128, np.uint8)).save(folder / f"{name}_rgb.jpg")
    Image.fromarray(np.nan_to_num(depth * 1000).round().astype(np.uint16)).save(folder / f"{name}_depth.png")
    if labels is not None:
        Image.fromarray(labels).save(folder / f"{name}_label.png")


def test_points_project_back_to_their_pixels() -> None:
    points = _CAMERA.points(torch.full((4, 5), 2.0))
    columns = points[0] / points[2] * _CAMERA.fx + _CAMERA.cx
    rows = points[1] / points[2] * _CAMERA.fy + _CAMERA.cy
    assert torch.allclose(columns, torch.arange(5.0).expand(4, 5), atol=1e-5)
    assert torch.allclose(rows, torch.arange(4.0)[:, None].expand(4, 5), atol=1e-5)


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.6, 0, -0.8), (0.1, -0.9, -0.3)])
def test_the_normal_of_a_plane_is_found_and_reliable(normal: tuple[float, float, float]) -> None:
    true = np.array(normal) / np.linalg.norm(normal)
    depth = _plane(true, 1.5)[34:, :50] if normal[1] else _plane(true, 1.5)
    camera = Intrinsics(fx=60, fy=62, cx=30.5, cy=33 - 34) if normal[1] else _CAMERA
    vectors, reliable = fit_normals(depth, camera, window=5)
    assert reliable.all()
    assert np.abs(vectors - true).max() < 1e-3


def test_a_step_in_depth_is_not_reliable_and_its_surroundings_are() -> None:
    depth = np.full((40, 40), 2.0, np.float32)
    depth[:, 20:] = 3.0
    _, reliable = fit_normals(depth, _CAMERA)
    assert not reliable[:, 15:25].any()
    assert reliable[:, :14].all()
    assert reliable[:, 26:].all()


def test_a_window_with_unknown_depth_is_not_reliable() -> None:
    depth = np.full((21, 21), 2.0, np.float32)
    depth[10, 10] = np.nan
    _, reliable = fit_normals(depth, _CAMERA, window=5)
    assert not reliable[8:13, 8:13].any()
    assert reliable.sum() == 21 * 21 - 25


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
