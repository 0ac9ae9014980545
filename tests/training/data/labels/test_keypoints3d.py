"""3-D key points: corners of boxes fire; planes, folds and straight borders do not, from any distance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from training.data.labels.keypoints3d import keypoints3d
from training.rooms.scene import Cameras, Shape

from taskbank.geometry import euler_angles, rotation
from toy_rooms import Builder, looking_at
from toy_views import Seen, look

CORNER = (3.0, 3.0, 1.0)


def _response(room: Builder, cameras: Cameras, size: int = 128) -> tuple[torch.Tensor, Seen]:
    seen = look(room.scene(), cameras, size)
    return keypoints3d(seen.points, seen.upright, seen.focal), seen


def _block() -> Builder:
    """A block whose nearest upper corner is `CORNER`; its edges are longer than a support."""
    return Builder((6, 8, 3)).add(Shape.BOX, (3.5, 3.5, 0.5), (0.5, 0.5, 0.5))


def test_planes_do_not_fire_however_slanted() -> None:
    seen = look(Builder((8, 6, 8)).scene(), looking_at((4, 6, 4), (2, 2, 4), fov=35), 96)
    wall = seen.hits.primitive == seen.hits.primitive[0, 48, 48]

    response = keypoints3d(seen.points, seen.upright, seen.focal)

    assert wall.all()
    assert response.max() < 1e-3


def test_straight_folds_do_not_fire() -> None:
    response, seen = _response(Builder((6, 6, 9)), looking_at((6, 6, 4.5), (2.5, 1.5, 4.5), fov=30))

    assert len(set(seen.hits.primitive.flatten().tolist())) == 2
    assert response.max() < 0.05


@pytest.mark.parametrize("turn", [0.0, 0.3, 0.7])
def test_straight_borders_do_not_fire_at_any_angle_of_the_picture(turn: float) -> None:
    room = Builder((12, 6, 12)).add(Shape.BOX, (5.5, 3, 6), (0.5, 0.05, 6))
    cameras = looking_at((6, 3, 6), (5.8, 1, 6), fov=40)
    cameras.angles[0] = _rolled(cameras.angles[0], turn)

    response, _ = _response(room, cameras)

    assert response[0, 20:-20, 20:-20].max() < 0.12


def test_corners_of_boxes_fire() -> None:
    response, _ = _response(_block(), looking_at(CORNER, (1.8, 1.2, 2.0)))

    middle = response[0, 60:68, 60:68]
    assert middle.max() > 0.7
    assert middle.max() > 0.9 * response[0, 44:84, 44:84].max()


def test_corners_fire_alike_from_any_distance_and_resolution() -> None:
    away = [(3 - 0.4 * far, 3 - 0.6 * far, 1 + 0.33 * far) for far in (1.2, 2.4, 4.0)]
    values = []
    for size in (128, 256):
        response, _ = _response(_block(), looking_at(CORNER, *away), size)
        middle = slice(size // 2 - 4, size // 2 + 4)
        values += response[:, middle, middle].amax((1, 2)).tolist()

    assert max(values) - min(values) < 0.15
    assert min(values) > 0.65


def test_what_is_far_behind_a_border_does_not_count_as_near() -> None:
    room = Builder((6, 8, 3)).add(Shape.BOX, (3, 3, 1.0), (0.5, 0.3, 1.0))
    response, seen = _response(room, looking_at((3, 2.7, 1.9), (3, 0.5, 1.6)))
    wall = (seen.points[..., 2] < -4) & (seen.upright[..., 2] > 0.9)

    behind = wall[0, 10:-50, 30:-30]

    # The wall behind is plain; only pixels beside the border, blurred to both sides, may feel it.
    assert behind.sum() > 300
    assert (response[0, 10:-50, 30:-30][behind] < 0.1).float().mean() > 0.9


def test_small_balls_fire_and_large_ones_less() -> None:
    peaks = []
    for radius in (0.1, 0.3, 0.9):
        room = Builder((8, 8, 4)).add(Shape.ELLIPSOID, (4, 4, 2), (radius,) * 3)
        response, _ = _response(room, looking_at((4, 4, 2), (4, 4 - radius - 1.5, 2)))
        peaks.append(response[0, 64, 64].item())

    assert peaks[0] > 0.6
    assert peaks[0] > peaks[1] > peaks[2]
    assert peaks[2] < 0.45


def test_responses_are_shares() -> None:
    response, _ = _response(_block(), looking_at(CORNER, (1, 0.5, 2.0), (1.8, 1.2, 2.0)))

    assert response.min() >= 0
    assert response.max() < 1


def _rolled(angles: NDArray[np.float64], roll: float) -> NDArray[np.float64]:
    """Euler angles of a camera turned about its own axis."""
    return euler_angles(rotation(angles) @ rotation([0, 0, roll]))
