"""First hits of rays in rooms, whatever is left out and whatever else is in the batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from training.rooms.frames.views import cast_views
from training.rooms.scene import Scene, Shape
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.rays import camera_rays
from training.rooms.tracing.trace import Hits, cast, occluded

from taskbank.geometry import rotation
from toy_rooms import Builder, looking_at


def crowded(seed: int, count: int = 40) -> Scene:
    """A room full of turned shapes of all kinds."""
    rng = np.random.default_rng(seed)
    room = Builder((4, 4, 3))
    for number in range(count):
        shape = Shape(number % 6)
        half = rng.uniform(0.05, 0.3, 3)
        if shape == Shape.TORUS:
            half = np.array([half[0], half[0], half[0] / 4])
        detail = {Shape.BOX: half.min() / 2 * (number % 4), Shape.CONE: 0.4, Shape.CUSHION: 4.0}.get(
            shape, 0.0
        )
        room.add(
            shape,
            rng.uniform(0.4, 2.6, 3),
            half,
            axes=rotation(rng.uniform(-3, 3, 3)),
            detail=min(detail, half.min()),
        )
    return room.scene()


def random_rays(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Starting in the free height under the ceiling."""
    rng = np.random.default_rng(seed)
    origins = rng.uniform([0.1, 0.1, 2.93], [3.9, 3.9, 2.99], (count, 3))
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return torch.tensor(origins, dtype=torch.float32), torch.tensor(directions, dtype=torch.float32)


def same(one: Hits, two: Hits) -> bool:
    """To the last bit."""
    return all(torch.equal(getattr(one, name), getattr(two, name)) for name in Hits.__slots__)


def test_a_ray_down_the_middle_hits_the_floor() -> None:
    """Three metres below the ceiling."""
    batch = SceneBatch.of([Builder((4, 4, 3)).scene()])
    hits = cast(batch, torch.tensor([0]), torch.tensor([[2.0, 2, 2.5]]), torch.tensor([[0.0, 0, -1]]))
    assert hits.distance.tolist() == [2.5]
    assert hits.normal.tolist() == [[0, 0, 1]]
    assert hits.position.tolist() == [[2, 2, 0]]
    assert hits.curvature.tolist() == [[0, 0]]
    assert batch.label[0, hits.primitive].tolist() == [2]


def test_a_ball_is_hit_where_the_closed_form_says() -> None:
    """With the curvature of a ball; its own frame is turned."""
    turned = rotation([0.3, 0.5, 0.7])
    room = Builder((4, 4, 3)).add(Shape.ELLIPSOID, (2, 2, 1), (0.8, 0.8, 0.8), axes=turned).scene()
    origins, directions = random_rays(4000)
    hits = cast(SceneBatch.of([room]), torch.zeros(4000, dtype=torch.int64), origins, directions)
    away = origins.double() - torch.tensor([2.0, 2, 1])
    b = (away * directions).sum(1)
    root = b**2 - (away**2).sum(1) + 0.64
    expected = -b - root.clamp(min=0).sqrt()
    on_ball = (root > 1e-6) & (expected > 0)
    assert on_ball.sum() > 50
    assert (hits.primitive[on_ball] == 6).all()
    assert torch.allclose(hits.distance[on_ball].double(), expected[on_ball], atol=1e-3)
    assert torch.allclose(hits.curvature[on_ball], torch.tensor(-1.25), rtol=1e-3)
    out = (hits.position[on_ball] - torch.tensor([2.0, 2, 1])) / 0.8
    assert torch.allclose(hits.normal[on_ball], out, atol=1e-4)
    back = hits.own[on_ball] @ torch.tensor(turned, dtype=torch.float32).T + torch.tensor([2.0, 2, 1])
    assert torch.allclose(back, hits.position[on_ball], atol=1e-5)


def test_leaving_out_what_is_out_of_reach_changes_no_bit() -> None:
    """For rays in any direction and for a camera's tiles."""
    batch = SceneBatch.of([crowded(0), crowded(1, 20)])
    origins, directions = random_rays(3000)
    scene = torch.arange(3000) % 2
    assert same(cast(batch, scene, origins, directions), cast(batch, scene, origins, directions, cull=False))


def test_the_nearest_of_all_primitives_is_found() -> None:
    """Against rooms in which every shape is alone."""
    room = crowded(2, 18)
    batch = SceneBatch.of([room])
    origins, directions = random_rays(1500)
    scene = torch.zeros(1500, dtype=torch.int64)
    together = cast(batch, scene, origins, directions)
    best = torch.full((1500,), float("inf"))
    owner = torch.full((1500,), -1)
    for number in range(len(room.primitives.shape)):
        rows = {name: getattr(room.primitives, name)[[number]] for name in room.primitives.__slots__}
        alone = SceneBatch.of([_with(room, rows)])
        found = cast(alone, scene, origins, directions).distance
        owner = torch.where(found < best, number, owner)
        best = torch.minimum(best, found)
    assert torch.equal(best, together.distance)
    assert torch.equal(owner, together.primitive)


def _with(room: Scene, rows: dict[str, np.ndarray]) -> Scene:
    return replace(room, primitives=replace(room.primitives, **rows))


def test_neighbours_in_the_batch_change_no_bit() -> None:
    """Nor do the order of rays, the order of rooms, or how much memory there is."""
    one, two = crowded(3), crowded(4, 10)
    origins, directions = random_rays(500)
    scene = torch.zeros(500, dtype=torch.int64)
    alone = cast(SceneBatch.of([one]), scene, origins, directions)
    batch = SceneBatch.of([two, one])
    assert same(alone, cast(batch, scene + 1, origins, directions))
    assert same(alone, cast(batch, scene + 1, origins, directions, memory=100_000))
    both = cast(batch, None, origins[None].expand(2, -1, -1), directions[None].expand(2, -1, -1))
    assert same(alone, Hits(**{name: getattr(both, name)[1] for name in Hits.__slots__}))
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))
    mixed = cast(batch, torch.ones(500, dtype=torch.int64), origins[order], directions[order])
    assert same(Hits(**{name: getattr(alone, name)[order] for name in Hits.__slots__}), mixed)


def test_in_a_closed_room_every_ray_hits() -> None:
    """And positions, distances and normals belong together."""
    batch = SceneBatch.of([crowded(5)])
    origins, directions = random_rays(5000)
    hits = cast(batch, torch.zeros(5000, dtype=torch.int64), origins, directions)
    assert (hits.primitive >= 0).all()
    assert torch.allclose(origins + hits.distance[:, None] * directions, hits.position, atol=1e-5)
    assert torch.allclose(hits.normal.norm(dim=1), torch.ones(5000), atol=1e-4)
    assert ((hits.normal * directions).sum(1) <= 1e-5).all()
    assert (hits.curvature[:, 0] >= hits.curvature[:, 1]).all()


def test_what_is_missed_says_so() -> None:
    """Outside of the room, looking away from it."""
    batch = SceneBatch.of([crowded(5)])
    hits = cast(batch, torch.tensor([0]), torch.tensor([[9.0, 9, 9]]), torch.tensor([[1.0, 0, 0]]))
    assert hits.distance.tolist() == [float("inf")]
    assert hits.primitive.tolist() == [-1]


def test_cameras_see_what_single_rays_hit() -> None:
    """Pixel by pixel, at a size that tiles do not divide."""
    batch = SceneBatch.of([crowded(6), crowded(7)])
    cameras = looking_at((2, 2, 1), (0.3, 0.3, 2.9), (3.7, 0.3, 2.9))
    maps = cast_views(batch, torch.tensor([1, 0]), cameras, 20)
    origins, directions = camera_rays(cameras, 20)
    starts = origins[:, None, None].expand_as(directions)
    for frame, room in enumerate((1, 0)):
        single = cast(
            batch, torch.full((400,), room), starts[frame].reshape(-1, 3), directions[frame].reshape(-1, 3)
        )
        seen = Hits(**{name: getattr(maps, name)[frame].flatten(0, 1) for name in Hits.__slots__})
        assert same(seen, single)


def test_the_middle_of_a_view_is_where_the_camera_looks() -> None:
    """And the right and lower borders are half the field of view away."""
    cameras = looking_at((2, 3, 1), (2, 1, 1), fov=90)
    _, directions = camera_rays(cameras, 2)
    # pixels' middles are a quarter of the picture from its middle: half of tan 45 degrees
    expected = np.array([[-0.5, 1, 0.5], [0.5, 1, 0.5], [-0.5, 1, -0.5], [0.5, 1, -0.5]]) / 1.5**0.5
    assert directions.reshape(4, 3).numpy() == pytest.approx(expected, abs=1e-6)


def test_a_box_between_two_points_hides_them_from_each_other() -> None:
    """Points on its own two sides too; points beside it see each other."""
    batch = SceneBatch.of([Builder((4, 4, 3)).add(Shape.BOX, (2, 2, 1), (0.2, 0.2, 0.2)).scene()])
    here = torch.tensor([[1.0, 2, 1], [1.8, 2, 1], [1.0, 1, 1], [1.0, 2, 1], [0.0, 2, 1]])
    there = torch.tensor([[3.0, 2, 1], [2.2, 2, 1], [3.0, 1, 1], [1.8, 2, 1], [4.0, 1, 1]])
    scene = torch.zeros(5, dtype=torch.int64)
    assert occluded(batch, scene, here, there).tolist() == [True, True, False, False, False]
    assert occluded(batch, scene, there, here).tolist() == [True, True, False, False, False]


def test_no_rays_are_no_hits() -> None:
    """An empty list is not an error."""
    batch = SceneBatch.of([Builder().scene()])
    nothing = torch.zeros((0, 3))
    assert len(cast(batch, torch.zeros(0, dtype=torch.int64), nothing, nothing).distance) == 0
    assert len(occluded(batch, torch.zeros(0, dtype=torch.int64), nothing, nothing)) == 0


def test_a_batch_needs_a_scene() -> None:
    """The message says so."""
    with pytest.raises(ValueError, match="a batch needs one scene at least, got none"):
        SceneBatch.of([])
