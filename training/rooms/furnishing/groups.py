"""Groups of furniture, such as a bed and its night stands, or a table and its chairs."""

from __future__ import annotations

from math import cos, pi, sin

from training.rooms.floor_plan import Wall
from training.rooms.furnishing.arrange import Placed, Room
from training.rooms.furnishing.clutter import put_on, television_on
from training.rooms.furniture import bathroom, beds, decoration, kitchen, lamps, seating, storage, tables
from training.rooms.furniture.clutter import Maker
from training.rooms.furniture.piece import Piece


def bed(room: Room) -> None:
    """A bed, its head at a wall mostly, with night stands and lamps on them."""
    draw, own = room.draw, room.taste
    piece = beds.four_poster(own) if draw.chance(0.1) else beds.bed(own)
    placed = room.by_wall(piece, tries=30) or room.by_wall(beds.bed(own, wide=0.9), tries=40)
    if not placed:
        return
    around = placed.bounds
    stand = storage.night_stand(own)
    for side in (-1, 1):
        if draw.chance(0.75):
            single = stand if draw.chance(0.85) else storage.night_stand(own)
            wide = single.bounds()
            x = (around.x0 - wide.x1 if side < 0 else around.x1 - wide.x0) + side * draw.between(0.02, 0.12)
            beside = room.beside(single, placed, x, around.y1 - wide.y1)
            if beside and draw.chance(0.6):
                put_on(room, lamps.table_lamp(own, on=draw.chance(0.7)), beside.tops[-1])
    if draw.chance(0.2):
        end = seating.bench(own)
        room.beside(end, placed, 0.0, around.y0 - end.bounds().y1 - 0.05)


def single_bed(room: Room) -> None:
    """A narrow bed."""
    room.by_wall(beds.bed(room.taste, wide=room.draw.between(0.85, 1.0)), tries=30)


def dining(room: Room) -> None:
    """A table with chairs at its sides, drawn up, pushed under, or turned a little."""
    draw, own = room.draw, room.taste
    table = tables.dining_table(own)
    placed = room.anywhere(table, tries=40, straight=0.85)
    placed = placed or room.by_wall(table, tries=20)
    if placed:
        seats(room, placed, seating.bench if draw.chance(0.08) else seating.chair, draw.between(0.4, 1.0))
        if draw.chance(0.4):
            hang_over(room, placed)


def seats(room: Room, table: Placed, maker: Maker, share: float) -> None:
    """Put seats around a table at a share of its places, mostly of one design."""
    draw, own, around = room.draw, room.taste, table.bounds
    seat = maker(own)
    half = (seat.bounds().x1 - seat.bounds().x0) / 2
    count = max(1, int((around.x1 - around.x0) / (2 * half + 0.12)))
    places = []
    for number in range(count):
        x = around.x0 + (around.x1 - around.x0) * (number + 0.5) / count
        places += [(x, around.y0, 0.0 + pi), (x, around.y1, 0.0)]
    places += [(around.x0, 0.0, pi / 2), (around.x1, 0.0, -pi / 2)]
    for x, y, turn in places:
        if draw.chance(share):
            single = seat if draw.chance(0.93) else maker(own)
            _seat(room, single, table, (x, y), turn + draw.normal(0, 0.12, -0.6, 0.6))


def _seat(room: Room, seat: Piece, table: Placed, edge: tuple[float, float], turn: float) -> None:
    """Put a seat facing an edge of a table; further away if the place is occupied."""
    under = room.draw.between(-0.02, 0.3)
    front = -seat.bounds().y0
    for back in (under, 0.1, -0.05, -0.2):
        out = front - back
        x, y = edge[0] - sin(turn) * out, edge[1] + cos(turn) * out
        if room.beside(seat, table, x, y, turn):
            return


def hang_over(room: Room, table: Placed) -> None:
    """A lamp that hangs over a table."""
    drop = room.plan.height - table.bounds.z1 - room.draw.between(0.6, 0.95)
    if drop > 0.3:
        room.hang(lamps.pendant(room.taste, drop), *table.at(0.0, 0.0))


def desk(room: Room) -> None:
    """A desk at a wall, its chair before it."""
    draw, own = room.draw, room.taste
    placed = room.by_wall(tables.desk(own), tries=20)
    if not placed:
        return
    seat = seating.office_chair(own) if draw.chance(0.6) else seating.chair(own)
    x = draw.between(-0.1, 0.15)
    for back in (0.2, 0.05, -0.1):
        y = placed.bounds.y0 - (-seat.bounds().y0 - back)
        if room.beside(seat, placed, x, y, pi + draw.normal(0, 0.5, -1.4, 1.4)):
            break
    if draw.chance(0.5):
        board = draw.one_of((decoration.picture, decoration.whiteboard, storage.wall_shelf))(own)
        room.beside(board, placed, 0.0, placed.bounds.y1 - board.bounds().y1, z=draw.between(1.25, 1.6))


def free_desk(room: Room) -> None:
    """A desk that stands in the room, with a chair behind it and one before it."""
    draw, own = room.draw, room.taste
    placed = room.anywhere(tables.desk(own), straight=0.9)
    if placed:
        for maker, turn, share in ((seating.office_chair, pi, 0.9), (seating.chair, 0.0, 0.5)):
            if draw.chance(share):
                edge = placed.bounds.y0 if turn else placed.bounds.y1
                _seat(room, maker(own), placed, (0.0, edge), turn)


def sofa(room: Room) -> None:
    """A sofa, a low table before it, armchairs around, a lamp beside it, a television opposite."""
    draw, own = room.draw, room.taste
    piece = seating.sofa(own)
    placed = (
        room.by_wall(piece, gap=draw.between(0.0, 0.15), tries=25)
        if draw.chance(0.8)
        else room.anywhere(piece)
    )
    if not placed:
        return
    around = placed.bounds
    if draw.chance(0.85):
        table = tables.coffee_table(own)
        y = around.y0 - table.bounds().y1 - draw.between(0.25, 0.5)
        room.beside(table, placed, draw.between(-0.2, 0.2), y, draw.normal(0, 0.05, -0.2, 0.2))
    for side in (-1, 1):
        if draw.chance(0.55):
            chair = draw.one_of((seating.armchair, seating.armchair, seating.ottoman, seating.rocking_chair))(
                own
            )
            x = side * ((around.x1 - around.x0) / 2 + draw.between(0.1, 0.6))
            y = around.y0 - draw.between(0.4, 1.1)
            room.beside(chair, placed, x, y, side * draw.between(-2.2, -0.9))
        if draw.chance(0.3):
            lamp = (lamps.floor_lamp if draw.chance(0.7) else lamps.arc_lamp)(own, on=draw.chance(0.7))
            room.beside(lamp, placed, side * (around.x1 + 0.25), around.y1 - 0.25)
    if not draw.chance(0.45):
        # A television at a wall that the sofa faces.
        ahead = (sin(placed.yaw), -cos(placed.yaw))
        walls = tuple(w for w in room.plan.walls if -sin(w.yaw) * ahead[0] + cos(w.yaw) * ahead[1] > 0.9)
        television(room, walls)


def television(room: Room, walls: tuple[Wall, ...] = ()) -> None:
    """A low piece with a television on it, or a flat one on the wall."""
    draw, own = room.draw, room.taste
    stand = room.by_wall(storage.tv_stand(own) if draw.chance(0.7) else storage.cabinet(own), walls=walls)
    if stand and not (draw.chance(0.8) and television_on(room, stand.tops[-1])):
        screen = decoration.wall_television(own)
        room.beside(screen, stand, 0.0, stand.bounds.y1 - screen.bounds().y1, z=draw.between(1.2, 1.5))


def kitchen_run(room: Room) -> None:
    """A counter along a wall with cabinets above it, and a refrigerator at its end or elsewhere."""
    draw, own = room.draw, room.taste
    for units in (draw.whole(3, 6), 3, 2):
        placed = room.by_wall(kitchen.counter_run(own, units), tries=30)
        if placed:
            break
    else:
        return
    if draw.chance(0.9):
        above = kitchen.wall_units(own, draw.whole(max(2, units - 2), units))
        around = above.bounds()
        slack = max(0.0, (placed.bounds.x1 - placed.bounds.x0) - (around.x1 - around.x0)) / 2
        y = placed.bounds.y1 - around.y1
        z = min(draw.between(1.35, 1.5), room.plan.height - around.z1 - 0.02)
        for x in (draw.between(-slack, slack), -slack, slack):
            if room.beside(above, placed, x, y, z=z):
                break
    cold = kitchen.refrigerator(own)
    side = draw.one_of((-1, 1))
    x = side * (placed.bounds.x1 + cold.bounds().x1 + 0.02)
    if not room.beside(cold, placed, x, placed.bounds.y1 - cold.bounds().y1):
        room.by_wall(cold)


def second_run(room: Room) -> None:
    """A second, shorter counter."""
    room.by_wall(kitchen.counter_run(room.taste, room.draw.whole(2, 3)), tries=10)


def island(room: Room) -> None:
    """A counter that stands free, with stools at its back."""
    draw, own = room.draw, room.taste
    placed = room.anywhere(kitchen.island(own, draw.whole(2, 4)), tries=30, straight=1.0)
    if placed:
        stool = seating.stool(own)
        for number in range(draw.whole(0, 3)):
            x = placed.bounds.x0 + 0.3 + 0.5 * number
            room.beside(stool, placed, x, placed.bounds.y1 - stool.bounds().y0 + draw.between(-0.05, 0.2))


def bath(room: Room) -> None:
    """Tub or shower, basin with a mirror, toilet with paper, towels."""
    draw, own = room.draw, room.taste
    basin(room)
    toilet(room)
    room.by_wall((bathroom.bathtub if draw.chance(0.6) else bathroom.shower)(own), tries=40)
    for _ in range(draw.whole(1, 2)):
        room.by_wall(bathroom.towel_rail(own), lift=draw.between(0.5, 0.9))


def toilet(room: Room) -> None:
    """A toilet and its paper."""
    placed = _needed(room, bathroom.toilet(room.taste))
    if placed:
        room.by_wall(bathroom.toilet_paper(room.taste), lift=room.draw.between(0.6, 0.8))


def basin(room: Room) -> None:
    """A basin with a mirror above it."""
    draw, own = room.draw, room.taste
    placed = _needed(room, bathroom.washstand(own))
    if placed and draw.chance(0.85):
        mirror = bathroom.bathroom_mirror(own)
        y = placed.bounds.y1 - mirror.bounds().y1
        room.beside(mirror, placed, 0.0, y, z=draw.between(1.12, 1.3))


def _needed(room: Room, piece: Piece) -> Placed | None:
    """Put a piece at a wall, with less space in front of it if necessary."""
    placed = room.by_wall(piece, tries=30)
    if placed is None:
        piece.front = 0.0
        placed = room.by_wall(piece, tries=40)
    return placed


def meeting(room: Room) -> None:
    """A long table with chairs all around, and a board."""
    draw, own = room.draw, room.taste
    placed = room.anywhere(tables.dining_table(own, half=draw.between(0.8, 1.3)), tries=60, straight=1.0)
    if placed:
        seats(room, placed, seating.office_chair if draw.chance(0.5) else seating.chair, 0.9)
    room.by_wall(decoration.whiteboard(own), lift=draw.between(1.3, 1.5))
    if draw.chance(0.5):
        room.by_wall(decoration.wall_television(own), lift=draw.between(1.3, 1.5))


def chair_row(room: Room) -> None:
    """Chairs side by side at a wall."""
    draw, own = room.draw, room.taste
    seat = (seating.armchair if draw.chance(0.3) else seating.chair)(own)
    placed = room.by_wall(seat, gap=0.03, tries=20)
    step = seat.bounds().x1 - seat.bounds().x0 + draw.between(0.03, 0.2)
    for number in range(1, draw.whole(2, 5)):
        if placed:
            room.beside(seat, placed, number * step, 0.0, draw.normal(0, 0.05, -0.2, 0.2))
