"""Labels at half their size, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from training.data.taskonomy.resize import resize_frame


def halved(**codes: np.ndarray) -> dict[str, np.ndarray]:
    """Pictures of 4 px at 2 px."""
    return resize_frame(codes, 2)


def blocks(values: np.ndarray) -> Any:
    """Means of blocks of 2 x 2."""
    return values.reshape(2, 2, 2, 2, *values.shape[2:]).mean(axis=(1, 3))


def test_measured_labels_are_means_of_their_neighbours() -> None:
    """Half the size is the mean of four pixels; depth is the mean of logarithms."""
    draw = np.random.default_rng(0)
    normal = draw.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    edges = draw.integers(0, 65536, (4, 4)).astype(np.uint16)
    depth = draw.integers(0, 64500, (4, 4)).astype(np.uint16)
    given = halved(normal=normal, edge_texture=edges, depth_zbuffer=depth)
    assert np.abs(given["normal"] - blocks(normal.astype(float))).max() <= 0.5
    assert np.abs(given["edge_texture"] - blocks(edges.astype(float))).max() <= 0.51
    logs = np.expm1(blocks(np.log1p(depth.astype(float))))
    assert np.abs(given["depth_zbuffer"] - logs).max() <= 0.52
    assert [given[name].dtype for name in ("normal", "depth_zbuffer")] == [np.uint8, np.uint16]


def test_numbers_are_never_mixed() -> None:
    """Every label that comes out went in at that corner."""
    labels = np.array([[2, 9, 4, 4], [9, 9, 4, 17], [0, 0, 8, 8], [0, 0, 8, 8]], dtype=np.uint8)
    given = halved(segment_semantic=labels)["segment_semantic"]
    for row in range(2):
        for column in range(2):
            assert given[row, column] in labels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]


def test_what_depth_does_not_trust_is_unknown_where_depth_masks() -> None:
    """One bad pixel of four is enough; codes from 64500 on are bad; colours stay."""
    depth = np.full((4, 4), 1000, dtype=np.uint16)
    depth[0, 0], depth[3, 3] = 65535, 64500
    grey = np.full((4, 4), 200, dtype=np.uint8)
    given = halved(
        depth_zbuffer=depth,
        depth_euclidean=depth,
        normal=np.dstack([grey] * 3),
        principal_curvature=np.dstack([grey] * 2),
        reshading=grey,
        rgb=np.dstack([grey] * 3),
        edge_texture=grey.astype(np.uint16),
    )
    good = np.array([[False, True], [True, False]])
    unknown = {
        "depth_zbuffer": 65535,
        "depth_euclidean": 65535,
        "normal": 127,
        "principal_curvature": 0,
        "reshading": 0,
    }
    for domain, code in unknown.items():
        known = 1000 if domain.startswith("depth") else 200
        expected = np.where(good, known, code)
        given_plane = given[domain] if given[domain].ndim == 2 else given[domain][..., 0]
        assert np.array_equal(given_plane, expected), domain
    assert (given["rgb"] == 200).all()
    assert (given["edge_texture"] == 200).all()


def test_at_their_own_size_labels_stay_as_they_are() -> None:
    """Also those that are not trusted."""
    depth = np.array([[64999, 65535], [0, 40000]], dtype=np.uint16)
    assert np.array_equal(resize_frame({"depth_zbuffer": depth}, 2)["depth_zbuffer"], depth)
