"""Frames of toy rooms: every domain, in its code, and the geometry of two views agrees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from training.data.poses import room_layouts
from training.data.room_classes import object_channel
from training.rooms.frames import render
from training.rooms.frames.render import Frames, ViewedRoom, joined, render_frames
from training.rooms.scene import Shape

from taskbank.geometry import project, rotation
from taskbank.labels.codes import DOMAINS, TRUSTED_DEPTH, decode
from toy_rooms import CEILING, CHAIR, FLOOR, OTHER, WALL, Builder, looking_at

SIZE = 64


def _room(number: int = 5) -> ViewedRoom:
    """A chair-coloured block and a bottle; two points, seen by two and three cameras."""
    builder = Builder((5, 6, 3))
    builder.add(Shape.BOX, (2, 4, 0.5), (0.4, 0.4, 0.5), label=CHAIR)
    builder.add(
        Shape.CYLINDER,
        (3.5, 4.0, 0.6),
        (0.25, 0.25, 0.6),
        label=OTHER,
        category=object_channel("wine bottle"),
    )
    block = looking_at((2, 3.6, 0.6), (1, 1, 1.6), (3.2, 1, 1.2))
    bottle = looking_at((3.5, 3.75, 0.7), (1, 0.6, 1.6), (3.5, 1, 1.4), (4.5, 2, 1.8), number=1, fov=70)
    return ViewedRoom(number=number, scene=builder.scene(scene_class=7), cameras=joined([block, bottle]))


@pytest.fixture(scope="module")
def frames() -> Frames:
    return render_frames([_room()], SIZE)


def test_every_domain_of_the_dataset_is_there_in_its_code(frames: Frames) -> None:
    assert set(frames.labels) == {*DOMAINS, "class_object", "class_scene"}
    for name, domain in DOMAINS.items():
        codes = frames.labels[name]
        assert codes.shape == (5, SIZE, SIZE, *([domain.channels] if domain.channels > 1 else []))
        assert codes.dtype == (np.uint8 if domain.bits == 8 else np.uint16)
    assert frames.labels["class_object"].dtype == frames.labels["class_scene"].dtype == np.int16


def test_every_picture_varies_and_every_label_is_known(frames: Frames) -> None:
    for name in DOMAINS:
        assert all(len(np.unique(picture)) > 1 for picture in frames.labels[name]), name
    assert frames.labels["depth_zbuffer"].max() < TRUSTED_DEPTH
    assert frames.labels["segment_semantic"].min() == 1


def test_things_have_the_codes_of_their_classes(frames: Frames) -> None:
    semantic = frames.labels["segment_semantic"]

    # Disk codes: 1 background, 2 bottle, 3 chair.
    assert set(np.unique(semantic)) == {1, 2, 3}
    middle = semantic[:, SIZE // 2, SIZE // 2].tolist()
    assert middle == [3, 3, 2, 2, 2]
    assert frames.labels["class_object"].tolist() == [object_channel("wine bottle")] * 5
    assert frames.labels["class_scene"].tolist() == [7] * 5


def test_walls_floors_and_ceilings_are_background() -> None:
    bare = ViewedRoom(number=0, scene=Builder().scene(), cameras=looking_at((2, 5, 1.5), (2, 1, 1.5), fov=90))

    labels = render_frames([bare], 32).labels

    assert {WALL, FLOOR, CEILING} <= set(bare.scene.primitives.label.tolist())
    assert (labels["segment_semantic"] == 1).all()
    assert labels["class_object"].tolist() == [-1]


def test_cameras_are_recorded_with_their_room(frames: Frames) -> None:
    room = _room()
    cameras = frames.cameras

    assert set(cameras["room"]) == {5}
    assert cameras["point"].tolist() == [0, 0, 1, 1, 1]
    assert cameras["view"].tolist() == [0, 1, 0, 1, 2]
    np.testing.assert_array_equal(cameras["location"], room.cameras.location)
    np.testing.assert_array_equal(cameras["fixated"][0], [2, 3.6, 0.6])
    np.testing.assert_array_equal(cameras["box"][4], [[0, 0, 0], [5, 6, 3]])
    assert np.isfinite(room_layouts(cameras)).all()


def test_fixated_points_lie_on_what_is_seen_in_the_middle(frames: Frames) -> None:
    far = np.linalg.norm(frames.cameras["fixated"] - frames.cameras["location"], axis=1)

    middle = slice(SIZE // 2 - 1, SIZE // 2 + 1)
    seen = frames.labels["depth_euclidean"][:, middle, middle].mean((1, 2)) / 512

    np.testing.assert_allclose(seen, far, atol=0.02)


def test_sightings_project_where_they_are_stated_and_are_in_free_sight(frames: Frames) -> None:
    assert len(frames.sightings) >= 3
    for frame, room, point, x, y in frames.sightings.tolist():
        camera = frames.cameras[frame]
        assert room == 5
        assert point != camera["point"]
        world = frames.cameras["fixated"][frames.cameras["point"] == point][0]
        local = rotation(camera["angles"]).T @ (world - camera["location"])
        np.testing.assert_allclose(project(local, np.degrees(camera["fov"])) * SIZE, [x, y], atol=1e-4)
        seen = frames.labels["depth_euclidean"][frame, int(y), int(x)] / 512
        assert seen == pytest.approx(np.linalg.norm(local), abs=0.1)


def test_a_point_behind_something_is_not_sighted() -> None:
    builder = Builder((5, 6, 3)).add(Shape.BOX, (2.5, 3, 1), (0.3, 0.1, 1.0))
    behind = looking_at((2.5, 6, 1), (1, 3, 1.5), (4, 3, 1.5))
    front = looking_at((2.5, 2.9, 1), (2.5, 0.5, 1), (4.6, 0.5, 1), number=1, fov=80)

    frames = render_frames([ViewedRoom(number=0, scene=builder.scene(), cameras=joined([behind, front]))], 32)

    # The first camera in front has the block in its way; the one at the side looks past it.
    assert 2 not in frames.sightings["frame"].tolist()
    assert (3, 0) in [(row["frame"], row["point"]) for row in frames.sightings]


def test_two_views_agree_on_the_points_that_both_see(frames: Frames) -> None:
    """Pixels of one view, moved by its depth and both cameras, have the other view's depth."""
    cameras = frames.cameras[[2, 3]]
    depth = decode("depth_zbuffer", torch.from_numpy(frames.labels["depth_zbuffer"][[2, 3]].astype(np.int32)))
    steps = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    slope = np.tan(cameras["fov"][0] / 2)
    x, y = np.meshgrid(steps * slope, -steps * slope)
    local = np.stack([x, y, -np.ones_like(x)], -1) * depth[0].numpy()[..., None]
    world = local @ rotation(cameras["angles"][0]).T + cameras["location"][0]
    other = (world - cameras["location"][1]) @ rotation(cameras["angles"][1])
    column, row = (
        np.floor(project(other, np.degrees(cameras["fov"][1])) * SIZE).astype(int).transpose(2, 0, 1)
    )
    inside = (other[..., 2] < 0) & (column >= 0) & (column < SIZE) & (row >= 0) & (row < SIZE)

    found = depth[1].numpy()[row[inside], column[inside]]
    expected = -other[..., 2][inside]

    assert inside.mean() > 0.3
    assert (np.abs(found - expected) < 0.05 * expected).mean() > 0.85  # the rest is hidden from one view
    assert (found > expected * 1.1).mean() < 0.02  # nobody sees through what the other saw


def test_frames_do_not_depend_on_their_company(frames: Frames) -> None:
    others = render_frames([_room(2), _room(5)], SIZE)

    for name, codes in frames.labels.items():
        np.testing.assert_array_equal(others.labels[name][5:], codes, err_msg=name)
    np.testing.assert_array_equal(others.cameras[5:], frames.cameras)
    mine = others.sightings[others.sightings["frame"] >= 5]
    mine["frame"] -= 5
    np.testing.assert_array_equal(mine, frames.sightings)


def test_segments_from_a_pool_are_those_from_here(frames: Frames) -> None:
    with ThreadPoolExecutor(2) as pool:
        again = render_frames([_room()], SIZE, pool=pool)

    for name in ("segment_unsup2d", "segment_unsup25d"):
        np.testing.assert_array_equal(again.labels[name], frames.labels[name])


def test_frames_do_not_depend_on_how_many_are_made_at_once(
    frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "_PIXELS_AT_ONCE", 2 * SIZE**2)

    again = render_frames([_room()], SIZE)

    for name, codes in frames.labels.items():
        np.testing.assert_array_equal(again.labels[name], codes, err_msg=name)


@pytest.mark.gpu
def test_a_gpu_finds_the_same_labels(frames: Frames) -> None:
    found = render_frames([_room()], SIZE, device="cuda")

    for name in ("depth_zbuffer", "normal", "keypoints3d", "segment_semantic"):
        off = np.abs(found.labels[name].astype(int) - frames.labels[name])
        assert (off <= 2).mean() > 0.99, name
    np.testing.assert_array_equal(found.sightings["point"], frames.sightings["point"])


def test_labels_are_the_same_where_convolutions_have_ten_bits_of_mantissa(
    frames: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = functional.conv2d

    def like_tf32(values: Tensor, weights: Tensor, **options: Any) -> Tensor:
        if values.dtype == torch.float32:
            values, weights = (
                (one.view(torch.int32) & ~0x1FFF).view(torch.float32) for one in (values, weights)
            )
        return exact(values, weights, **options)

    monkeypatch.setattr(functional, "conv2d", like_tf32)
    again = render_frames([_room()], SIZE)

    for domain, codes in frames.labels.items():
        np.testing.assert_array_equal(again.labels[domain], codes, err_msg=domain)
