"""Depths, normals, curvatures and reshading, held to what can be worked out without them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training.data.labels import surfaces
from training.rooms.scene import Shape

from taskbank.labels.codes import decode, encode
from toy_rooms import Builder, looking_at
from toy_views import Seen, look

SIZE = 96


@pytest.fixture(scope="module")
def corner() -> Seen:
    """Two views into a room of 4 x 5 x 3 m with a ball and a post in it."""
    room = Builder().add(Shape.ELLIPSOID, (2, 4, 1), (0.5, 0.5, 0.5))
    room.add(Shape.CYLINDER, (0.8, 4, 1), (0.2, 0.2, 1.0))
    return look(room.scene(), looking_at((2, 4, 1), (1.2, 0.5, 1.5), (3.5, 1, 2.2)), SIZE)


def _rays(seen: Seen) -> torch.Tensor:
    """(F, SIZE, SIZE, 2): slopes of rays to the right and up, from the definition of the focal length."""
    steps = torch.arange(SIZE) + 0.5 - SIZE / 2
    return torch.stack(torch.meshgrid(steps, -steps, indexing="xy"), -1) / seen.focal[:, None, None, None]


def test_depth_along_the_axis_times_the_slope_of_the_ray_is_the_distance(corner: Seen) -> None:
    longer = (1 + _rays(corner).square().sum(-1)).sqrt()

    torch.testing.assert_close(corner.distance, corner.depth * longer, rtol=1e-5, atol=1e-5)


def test_the_distance_is_what_the_ray_travelled(corner: Seen) -> None:
    torch.testing.assert_close(corner.distance, corner.hits.distance, rtol=1e-5, atol=1e-5)


def test_a_wall_straight_ahead_has_one_depth_and_faces_the_viewer() -> None:
    seen = look(Builder().scene(), looking_at((2, 5, 1.5), (2, 1, 1.5), fov=40), 32)

    torch.testing.assert_close(seen.depth, torch.full((1, 32, 32), 4.0), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(
        seen.normal, torch.tensor([0.0, 0.0, -1.0]).expand(1, 32, 32, 3), atol=1e-6, rtol=0
    )


def test_floors_have_normals_up_and_ceilings_down_in_the_frame_of_the_files() -> None:
    seen = look(Builder().scene(), looking_at((2, 5, 1.5), (2, 0.5, 1.5), fov=80), 32)

    assert seen.normal[0, -1, 16].tolist() == pytest.approx([0, -1, 0], abs=1e-6)
    assert seen.normal[0, 0, 16].tolist() == pytest.approx([0, 1, 0], abs=1e-6)
    # As in the dataset's own files: a floor is about (127, 0, 127), a ceiling (127, 255, 127).
    assert encode("normal", seen.normal)[0, -1, 16].tolist() == [127, 0, 127]
    assert encode("normal", seen.normal)[0, 0, 16].tolist() == [127, 255, 127]


def test_normals_are_those_of_the_depth_map(corner: Seen) -> None:
    rays = torch.cat([_rays(corner), -torch.ones(2, SIZE, SIZE, 1)], -1)
    points = rays * corner.depth[..., None]
    across = points[:, 1:-1, 2:] - points[:, 1:-1, :-2]
    down = points[:, 2:, 1:-1] - points[:, :-2, 1:-1]
    numeric = torch.nn.functional.normalize(torch.linalg.cross(down, across), dim=-1)
    numeric = numeric * torch.tensor([1.0, -1.0, -1.0])

    angle = torch.rad2deg(torch.acos((numeric * corner.normal[:, 1:-1, 1:-1]).sum(-1).clamp(-1, 1)))

    assert angle.median() < 0.1
    assert (angle < 5).float().mean() > 0.9  # the rest are pixels at edges
    ahead = torch.cat([_rays(corner) * torch.tensor([1, -1]), torch.ones(2, SIZE, SIZE, 1)], -1)
    assert (corner.normal * ahead).sum(-1).max() < 1e-5


@pytest.mark.parametrize(("primitive", "expected"), [(6, (-2.0, -2.0)), (7, (0.0, -5.0)), (0, (0.0, 0.0))])
def test_balls_posts_and_walls_have_their_curvatures_through_the_code(
    corner: Seen, primitive: int, expected: tuple[float, float]
) -> None:
    here = corner.hits.primitive == primitive

    stored = encode("principal_curvature", corner.hits.curvature)
    values = decode("principal_curvature", stored)[here]

    assert here.sum() > 50
    np.testing.assert_allclose(values.mean(0), expected, atol=0.14)  # half a step of the code is 0.13


def test_the_lamp_of_reshading_weakens_with_distance_and_slant() -> None:
    points = torch.tensor([[0, 0, -4.0], [0, 0, -4.0], [0, 0, -8.0]]).reshape(1, 1, 3, 3)
    slant = np.sqrt(0.5)
    normals = torch.tensor([[0, 0, -1.0], [slant, 0, -slant], [0, 0, -1.0]]).reshape(1, 1, 3, 3)

    bright = surfaces.reshading(points, normals)[0, 0].tolist()

    assert bright == pytest.approx([1.6 * 8 / (8 + 16), 1.6 * 8 / (8 + 16) * slant, 1.6 * 8 / (8 + 64)])


def test_reshading_stays_within_its_scale_and_is_dark_behind(corner: Seen) -> None:
    shade = surfaces.reshading(corner.points, corner.normal)

    assert shade.min() > 0
    assert shade.max() <= 1
    assert surfaces.reshading(corner.points, -corner.normal).max() == 0


@pytest.mark.parametrize("domain", ["depth_zbuffer", "normal", "reshading"])
def test_labels_survive_their_codes_up_to_rounding(corner: Seen, domain: str) -> None:
    values = {
        "depth_zbuffer": corner.depth,
        "normal": corner.normal,
        "reshading": surfaces.reshading(corner.points, corner.normal),
    }[domain]

    found = decode(domain, encode(domain, values))

    step = {"depth_zbuffer": 1 / 512, "normal": 1 / 64, "reshading": 1 / 255}[domain]
    assert (found - values).abs().max() <= step
