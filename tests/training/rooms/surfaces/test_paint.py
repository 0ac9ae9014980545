"""Materials on hits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from training.rooms.scene import Scene, Shape, Surface
from training.rooms.surfaces.paint import Painted, paint
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import cast

from taskbank.geometry import rotation
from toy_rooms import WALL, Builder


def of_surface(builder: Builder, surface: Surface) -> Scene:
    """All of one material, in two colours."""
    scene = builder.scene()
    kind = np.array([list(Surface).index(surface)], np.int32)
    colours = np.array([[[0.8, 0.7, 0.6], [0.2, 0.1, 0.1], [0.5, 0.5, 0.5]]], np.float32)
    scale = np.array([0.3], np.float32)
    made = replace(
        scene.materials, surface=kind, colours=colours, scale=scale, strength=np.ones(1, np.float32)
    )
    return replace(scene, materials=made)


def painted(scene: Scene, origins: torch.Tensor, directions: torch.Tensor) -> Painted:
    """At the first hits of rays, seen from very near."""
    batch = SceneBatch.of([scene])
    room = torch.zeros(len(origins), dtype=torch.int64)
    hits = cast(batch, room, origins, directions)
    grouped = {name: getattr(hits, name)[:, None] for name in hits.__slots__}
    return paint(batch, room, type(hits)(**grouped), torch.full((len(origins), 1), 1e-3))


def test_patterns_of_walls_go_on_from_one_solid_to_the_next() -> None:
    """Two halves of a wall look like one."""
    whole = Builder((4, 4, 3)).add(Shape.BOX, (1, 2, 1.5), (0.1, 1.5, 1.0), label=WALL)
    halves = Builder((4, 4, 3))
    halves.add(Shape.BOX, (1, 1.1, 1.5), (0.1, 0.6, 1.0), label=WALL)
    halves.add(Shape.BOX, (1, 2.6, 1.5), (0.1, 0.9, 1.0), label=WALL)
    y = torch.linspace(0.6, 3.4, 200)
    origins = torch.stack([torch.full_like(y, 3), y, 0.3 * y + 0.9], 1)
    directions = torch.tensor([-1.0, 0, 0]).expand(200, 3)
    one, two = (painted(of_surface(b, Surface.BRICKS), origins, directions).albedo for b in (whole, halves))
    assert one.std() > 0.05
    assert torch.allclose(one, two, atol=1e-5)


def test_patterns_of_things_turn_and_move_with_them() -> None:
    """A chest looks the same from its front wherever it stands."""
    turn = rotation([0, 0, 0.7])
    still = Builder((4, 4, 3)).add(Shape.BOX, (2, 2, 1), (0.4, 0.4, 0.4))
    turned = Builder((4, 4, 3)).add(Shape.BOX, (2.2, 1.9, 1.1), (0.4, 0.4, 0.4), axes=turn)
    own = torch.rand((300, 3), generator=torch.Generator().manual_seed(0)) * 0.7 - 0.35
    own[:, 0] = 0.9
    matrix = torch.tensor(turn, dtype=torch.float32)
    ahead = torch.tensor([-1.0, 0, 0])
    first = painted(of_surface(still, Surface.TILES), own + torch.tensor([2.0, 2, 1]), ahead.expand(300, 3))
    second = painted(
        of_surface(turned, Surface.TILES),
        own @ matrix.T + torch.tensor([2.2, 1.9, 1.1]),
        (matrix @ ahead).expand(300, 3),
    )
    assert first.albedo.std() > 0.02
    assert ((first.albedo - second.albedo).abs().amax(-1) < 1e-3).float().mean() > 0.98


def test_materials_bring_their_numbers() -> None:
    """Roughness, mirror and glow, and whether it is a metal."""
    builder = Builder((4, 4, 3))
    scene = of_surface(builder, Surface.METAL)
    rough = replace(
        scene.materials,
        roughness=np.array([0.3], np.float32),
        mirror=np.array([0.4], np.float32),
        glow=np.array([2.0], np.float32),
    )
    seen = painted(replace(scene, materials=rough), torch.tensor([[2.0, 2, 1]]), torch.tensor([[0.0, 0, -1]]))
    found = [float(seen.roughness), float(seen.mirror), float(seen.glow)]
    assert found == pytest.approx([0.3, 0.4, 2.0])
    assert bool(seen.metal)
