"""Broken files on disk are named and left out, and nothing is put in their place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.training.data.taskonomy.on_disk import BUILDINGS, SIZE, file_of, frames_of, report
from training.data.frames import FrameStore
from training.data.taskonomy import (
    TaskonomyConfig,
    import_taskonomy,
    write_splits,
)
from training.data.taskonomy.importing import REPORT
from training.errors import DataError
from training.learning.samples import samples_of

from taskbank.tasks.registry import find_task


def test_broken_files_are_listed_and_their_frames_left_out(
    damaged: Path, store: FrameStore, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Nothing is put in their place: all other frames are as they were."""
    cut = file_of(damaged, "normal", point=0, view=0)
    cut.write_bytes(cut.read_bytes()[:-40])
    file_of(damaged, "depth_zbuffer", point=0, view=1).unlink()
    file_of(damaged, "segment_semantic", point=1, view=0).write_bytes(b"")
    flipped = file_of(damaged, "edge_texture", point=1, view=1)
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 0xFF
    flipped.write_bytes(bytes(content))
    file_of(damaged, "point_info", BUILDINGS[1]).write_text("{")
    Image.new("RGB", (16, 16)).save(file_of(damaged, "reshading", BUILDINGS[1], view=1))
    Image.new("L", (SIZE, SIZE)).save(file_of(damaged, "keypoints3d", BUILDINGS[1], point=1))
    given = import_taskonomy(damaged, tmp_path / "out", "train", config)
    reasons = {file: reason for _, file, reason in report(tmp_path / "out")}
    expected = {
        "room_00000/normal/point_0_view_0": "is damaged: ",
        "room_00000/depth_zbuffer/point_0_view_1": "does not exist",
        "room_00000/segment_semantic/point_1_view_0": "is empty (0 bytes)",
        "room_00000/edge_texture/point_1_view_1": "is damaged: ",
        "room_00001/point_info/point_0_view_0": "is damaged: ",
        "room_00001/reshading/point_0_view_1": "has 16 x 16 px: expected is a square of 32 px like rgb",
        "room_00001/keypoints3d/point_1_view_0": "has 8 bits, keypoints3d has 16",
    }
    assert len(reasons) == len(expected)
    for start, reason in expected.items():
        (found,) = [text for file, text in reasons.items() if file.startswith(start)]
        assert found.startswith(reason), start
    left = frames_of(store)[7:]
    assert len(given) == len(left) == 5
    assert np.array_equal(given.read("normal", np.arange(5)), store.read("normal", left))
    assert np.array_equal(given.cameras["point"], store.cameras["point"][left])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has 0 bytes: it holds no classes"),
        (b"tiny", "is damaged: "),
        (None, "does not exist"),
        (np.full(1000, np.nan), "has 1000 number(s), expected are 1000 finite ones"),
        (np.zeros(365), "has 365 number(s), expected are 1000 finite ones"),
    ],
)
def test_a_frame_without_classes_is_kept_with_none(
    content: bytes | np.ndarray | None,
    reason: str,
    damaged: Path,
    tmp_path: Path,
    config: TaskonomyConfig,
) -> None:
    """Its probabilities are 0, which no sample of the task is made of."""
    path = file_of(damaged, "class_object", point=0, view=1)
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    given = import_taskonomy(damaged, tmp_path / "out", "train", config)
    assert len(given) == 12
    assert given.read("class_object", [1]).sum() == 0
    assert 1 not in samples_of(find_task("class_object"), given, 0).frames
    with (tmp_path / "out" / REPORT).open() as file:
        (row,) = [line for line in file if "class_object/point_0_view_1" in line and "room_00000" in line]
    assert reason in row.replace('""', '"')
    assert "the frame is kept, its class is unknown" in row


def test_broken_matches_are_listed_and_the_frames_kept(
    damaged: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Only what the file would have told is missing."""
    broken = next((damaged / BUILDINGS[0] / "nonfixated_matches").iterdir())
    broken.write_text('{"point_uuid": "0"}')
    given = import_taskonomy(damaged, tmp_path / "out", "train", config)
    assert len(given) == 12
    ((building, file, reason),) = report(tmp_path / "out")
    assert (building, file) == (BUILDINGS[0], broken.relative_to(damaged).as_posix())
    assert reason == "holds no matches: KeyError 'views'"


def test_without_point_infos_cameras_are_unknown(
    damaged: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Pictures and their tasks are there all the same."""
    for building in BUILDINGS:
        shutil.rmtree(damaged / building / "point_info")
    given = import_taskonomy(damaged, tmp_path / "out", "train", config)
    assert len(given) == 12
    assert (given.cameras["point"] == -1).all()
    assert np.isnan(given.cameras["location"]).all()
    with pytest.raises(DataError, match="no sample for fixated_pose"):
        samples_of(find_task("fixated_pose"), given, 0)


def test_a_building_that_lacks_a_domain_is_listed_once(
    damaged: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """The building is left out if the domain is asked for; otherwise the domain is."""
    shutil.rmtree(damaged / BUILDINGS[1] / "normal")
    given = import_taskonomy(damaged, tmp_path / "all", "train", config)
    assert len(given) == 12
    assert not given.has("normal")
    asked = TaskonomyConfig(splits=config.splits, size=SIZE, domains=("normal", "depth_zbuffer"))
    given = import_taskonomy(damaged, tmp_path / "some", "train", asked)
    assert given.domains == ("depth_zbuffer", "normal", "rgb")
    assert len(given) == 8
    assert report(tmp_path / "some") == [(BUILDINGS[1], "", "has no folder of normal")]


def test_excluded_buildings_are_left_out_with_their_reason(
    damaged: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """By an own list, or by the one that comes along."""
    (tmp_path / "mine.csv").write_text("building,reason\nroom_00001,blurred\n")
    own = TaskonomyConfig(splits=config.splits, size=SIZE, exclusions=tmp_path / "mine.csv")
    assert len(import_taskonomy(damaged, tmp_path / "out", "train", own)) == 8
    assert report(tmp_path / "out") == [("room_00001", "", "excluded: blurred")]
    (damaged / BUILDINGS[0]).rename(damaged / "tomkins")
    write_splits(config.splits, {"train": ["tomkins", *BUILDINGS[1:3]]})
    assert len(import_taskonomy(damaged, tmp_path / "again", "train", config)) == 8
    assert report(tmp_path / "again") == [("tomkins", "", "excluded: has no colour pictures")]


def test_if_nothing_can_be_read_the_report_is_named(
    damaged: Path, tmp_path: Path, config: TaskonomyConfig
) -> None:
    """Every frame lacks its colours' file content."""
    for path in damaged.glob("*/rgb/*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"none of 12 frame\(s\) could be read: see .*skipped.csv"):
        import_taskonomy(damaged, tmp_path / "out", "train", config)
    assert len(report(tmp_path / "out")) == 12
