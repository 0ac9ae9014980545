from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.data.real.toy_folder import CAMERA, HEIGHT, WIDTH, plane
from training.data.real.camera import Intrinsics
from training.data.real.views import nearest, resampled_depth, resampled_picture, views_of

_SHAPE = (HEIGHT, WIDTH)


def test_views_look_from_left_to_right_and_are_never_rolled() -> None:
    views = views_of(_SHAPE, CAMERA, 3)
    ahead = np.stack([view.turn[:, 2] for view in views])
    assert (np.diff(ahead[:, 0]) > 0).all()
    for view in views:
        assert np.allclose(view.turn.T @ view.turn, np.eye(3))
        assert np.linalg.det(view.turn) == pytest.approx(1)
        assert view.turn[1, 0] == pytest.approx(0)  # the view's x axis is level in the frame


def test_views_of_an_upright_picture_look_from_top_to_bottom() -> None:
    turned = Intrinsics(fx=CAMERA.fy, fy=CAMERA.fx, cx=CAMERA.cy, cy=CAMERA.cx)
    ahead = np.stack([view.turn[:, 2] for view in views_of(_SHAPE[::-1], turned, 3)])
    assert (np.diff(ahead[:, 1]) > 0).all()


def test_a_square_picture_gives_one_view() -> None:
    assert len(views_of((50, 50), CAMERA, 3)) == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_view_is_as_wide_as_the_picture_allows(place: int) -> None:
    view = views_of(_SHAPE, CAMERA, 3)[place]
    column, row = view.places(CAMERA, 256).flatten(1)
    room = torch.stack([column + 0.5, WIDTH - 0.5 - column, row + 0.5, HEIGHT - 0.5 - row]).amin(1)
    assert (room > 0).all()
    assert room.min() < 0.5


def test_the_middle_of_a_centred_camera_is_the_cut_out_square() -> None:
    camera = Intrinsics(fx=60, fy=60, cx=(WIDTH - 1) / 2, cy=(HEIGHT - 1) / 2)
    view = views_of(_SHAPE, camera, 3)[1]
    assert np.allclose(view.turn, np.eye(3))
    assert view.fov == pytest.approx(2 * np.arctan(HEIGHT / 2 / 60))
    rgb = np.random.default_rng(0).integers(0, 255, (*_SHAPE, 3)).astype(np.uint8)
    left = (WIDTH - HEIGHT) // 2
    assert (resampled_picture(rgb, view, camera, HEIGHT) == rgb[:, left : left + HEIGHT]).all()


def test_a_smaller_picture_has_the_means_of_what_its_pixels_cover() -> None:
    camera = Intrinsics(fx=60, fy=60, cx=(WIDTH - 1) / 2, cy=(HEIGHT - 1) / 2)
    checks = np.indices(_SHAPE).sum(0) % 2 * 200
    rgb = np.repeat(checks[..., None], 3, axis=-1).astype(np.uint8)
    small = resampled_picture(rgb, views_of(_SHAPE, camera, 1)[0], camera, HEIGHT // 2)
    assert (small == 100).all()


@pytest.mark.parametrize("place", [0, 2])
def test_depth_of_a_slanted_plane_is_exact_between_pixels(place: int) -> None:
    depth = plane((0.5, -0.3, -0.8), 1.5).astype(np.float32)
    view = views_of(_SHAPE, CAMERA, 3)[place]
    places = view.places(CAMERA, 100)
    towards = torch.stack([(places[0] - CAMERA.cx) / CAMERA.fx, (places[1] - CAMERA.cy) / CAMERA.fy], dim=-1)
    true = plane((0.5, -0.3, -0.8), 1.5, np.concatenate([towards, np.ones((100, 100, 1))], -1))
    found = resampled_depth(depth, places).numpy()
    inside = ((places > 0) & (places < torch.tensor([WIDTH - 1, HEIGHT - 1])[:, None, None])).all(0).numpy()
    assert np.allclose(found[inside], true[inside], rtol=1e-4)


def test_nothing_lies_between_a_thing_and_what_is_behind_it() -> None:
    depth = np.full((4, 6), 1.0, np.float32)
    depth[:, 3:] = 2.0
    depth[0, 0] = np.nan
    places = torch.tensor([[2.3, 2.6, 0.2, 0.8], [2.0, 2.0, 0.2, 0.2]], dtype=torch.float64)[:, None]
    found = resampled_depth(depth, places)[0]
    assert found[:2].tolist() == [1.0, 2.0]
    assert found[2].isnan()
    assert found[3] == 1.0


def test_the_nearest_pixel_of_a_place_beyond_the_border_is_the_last() -> None:
    values = torch.arange(6).reshape(2, 3)
    assert nearest(values, torch.tensor([[[-0.4, 2.4]], [[0.0, 1.4]]])).tolist() == [[0, 5]]
