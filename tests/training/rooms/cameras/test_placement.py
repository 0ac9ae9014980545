from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from training.data.room_classes import nyu40
from training.errors import DataError
from training.rooms.cameras.placement import place_cameras
from training.rooms.cameras.styles import CLOSE, FURNITURE, ROOM, CameraOptions
from training.rooms.frames.views import cast_views
from training.rooms.furnishing.build import build_scene
from training.rooms.scene import Cameras, Scene, Shape
from training.rooms.tracing.batch import SceneBatch
from training.rooms.tracing.trace import cast

from solids import chosen, entries
from taskbank.geometry import project, rotation

SEEDS = range(5)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """A room is small: threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def room(seed: int) -> tuple[Scene, Cameras]:
    scene = build_scene(seed)
    return scene, place_cameras(scene, seed, points=3, views=3)


def every() -> list[tuple[Scene, Cameras]]:
    return [room(seed) for seed in SEEDS]


def test_cameras_come_point_by_point() -> None:
    for _, cameras in every():
        assert cameras.point.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert cameras.view.tolist() == [0, 1, 2] * 3
        for point in range(3):
            assert len(np.unique(cameras.fixated[cameras.point == point], axis=0)) == 1


def test_the_same_seed_places_the_same_cameras() -> None:
    scene, cameras = room(4)
    again = place_cameras(scene, 4, points=3, views=3)
    for name in Cameras.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(cameras, name))


def test_the_fixated_point_is_seen_in_the_middle() -> None:
    for _, cameras in every():
        for place, angles, fov, point in zip(
            cameras.location, cameras.angles, cameras.fov, cameras.fixated, strict=True
        ):
            own = rotation(angles).T @ (point - place)
            np.testing.assert_allclose(project(own, np.degrees(fov)), [0.5, 0.5], atol=1e-9)


def test_nothing_is_between_a_camera_and_its_point() -> None:
    for scene, cameras in every():
        way = cameras.fixated - cameras.location
        length = np.linalg.norm(way, axis=1)
        batch, every_ray = SceneBatch.of([scene]), torch.zeros(len(way), dtype=torch.long)
        rays = torch.from_numpy(way / length[:, None]).float()
        seen = cast(batch, every_ray, torch.from_numpy(cameras.location).float(), rays).distance.numpy()
        np.testing.assert_allclose(seen, length, rtol=0.01)


def test_no_box_is_nearer_than_the_point() -> None:
    for scene, cameras in every():
        solids = scene.primitives
        boxes = chosen(solids, (solids.shape == Shape.BOX) & (solids.detail < 1e-6))
        way = cameras.fixated - cameras.location
        length = np.linalg.norm(way, axis=1)
        assert (entries(cameras.location, way / length[:, None], boxes) >= 0.99 * length).all()


def test_cameras_keep_clear_of_solids_and_of_their_points() -> None:
    for scene, cameras in every():
        solids = scene.primitives
        own = np.einsum("cnx,nxi->cni", cameras.location[:, None] - solids.centre, solids.axes)
        apart = np.linalg.norm(np.maximum(np.abs(own) - solids.half, 0), axis=-1)
        assert apart.min() > 0.149
        assert np.linalg.norm(cameras.fixated - cameras.location, axis=1).min() >= 0.8


def test_cameras_of_a_point_stand_apart() -> None:
    for _, cameras in every():
        for point in range(3):
            places = cameras.location[cameras.point == point]
            between = np.linalg.norm(places[:, None] - places[None], axis=-1)[np.triu_indices(3, 1)]
            assert between.min() > 0.1


def test_cameras_are_held_as_people_hold_them() -> None:
    cameras = [held for _, held in every()]
    angles = np.degrees(np.concatenate([held.angles for held in cameras]))
    pitch, roll = angles[:, 0] - 90, angles[:, 1]
    assert -18 < pitch.mean() < 2
    assert 6 < pitch.std() < 22
    assert abs(roll.mean()) < 1
    assert 0.7 < roll.std() < 4
    height = np.concatenate([held.location[:, 2] for held in cameras])
    assert height.min() >= 0.9
    assert height.max() <= 2.2
    assert 1.3 < height.mean() < 1.7
    fov = np.degrees(np.concatenate([held.fov for held in cameras]))
    assert fov.min() >= 40
    assert fov.max() <= 90
    assert 50 < fov.mean() < 62


def test_views_show_more_than_the_bare_room() -> None:
    shell = [nyu40(name) for name in ("wall", "floor", "ceiling", "door", "window")]
    shares = []
    for scene, cameras in every():
        batch = SceneBatch.of([scene])
        hits = cast_views(batch, torch.zeros(9, dtype=torch.long), cameras, 16)
        labels = batch.label[0][hits.primitive].flatten(1).numpy()
        shares += np.isin(labels, shell).mean(1).tolist()
    assert max(shares) < 0.95
    assert np.median(shares) < 0.6


def test_cameras_step_back_as_far_as_asked() -> None:
    scene, _ = room(0)

    def distances(reach: float) -> float:
        options = CameraOptions(reach=reach)
        cameras = place_cameras(scene, 3, points=5, views=2, styles={options: 1.0})
        return float(np.linalg.norm(cameras.fixated - cameras.location, axis=1).mean())

    assert distances(8.0) > distances(0.1)


def test_a_room_full_to_the_ceiling_is_refused() -> None:
    scene, _ = room(0)
    solids = scene.primitives
    swollen = replace(scene, primitives=replace(solids, half=solids.half + np.float32(3)))
    with pytest.raises(DataError, match=r"room 0 has no 2 points that 3 cameras see; ask for fewer"):
        place_cameras(swollen, 0, points=2, views=3)


def test_options_are_followed() -> None:
    scene, _ = room(1)
    level = CameraOptions(pitch_sigma=1.0, pitch_mean=-20, roll_sigma=0.01, fov=(50, 51), fov_mean=50.5)
    cameras = place_cameras(scene, 1, points=2, views=2, styles={level: 1.0})
    assert (np.abs(np.degrees(cameras.fov) - 50.5) <= 0.5001).all()
    assert np.degrees(cameras.angles[:, 0]).mean() - 90 < -8
    assert np.abs(np.degrees(cameras.angles[:, 1])).max() < 0.5


@cache
def styled(seed: int, style: CameraOptions) -> tuple[Scene, Cameras]:
    scene, _ = room(seed)
    return scene, place_cameras(scene, seed, points=2, views=2, styles={style: 1.0})


def labels_seen(scene: Scene, cameras: Cameras) -> list[int]:
    """NYU40 numbers of the fixated points."""
    batch, way = SceneBatch.of([scene]), cameras.fixated - cameras.location
    rays = torch.from_numpy(way / np.linalg.norm(way, axis=1, keepdims=True)).float()
    hits = cast(
        batch, torch.zeros(len(way), dtype=torch.long), torch.from_numpy(cameras.location).float(), rays
    )
    return batch.label[0][hits.primitive].tolist()


@pytest.mark.parametrize("style", [FURNITURE, CLOSE], ids=["furniture", "close"])
def test_cameras_of_a_style_keep_its_distances_and_look_at_things(style: CameraOptions) -> None:
    shell = {nyu40(name) for name in ("wall", "floor", "ceiling", "door", "window")}
    for seed in SEEDS[:3]:
        scene, cameras = styled(seed, style)
        away = np.linalg.norm(cameras.fixated - cameras.location, axis=1)
        assert away.min() >= style.far[0]
        assert away.max() <= style.far[1]
        assert shell.isdisjoint(labels_seen(scene, cameras))
        own = np.einsum(
            "nij,nj->ni",
            np.stack([rotation(angles).T for angles in cameras.angles]),
            cameras.fixated - cameras.location,
        )
        np.testing.assert_allclose(own[:, :2], 0, atol=1e-9)


def test_close_ups_look_down_from_an_arms_length_and_are_often_turned() -> None:
    cameras = [styled(seed, CLOSE)[1] for seed in SEEDS[:3]]
    angles = np.degrees(np.concatenate([held.angles for held in cameras]))
    assert angles[:, 0].mean() - 90 < -12
    assert np.abs(angles[:, 1]).max() > 3
    assert np.concatenate([held.fixated for held in cameras])[:, 2].min() > 0.2


def test_close_ups_leave_out_what_hangs_on_walls() -> None:
    scene, _ = room(0)
    solids = scene.primitives
    books = np.flatnonzero(solids.label == nyu40("books"))
    thing = solids.thing[books[solids.centre[books, 2] > 0.5][0]]
    shell = np.isin(solids.label, [nyu40(name) for name in ("wall", "floor", "ceiling", "door", "window")])
    alone = replace(scene, primitives=chosen(solids, shell | (solids.thing == thing)))
    standing = replace(CLOSE, things=(1, 1, 1), barest=(1, 1, 1), largest=(1, 1, 1))
    with pytest.raises(DataError, match="ask for fewer"):
        place_cameras(alone, 0, points=1, views=1, styles={standing: 1.0})
    assert CLOSE.subject is not None
    hanging = replace(standing, subject=replace(CLOSE.subject, standing=False))
    cameras = place_cameras(alone, 0, points=1, views=1, styles={hanging: 1.0})
    assert labels_seen(alone, cameras) == [nyu40("books")]


def test_a_room_without_things_for_a_style_is_photographed_in_the_first_one() -> None:
    scene, _ = room(1)
    bare = replace(scene, primitives=chosen(scene.primitives, scene.primitives.label != nyu40("otherprop")))
    nothing = replace(
        CLOSE, subject=replace(CLOSE.subject, labels=(nyu40("otherprop"),)) if CLOSE.subject else None
    )
    cameras = place_cameras(bare, 1, points=2, views=2, styles={ROOM: 1e-9, nothing: 1.0})
    assert cameras.point.tolist() == [0, 0, 1, 1]
    assert np.linalg.norm(cameras.fixated - cameras.location, axis=1).max() > CLOSE.far[1]


def test_single_views_come_last_and_have_points_of_their_own() -> None:
    scene, _ = room(2)
    cameras = place_cameras(scene, 2, points=1, views=3, singles=2)
    assert cameras.point.tolist() == [0, 0, 0, 1, 2]
    assert cameras.view.tolist() == [0, 1, 2, 0, 0]
    assert len(np.unique(cameras.fixated, axis=0)) == 3
