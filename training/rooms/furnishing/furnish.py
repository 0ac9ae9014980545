"""Furnishing of rooms by their programme, or at random."""

from __future__ import annotations

from training.rooms.furnishing import clutter, dressing
from training.rooms.furnishing.arrange import Room
from training.rooms.furnishing.programme import Addition, Programme, free, wall
from training.rooms.furniture import (
    bathroom,
    beds,
    kitchen,
    lamps,
    rumpled,
    seating,
    storage,
    structure,
    tables,
)
from training.rooms.furniture import clutter as small
from training.rooms.furniture.clutter import Maker
from training.rooms.furniture.plants import plant
from training.rooms.surfaces.materials import Paint

_ANYTHING: tuple[Maker, ...] = (
    seating.chair, seating.stool, seating.bench, seating.office_chair, seating.sofa, seating.armchair,
    seating.ottoman, seating.rocking_chair, tables.dining_table, tables.coffee_table, tables.side_table,
    tables.desk,
    storage.bookcase, storage.wardrobe, storage.dresser, storage.cabinet, storage.tv_stand,
    storage.night_stand,
    storage.chest, storage.filing_cabinet, storage.rack, beds.bed, kitchen.refrigerator, kitchen.washer,
    bathroom.toilet, bathroom.washstand, bathroom.bathtub, plant, lamps.floor_lamp, structure.fireplace,
)  # fmt: skip

_FILLERS: tuple[Maker, ...] = (
    storage.bookcase, storage.cabinet, storage.dresser, storage.chest, seating.sofa, seating.armchair,
    plant, storage.dresser, storage.wardrobe, storage.cabinet,
    tables.side_table, storage.night_stand, seating.ottoman, seating.stool, seating.bench, lamps.floor_lamp,
    small.carton, small.hamper, small.bag, tables.coffee_table, storage.rack, storage.wardrobe,
    seating.sofa, seating.armchair, tables.desk, storage.cabinet, rumpled.beanbag, small.boxes,
)  # fmt: skip

_IN_THE_MIDDLE: tuple[Maker, ...] = (
    beds.bed, seating.armchair, seating.ottoman, seating.bench, tables.coffee_table, rumpled.beanbag,
    tables.side_table, seating.office_chair, seating.sofa, tables.dining_table, small.boxes, small.hamper,
)  # fmt: skip


def furnish(
    room: Room, programme: Programme, *, wall_paint: Paint, wild: bool, share: float, night: bool
) -> None:
    """Furnish an empty room.

    Args:
        room: empty room with its shell.
        programme: the furniture to add.
        wall_paint: paint of the walls.
        wild: True for random furniture at random positions instead.
        share: share of surfaces that carry small objects.
        night: True if lamps are the only light.
    """
    draw = room.draw
    dressing.build_in(room, wall_paint)
    dressing.dress_windows(room)
    steps = list(programme.steps)
    if wild:  # furniture of all kinds at random positions, for domain randomisation
        steps = steps[:2]
        for _ in range(draw.whole(6, 16)):
            maker = draw.one_of(_ANYTHING)
            steps.append(free(maker) if draw.chance(0.6) else wall(maker))
    for step in steps:
        if draw.chance(step.chance):
            for _ in range(draw.whole(step.least, step.most)):
                step.do(room)
    crowd(room, () if wild else programme.steps, draw.between(0.3, 0.55))
    dressing.light_ceiling(room, least=1 if night else 0)
    dressing.decorate_walls(room, draw.whole(*programme.pictures))
    dressing.lay_rugs(room, draw.whole(0, programme.rugs))
    if draw.chance(0.55):
        clutter.lean(room, draw.whole(1, 3))
    most = draw.whole(room.limit - 180, room.limit - 30)
    clutter.fill_tops(room, share, most)
    clutter.strew(room, int(programme.strewn * share * draw.between(0.4, 1.3)), programme.floor)


def crowd(room: Room, steps: tuple[Addition, ...], share: float) -> None:
    """Add furniture until a share of the floor is covered: more of the room's own, or any kind."""
    draw = room.draw
    single = [step for step in steps if step.single]
    for _ in range(40):
        if room.covered >= share * room.plan.area or len(room.solids) > 0.45 * room.limit:
            return
        if single and draw.chance(0.45):
            step = draw.one_of(single)
        elif draw.chance(0.3):
            step = free(draw.one_of(_IN_THE_MIDDLE))
        else:
            step = wall(draw.one_of(_FILLERS))
        step.do(room)
