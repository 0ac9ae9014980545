"""Which small things are found where, and how often."""

from __future__ import annotations

from collections.abc import Mapping

from training.data.rooms.furniture import clutter, kitchen, lamps, plants, rumpled, soft, tableware
from training.data.rooms.furniture.clutter import Maker

COMMON: Mapping[Maker, float] = {
    clutter.book_stack: 3,
    clutter.papers: 2,
    clutter.carton: 2,
    plants.vase: 1.5,
    clutter.small_plant: 1.5,
    tableware.mug: 1.5,
    tableware.bottle: 1,
    tableware.bowl: 1,
    clutter.picture_frame: 1.5,
    clutter.desk_clock: 0.6,
    clutter.candle: 0.8,
    clutter.loudspeaker: 0.6,
    plants.flowers: 0.8,
    clutter.thing: 1.5,
    tableware.cup: 0.6,
    tableware.tray: 0.4,
    clutter.blocks: 0.4,
    clutter.telephone: 0.4,
    lamps.table_lamp: 0.7,
    soft.folded_cloth: 0.5,
    clutter.ball: 0.3,
    clutter.bag: 0.3,
    clutter.fan: 0.2,
}
KITCHEN: Mapping[Maker, float] = {
    tableware.bottle: 3,
    tableware.bowl: 2,
    tableware.mug: 2.5,
    tableware.cup: 2,
    tableware.plates: 2,
    tableware.teapot: 1,
    tableware.pitcher: 1,
    tableware.pot: 2,
    tableware.pan: 1,
    clutter.carton: 1.5,
    kitchen.toaster: 0.8,
    kitchen.microwave: 0.6,
    kitchen.espresso_maker: 0.8,
    clutter.small_plant: 0.6,
    tableware.tray: 0.6,
    plants.vase: 0.5,
    clutter.papers: 0.4,
    clutter.thing: 0.5,
}
BATH: Mapping[Maker, float] = {
    clutter.soap: 3,
    tableware.cup: 1,
    soft.folded_cloth: 2,
    tableware.bottle: 1.5,
    plants.vase: 0.5,
    clutter.candle: 0.6,
    clutter.small_plant: 0.5,
}
SEATS: Mapping[Maker, float] = {
    rumpled.cushion: 5,
    rumpled.clothes_heap: 2,
    rumpled.blanket: 2.5,
    clutter.book_stack: 0.6,
    soft.folded_cloth: 0.8,
    clutter.teddy: 0.4,
    clutter.bag: 0.4,
}
FLOOR: Mapping[Maker, float] = {
    clutter.carton: 2,
    clutter.crate: 1,
    clutter.bag: 1.5,
    clutter.shoes: 1.5,
    clutter.bucket: 1.2,
    clutter.hamper: 0.6,
    clutter.ball: 1,
    clutter.book_stack: 1,
    clutter.boxes: 2,
    rumpled.clothes_heap: 2,
    rumpled.beanbag: 0.5,
    plants.plant: 1.8,
    clutter.loudspeaker: 0.4,
    clutter.thing: 0.8,
    clutter.fan: 0.2,
    rumpled.cushion: 1,
}
TOYS: Mapping[Maker, float] = {
    clutter.blocks: 3,
    clutter.ball: 2.5,
    clutter.teddy: 2,
    clutter.carton: 1,
    clutter.crate: 1,
    clutter.boxes: 1,
    clutter.book_stack: 1,
    clutter.thing: 1,
    rumpled.cushion: 1,
    rumpled.clothes_heap: 1,
}
DESK: Mapping[Maker, float] = {
    clutter.papers: 3,
    clutter.book_stack: 2,
    tableware.mug: 1.5,
    lamps.desk_lamp: 1,
    clutter.telephone: 0.7,
    clutter.small_plant: 0.6,
    clutter.carton: 0.6,
    tableware.cup: 0.6,
    clutter.thing: 0.5,
}
STOVE: Mapping[Maker, float] = {tableware.pot: 2, tableware.pan: 1, tableware.teapot: 0.7}
BATHROOM_FLOOR: Mapping[Maker, float] = {
    clutter.hamper: 2,
    clutter.bucket: 2,
    rumpled.clothes_heap: 1.5,
    clutter.shoes: 0.5,
    tableware.bottle: 0.5,
}
