"""Rooms small enough to work out by hand."""

from __future__ import annotations

import numpy as np
from training.rooms.scene import (
    Cameras,
    LightKind,
    Lights,
    Materials,
    Primitives,
    Scene,
    Shape,
    Surface,
)

WALL, FLOOR, CHAIR, CEILING, OTHER = 1, 2, 5, 22, 40  # NYU40 numbers


class Builder:
    """Collects the primitives of a room; a closed box of walls is there from the start.

    Args:
        size: width, depth and height in metres; the room's inside is [0, size].
    """

    def __init__(self, size: tuple[float, float, float] = (4, 5, 3)) -> None:
        self.size = np.array(size, float)
        self.rows: list[tuple[Shape, np.ndarray, np.ndarray, np.ndarray, float, int, int]] = []
        thickness = 0.1
        for axis in range(3):
            for side in (0, 1):
                centre, half = self.size / 2, self.size / 2 + thickness
                centre[axis] = self.size[axis] + thickness / 2 if side else -thickness / 2
                half[axis] = thickness / 2
                label = WALL if axis < 2 else (FLOOR, CEILING)[side]
                self.add(Shape.BOX, centre, half, label=label)

    def add(
        self,
        shape: Shape,
        centre: object,
        half: object,
        *,
        axes: np.ndarray | None = None,
        detail: float = 0.0,
        label: int = OTHER,
        category: int = -1,
    ) -> Builder:
        """One solid more; the builder itself, for the next."""
        turned = np.eye(3) if axes is None else axes
        row = (shape, np.array(centre, float), np.array(half, float), turned, detail, label, category)
        self.rows.append(row)
        return self

    def scene(self, scene_class: int = 7, seed: int = 0) -> Scene:
        """The room, lit by a bulb under the middle of its ceiling."""
        shape, centre, half, axes, detail, label, category = zip(*self.rows, strict=True)
        count = len(self.rows)
        return Scene(
            seed=seed,
            primitives=Primitives(
                shape=np.array(shape, np.int32),
                centre=np.array(centre, np.float32),
                axes=np.array(axes, np.float32),
                half=np.array(half, np.float32),
                detail=np.array(detail, np.float32),
                material=np.zeros(count, np.int32),
                label=np.array(label, np.int32),
                thing=np.arange(count, dtype=np.int32),
                category=np.array(category, np.int32),
            ),
            materials=_grey(),
            lights=_bulb(self.size * [0.5, 0.5, 0.85]),
            ambient=np.full(3, 0.2, np.float32),
            box=np.stack([np.zeros(3), self.size]),
            scene_class=scene_class,
        )


def looking_at(point: object, *locations: object, fov: float = 60.0, number: int = 0) -> Cameras:
    """Upright cameras at `locations` that fixate `point`; field of view in degrees."""
    target = np.array(point, float)
    places = np.array(locations, float).reshape(-1, 3)
    ahead = target - places
    flat = np.hypot(ahead[:, 0], ahead[:, 1])
    angles = np.stack(
        [
            np.pi / 2 + np.arctan2(ahead[:, 2], flat),
            np.zeros(len(places)),
            np.arctan2(ahead[:, 1], ahead[:, 0]) - np.pi / 2,
        ],
        axis=1,
    )
    return Cameras(
        location=places,
        angles=angles,
        fov=np.full(len(places), np.radians(fov)),
        point=np.full(len(places), number, np.int32),
        view=np.arange(len(places), dtype=np.int32),
        fixated=np.repeat(target[None], len(places), 0),
    )


def _grey() -> Materials:
    return Materials(
        surface=np.array([list(Surface).index(Surface.PLAIN)], np.int32),
        colours=np.full((1, 3, 3), 0.6, np.float32),
        scale=np.ones(1, np.float32),
        strength=np.zeros(1, np.float32),
        roughness=np.ones(1, np.float32),
        mirror=np.zeros(1, np.float32),
        glow=np.zeros(1, np.float32),
        seed=np.zeros(1, np.int32),
    )


def _bulb(centre: object) -> Lights:
    return Lights(
        kind=np.array([LightKind.BULB], np.int32),
        centre=np.array([centre], np.float32),
        axes=np.eye(3, dtype=np.float32)[None],
        half=np.full((1, 2), 0.05, np.float32),
        power=np.full((1, 3), 8.0, np.float32),
    )
