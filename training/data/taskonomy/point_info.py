"""Reading and writing of cameras and matches in the dataset's JSON files.

The meaning of the fields was checked on records of the dataset: the camera's angles are Euler sxyz in
radians, its box has the world's x and y exchanged, and pixels of matches are counted from 0 in the pictures
on disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.frames import CAMERA
from training.data.poses import box_from_point_info
from training.errors import DataError

_EXCHANGED = ("y", "x", "z")  # the file's names of the world's x, y and z


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A frame that sees a point which it does not fixate.

    Attributes:
        point: number of the frame's own point.
        view: number of its camera.
        seen: number of the point that it sees.
        x: column of the pixel, from 0.
        y: row of the pixel, from 0.
    """

    point: int
    view: int
    seen: int
    x: int
    y: int


def unknown_camera(room: int, view: int) -> NDArray[np.void]:
    """Return a `CAMERA` record in which everything else is unknown."""
    record = np.zeros((), CAMERA)
    record["room"], record["point"], record["view"] = room, -1, view
    for name in ("location", "angles", "fov", "fixated", "box"):
        record[name] = np.nan
    return record


def read_camera(path: Path, room: int, point: int, view: int) -> NDArray[np.void]:
    """Read the camera of one frame.

    A file without a camera location, as photographs have it, gives an unknown camera.

    Args:
        path: file of the point info.
        room: number of the building.
        point: number of the fixated point, by the file's name.
        view: number of the camera, by the file's name.

    Returns:
        a `CAMERA` record.

    Raises:
        DataError: the file is missing or damaged, or holds another frame.
    """
    record = unknown_camera(room, view)
    facts = _read(path)
    try:
        if (int(facts["point_uuid"]), int(facts["view_id"])) != (point, view):
            raise DataError(f"{path} is about point {facts['point_uuid']}, view {facts['view_id']}")
        record["fov"] = facts.get("field_of_view_rads", np.nan)
        if "camera_location" not in facts:
            return record
        record["location"] = facts["camera_location"]
        record["angles"] = facts["camera_rotation_final"]
        record["fixated"] = facts["point_location"]
        ranges = facts.get("bounding_box_ranges")
        if ranges is not None:
            record["box"] = box_from_point_info(ranges)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is not point info: {type(error).__name__} {error}") from error
    record["point"] = point
    return record


def camera_facts(camera: NDArray[np.void], resolution: int, seen: Iterable[int]) -> dict[str, Any]:
    """Return the dataset's JSON about a camera: the inverse of `read_camera`.

    Args:
        camera: a `CAMERA` record.
        resolution: side of the pictures in px.
        seen: numbers of the points that the frame sees but does not fixate.

    Returns:
        JSON-ready. Fields of unknown facts are left out.
    """
    facts: dict[str, Any] = {
        "point_uuid": str(camera["point"]),
        "view_id": int(camera["view"]),
        "resolution": resolution,
    }
    if np.isfinite(camera["fov"]):
        facts["field_of_view_rads"] = float(camera["fov"])
    if not np.isfinite(camera["location"]).all():
        return facts
    facts |= {
        "camera_location": camera["location"].tolist(),
        "camera_rotation_final": camera["angles"].tolist(),
        "point_location": camera["fixated"].tolist(),
        "camera_distance": float(np.linalg.norm(camera["location"] - camera["fixated"])),
        "nonfixated_points_in_view": [int(point) for point in seen],
    }
    if np.isfinite(camera["box"]).all():
        facts["bounding_box_ranges"] = {
            name: camera["box"][:, axis].tolist() for axis, name in enumerate(_EXCHANGED)
        }
    return facts


def read_matches(path: Path) -> list[Match]:
    """Read the frames that see a point which they do not fixate.

    Raises:
        DataError: the file is missing or damaged.
    """
    facts = _read(path)
    try:
        seen = int(facts["point_uuid"])
        return [
            Match(
                point=int(view["point_uuid"]),
                view=int(view["view_id"]),
                seen=seen,
                x=int(view["nonfixated_pixel_x"]),
                y=int(view["nonfixated_pixel_y"]),
            )
            for view in facts["views"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no matches: {type(error).__name__} {error}") from error


def match_facts(seen: int, location: Iterable[float] | None, matches: Iterable[Match]) -> dict[str, Any]:
    """Return the dataset's JSON about the frames that see a point: the inverse of `read_matches`."""
    facts: dict[str, Any] = {"point_uuid": str(seen)}
    if location is not None:
        facts["point_location"] = [float(number) for number in location]
    facts["views"] = [
        {
            "point_uuid": str(match.point),
            "view_id": match.view,
            "nonfixated_pixel_x": match.x,
            "nonfixated_pixel_y": match.y,
        }
        for match in matches
    ]
    return facts


def _read(path: Path) -> dict[str, Any]:
    """Read the object in a JSON file."""
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    if not isinstance(facts, dict):
        raise DataError(f"{path} is damaged: it holds no object")
    return facts
