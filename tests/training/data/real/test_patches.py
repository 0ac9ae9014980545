from __future__ import annotations

import numpy as np
import pytest
from tests.training.data.real.toy_folder import CAMERA, HEIGHT, WIDTH, plane
from training.data.real.camera import Intrinsics
from training.data.real.patches import fit_patches


def _angle(one: np.ndarray, other: object) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ np.array(other, float), -1, 1))))


def test_two_walls_are_two_patches_up_to_their_fold() -> None:
    left, right = np.array([0.6, 0, -0.8]), np.array([-0.6, 0, -0.8])
    one, other = plane(left, 1.6), plane(right, 1.6)
    patches = fit_patches(np.maximum(one, other).astype(np.float32), CAMERA)
    big = np.bincount(patches.number.ravel()).argsort()[::-1][:2]
    nearer = one >= other
    for unit, where in ((left, nearer), (right, ~nearer)):
        found = min(big, key=lambda number: _angle(patches.normals[number], unit))
        assert _angle(patches.normals[found], unit) < 1
        assert patches.offsets[found] == pytest.approx(-1.6, abs=0.02)
        assert (patches.number[where] == found).mean() > 0.93


def test_steps_of_a_depth_camera_leave_one_patch() -> None:
    true = plane((0.5, 0, -0.87), 3.0)
    steps = (true / 0.039).round() * 0.039
    # Smoothed inside the steps, as the frames that this is for.
    smooth = np.stack([np.roll(steps, shift, axis=1) for shift in range(-2, 3)]).mean(0)[:, 3:-3]
    camera = Intrinsics(fx=CAMERA.fx, fy=CAMERA.fy, cx=CAMERA.cx - 3, cy=CAMERA.cy)
    patches = fit_patches(smooth.astype(np.float32), camera)
    assert (patches.number == patches.number[HEIGHT // 2, WIDTH // 2]).mean() > 0.95
    assert _angle(patches.normals[patches.number[HEIGHT // 2, WIDTH // 2]], (0.498, 0, -0.867)) < 2


def test_a_thing_before_a_wall_is_a_patch_of_its_own() -> None:
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    depth[20:44, 30:60] = 1.5
    patches = fit_patches(depth, CAMERA)
    thing, wall = patches.number[32, 45], patches.number[5, 5]
    assert thing != wall
    assert (patches.number[20:44, 30:60] == thing).all()
    assert patches.areas[thing] == pytest.approx(24 * 30 * 1.5**2 / (70 * 71), rel=0.05)


def test_pixels_of_unknown_depth_belong_to_no_patch() -> None:
    depth = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    depth[30:34, 40:44] = np.nan
    number = fit_patches(depth, CAMERA).number
    assert (number[30:34, 40:44] == 0).all()
    assert (number > 0).sum() == HEIGHT * WIDTH - 16
    assert len(np.unique(number)) == 2


def test_a_frame_without_depth_has_no_patches() -> None:
    patches = fit_patches(np.full((32, 32), np.nan, np.float32), CAMERA)
    assert not patches.number.any()
    assert patches.areas.tolist() == [0.0]
