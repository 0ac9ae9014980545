"""Cameras and matches as the dataset writes them, by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.data.taskonomy.point_info import Match, camera_facts, match_facts, read_camera, read_matches
from training.errors import DataError

FACTS: dict[str, Any] = {
    "point_uuid": "26",
    "view_id": 3,
    "camera_location": [1.0, 2.0, 1.5],
    "camera_rotation_final": [1.5, 0.0, -0.3],
    "point_location": [2.0, 4.0, 1.0],
    "field_of_view_rads": 1.25,
    "resolution": 512,
    "bounding_box_ranges": {"x": [-1, 5], "y": [0, 3], "z": [0, 2.5]},
}


def written(folder: Path, facts: object) -> Path:
    """A file with these facts."""
    path = folder / "info.json"
    path.write_text(json.dumps(facts))
    return path


def test_cameras_are_read_with_the_box_turned_back(tmp_path: Path) -> None:
    """The file's x is the world's y: the camera at (1, 2) is then inside."""
    camera = read_camera(written(tmp_path, FACTS), room=7, point=26, view=3)
    assert [camera[name].item() for name in ("room", "point", "view", "fov")] == [7, 26, 3, 1.25]
    assert camera["box"].tolist() == [[0, -1, 0], [3, 5, 2.5]]
    assert camera["angles"].tolist() == [1.5, 0, -0.3]
    facts = camera_facts(camera, 512, [4, 9])
    assert {key: facts[key] for key in FACTS} == FACTS
    assert facts["camera_distance"] == pytest.approx(np.sqrt(1 + 4 + 0.25))
    assert facts["nonfixated_points_in_view"] == [4, 9]


def test_what_is_not_in_the_file_is_unknown(tmp_path: Path) -> None:
    """A box may be missing; without a place there is no pose and no point."""
    no_box = {key: value for key, value in FACTS.items() if key != "bounding_box_ranges"}
    camera = read_camera(written(tmp_path, no_box), 0, 26, 3)
    assert np.isnan(camera["box"]).all()
    assert "bounding_box_ranges" not in camera_facts(camera, 512, [])
    alone = read_camera(written(tmp_path, {"point_uuid": "26", "view_id": 3}), 0, 26, 3)
    assert alone["point"] == -1
    assert np.isnan(alone["angles"]).all()
    assert camera_facts(alone, 64, []).keys() == {"point_uuid", "view_id", "resolution"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"point_uuid": "27"}, "is about point 27, view 3"),
        ({"camera_location": [1, 2]}, "is not point info: ValueError"),
        ({"camera_location": "here"}, "is not point info: ValueError"),
        ({"bounding_box_ranges": {"x": [0, 1]}}, "is not point info: KeyError 'y'"),
        (None, "is damaged: it holds no object"),
    ],
)
def test_bad_cameras_are_refused(tmp_path: Path, change: dict[str, Any] | None, message: str) -> None:
    """With the file and what is wrong."""
    facts = [] if change is None else FACTS | change
    with pytest.raises(DataError, match=f"info.json {message}"):
        read_camera(written(tmp_path, facts), 0, 26, 3)


def test_matches_come_back(tmp_path: Path) -> None:
    """Frame (4, 1) sees point 26 at column 437, row 313."""
    matches = [Match(point=4, view=1, seen=26, x=437, y=313), Match(point=5, view=0, seen=26, x=0, y=511)]
    facts = match_facts(26, (2, 4, 1), matches)
    assert facts["point_location"] == [2, 4, 1]
    assert facts["views"][0]["nonfixated_pixel_x"] == 437
    assert read_matches(written(tmp_path, facts)) == matches
    assert "point_location" not in match_facts(26, None, [])
