"""Pixels at the borders of things."""

import torch
from training.rooms.frames.views import cast_views
from training.rooms.lights.edges import softened
from training.rooms.scene import Shape
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.rays import camera_rays

from toy_rooms import Builder, looking_at

SIZE = 64


def disc() -> tuple[torch.Tensor, torch.Tensor]:
    """Light of a ball that shines before dark walls, hard and with soft edges: (2, size, size) each."""
    batch = SceneBatch.of([Builder((4, 4, 3)).add(Shape.ELLIPSOID, (2, 2, 1.5), (0.4, 0.4, 0.4)).scene()])
    scene = torch.zeros(2, dtype=torch.int64)
    cameras = looking_at((2, 2, 1.5), (0.5, 2, 1.5), (2, 3.8, 1.5), fov=50)
    primitive = cast_views(batch, scene, cameras, SIZE).primitive
    hard = (primitive == 6).float()
    light = hard[..., None].expand(-1, -1, -1, 3).contiguous()
    soft = softened(batch, scene, *camera_rays(cameras, SIZE), primitive, light)
    return hard, soft[..., 0]


def test_pixels_at_a_border_mix_both_sides() -> None:
    """In quarters, and those inside stay as they are."""
    hard, soft = disc()
    assert set(soft.flatten().tolist()) <= {0, 0.25, 0.5, 0.75, 1}
    mixed = (soft > 0) & (soft < 1)
    assert 50 < mixed.sum() < 400
    assert ((soft - hard).abs() <= 0.75).all()


def test_soft_edges_have_the_area_of_the_shape() -> None:
    """Nearer than hard ones: the ball's outline is known."""
    hard, soft = disc()
    focal = SIZE / 2 / torch.tan(torch.tensor(25.0).deg2rad())
    for frame, away in enumerate((1.5, 1.8)):
        radius = focal * 0.4 / (away**2 - 0.16) ** 0.5
        area = torch.pi * radius**2
        assert abs(soft[frame].sum() - area) < 0.004 * area
        assert abs(soft[frame].sum() - area) <= abs(hard[frame].sum() - area) + 1


def test_frames_without_borders_stay_as_they_are() -> None:
    """One wall fills the view."""
    batch = SceneBatch.of([Builder((4, 4, 3)).scene()])
    cameras = looking_at((0, 2, 1.5), (1, 2, 1.5), fov=30)
    scene = torch.zeros(1, dtype=torch.int64)
    primitive = cast_views(batch, scene, cameras, 16).primitive
    light = torch.rand((1, 16, 16, 3), generator=torch.Generator().manual_seed(0))
    assert torch.equal(softened(batch, scene, *camera_rays(cameras, 16), primitive, light), light)
