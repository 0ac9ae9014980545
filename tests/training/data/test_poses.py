"""Poses, layouts and vanishing points, for cameras placed by hand and against `taskbank.geometry`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from training.data import poses
from training.data.frames import CAMERA

from taskbank import geometry
from taskbank.inference.whitening import unwhiten, whiten

AHEAD_X = (np.pi / 2, 0, -np.pi / 2)
"""Angles of an upright camera that looks along the world's +x."""

turns = st.floats(-3.1, 3.1)
angles = st.tuples(turns, st.floats(-1.5, 1.5), turns)


def camera(
    angles: object = AHEAD_X, location: object = (0, 0, 0), box: object = ((-1, -2, -3), (5, 6, 7))
) -> NDArray[np.void]:
    record = np.zeros((), dtype=CAMERA)
    record["angles"], record["location"], record["box"] = angles, location, box
    record["fov"] = 1.0
    return record


def heading(degrees: float, pitch: float = 0.0) -> tuple[float, float, float]:
    """Angles of a camera that looks so many degrees to the left of +x, and up by `pitch`."""
    return (np.pi / 2 + np.radians(pitch), 0.0, np.radians(degrees) - np.pi / 2)


def test_a_relative_pose_says_where_the_first_camera_is_for_the_second() -> None:
    # Both look along +x; the first stands 2 m ahead of the second, 1 m to its left and 0.5 m up.
    first, second = camera(location=(2, 1, 0.5)), camera()

    np.testing.assert_allclose(poses.relative_poses(first, second), [0, 0, 0, -1, 0.5, -2], atol=1e-12)


def test_a_camera_turned_left_of_another_has_that_angle_about_its_upright_axis() -> None:
    found = poses.relative_poses(camera(heading(30)), camera(heading(0)))

    np.testing.assert_allclose(found, [0, np.radians(30), 0, 0, 0, 0], atol=1e-12)


def test_points_of_the_first_camera_move_to_the_second() -> None:
    generator = np.random.default_rng(0)
    first, second = (camera(generator.uniform(-1.4, 1.4, 3), generator.uniform(-3, 3, 3)) for _ in "ab")
    world = generator.uniform(-5, 5, (20, 3))
    in_first, in_second = (
        (world - one["location"]) @ geometry.rotation(one["angles"]) for one in (first, second)
    )

    pose = poses.relative_poses(first, second)

    np.testing.assert_allclose(in_first @ geometry.rotation(pose[:3]).T + pose[3:], in_second, atol=1e-10)


def test_egomotion_is_two_poses_of_which_the_third_follows() -> None:
    generator = np.random.default_rng(1)
    one, two, three = (camera(generator.uniform(-1, 1, 3), generator.uniform(-3, 3, 3)) for _ in "abc")

    steps = poses.egomotions(one, two, three)

    np.testing.assert_allclose(
        geometry.compose(steps[:6], steps[6:]), poses.relative_poses(one, three), atol=1e-10
    )


def test_records_of_any_shape_are_taken_at_once() -> None:
    generator = np.random.default_rng(2)
    many = np.stack([camera(generator.uniform(-1, 1, 3), generator.uniform(-1, 1, 3)) for _ in range(6)])
    grid = many.reshape(2, 3)

    assert poses.relative_poses(grid, grid[::-1]).shape == (2, 3, 6)
    assert poses.egomotions(grid, grid, grid).shape == (2, 3, 12)
    np.testing.assert_array_equal(poses.room_layouts(grid).reshape(6, 9)[4], poses.room_layouts(many[4]))
    np.testing.assert_array_equal(
        poses.vanishing_points(grid).reshape(6, 9)[4], poses.vanishing_points(many[4])
    )


def test_the_layout_of_a_camera_along_x_by_hand() -> None:
    found = poses.room_layouts(camera(location=(1, 1, 1)))

    # The box's centre (2, 2, 2) is 1 m ahead, 1 m to the left and 1 m up.
    np.testing.assert_allclose(found[:3], [-1, 1, -1], atol=1e-12)
    np.testing.assert_allclose(found[3:6], AHEAD_X, atol=1e-12)
    np.testing.assert_allclose(found[6:], [6, 8, 10])


@pytest.mark.parametrize(("degrees", "left"), [(0, 0), (40, 40), (50, -40), (90, 0), (170, -10), (-100, -10)])
def test_layouts_are_turned_until_the_camera_looks_within_45_degrees_of_x(
    degrees: float, left: float
) -> None:
    found = poses.room_layouts(camera(heading(degrees)))

    np.testing.assert_allclose(found[3:6], heading(left), atol=1e-12)
    np.testing.assert_allclose(found[6:], [6, 8, 10] if (degrees - left) % 180 == 0 else [8, 6, 10])


def test_layouts_look_alike_to_the_statistics_of_the_dataset() -> None:
    """Whitened numbers of plain views lie within a few standard deviations."""
    box = ((0, 0, 0), (6, 4, 2.8))
    views = np.stack(
        [camera(heading(way, pitch), (3, 2, 1.5), box) for way in range(0, 360, 17) for pitch in (-20, 0, 20)]
    )

    white = whiten("room_layout", poses.room_layouts(views))

    assert np.abs(white).max() < 4.5
    np.testing.assert_allclose(unwhiten("room_layout", white), poses.room_layouts(views), atol=1e-12)


@given(angles, st.tuples(*[st.floats(-0.9, 4.9)] * 3))
def test_corners_of_the_layout_are_those_of_the_room_in_the_camera_frame(
    turned: tuple[float, float, float], location: tuple[float, float, float]
) -> None:
    record = camera(turned, location)
    ends = record["box"]
    room = np.array([[ends[i][0], ends[j][1], ends[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    expected = (room - record["location"]) @ geometry.rotation(turned)

    found = geometry.box_corners(poses.room_layouts(record))

    off = np.abs(found[:, None] - expected[None]).max(-1)
    assert (off.min(1) < 1e-8).all()
    assert len(set(off.argmin(1))) == 8


def test_the_yellow_floor_of_the_layout_is_the_floor() -> None:
    corners = geometry.box_corners(poses.room_layouts(camera(heading(20), (2, 2, 1))))

    heights = corners[:, 1]
    np.testing.assert_allclose(heights[[0, 2, 4, 6]], -4)
    np.testing.assert_allclose(heights[[1, 3, 5, 7]], 6)


def test_a_layout_without_a_box_is_unknown() -> None:
    found = poses.room_layouts(camera(box=np.full((2, 3), np.nan)))

    assert np.isnan(found).all()


def test_a_heading_between_two_axes_takes_the_smaller_turn_whatever_the_rounding() -> None:
    found = [poses.room_layouts(camera(heading(45 + wiggle)))[5] for wiggle in (-1e-11, 0, 1e-11)]

    np.testing.assert_allclose(found, -np.pi / 4, atol=1e-9)


def test_the_vanishing_points_of_a_camera_between_x_and_y_by_hand() -> None:
    found = poses.vanishing_points(camera(heading(30))).reshape(3, 3)

    sine, cosine = 0.5, np.sqrt(0.75)
    # +x is 30 degrees to the right of the way it looks, +y 60 to the left.
    np.testing.assert_allclose(found, [[sine, 0, -cosine], [-cosine, 0, -sine], [0, 1, 0]], atol=1e-12)


@given(angles)
def test_vanishing_points_are_the_axes_of_the_world_up_to_quarter_turns(
    turned: tuple[float, float, float],
) -> None:
    found = poses.vanishing_points(camera(turned)).reshape(3, 3)
    axes = geometry.rotation(turned)

    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.abs(found[:2] @ axes[:2].T).max(1), 1, atol=1e-9)
    np.testing.assert_allclose(found[2], axes[2], atol=1e-12)
    assert np.linalg.det(found) == pytest.approx(1)


@given(turns, st.floats(-1, 1))
def test_upright_cameras_look_between_their_x_and_y(way: float, pitch: float) -> None:
    found = poses.vanishing_points(camera((np.pi / 2 + pitch, 0, way))).reshape(3, 3)

    assert (found[:2, 2] <= 1e-6).all()  # both lie ahead, where z is negative


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_camera_along_an_axis_has_x_ahead(degrees: float) -> None:
    for wiggle in (-1e-12, 0, 1e-12):
        found = poses.vanishing_points(camera(heading(degrees + wiggle)))
        np.testing.assert_allclose(found[:3], [0, 0, -1], atol=1e-9)


def test_boxes_of_point_files_have_x_and_y_swapped() -> None:
    ranges = {"x": [-4, 2], "y": [5, -1], "z": [0, 3]}

    found = poses.box_from_point_info(ranges)

    np.testing.assert_array_equal(found, [[-1, -4, 0], [5, 2, 3]])
