"""Scenes: the shapes, materials, lights and cameras of a room, one per row.

World: metres, +z up, right-handed; a room's main walls are parallel to x and y. Cameras look along their -z,
+y up, +x right; their rotation is three Euler angles about static axes x, y, z (R = Rz Ry Rx, camera to
world), as in the dataset's point files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


class Shape(IntEnum):
    """Kinds of primitives, centred in their own frame, with half sizes `half` along their axes.

    `detail` is a length in metres or a ratio, as stated for each kind.
    """

    BOX = 0  # detail: radius of the rounded edges, at most the least half size
    CYLINDER = 1  # upright along z, radii half x and half y (ellipse allowed), flat ends
    ELLIPSOID = 2
    CONE = 3  # along z, flat ends; radii half x and y at the bottom, times detail (0 to 1) at the top
    TORUS = 4  # around z; half x: outer radius in the plane, half z: radius of the tube
    CUSHION = 5  # a superellipsoid: pillows, seats; detail: its exponent, 2 an ellipsoid, 8 nearly a box


class Surface(StrEnum):
    """Kinds of materials."""

    PLAIN = "plain"
    WOOD = "wood"
    PLANKS = "planks"
    TILES = "tiles"
    BRICKS = "bricks"
    FABRIC = "fabric"
    STRIPES = "stripes"
    STONE = "stone"
    PLASTER = "plaster"
    CARPET = "carpet"
    WALLPAPER = "wallpaper"
    METAL = "metal"
    GLASS = "glass"
    MIRROR = "mirror"
    FOLIAGE = "foliage"
    PICTURE = "picture"  # a painting, a photograph, a screen: blobs and shapes in strong colours
    BOOK = "book"  # a spine with a title
    GLOW = "glow"  # emits its own colour: lamps, screens, the sky behind a window
    PHOTO = "photo"  # an image of --textures, by number
    VIEW = "view"  # the view outside a window: a panorama of --environments, by number, rotated by `scale`


class LightKind(IntEnum):
    """Kinds of lights."""

    BULB = 0  # a sphere that shines in all directions
    WINDOW = 1  # a rectangle that shines into its normal's half space


@dataclass(frozen=True, slots=True, kw_only=True)
class Primitives:
    """Solids, as rows.

    Attributes:
        shape: int32 (N,), values of `Shape`.
        centre: float32 (N, 3), metres, world.
        axes: float32 (N, 3, 3), own axes in the world as columns: world = centre + axes @ own.
        half: float32 (N, 3), metres along the own axes.
        detail: float32 (N,), see `Shape`.
        material: int32 (N,), row of `Materials`.
        label: int32 (N,), NYU40 class number, 1 wall ... 40 (see `room_classes.NYU40`).
        thing: int32 (N,), number of the object that the solid is part of, such as a chair, a wall or a book.
        category: int32 (N,), channel of `class_object`, the ImageNet class of the object; -1 for none.
    """

    shape: IntArray
    centre: FloatArray
    axes: FloatArray
    half: FloatArray
    detail: FloatArray
    material: IntArray
    label: IntArray
    thing: IntArray
    category: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """Materials, as rows.

    Attributes:
        surface: int32 (M,), index into `list(Surface)`.
        colours: float32 (M, 3, 3), three linear RGB albedos in [0, 1] that the pattern mixes.
        scale: float32 (M,), metres of one period of the pattern (tile, plank, stripe).
        strength: float32 (M,), contrast of the pattern, 0 to 1.
        roughness: float32 (M,), 0 a mirror to 1 chalk.
        mirror: float32 (M,), share of light that is reflected as by a mirror, 0 to 1.
        glow: float32 (M,), emitted light in units of a white wall in a well lit room.
        seed: int32 (M,), seed of the pattern's noise; for `Surface.PHOTO` and `VIEW` the number of the image.
    """

    surface: IntArray
    colours: FloatArray
    scale: FloatArray
    strength: FloatArray
    roughness: FloatArray
    mirror: FloatArray
    glow: FloatArray
    seed: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Lights:
    """Lights, as rows. Lights are invisible; a lamp's shade or a window's pane is a primitive.

    Attributes:
        kind: int32 (L,), values of `LightKind`.
        centre: float32 (L, 3), metres.
        axes: float32 (L, 3, 3), own axes as columns; a window shines along its own +z.
        half: float32 (L, 2), half sizes of a window along its own x and y; for a bulb, its radius in both.
        power: float32 (L, 3), linear RGB; head-on irradiance at 1 m distance.
    """

    kind: IntArray
    centre: FloatArray
    axes: FloatArray
    half: FloatArray
    power: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Cameras:
    """Views of one room, as rows. The fixated point is seen in the exact middle of its views.

    Attributes:
        location: float64 (C, 3), metres.
        angles: float64 (C, 3), Euler angles in radians.
        fov: float64 (C,), horizontal and vertical field of view in radians.
        point: int32 (C,), number of the fixated point in the room.
        view: int32 (C,), number of the camera among those that fixate this point.
        fixated: float64 (C, 3), the fixated point, metres.
    """

    location: NDArray[np.float64]
    angles: NDArray[np.float64]
    fov: NDArray[np.float64]
    point: IntArray
    view: IntArray
    fixated: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One furnished room.

    Attributes:
        seed: seed of the room.
        primitives: all solids, including walls, floor and ceiling; the room is closed, so every ray hits one.
        materials: materials of the primitives.
        lights: at least one light.
        ambient: float32 (3,), linear RGB, light from everywhere.
        box: float64 (2, 3), least and greatest corner of the room's inside, metres.
        scene_class: channel of `class_scene`.
    """

    seed: int
    primitives: Primitives
    materials: Materials
    lights: Lights
    ambient: FloatArray
    box: NDArray[np.float64]
    scene_class: int
