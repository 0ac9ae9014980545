"""Cameras and rooms, against SciPy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from taskbank.geometry import BOX_EDGES, box_corners, compose, euler_angles, project, rotation

ANGLES = np.random.default_rng(0).uniform(-1.5, 1.5, (20, 3))


@pytest.mark.parametrize("angles", ANGLES)
def test_rotations_are_those_of_static_axes(angles: np.ndarray) -> None:
    """And come back as angles."""
    assert np.allclose(rotation(angles), Rotation.from_euler("xyz", angles).as_matrix())
    assert np.allclose(euler_angles(rotation(angles)), angles)


@pytest.mark.parametrize("about_y", [np.pi / 2, -np.pi / 2])
def test_at_a_quarter_turn_the_matrix_still_comes_back(about_y: float) -> None:
    """Though the angles are not unique."""
    turned = rotation([0.3, about_y, 0.4])
    assert np.allclose(rotation(euler_angles(turned)), turned)


def test_many_rotations_are_those_of_each_and_come_back_as_angles() -> None:
    many = ANGLES.reshape(4, 5, 3)
    matrices = rotation(many)
    assert (matrices[3, 4] == rotation(many[3, 4])).all()
    np.testing.assert_allclose(euler_angles(matrices), many, atol=1e-9)


def test_a_quarter_turn_about_y_leaves_all_the_rest_to_x() -> None:
    turned = rotation([[0.3, np.pi / 2, 0.8], [0.3, 0.4, 0.8]])
    found = euler_angles(turned)
    assert found[0, 2] == 0
    np.testing.assert_allclose(found[0, 0], 0.3 - 0.8)
    np.testing.assert_allclose(found[1], [0.3, 0.4, 0.8])


def test_composed_poses_are_those_of_the_cameras() -> None:
    """Three cameras in the world, relative poses by their definition."""
    rng = np.random.default_rng(1)
    turns = [rotation(angles) for angles in rng.uniform(-1, 1, (3, 3))]
    places = rng.uniform(-3, 3, (3, 3))

    def pose(one: int, two: int) -> np.ndarray:
        back = turns[two].T
        return np.concatenate([euler_angles(back @ turns[one]), back @ (places[one] - places[two])])

    assert np.allclose(compose(pose(0, 1), pose(1, 2)), pose(0, 2))


def test_a_room_around_an_upright_camera() -> None:
    """A camera that looks along the room's x: its x is the room's -y, its y the room's z."""
    camera = np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])
    layout = [0, 0.2, -2, *euler_angles(camera), 4, 3, 2.5]
    corners = box_corners(layout)
    assert np.allclose(corners.min(0), [-1.5, -1.05, -4])
    assert np.allclose(corners.max(0), [1.5, 1.45, 0])
    lengths = sorted(round(float(np.linalg.norm(corners[a] - corners[b])), 6) for a, b in BOX_EDGES)
    assert lengths == [2.5] * 4 + [3.0] * 4 + [4.0] * 4


def test_projection_puts_up_above_and_right_to_the_right() -> None:
    """The axis in the middle, the field of view at the edges."""
    points = np.array([[0, 0, -5], [1, 0, -1], [0, 1, -1], [0.5, -0.5, -2]])
    assert np.allclose(project(points, fov=90), [[0.5, 0.5], [1, 0.5], [0.5, 0], [0.625, 0.625]])
