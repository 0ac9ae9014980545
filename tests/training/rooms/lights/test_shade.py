"""Light in rooms: by hand where that can be done."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from training.rooms.frames.views import cast_views
from training.rooms.lights.shade import Shot, radiance
from training.rooms.look import LookOptions
from training.rooms.scene import Cameras, LightKind, Lights, Scene, Shape, Surface
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.rays import camera_rays

from toy_rooms import Builder, looking_at

SIZE = 64
ABOVE = looking_at((2, 2, 0), (2, 1.999, 2.9), fov=80)
"""From under the ceiling down to the middle of the floor."""


def light_in(
    scene: Scene,
    cameras: Cameras = ABOVE,
    *,
    size: int = SIZE,
    shadows: bool = True,
    reflections: bool = True,
) -> Tensor:
    """Linear light (size, size, 3) of the first view."""
    batch = SceneBatch.of([scene])
    room = torch.tensor([0])
    _, directions = camera_rays(cameras, size)
    shot = Shot(
        batch=batch,
        scene=room,
        hits=cast_views(batch, room, cameras, size),
        directions=directions,
        pixel=torch.tensor([2 * np.tan(cameras.fov[0] / 2) / size], dtype=torch.float32),
        seed=torch.tensor([7], dtype=torch.int32),
        ambient=torch.ones(1),
        options=LookOptions(shadows=shadows, reflections=reflections),
    )
    return radiance(shot)[0]


def materials(scene: Scene, owners: dict[int, int], **columns: object) -> Scene:
    """The scene with more materials: `owners` says which primitive has which; others have the first."""
    first = scene.materials
    count = max(owners.values()) + 1
    grown = {name: np.repeat(getattr(first, name), count, 0) for name in first.__slots__}
    for name, values in columns.items():
        for number, value in values.items():  # type: ignore[attr-defined]
            grown[name][number] = list(Surface).index(value) if name == "surface" else value
    material = scene.primitives.material.copy()
    for primitive, number in owners.items():
        material[primitive] = number
    return replace(
        scene, materials=replace(first, **grown), primitives=replace(scene.primitives, material=material)
    )


def test_a_lamp_lights_the_floor_by_the_square_of_its_distance() -> None:
    """Power 8, 2.5 m up, straight below: 8 / 2.5^2, and 0.2 all around; of albedo 0.6."""
    seen = light_in(replace_light(Builder((4, 4, 3)).scene(), (2, 2, 2.5)), shadows=False)
    assert float(seen[32, 32, 0]) == pytest.approx(0.6 * (8 / 2.5**2 + 0.2), rel=0.02)


def test_sidewards_it_falls_off_with_the_cosine_too() -> None:
    """1.5 m beside the lamp's foot: 8 h / d^3."""
    scene = replace_light(Builder((4, 4, 3)).scene(), (2, 2, 2.5))
    batch = SceneBatch.of([scene])
    hits = cast_views(batch, torch.tensor([0]), ABOVE, SIZE)
    seen = light_in(scene, shadows=False)
    on_floor = hits.primitive[0] == 4
    d = (hits.position[0] - torch.tensor([2.0, 2.0, 2.5])).norm(dim=-1)
    expected = 0.6 * (8 * 2.5 / d**3 + 0.2)
    assert torch.allclose(seen[..., 0][on_floor], expected[on_floor], rtol=0.02)


def test_a_window_shines_into_the_room_alone() -> None:
    """A floor before it is lit; behind it there is only the ambient light."""
    lights = Lights(
        kind=np.array([LightKind.WINDOW], np.int32),
        centre=np.array([[2, 2, 1.5]], np.float32),
        axes=np.array([[[0, 0, 1], [1, 0, 0], [0, 1, 0]]], np.float32),  # its z is the world's x
        half=np.array([[0.5, 0.5]], np.float32),
        power=np.full((1, 3), 8.0, np.float32),
    )
    seen = light_in(replace(Builder((4, 4, 3)).scene(), lights=lights), shadows=False)
    assert (seen[28:36, 4:28, 0] < 0.121).all()
    assert (seen[28:36, 40:60, 0] > 0.3).all()


def replace_light(scene: Scene, centre: tuple[float, float, float], radius: float = 0.05) -> Scene:
    """With its bulb somewhere else."""
    half = np.full((1, 2), radius, np.float32)
    return replace(scene, lights=replace(scene.lights, centre=np.array([centre], np.float32), half=half))


def test_a_shadow_lies_where_the_blocker_is_between() -> None:
    """A board 1 m up, halfway to a lamp at 2 m: its shadow is twice as wide."""
    room = Builder((4, 4, 3)).add(Shape.BOX, (2, 2, 1), (0.3, 0.3, 0.01)).scene()
    scene = replace_light(room, (2, 2, 2), radius=0.01)
    hits = cast_views(SceneBatch.of([scene]), torch.tensor([0]), ABOVE, 128)
    seen, without = light_in(scene, size=128), light_in(scene, size=128, shadows=False)
    x = (hits.position[0, ..., :2] - 2).abs().amax(-1)
    floor = hits.primitive[0] == 4
    share = seen[..., 0] / without[..., 0]
    assert (share[floor & (x < 0.52)] < 0.2).all()
    assert (share[floor & (x > 0.7) & (x < 1.3)] > 0.75).all()


def test_large_lamps_have_soft_shadows() -> None:
    """Between light and dark lie many pixels."""
    room = Builder((4, 4, 3)).add(Shape.BOX, (2, 2, 1), (0.3, 0.3, 0.01)).scene()
    hits = cast_views(SceneBatch.of([room]), torch.tensor([0]), ABOVE, 128)
    floor = hits.primitive[0] == 4
    half_lit = []
    for radius in (0.01, 0.3):
        scene = replace_light(room, (2, 2, 2), radius=radius)
        share = light_in(scene, size=128)[..., 0] / light_in(scene, size=128, shadows=False)[..., 0]
        half_lit.append(int((floor & (share > 0.3) & (share < 0.7)).sum()))
    assert half_lit[1] > 2 * half_lit[0]


def test_panes_and_what_holds_the_lamp_cast_no_shadow() -> None:
    """A glowing shade around the bulb, and glass below it."""
    room = (
        Builder((4, 4, 3))
        .add(Shape.BOX, (2, 2, 2), (0.2, 0.2, 0.2))
        .add(Shape.BOX, (2, 2, 1.2), (0.5, 0.5, 0.01))
    )
    scene = materials(
        replace_light(room.scene(), (2, 2, 2)), {7: 1}, surface={1: Surface.GLASS}, mirror={1: 0.2}
    )
    cameras = looking_at((2, 2, 0), (3.9, 2, 0.6), fov=50)
    lit, unblocked = light_in(scene, cameras), light_in(scene, cameras, shadows=False)
    hits = cast_views(SceneBatch.of([scene]), torch.tensor([0]), cameras, SIZE)
    below = (hits.primitive[0] == 4) & ((hits.position[0, ..., :2] - 2).abs().amax(-1) < 0.5)
    assert below.sum() > 50
    assert (lit[below] > 0.7 * unblocked[below]).all()


def test_corners_get_less_light_from_all_around() -> None:
    """Without any lamp that reaches them."""
    scene = Builder((4, 4, 3)).scene()
    dark = replace(scene, lights=replace(scene.lights, power=np.zeros((1, 3), np.float32)))
    cameras = looking_at((0, 0, 0), (2, 2, 1.5), fov=90)
    hits = cast_views(SceneBatch.of([dark]), torch.tensor([0]), cameras, SIZE)
    seen = light_in(dark, cameras)[..., 0]
    floor = hits.primitive[0] == 4
    from_walls = hits.position[0, ..., :2].amin(-1)
    assert seen[floor & (from_walls < 0.1)].mean() < 0.85 * seen[floor & (from_walls > 1)].mean()


def test_a_red_wall_tints_the_floor_beside_it() -> None:
    """One bounce of the ambient light."""
    scene = materials(Builder((4, 4, 3)).scene(), {0: 1}, colours={1: np.array([[0.9, 0.05, 0.05]] * 3)})
    dark = replace(scene, lights=replace(scene.lights, power=np.zeros((1, 3), np.float32)))
    cameras = looking_at((0, 2, 0), (2, 2, 1.5), fov=70)
    hits = cast_views(SceneBatch.of([dark]), torch.tensor([0]), cameras, SIZE)
    beside = (hits.primitive[0] == 4) & (hits.position[0, ..., 0] < 0.15)
    red, green, _ = light_in(dark, cameras)[beside].mean(0)
    assert red > 1.2 * green


def test_mirrors_show_what_the_law_of_reflection_says() -> None:
    """A glowing ball behind the camera appears in a mirror wall where its mirror image would be."""
    builder = Builder((4, 4, 3)).add(Shape.ELLIPSOID, (1, 2.8, 1.2), (0.25, 0.25, 0.25))
    scene = materials(
        builder.scene(),
        {0: 1, 6: 2},
        surface={1: Surface.MIRROR, 2: Surface.GLOW},
        mirror={1: 0.95},
        roughness={1: 0.0},
        glow={2: 20.0},
        colours={2: np.array([[0.1, 0.9, 0.1]] * 3)},
    )
    cameras = looking_at((0, 2, 1.5), (3, 1.5, 1.5), fov=60)
    seen = light_in(scene, cameras)
    _, directions = camera_rays(cameras, SIZE)
    image = torch.tensor([-1.0, 2.8, 1.2]) - torch.tensor(cameras.location[0], dtype=torch.float32)
    off = (image - directions[0] * (directions[0] * image).sum(-1, keepdim=True)).norm(dim=-1)
    hits = cast_views(SceneBatch.of([scene]), torch.tensor([0]), cameras, SIZE)
    mirror = hits.primitive[0] == 0
    green = seen[..., 1] - seen[..., 0] > 5
    assert (mirror & (off < 0.23)).sum() > 10
    assert green[mirror & (off < 0.23)].all()
    assert not green[mirror & (off > 0.27)].any()
    plain = light_in(scene, cameras, reflections=False)
    assert not (plain[..., 1] - plain[..., 0] > 1)[mirror].any()


def test_fine_relief_changes_shading_and_no_label() -> None:
    """A carpet's pile is in the light, not in the normals."""
    scene = materials(
        Builder((4, 4, 3)).scene(), {4: 1}, surface={1: Surface.CARPET}, scale={1: 0.03}, strength={1: 1.0}
    )
    near = looking_at((2, 2, 0), (2, 1.9, 0.5), fov=40)
    normal = cast_views(SceneBatch.of([scene]), torch.tensor([0]), near, SIZE).normal[0]
    assert torch.allclose(normal, torch.tensor([0.0, 0, 1]).expand_as(normal))
    assert light_in(scene, near)[..., 0].std() > 0.01


@pytest.mark.parametrize("surface", Surface)
def test_rooms_of_any_material_have_finite_light(surface: Surface) -> None:
    """No pixel is dark altogether or not a number."""
    room = (
        Builder((4, 4, 3))
        .add(Shape.TORUS, (2, 2, 0.4), (0.6, 0.6, 0.2))
        .add(Shape.CONE, (1, 1, 0.5), (0.4, 0.4, 0.5))
    )
    scene = materials(
        room.scene(),
        dict.fromkeys(range(8), 1),
        surface={1: surface},
        roughness={1: 0.3},
        mirror={1: 0.3},
        strength={1: 1.0},
    )
    seen = light_in(scene)
    assert torch.isfinite(seen).all()
    assert (seen >= 0).all()
    assert seen.mean() > 0.01
