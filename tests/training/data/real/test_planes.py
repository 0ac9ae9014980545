from __future__ import annotations

import numpy as np
import pytest
import torch
from training.data.real.camera import Intrinsics
from training.data.real.planes import fit_planes, least_axis, window_of

_CAMERA = Intrinsics(fx=60, fy=62, cx=30.5, cy=33)


def _plane(normal: np.ndarray, distance: float, size: int = 64) -> np.ndarray:
    """Depth of a plane whose points p have normal . p = -distance."""
    rows, columns = np.mgrid[:size, :size]
    rays = np.stack(
        [(columns - _CAMERA.cx) / _CAMERA.fx, (rows - _CAMERA.cy) / _CAMERA.fy, np.ones((size, size))], -1
    )
    depth: np.ndarray = (-distance / (rays @ normal)).astype(np.float32)
    return depth


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
    planes = fit_planes(depth, camera, window=5)
    vectors, reliable = planes.normals, planes.reliable
    assert reliable.all()
    assert np.abs(vectors - true).max() < 1e-3


def test_a_step_in_depth_is_not_reliable_and_its_surroundings_are() -> None:
    depth = np.full((40, 40), 2.0, np.float32)
    depth[:, 20:] = 3.0
    reliable = fit_planes(depth, _CAMERA, window=11).reliable
    assert not reliable[:, 15:25].any()
    assert reliable[:, :14].all()
    assert reliable[:, 26:].all()


def test_a_window_with_unknown_depth_is_not_reliable() -> None:
    depth = np.full((21, 21), 2.0, np.float32)
    depth[10, 10] = np.nan
    reliable = fit_planes(depth, _CAMERA, window=5).reliable
    assert not reliable[8:13, 8:13].any()
    assert reliable.sum() == 21 * 21 - 25


def test_the_window_is_that_share_of_the_picture_that_the_data_were_described_with() -> None:
    assert [window_of((size, size + 5)) for size in (320, 256, 10)] == [13, 11, 3]


def test_least_axes_are_those_of_eigh() -> None:
    parts = torch.randn(6, 3, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    xx, yy, zz, xy, xz, yz = parts
    matrices = torch.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], dim=-1).reshape(3, 40, 3, 3)
    values, vectors = torch.linalg.eigh(matrices)
    least, axes = least_axis(parts)
    assert torch.allclose(least, values[..., 0])
    assert torch.allclose((axes.movedim(0, -1) * vectors[..., 0]).sum(-1).abs(), torch.ones(3, 40).double())


def test_where_a_ray_meets_its_plane_is_the_depth_of_a_plane() -> None:
    true = _plane(np.array([0.6, 0, -0.8]), 1.5)
    assert np.allclose(fit_planes(true, _CAMERA).depth, true, rtol=1e-4)
