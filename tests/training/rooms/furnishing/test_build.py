from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from training.data.room_classes import (
    NYU40,
    channel_names,
    kind,
    kind_names,
    nyu40,
    scene_channel,
    semantic_channels,
)
from training.errors import ConfigError
from training.rooms.furnishing.build import MOST_PRIMITIVES, RoomOptions, build_scene
from training.rooms.furnishing.programmes import PROGRAMMES
from training.rooms.scene import LightKind, Scene, Shape, Surface

from solids import chosen, entries, gaps, reached

SEEDS = range(14)
SHELL = [nyu40(name) for name in ("wall", "floor", "ceiling")]


@cache
def scene(seed: int) -> Scene:
    return build_scene(seed)


def arrays(room: Scene) -> list[NDArray[Any]]:
    parts = (room.primitives, room.materials, room.lights)
    return [getattr(part, name) for part in parts for name in type(part).__slots__] + [room.ambient, room.box]


def test_the_same_seed_makes_the_same_arrays() -> None:
    for one, two in zip(arrays(build_scene(7)), arrays(build_scene(7)), strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)


def test_another_seed_makes_another_room() -> None:
    assert not np.array_equal(scene(1).box, scene(2).box)


def test_arrays_have_the_types_and_shapes_of_the_contract() -> None:
    room = scene(3)
    count, materials = len(room.primitives.shape), len(room.materials.surface)
    assert room.primitives.axes.shape == (count, 3, 3)
    assert room.materials.colours.shape == (materials, 3, 3)
    assert room.lights.axes.shape == (len(room.lights.kind), 3, 3)
    for array in arrays(room)[:-1]:
        assert array.dtype in (np.float32, np.int32)
    assert room.box.dtype == np.float64


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_are_valid(seed: int) -> None:
    room = scene(seed)
    solids, materials = room.primitives, room.materials
    assert len(solids.shape) <= MOST_PRIMITIVES
    assert (solids.half > 0).all()
    assert np.isin(solids.shape, list(Shape)).all()
    assert ((solids.label >= 1) & (solids.label <= 40)).all()
    assert ((solids.category >= -1) & (solids.category < 1000)).all()
    assert set(solids.material) == set(range(len(materials.surface)))
    assert ((materials.surface >= 0) & (materials.surface < len(Surface))).all()
    for shares in (materials.colours, materials.strength, materials.roughness, materials.mirror):
        assert (shares >= 0).all()
        assert (shares <= 1).all()
    assert (materials.scale > 0).all()
    assert set(solids.thing) == set(range(solids.thing.max() + 1))
    np.testing.assert_allclose(
        solids.axes.transpose(0, 2, 1) @ solids.axes, np.tile(np.eye(3), (len(solids.axes), 1, 1)), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.det(solids.axes), 1, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_details_fit_their_shapes(seed: int) -> None:
    solids = scene(seed).primitives
    boxes, cones = solids.shape == Shape.BOX, solids.shape == Shape.CONE
    tori, cushions = solids.shape == Shape.TORUS, solids.shape == Shape.CUSHION
    assert (solids.detail[boxes] <= solids.half[boxes].min(1) + 1e-6).all()
    assert (solids.detail[boxes] >= 0).all()
    assert ((solids.detail[cones] >= 0) & (solids.detail[cones] <= 1)).all()
    assert (solids.half[tori, 2] < solids.half[tori, 0]).all()
    assert ((solids.detail[cushions] >= 2) & (solids.detail[cushions] <= 8)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thing_has_one_label_and_one_category(seed: int) -> None:
    solids = scene(seed).primitives
    named = {(t, x, c) for t, x, c in zip(solids.thing, solids.label, solids.category, strict=True)}
    assert len(named) == len(set(solids.thing))


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_floats(seed: int) -> None:
    solids = scene(seed).primitives
    held = reached(gaps(solids, solids) < 0.004, np.isin(solids.label, SHELL))
    assert held.all(), [NYU40[label - 1] for label in solids.label[~held]]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_furniture_pokes_through_walls(seed: int) -> None:
    solids = scene(seed).primitives
    doors = [nyu40("door"), nyu40("window"), nyu40("otherstructure")]
    walls = (solids.label == nyu40("wall")) & (solids.half.min(1) > 0.078)
    furniture = ~np.isin(solids.label, SHELL + doors)
    deepest = gaps(chosen(solids, furniture), chosen(solids, walls)).min()
    assert deepest > -0.008


@pytest.mark.parametrize("seed", SEEDS)
def test_every_ray_from_inside_hits_something(seed: int) -> None:
    room, generator = scene(seed), np.random.default_rng(seed)
    solids = room.primitives
    ways = generator.normal(size=(400, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    spots = inside(room, generator)
    assert np.isfinite(entries(spots[np.arange(400) % len(spots)], ways, solids)).all()


def inside(room: Scene, generator: np.random.Generator) -> NDArray[Any]:
    """Places over the tops of free-standing furniture: certainly in the room."""
    solids = room.primitives
    furniture = ~np.isin(solids.label, [*SHELL, nyu40("door"), nyu40("window"), nyu40("otherstructure")])
    centres = solids.centre[furniture].astype(np.float64)
    return centres + generator.normal(scale=1e-3, size=centres.shape)


def test_rooms_of_all_kinds_hold_what_names_them() -> None:
    wanted = {
        "bedroom": "bed",
        "living room": "sofa",
        "kitchen": "counter",
        "dining room": "table",
        "bathroom": "sink",
        "office": "desk",
        "home office": "desk",
        "nursery": "bed",
        "storage room": "shelves",
        "television room": "sofa",
        "conference room": "whiteboard",
        "waiting room": "chair",
    }
    for name, label in wanted.items():
        rooms = [build_scene(seed, RoomOptions(scene=name, wild_share=0)) for seed in range(8)]
        assert all(room.scene_class == scene_channel(name) for room in rooms)
        assert sum(nyu40(label) in room.primitives.label for room in rooms) >= 7, name


def test_there_are_many_kinds_of_rooms_and_all_are_scene_classes() -> None:
    assert len(PROGRAMMES) >= 12
    assert set(PROGRAMMES) <= set(channel_names("class_scene"))


def test_rooms_are_full_of_things() -> None:
    counts = [len(scene(seed).primitives.shape) for seed in SEEDS]
    assert 150 < np.median(counts) < 300


def test_some_rooms_are_no_rectangles() -> None:
    upright = [scene(seed).primitives for seed in SEEDS]
    walls = [len(set(p.thing[(p.label == nyu40("wall")) & (p.half.min(1) > 0.078)])) for p in upright]
    assert sum(count > 4 for count in walls) > len(walls) / 3


def test_every_room_has_a_light_and_windows_shine_inwards() -> None:
    for seed in SEEDS:
        room = scene(seed)
        lights = room.lights
        assert len(lights.kind) >= 1
        assert (lights.power.max(1) > 0).all()
        middle = room.box.mean(0)
        for row in np.flatnonzero(lights.kind == LightKind.WINDOW):
            assert abs(lights.axes[row][2, 2]) < 1e-6
            away = (middle - lights.centre[row])[:2] @ lights.axes[row][:2, 2]
            assert away > -0.5 * np.ptp(room.box, axis=0)[:2].max()


def test_bulbs_shine_from_outside_their_shades() -> None:
    for seed in SEEDS:
        room = scene(seed)
        for row in np.flatnonzero(room.lights.kind == LightKind.BULB):
            own = np.einsum(
                "nx,nxi->ni", room.lights.centre[row] - room.primitives.centre, room.primitives.axes
            )
            assert not (np.abs(own) < room.primitives.half).all(1).any()


def test_no_room_has_more_solids_than_allowed() -> None:
    for seed in range(6):
        assert len(build_scene(seed, RoomOptions(most_primitives=200)).primitives.shape) <= 200


def test_photographs_are_used_where_there_are_some() -> None:
    photo = list(Surface).index(Surface.PHOTO)
    rooms = [build_scene(seed, RoomOptions(photos=5)) for seed in range(12)]
    numbers = np.concatenate([room.materials.seed[room.materials.surface == photo] for room in rooms])
    assert len(numbers) > 5
    assert ((numbers >= 0) & (numbers < 5)).all()
    assert not any((scene(seed).materials.surface == photo).any() for seed in SEEDS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most_primitives": 10}, "most_primitives is 10; a room needs 200 at least"),
        ({"scene": "stable"}, "unknown scene 'stable': choose bedroom, "),
        (
            {"clutter": (0.9, 0.2)},
            "clutter is 0.9 to 0.2: give two shares from 0 to 1, the smaller one first",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RoomOptions(**options)


def test_all_kinds_of_things_have_classes() -> None:
    for name in kind_names():
        label, category = kind(name)
        assert 1 <= label <= 40
        assert -1 <= category < 1000


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="no thing is called 'unicorn'; one of apple, armchair, "):
        kind("unicorn")


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("wine bottle", "bottle"),
        ("potted plant", "potted plant"),
        ("dining table", "dining table"),
        ("coffee table", "background"),
        ("sofa", "couch"),
        ("bed", "bed"),
        ("armchair", "chair"),
        ("oven", "oven"),
        ("microwave", "microwave"),
        ("clock", "clock"),
        ("vase", "vase"),
        ("book", "book"),
        ("monitor", "tv"),
        ("wall", "background"),
    ],
)
def test_semantic_channels_follow_the_finer_name(name: str, channel: str) -> None:
    label, category = kind(name)
    assert semantic_channels([label], [category]).tolist() == [
        channel_names("segment_semantic").index(channel)
    ]


def test_no_label_and_no_category_are_background() -> None:
    assert semantic_channels([[0, 5]], [[-1, -1]]).tolist() == [[0, 2]]


def test_a_task_without_classes_has_no_channel_names() -> None:
    with pytest.raises(ConfigError, match="task 'normal' has no classes; class_object, class_scene and"):
        channel_names("normal")
