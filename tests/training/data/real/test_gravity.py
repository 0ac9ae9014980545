from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.data.real.toy_folder import write_rotations
from training.data.real.gravity import read_gravity, room_axes, up_of
from training.errors import DataError

from taskbank.geometry import rotation

_UPRIGHT = np.diag([1.0, -1.0, -1.0])


def _seen(axes: np.ndarray, shares: tuple[float, float, float], noise: float = 0.05) -> np.ndarray:
    """Normals (60, 60, 3) of surfaces along the room's axes, camera frame."""
    draw = np.random.default_rng(0)
    which = draw.choice(3, size=3600, p=shares)
    normals = axes[which] * draw.choice([-1, 1], size=(3600, 1)) + draw.normal(scale=noise, size=(3600, 3))
    found: np.ndarray = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).reshape(60, 60, 3)
    return found


@pytest.mark.parametrize("angles", [(1.3, 0.05, 0.4), (1.7, -0.1, -2.0), (1.57, 0.0, 0.0)])
def test_the_room_is_found_though_gravity_is_five_degrees_off(angles: tuple[float, float, float]) -> None:
    axes = rotation(angles) @ _UPRIGHT  # camera with y down to world
    bent = rotation((np.radians(5), 0, 0)) @ axes[2]
    found = room_axes(_seen(axes, (0.3, 0.2, 0.5)), np.ones((60, 60), np.bool_), bent)
    assert found is not None
    assert np.linalg.det(found) == pytest.approx(1)
    assert np.degrees(np.arccos(found[2] @ axes[2])) < 1
    # Walls are alike: x is any of four directions.
    assert np.degrees(np.arccos(np.abs(found[0] @ axes[:2].T).max().clip(max=1))) < 1


def test_a_room_without_walls_or_without_right_angles_tells_nothing() -> None:
    up = np.array([0.0, -1.0, 0.0])
    known = np.ones((60, 60), np.bool_)
    axes = np.array([[1.0, 0, 0], [0, 0, 1], up])
    assert room_axes(_seen(axes, (0.0, 0.0, 1.0)), known, up) is None
    anywhere = np.random.default_rng(1).normal(size=(60, 60, 3))
    anywhere /= np.linalg.norm(anywhere, axis=-1, keepdims=True)
    assert room_axes(anywhere, known, up) is None
    assert room_axes(anywhere, ~known, up) is None


def test_up_is_the_third_column_with_depth_and_height_exchanged(tmp_path: Path) -> None:
    pitch = np.radians(20)
    # Axes x, depth, y: a camera that looks down sees up leaning away.
    turn = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    write_rotations(tmp_path, {"7": turn})
    gravity = read_gravity(tmp_path)
    up = up_of(gravity, "007")
    assert up is not None
    assert np.allclose(up, [0, -np.cos(pitch), -np.sin(pitch)])
    assert up_of(gravity, "008") is None


def test_a_folder_without_rotations_has_no_gravity(tmp_path: Path) -> None:
    assert read_gravity(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frame,r00\n1,1\n", r"line 2: KeyError\('r01'\): columns must be frame and r00 to r22"),
        (
            "frame," + ",".join(f"r{i}{j}" for i in range(3) for j in range(3)) + "\n1" + ",2" * 9 + "\n",
            "length 3.46, not 1",
        ),
    ],
)
def test_rotations_that_are_none_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rotations.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_gravity(tmp_path)
