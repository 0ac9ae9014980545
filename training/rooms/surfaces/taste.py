"""Taste of a room: the few woods, cloths, metals and colours that are repeated in it."""

from __future__ import annotations

from dataclasses import dataclass

from training.rooms.draw import Draw
from training.rooms.scene import Surface
from training.rooms.surfaces import materials
from training.rooms.surfaces.materials import (
    ACCENTS,
    FABRICS,
    FLOOR_STONES,
    WALLS,
    WHITES,
    WOODS,
    Paint,
    linear,
)


@dataclass(slots=True, kw_only=True)
class Taste:
    """The materials and colours of one room.

    Attributes:
        draw: random draws.
        wildness: share of objects with random paint.
        photos: number of photographs for pictures.
        views: colours of the light of the panoramas for windows, linear RGB.
        woods: colours of wooden objects.
        cloths: colours of soft objects.
        lacquers: colours of painted objects.
        steel: paint of handles, taps and thin legs.
        trim: paint of door frames, window frames and skirting.
    """

    draw: Draw
    wildness: float
    photos: int
    views: tuple[materials.Colour, ...]
    woods: tuple[materials.Colour, ...]
    cloths: tuple[materials.Colour, ...]
    lacquers: tuple[materials.Colour, ...]
    steel: Paint
    trim: Paint

    def wood(self) -> Paint:
        """Draw a paint of the room's wood, slightly different for each piece."""
        draw = self.draw
        if draw.chance(self.wildness):
            return materials.wild(draw)
        return materials.wood(draw, materials.vary(draw, draw.one_of(self.woods), 0.05))

    def lacquer(self) -> Paint:
        """Draw a paint of painted wood or plastic."""
        draw = self.draw
        if draw.chance(self.wildness):
            return materials.wild(draw)
        return materials.plain(draw, materials.vary(draw, draw.one_of(self.lacquers), 0.04))

    def furniture(self) -> Paint:
        """Draw a paint of wood mostly, else a lacquer."""
        return self.wood() if self.draw.chance(0.65) else self.lacquer()

    def cloth(self) -> Paint:
        """Draw a paint of the room's cloths."""
        draw = self.draw
        if draw.chance(self.wildness):
            return materials.wild(draw)
        return materials.fabric(draw, materials.vary(draw, draw.one_of(self.cloths), 0.08))

    def leather(self) -> Paint:
        """Draw a paint of leather."""
        draw = self.draw
        return materials.plain(
            draw, materials.vary(draw, draw.one_of(self.cloths), 0.05), gloss=0.4 * draw.share()
        )

    def upholstery(self) -> Paint:
        """Draw a paint of cloth mostly, else leather."""
        return self.cloth() if self.draw.chance(0.75) else self.leather()

    def metal(self) -> Paint:
        """Draw the room's steel, sometimes another metal."""
        return self.steel if self.draw.chance(0.7) else materials.metal(self.draw)

    def legs(self) -> Paint:
        """Draw a paint for legs: wood or metal."""
        return self.wood() if self.draw.chance(0.6) else self.metal()

    def accent(self) -> Paint:
        """Draw a paint of a strong colour, for small objects."""
        draw = self.draw
        if draw.chance(self.wildness):
            return materials.wild(draw)
        return materials.plain(draw, materials.vary(draw, linear(draw.one_of(ACCENTS)), 0.15))

    def ceramic(self) -> Paint:
        """Draw a glossy paint, white or sometimes coloured."""
        draw = self.draw
        colour = linear(draw.one_of(WHITES if draw.chance(0.7) else ACCENTS + FABRICS))
        return materials.plain(draw, colour, gloss=draw.between(0.4, 0.9))

    def stone(self) -> Paint:
        """Draw a paint for worktops."""
        return materials.stone(self.draw, materials.vary(self.draw, linear(self.draw.one_of(FLOOR_STONES))))

    def picture(self, *, glow: float = 0.0) -> Paint:
        """Draw the paint of a picture on a wall or on a screen."""
        return materials.picture(self.draw, glow=glow, photos=self.photos)

    def rug(self) -> Paint:
        """Draw the paint of a rug, plain or with a pattern."""
        draw = self.draw
        if draw.chance(self.wildness):
            return materials.wild(draw)
        colour = materials.vary(draw, linear(draw.one_of(FABRICS)), 0.1)
        return materials.carpet(draw, colour) if draw.chance(0.4) else materials.fabric(draw, colour)

    def small(self) -> Paint:
        """Draw any paint, for small objects."""
        return self.draw.one_of((self.accent, self.ceramic, self.wood, self.lacquer, self.metal))()


def taste(draw: Draw, *, wildness: float, photos: int, views: tuple[materials.Colour, ...] = ()) -> Taste:
    """Draw the taste of a room."""
    main_wood = linear(draw.one_of(WOODS))
    woods = (main_wood, main_wood, linear(draw.one_of(WOODS)))
    cloths = (*(linear(draw.one_of(FABRICS)) for _ in range(4)), linear(draw.one_of(ACCENTS)))
    lacquers: tuple[materials.Colour, ...] = (
        linear(draw.one_of(WHITES)),
        linear(draw.one_of(WHITES)),
        linear(draw.one_of(WALLS)),
    )
    if draw.chance(0.5):
        lacquers = (*lacquers, linear(draw.one_of(ACCENTS)))
    white = draw.chance(0.65)
    trim = materials.plain(draw, linear(draw.one_of(WHITES))) if white else materials.wood(draw, main_wood)
    return Taste(
        draw=draw,
        wildness=wildness,
        photos=photos,
        views=views,
        woods=woods,
        cloths=cloths,
        lacquers=lacquers,
        steel=materials.metal(draw),
        trim=trim,
    )


def wall_paint(own: Taste, *, wet: bool = False) -> Paint:
    """Draw a paint for walls: painted or plastered mostly; tiles where it is wet."""
    draw = own.draw
    if draw.chance(own.wildness):
        return materials.wild(draw)
    code = draw.one_of(WHITES) if draw.chance(0.4) else draw.one_of(WALLS)
    colour = materials.vary(draw, linear(code), 0.04)
    if wet and draw.chance(0.6):
        return materials.tiles(draw, colour, 0.08, 0.35)
    kind = draw.weighted({"plain": 0.38, "plaster": 0.36, "paper": 0.15, "wood": 0.05, "bricks": 0.06})
    if kind == "wood":
        return materials.Paint(
            surface=Surface.PLANKS,
            colours=materials.shades(draw.one_of(own.woods), 0.2),
            scale=draw.between(0.08, 0.2),
            strength=draw.between(0.3, 0.9),
            roughness=0.8,
            seed=draw.number(),
        )
    if kind == "bricks":
        red = linear(draw.one_of(("#9c4a35", "#8a5642", "#b0664a", "#7b4334")))
        base = colour if draw.chance(0.4) else materials.vary(draw, red)
        return materials.Paint(
            surface=Surface.BRICKS,
            colours=(base, materials.shades(base, 0.25)[1], linear("#b9b2a6")),
            scale=draw.between(0.18, 0.26),
            strength=draw.between(0.5, 1.0),
            roughness=0.95,
            seed=draw.number(),
        )
    surfaces = {"plain": Surface.PLAIN, "plaster": Surface.PLASTER, "paper": Surface.WALLPAPER}
    return materials.Paint(
        surface=surfaces[kind],
        colours=materials.shades(colour, draw.between(0.03, 0.2)),
        scale=draw.between(0.1, 0.6),
        strength=draw.between(0.1, 0.8),
        roughness=draw.between(0.75, 1.0),
        seed=draw.number(),
    )


def floor_paint(own: Taste, *, wet: bool = False, hard: bool = False) -> Paint:
    """Draw a paint for floors: planks, parquet, tiles, carpet, stone."""
    draw = own.draw
    if draw.chance(own.wildness):
        return materials.wild(draw)
    weights = {"planks": 0.5, "tiles": 0.17, "carpet": 0.02 if hard else 0.23, "stone": 0.1}
    kind = draw.weighted({"tiles": 0.75, "stone": 0.1, "planks": 0.15} if wet else weights)
    if kind == "carpet":
        return materials.carpet(draw, materials.vary(draw, linear(draw.one_of(FABRICS)), 0.1))
    stone = materials.vary(draw, linear(draw.one_of(FLOOR_STONES)), 0.05)
    if kind == "tiles":
        return materials.tiles(draw, stone, 0.1, 0.6)
    if kind == "stone":
        return materials.stone(draw, stone)
    shine = draw.share()
    return materials.Paint(
        surface=Surface.PLANKS,
        colours=materials.shades(
            materials.vary(draw, linear(draw.one_of(WOODS)), 0.08), draw.between(0.1, 0.35)
        ),
        scale=draw.between(0.07, 0.22),
        strength=draw.between(0.3, 1.0),
        roughness=0.8 - 0.5 * shine,
        mirror=0.07 * shine**2,
        seed=draw.number(),
    )


def ceiling_paint(own: Taste) -> Paint:
    """Draw a paint for ceilings: white mostly."""
    draw = own.draw
    if draw.chance(own.wildness):
        return materials.wild(draw)
    if draw.chance(0.06):
        return materials.wood(draw, draw.one_of(own.woods))
    surface = Surface.PLASTER if draw.chance(0.6) else Surface.PLAIN
    return materials.Paint(
        surface=surface,
        colours=materials.shades(linear(draw.one_of(WHITES)), 0.08),
        scale=draw.between(0.1, 0.6),
        strength=draw.between(0.05, 0.5),
        roughness=0.95,
        seed=draw.number(),
    )
