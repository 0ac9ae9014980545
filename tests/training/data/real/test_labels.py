"""Labels of folders whose geometry is known: planes and a sphere, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.data.real.toy_folder import CAMERA, HEIGHT, WIDTH, plane, rays, sphere, write_frame
from training.data.real.folder import RealFolder, RealFrame
from training.data.real.labels import label_view
from training.data.real.views import views_of

from taskbank.labels.codes import DOMAINS, decode

_SIZE = 64


def _frame(folder: Path, depth: np.ndarray, labels: np.ndarray | None = None) -> RealFrame:
    write_frame(folder, "a", depth, labels=labels)
    return RealFolder(folder, CAMERA).frame("a")


def _label(frame: RealFrame, place: int = 1) -> dict[str, np.ndarray]:
    """Codes of the left, middle or right view."""
    return label_view(frame, views_of(frame.depth.shape, CAMERA, 3)[place], _SIZE)


def _values(labels: dict[str, np.ndarray], domain: str) -> np.ndarray:
    found: np.ndarray = decode(domain, torch.from_numpy(labels[domain].astype(np.int32))).numpy()
    return found


def test_labels_have_the_domains_types_and_shapes_of_a_store(tmp_path: Path) -> None:
    labels = _label(_frame(tmp_path, plane((0, 0, -1), 2.0)))
    assert set(labels) == set(DOMAINS)
    for name, codes in labels.items():
        assert codes.dtype == (np.uint8 if DOMAINS[name].bits == 8 else np.uint16)
        assert codes.shape == (
            (_SIZE, _SIZE, DOMAINS[name].channels) if DOMAINS[name].channels > 1 else (_SIZE, _SIZE)
        )


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_wall_is_turned_as_the_view_is(tmp_path: Path, place: int) -> None:
    frame = _frame(tmp_path, plane((0, 0, -1), 2.0))
    labels, view = _label(frame, place), views_of(frame.depth.shape, CAMERA, 3)[place]
    normal = view.turn.T @ [0, 0, -1]
    inner = np.s_[6:-6, 6:-6]
    assert np.abs(_values(labels, "normal")[inner] - normal).max() < 0.02
    # Depth along the view's own axis: rays of it meet the plane normal . p = -2.
    towards = view.rays(_SIZE).numpy().transpose(1, 2, 0)
    true = plane(normal, 2.0, towards)
    assert np.allclose(_values(labels, "depth_zbuffer"), true, atol=0.004)
    distance = true * np.linalg.norm(towards, axis=-1)
    assert np.allclose(_values(labels, "depth_euclidean"), distance, atol=0.004)
    lit = 0.64 * 2.5 * 8 / (8 + distance**2) * 2 / distance
    assert np.allclose(_values(labels, "reshading")[inner], lit.clip(max=1)[inner], atol=0.02)


def test_a_wall_is_flat_has_no_edges_and_no_corners(tmp_path: Path) -> None:
    labels = _label(_frame(tmp_path, plane((0.3, 0.1, -0.9), 2.0)))
    inner = np.s_[8:-8, 8:-8]
    assert (labels["principal_curvature"][inner] == 127).all()
    assert _values(labels, "edge_occlusion").max() < 0.002
    assert _values(labels, "keypoints3d")[inner].max() < 0.02
    assert not labels["segment_unsup25d"].any()


def test_a_sphere_bends_by_an_unknown_amount_and_has_the_normals_of_a_sphere(tmp_path: Path) -> None:
    ball = sphere((0.1, 0.05, 1.6), 0.5)
    frame = _frame(tmp_path, np.minimum(ball, plane((0, 0, -1), 2.5)))
    labels = label_view(frame, views_of(frame.depth.shape, CAMERA, 1)[0], _SIZE)
    depth = _values(labels, "depth_zbuffer")
    on_ball = depth < 1.5
    assert on_ball.sum() > 200
    view = views_of(frame.depth.shape, CAMERA, 1)[0]
    points = view.rays(_SIZE).numpy().transpose(1, 2, 0) * depth[..., None]
    out = points - view.turn.T @ [0.1, 0.05, 1.6]
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    cosine = (_values(labels, "normal") * out).sum(-1)[on_ball]
    assert np.degrees(np.arccos(np.nanmedian(cosine).clip(-1, 1))) < 5
    assert (labels["principal_curvature"][on_ball] == 0).all()


def test_a_box_before_a_wall_has_an_edge_around_it_and_segments_of_its_own(tmp_path: Path) -> None:
    depth = np.full((HEIGHT, WIDTH), 2.5)
    depth[20:44, 28:56] = 1.5
    labels = _label(_frame(tmp_path, depth))
    edges = _values(labels, "edge_occlusion")
    jump = 0.5**0.5 * _SIZE / 512 * (np.sqrt(512 * 2.5) - np.sqrt(512 * 1.5)) / 256
    assert edges.max() == pytest.approx(jump, rel=0.25)
    assert edges[28:36, 28:36].max() < 0.01 * jump
    segments = labels["segment_unsup25d"]
    assert segments[32, 32] != segments[3, 3]
    assert segments[3, 3] == segments[-4, -4]
    corners = _values(labels, "keypoints3d")
    assert corners.max() > 0.5
    assert corners[2:5, 2:5].max() < 0.05


def test_slopes_between_a_thing_and_its_background_have_no_normal(tmp_path: Path) -> None:
    # Filled in depth: the jump takes seven pixels, on a ramp that a plane fits.
    depth = np.repeat(np.interp(np.arange(WIDTH), [37, 44], [1.5, 3.2])[None], HEIGHT, axis=0)
    labels = _label(_frame(tmp_path, depth))
    ramp = (_values(labels, "depth_zbuffer") > 1.8) & (_values(labels, "depth_zbuffer") < 2.7)
    assert ramp.sum() > 100
    assert (labels["normal"][ramp] == 127).all()
    assert (labels["reshading"][ramp] == 0).all()


def test_unknown_depth_is_unknown_with_its_surroundings(tmp_path: Path) -> None:
    depth = plane((0, 0, -1), 2.0)
    depth[30:34, 40:44] = np.nan
    labels = _label(_frame(tmp_path, depth))
    unknown = labels["depth_zbuffer"] == 65535
    assert 16 < unknown.sum() < 60
    assert (labels["normal"][unknown] == 127).all()
    assert (labels["principal_curvature"][unknown] == 0).all()
    assert (labels["depth_euclidean"][unknown] == 65535).all()
    assert _values(labels, "edge_occlusion")[~unknown].max() < 0.002


def test_classes_follow_the_table_and_missing_labels_are_unknown(tmp_path: Path) -> None:
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    numbers[:20] = 3  # bed
    numbers[20:30] = 6  # table, of which some are dining tables
    numbers[30:40] = 37  # other structure: stoves are among them
    frame = _frame(tmp_path, plane((0, 0, -1), 2.0), numbers)
    shown = _label(frame)["segment_semantic"]
    assert list(dict.fromkeys(shown[:, 32].tolist())) == [6, 0, 1]
    (tmp_path / "a_label.png").unlink()
    assert not _label(RealFolder(tmp_path, CAMERA).frame("a"))["segment_semantic"].any()


def test_rays_of_the_toy_are_those_of_the_camera() -> None:
    assert np.allclose(CAMERA.rays(HEIGHT, WIDTH).numpy().transpose(1, 2, 0), rays())
