"""Point clouds of planes, whose places are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from taskbank.errors import InvalidInputError
from taskbank.images.framing import fit_photo
from taskbank.images.photo import Photo
from taskbank.inference.decode import NORMAL_AXES
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.options import Axes, Fit, Frame
from taskbank.saving.point_cloud import focal_length, save_point_cloud, square_fov, unproject
from taskbank.tasks.kinds import OutputKind

WIDTH, HEIGHT = 60, 40


def preprocessed(fit: Fit = Fit.CROP) -> Preprocessed:
    """A photo whose red is its column and green its row."""
    pixels = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.uint8)
    pixels[0] = torch.arange(WIDTH)
    pixels[1] = torch.arange(HEIGHT)[:, None]
    photo = Photo(pixels, "photo")
    square, view = fit_photo(photo, fit, 32)
    return Preprocessed(photo, view, square)


def prediction(
    task: str, array: Any, seen: Preprocessed, kind: OutputKind = OutputKind.DEPTH, **more: Any
) -> Prediction:
    """Of a network that knows."""
    facts: dict[str, Any] = {
        "unit": "m",
        "value_range": None,
        "convention": "",
        "frame": Frame.INPUT,
        "views": (seen.view,),
        "sources": ("photo",),
        "bank": "toy",
        "bank_digest": "0" * 64,
    }
    return Prediction(task=task, kind=kind, array=np.array(array, dtype=np.float32), **(facts | more))


def rays(focal: float) -> np.ndarray:
    """Directions of the photo's pixels with z = 1, by the pinhole's formula, pixel by pixel."""
    return np.array(
        [
            [
                ((column + 0.5 - WIDTH / 2) / focal, (row + 0.5 - HEIGHT / 2) / focal, 1)
                for column in range(WIDTH)
            ]
            for row in range(HEIGHT)
        ]
    )


@given(
    st.floats(20, 120),
    st.floats(-0.3, 0.3),
    st.floats(-0.3, 0.3),
    st.sampled_from(["depth_zbuffer", "depth_euclidean"]),
)
def test_the_points_of_a_plane_lie_in_it(fov: float, a: float, b: float, task: str) -> None:
    """The plane a x + b y + z = 3, seen by a camera of any width of view."""
    focal = WIDTH / 2 / np.tan(np.radians(fov) / 2)
    normal = np.array([a, b, 1])
    directions = rays(focal)
    along = 3 / (directions @ normal)
    along = np.where(along > 0, along, np.nan)
    depth = along if task == "depth_zbuffer" else along * np.linalg.norm(directions, axis=-1)
    points = unproject(prediction(task, depth, preprocessed()), fov)
    known = np.isfinite(points[..., 2])
    assert np.array_equal(known, np.isfinite(depth))
    assert np.abs(points[known] @ normal - 3).max() < 1e-4 * max(1, np.abs(points[known]).max())


def test_without_a_field_of_view_the_square_has_that_of_the_networks() -> None:
    """75 degrees: of the crop's 40 px, of the padded 60 px, of the stretched 60 px."""
    half = np.tan(np.radians(37.5))
    assert focal_length(preprocessed(Fit.CROP).view) == pytest.approx(20 / half)
    assert focal_length(preprocessed(Fit.PAD).view) == pytest.approx(30 / half)
    assert focal_length(preprocessed(Fit.STRETCH).view) == pytest.approx(30 / half)
    assert square_fov(preprocessed(Fit.CROP).view) == pytest.approx(75)
    assert square_fov(preprocessed(Fit.PAD).view, 90) == pytest.approx(90)
    assert square_fov(preprocessed(Fit.CROP).view, 90) == pytest.approx(2 * np.degrees(np.arctan(2 / 3)))


@pytest.mark.parametrize("fit", Fit)
def test_both_frames_tell_of_one_wall(fit: Fit) -> None:
    """2 m ahead: the square's corners are where the photo's are."""
    seen = preprocessed(fit)
    given = unproject(prediction("depth_zbuffer", np.full((32, 32), 2.0), seen, frame=Frame.NETWORK), 60)
    focal, box = focal_length(seen.view, 60), seen.view.box
    step = (box.right - box.left) / 32
    left = (box.left + step / 2 - WIDTH / 2) / focal * 2
    assert given[0, 0, 0] == pytest.approx(left, abs=1e-5)
    assert given[16, 16, 1] - given[15, 16, 1] == pytest.approx(
        2 * (box.bottom - box.top) / 32 / focal, abs=1e-5
    )
    assert (given[..., 2] == 2).all()


def read_ply(path: Path) -> tuple[list[str], np.ndarray]:
    """Header and vertices, by the format's description."""
    header, body = path.read_bytes().split(b"end_header\n", 1)
    lines = header.decode("ascii").splitlines()
    kinds = {"float": "<f4", "uchar": "u1"}
    fields = [(line.split()[2], kinds[line.split()[1]]) for line in lines if line.startswith("property")]
    return lines, np.frombuffer(body, dtype=fields)


def test_files_hold_places_colours_and_normals_of_known_pixels(tmp_path: Path) -> None:
    """Pixels that the network did not see are left out."""
    seen = preprocessed()
    depth = np.full((HEIGHT, WIDTH), 2.0)
    depth[:, :10] = np.nan
    depth[:, 50:] = np.nan
    facing = np.broadcast_to([0.0, 0.6, 0.8], (HEIGHT, WIDTH, 3))  # opengl: up and to the viewer
    normals = prediction("normal", facing, seen, OutputKind.NORMALS, convention=NORMAL_AXES[Axes.OPENGL])
    path = tmp_path / "cloud.ply"
    save_point_cloud(path, prediction("depth_zbuffer", depth, seen), seen, fov=60, normals=normals)
    lines, points = read_ply(path)
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    assert "+x right, +y down, +z ahead" in lines[2]
    assert any("60 x 40 px, focal length 51.9615 px" in line for line in lines)
    assert f"element vertex {40 * 40}" in lines
    assert len(points) == 1600
    first = points[0]
    assert (first["red"], first["green"], first["blue"]) == (10, 0, 0)
    assert first["x"] == pytest.approx((10.5 - 30) / 51.9615 * 2, rel=1e-5)
    assert first["y"] == pytest.approx((0.5 - 20) / 51.9615 * 2, rel=1e-5)
    assert (first["nx"], first["ny"], first["nz"]) == pytest.approx((0, -0.6, -0.8))


def test_colours_of_the_networks_frame_are_those_it_saw(tmp_path: Path) -> None:
    """And points have no normals where none are given."""
    seen = preprocessed()
    depth = prediction("depth_euclidean", np.full((32, 32), 2.0), seen, frame=Frame.NETWORK)
    save_point_cloud(tmp_path / "cloud.ply", depth, seen)
    _, points = read_ply(tmp_path / "cloud.ply")
    assert points.dtype.names == ("x", "y", "z", "red", "green", "blue")
    assert abs(int(points["red"][0]) - 10) <= 1
    assert abs(int(points["red"][-1]) - 49) <= 1
    distance = np.sqrt(points["x"] ** 2 + points["y"] ** 2 + points["z"] ** 2)
    assert np.allclose(distance, 2, atol=1e-5)


def test_what_is_no_depth_is_refused(tmp_path: Path) -> None:
    """Or does not fit it."""
    seen = preprocessed()
    flat = prediction("reshading", np.ones((HEIGHT, WIDTH)), seen, OutputKind.HEAT_MAP)
    with pytest.raises(InvalidInputError, match="reshading gives heat map: a point cloud needs depth"):
        unproject(flat)
    depth = prediction("depth_zbuffer", np.ones((HEIGHT, WIDTH)), seen)
    with pytest.raises(InvalidInputError, match="reshading does not hold a normal for each pixel"):
        save_point_cloud(tmp_path / "cloud.ply", depth, seen, normals=flat)


def test_points_with_y_up_are_the_same_points_turned(tmp_path: Path) -> None:
    """OpenGL's axes: y and z change their sign, of normals too; the head says so."""
    seen = preprocessed()
    depth = prediction("depth_zbuffer", np.full((HEIGHT, WIDTH), 2.0), seen)
    normal = np.broadcast_to([0.0, 0.6, -0.8], (HEIGHT, WIDTH, 3))
    normals = prediction(
        "normal", normal, seen, OutputKind.NORMALS, convention=NORMAL_AXES[Axes.OPENCV], unit="1"
    )
    read = {}
    for axes in Axes:
        save_point_cloud(tmp_path / f"{axes}.ply", depth, seen, fov=60, normals=normals, axes=axes)
        head, body = (tmp_path / f"{axes}.ply").read_bytes().split(b"end_header\n")
        fields = [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
        vertices = np.frombuffer(body, dtype=[*fields, ("rgb", "u1", 3)])
        read[axes] = head.decode(), np.stack([vertices[name] for name, _ in fields], axis=-1)
    assert "+y down, +z ahead (OpenCV)" in read[Axes.OPENCV][0]
    assert "+y up, +z towards the viewer (OpenGL)" in read[Axes.OPENGL][0]
    assert np.array_equal(read[Axes.OPENGL][1], read[Axes.OPENCV][1] * [1, -1, -1, 1, -1, -1])
    assert read[Axes.OPENGL][1][0, 1] > 0  # the first point is that of the upper left corner
