"""Styles of photographs: camera poses and subjects.

Views of the room are those of the dataset and of NYU: at the height of the eyes, nearly level, looking down a
little more often than up. Views of one piece of furniture stand before it. Close-ups show small objects on a
table, a shelf or a bed from an arm's length, tilted and rotated as a phone is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from training.data.room_classes import nyu40

Levels: TypeAlias = tuple[float, float, float]
"""Limit at first, when too few views meet it, and as a last resort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Objects that are photographed.

    Attributes:
        labels: NYU40 numbers of the objects; a repeated number is chosen more often.
        size: least and greatest metres of the largest side of an object's bounding box.
        height: least and greatest metres of an object's lowest point above the floor.
        elevation, elevation_sigma: mean and spread in degrees of the camera's elevation above the aimed
            point.
        around: largest angle in degrees to both sides between cameras of one point.
        standing: True for objects on a support only, not those that hang on a wall.
        choice: number of objects drawn, of which the one with most kinds of neighbours is used.
    """

    labels: tuple[int, ...]
    size: tuple[float, float]
    height: tuple[float, float]
    elevation: float
    elevation_sigma: float
    around: float
    standing: bool = False
    choice: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOptions:
    """Ranges of camera poses. Metres and degrees; pairs are least and greatest.

    Attributes:
        subject: objects to photograph, None for the room.
        height: height above the floor, distributed around its middle.
        clear: least distance from any solid.
        far: distance from the fixated point.
        apart: least distance between cameras of one point, as a last resort a third of it.
        fov, fov_mean, fov_sigma: range, mean and spread of the field of view.
        pitch, pitch_mean, pitch_sigma: range, mean and spread of the upward pitch.
        roll, roll_sigma, tilted: spread of the roll; one camera in `tilted` has four times as much.
        bare: share of proposed points on walls, floor, ceiling, doors and windows that are kept.
        reach: metres; of nearer proposed points, a share proportional to the distance is kept.
        positions: number of positions tried in the room, or around each proposed point of a subject.
        proposals: number of points tried for each wanted point.
        nearest: metres beyond which 92 % of a view must lie.
        median: metres beyond which half of a view must lie.
        largest: largest share of a view that one object may fill.
        things: least number of objects in a view.
        barest: largest share of a view that walls, floor, ceiling, doors and windows may fill.
    """

    subject: Subject | None = None
    height: tuple[float, float] = (0.9, 2.2)
    clear: float = 0.25
    far: tuple[float, float] = (0.8, 10.0)
    apart: float = 0.3
    fov: tuple[float, float] = (40.0, 90.0)
    fov_mean: float = 53.0
    fov_sigma: float = 12.0
    pitch: tuple[float, float] = (-50.0, 40.0)
    pitch_mean: float = -7.5
    pitch_sigma: float = 10.0
    roll: float = 15.0
    roll_sigma: float = 1.3
    tilted: float = 0.1
    bare: float = 0.12
    reach: float = 5.0
    positions: int = 180
    proposals: int = 16
    nearest: Levels = (0.75, 0.5, 0.3)
    median: Levels = (1.9, 1.4, 0.8)
    largest: Levels = (0.55, 0.65, 0.8)
    things: Levels = (7, 5, 3)
    barest: Levels = (0.45, 0.6, 0.9)


def _labels(*names: str) -> tuple[int, ...]:
    return tuple(nyu40(name) for name in names)


ROOM = CameraOptions()
"""Views of the room."""

FURNITURE = CameraOptions(
    subject=Subject(
        labels=_labels(
            "cabinet", "bed", "chair", "sofa", "table", "bookshelf", "counter", "desk", "shelves", "dresser",
            "refrigerator", "television", "night stand", "toilet", "sink", "bathtub", "otherfurniture",
        ),
        size=(0.4, 6.0),
        height=(0.0, 1.2),
        elevation=20.0,
        elevation_sigma=12.0,
        around=60.0,
    ),
    height=(0.6, 2.0),
    clear=0.2,
    far=(0.7, 2.8),
    apart=0.25,
    fov=(35.0, 80.0),
    fov_mean=50.0,
    pitch=(-65.0, 20.0),
    pitch_mean=-20.0,
    pitch_sigma=12.0,
    roll=20.0,
    roll_sigma=1.8,
    tilted=0.2,
    positions=24,
    proposals=8,
    nearest=(0.5, 0.4, 0.25),
    median=(0.9, 0.8, 0.5),
    largest=(0.65, 0.75, 0.85),
    things=(4, 3, 2),
    barest=(0.5, 0.65, 0.9),
)  # fmt: skip
"""Views of one piece of furniture from a few metres."""

CLOSE = CameraOptions(
    subject=Subject(
        labels=_labels(
            "pillow", "books", "television", "paper", "box", "lamp", "bag", *("otherprop",) * 6,
        ),
        size=(0.05, 0.5),
        height=(0.2, 1.5),
        elevation=32.0,
        elevation_sigma=18.0,
        standing=True,
        choice=4,
        around=50.0,
    ),
    height=(0.4, 2.0),
    clear=0.07,
    far=(0.3, 1.2),
    apart=0.1,
    fov=(32.0, 75.0),
    fov_mean=50.0,
    fov_sigma=9.0,
    pitch=(-80.0, 10.0),
    pitch_mean=-32.0,
    pitch_sigma=18.0,
    roll=30.0,
    roll_sigma=3.0,
    tilted=0.3,
    positions=24,
    proposals=8,
    nearest=(0.2, 0.17, 0.12),
    median=(0.3, 0.25, 0.2),
    largest=(0.6, 0.75, 0.9),
    things=(5, 4, 2),
    barest=(0.5, 0.65, 0.9),
)  # fmt: skip
"""Close-ups of small objects on a table, a shelf or a bed, from an arm's length."""
