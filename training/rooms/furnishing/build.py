"""Generation of a furnished room from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data.room_classes import kind, scene_channel
from training.errors import ConfigError
from training.rooms.draw import Draw
from training.rooms.floor_plan import plan
from training.rooms.furnishing import lighting, shell
from training.rooms.furnishing.arrange import Room
from training.rooms.furnishing.furnish import furnish
from training.rooms.furnishing.programmes import PROGRAMMES
from training.rooms.furniture.piece import Solid
from training.rooms.scene import FloatArray, Materials, Primitives, Scene, Surface
from training.rooms.surfaces.materials import Colour, Paint
from training.rooms.surfaces.taste import taste

MOST_PRIMITIVES = 440
"""Largest number of solids in a room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomOptions:
    """Options that differ between sets of rooms.

    Attributes:
        most_primitives: largest number of solids of a room; at least 200.
        photos: number of images for `Surface.PHOTO`; 0 for none.
        views: colours of the light of the panoramas behind windows, linear RGB; empty for plain skies.
        wild_share: share of rooms with random furniture, positions and materials.
        night_share: share of rooms with dark windows.
        clutter: least and greatest share of surfaces that carry small objects, 0 to 1.
        scene: class of `class_scene` of all rooms; empty for any.
    """

    most_primitives: int = MOST_PRIMITIVES
    photos: int = 0
    views: tuple[Colour, ...] = ()
    wild_share: float = 0.12
    night_share: float = 0.2
    clutter: tuple[float, float] = (0.35, 1.0)
    scene: str = ""

    def __post_init__(self) -> None:
        if self.most_primitives < 200:
            raise ConfigError(f"most_primitives is {self.most_primitives}; a room needs 200 at least")
        if self.scene and self.scene not in PROGRAMMES:
            raise ConfigError(f"unknown scene {self.scene!r}: choose {', '.join(PROGRAMMES)}")
        low, high = self.clutter
        if not 0 <= low <= high <= 1:
            raise ConfigError(
                f"clutter is {low} to {high}: give two shares from 0 to 1, the smaller one first"
            )


def build_scene(seed: int, options: RoomOptions | None = None) -> Scene:
    """Furnish a room.

    Args:
        seed: equal seeds give equal arrays on any machine.
        options: options of the room; None for the defaults.

    Returns:
        A closed room with its lights.

    Raises:
        DataError: the room is so full that there is no place for a light.
    """
    chosen = options or RoomOptions()
    draw = Draw(seed, 1)
    wild = draw.chance(chosen.wild_share)
    weights = {name: programme.weight for name, programme in PROGRAMMES.items()}
    programme = PROGRAMMES[chosen.scene or draw.weighted(weights)]
    wildness = draw.between(0.4, 1.0) if wild else 0.03
    own = taste(draw, wildness=wildness, photos=chosen.photos, views=chosen.views)
    bare = plan(draw, programme.size)
    room = Room(bare, own, chosen.most_primitives)
    night = draw.chance(chosen.night_share) or not any(
        o.use == "window" for w in bare.walls for o in w.openings
    )
    roof = 0.9 if programme.scene == "attic" else 0.06
    bare_shell = shell.build(
        room, wet=programme.wet, hard=programme.hard, night=night, under_roof=roof, beamed=0.12
    )
    share = draw.between(*chosen.clutter)
    furnish(room, programme, wall_paint=bare_shell.wall, wild=wild, share=share, night=night)
    lights, ambient = lighting.lights(room, bare_shell.tint, night=night)
    (x0, y0), (x1, y1) = bare.corners
    primitives, materials = _arrays(room.solids)
    return Scene(
        seed=seed,
        primitives=primitives,
        materials=materials,
        lights=lights,
        ambient=ambient,
        box=np.array([[x0, y0, 0.0], [x1, y1, bare.height]]),
        scene_class=scene_channel(programme.scene),
    )


def _arrays(solids: list[Solid]) -> tuple[Primitives, Materials]:
    rows: dict[Paint, int] = {}
    material = [rows.setdefault(solid.paint, len(rows)) for solid in solids]
    kinds = [kind(solid.kind) for solid in solids]
    primitives = Primitives(
        shape=np.array([solid.shape for solid in solids], dtype=np.int32),
        centre=np.array([solid.centre for solid in solids], dtype=np.float32),
        axes=np.array([solid.axes for solid in solids], dtype=np.float32),
        half=np.array([solid.half for solid in solids], dtype=np.float32),
        detail=np.array([solid.detail for solid in solids], dtype=np.float32),
        material=np.array(material, dtype=np.int32),
        label=np.array([k.label for k in kinds], dtype=np.int32),
        thing=np.array([solid.thing for solid in solids], dtype=np.int32),
        category=np.array([k.category for k in kinds], dtype=np.int32),
    )
    paints = list(rows)
    surfaces = {surface: number for number, surface in enumerate(Surface)}

    def column(name: str) -> FloatArray:
        return np.array([getattr(paint, name) for paint in paints], dtype=np.float32)

    return primitives, Materials(
        surface=np.array([surfaces[paint.surface] for paint in paints], dtype=np.int32),
        colours=column("colours"),
        scale=column("scale"),
        strength=column("strength"),
        roughness=column("roughness"),
        mirror=column("mirror"),
        glow=column("glow"),
        seed=np.array([paint.seed for paint in paints], dtype=np.int32),
    )
