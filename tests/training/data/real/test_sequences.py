"""A rendered sequence, written out as real frames with poses: files say what the renderer's cameras say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from training.data.frames import CAMERA
from training.data.poses import egomotions, relative_poses
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFolder, RealFrame
from training.data.real.sequences import camera_records, find_groups, posed
from training.errors import DataError
from training.rooms.frames.render import ViewedRoom, joined, render_frames
from training.rooms.frames.render import camera_records as rendered_records
from training.rooms.scene import Shape

from taskbank.geometry import compose, rotation
from toy_rooms import Builder, looking_at

_SIZE = 32
_TO_OPENCV = np.diag([1.0, -1.0, -1.0])


def write_sequence(folder: Path) -> np.ndarray:
    """Five cameras in a room: three fixate a box, two a corner of the room; their `CAMERA` records."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = Builder().add(Shape.BOX, (2.0, 3.5, 0.8), (0.5, 0.4, 0.8)).scene()
    on_box = looking_at((2.0, 3.1, 1.2), (1.0, 0.6, 1.5), (2.0, 0.4, 1.3), (3.2, 0.7, 1.6), number=0)
    on_wall = looking_at((0.0, 3.3, 1.2), (3.0, 1.0, 1.4), (2.6, 0.4, 1.6), number=1)
    room = ViewedRoom(number=0, scene=scene, cameras=joined([on_box, on_wall]))
    frames = render_frames([room], _SIZE)
    records = rendered_records([room], room.cameras)
    for number, record in enumerate(records):
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation(record["angles"]) @ _TO_OPENCV, record["location"]
        np.savetxt(folder / f"{number:03d}_pose.txt", pose)
        depth = frames.labels["depth_zbuffer"][number].astype(np.float64) / 512 * 1000
        Image.fromarray(depth.round().astype(np.uint16)).save(folder / f"{number:03d}_depth.png")
        Image.fromarray(frames.labels["rgb"][number]).save(folder / f"{number:03d}_rgb.png")
    return records


def intrinsics() -> Intrinsics:
    """Of the rendered cameras: 60 degrees."""
    focal, middle = _SIZE / 2 / np.tan(np.radians(30)), (_SIZE - 1) / 2
    return Intrinsics(fx=focal, fy=focal, cx=middle, cy=middle)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[RealFrame], np.ndarray]:
    root = tmp_path_factory.mktemp("sequence")
    records = write_sequence(root)
    return list(RealFolder(root, intrinsics()).frames()), records


def test_relative_poses_of_files_are_those_of_the_stores_cameras(
    rendered: tuple[list[RealFrame], np.ndarray],
) -> None:
    frames, records = rendered
    read = camera_records(posed(frames))
    one, other = np.triu_indices(len(frames), 1)
    assert np.allclose(
        relative_poses(read[one], read[other]), relative_poses(records[one], records[other]), atol=1e-9
    )
    first, second = egomotions(*read[:3]).reshape(2, 6)
    assert np.allclose(compose(first, second), relative_poses(records[0], records[2]), atol=1e-9)
    assert read.dtype == CAMERA


def test_pairs_are_those_that_the_renderer_fixated(rendered: tuple[list[RealFrame], np.ndarray]) -> None:
    groups = find_groups(rendered[0])
    assert groups.fixated.tolist() == [[0, 1], [0, 2], [1, 2], [3, 4]]
    assert groups.triplets.tolist() == [[0, 1, 2]]
    # Of those fixed on different things some see the box, or the wall beside it, in common.
    assert len(groups.nonfixated) > 0
    assert all(one < 3 <= other for one, other in groups.nonfixated)


def test_no_more_are_drawn_than_are_wanted_and_the_seed_says_which(
    rendered: tuple[list[RealFrame], np.ndarray],
) -> None:
    few = [find_groups(rendered[0], seed=seed, most=2).fixated.tolist() for seed in range(6)]
    assert all(len(pairs) == 2 for pairs in few)
    assert len({str(pairs) for pairs in few}) > 1
    assert few[0] == find_groups(rendered[0], seed=0, most=2).fixated.tolist()


def test_what_hides_the_point_and_another_sequence_make_no_pair(
    rendered: tuple[list[RealFrame], np.ndarray],
) -> None:
    frames = rendered[0][:3]
    hidden = [*frames[:2], _changed(frames[2], depth=frames[2].depth * 0.5)]
    assert find_groups(hidden).fixated.tolist() == [[0, 1]]
    elsewhere = [
        _changed(frames[0], name="a0"),
        _changed(frames[1], name="b1"),
        _changed(frames[2], name="b2"),
    ]
    assert find_groups(elsewhere).fixated.tolist() == [[1, 2]]


def test_two_frames_from_one_place_are_no_pair(rendered: tuple[list[RealFrame], np.ndarray]) -> None:
    frame = rendered[0][0]
    groups = find_groups([frame, _changed(frame, name="001")])
    assert not len(groups.fixated)
    assert not len(groups.nonfixated)


def test_frames_without_depth_in_their_middle_fixate_nothing(
    rendered: tuple[list[RealFrame], np.ndarray],
) -> None:
    frames = [_changed(frame, depth=np.full_like(frame.depth, np.nan)) for frame in rendered[0]]
    groups = find_groups(frames)
    assert [len(groups.fixated), len(groups.nonfixated), len(groups.triplets)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0 0 0\n0 1 0 0\n", "000_pose.txt is not a pose .*: write a 4 x 4 matrix, 16 numbers"),
        ("1 0 0 one " * 4, "000_pose.txt is not a pose .*: write a 4 x 4 matrix, 16 numbers"),
        ("2 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n", "000_pose.txt is not a rigid motion"),
        ("1 0 0 0\n0 1 0 0\n0 0 -1 0\n0 0 0 1\n", "000_pose.txt is not a rigid motion"),
        ("1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 2 1\n", "000_pose.txt is not a rigid motion"),
    ],
)
def test_a_file_that_is_no_pose_is_named(tmp_path: Path, text: str, message: str) -> None:
    _one_frame(tmp_path, text)
    with pytest.raises(DataError, match=message):
        RealFolder(tmp_path, intrinsics()).frame("000")


def test_a_frame_that_was_lost_has_no_pose(tmp_path: Path) -> None:
    _one_frame(tmp_path, "-inf " * 16)
    frames = list(RealFolder(tmp_path, intrinsics()).frames())
    assert frames[0].pose is None
    assert posed(frames) == []


def _one_frame(folder: Path, pose: str) -> None:
    Image.fromarray(np.full((8, 8), 1000, np.uint16)).save(folder / "000_depth.png")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "000_rgb.png")
    (folder / "000_pose.txt").write_text(pose)


def _changed(frame: RealFrame, **fields: Any) -> RealFrame:
    """A frame with other values."""
    return replace(frame, **fields)
