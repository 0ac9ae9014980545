"""Lights of a furnished room: lamps, windows, and ambient light."""

from __future__ import annotations

import numpy as np

from training.rooms.furnishing.arrange import Room
from training.rooms.furniture.piece import turn
from training.rooms.scene import FloatArray, LightKind, Lights
from training.rooms.surfaces.materials import Colour

MOST_BULBS = 6
"""Largest number of lamps that shine, as rays to lights cost time."""

RECESS = 0.11
"""Metres between a window's light and the outer face of its wall, so that the light is inside of the bars."""


def lights(room: Room, tint: Colour, *, night: bool) -> tuple[Lights, FloatArray]:
    """Create all lights of a room.

    Args:
        room: furnished room.
        tint: colour of the light from outside.
        night: True if no light comes in.

    Returns:
        At least one light, and the ambient light.
    """
    strength = room.draw.weighted({0.5: 0.3, 1.0: 0.4, 2.0: 0.2, 4.0: 0.1})
    windows = [(wall, hole) for wall in room.plan.walls for hole in wall.openings if hole.use == "window"]
    rows: list[tuple[object, ...]] = []
    for wall, hole in [] if night else windows:
        # A rectangle of the opening's size, whose z axis points into the room and y up.
        half = ((hole.x[1] - hole.x[0]) / 2, (hole.z[1] - hole.z[0]) / 2)
        x, y = wall.place((hole.x[0] + hole.x[1]) / 2, wall.thick - RECESS)
        power = 6.0 * strength * 4 * half[0] * half[1]
        along = np.array(turn(2, wall.yaw))
        basis = np.stack([along[:, 0], [0.0, 0.0, 1.0], -along[:, 1]], axis=-1)
        centre = (x, y, (hole.z[0] + hole.z[1]) / 2)
        rows.append((LightKind.WINDOW, centre, basis, half, tuple(power * part for part in tint)))
    bulbs = sorted(room.bulbs, key=lambda bulb: -bulb.power)[:MOST_BULBS]
    rows += [
        (
            LightKind.BULB,
            (bulb.x, bulb.y, bulb.z),
            np.eye(3),
            (bulb.radius, bulb.radius),
            tuple(bulb.power * part for part in bulb.tint),
        )
        for bulb in bulbs
    ]
    kinds, centres, axes, halves, powers = zip(*rows, strict=True)
    level = room.draw.between(0.06, 0.22) if night else room.draw.between(0.15, 0.45)
    ambient = np.array([level * (0.5 + 0.5 * part) for part in tint], dtype=np.float32)
    return Lights(
        kind=np.array(kinds, dtype=np.int32),
        centre=np.array(centres, dtype=np.float32),
        axes=np.array(axes, dtype=np.float32),
        half=np.array(halves, dtype=np.float32),
        power=np.array(powers, dtype=np.float32),
    ), ambient
