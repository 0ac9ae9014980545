"""Segments follow colours in the picture, and surfaces in space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import metrics
from training.data.labels.edges import edge_occlusion
from training.data.labels.segments import segment_unsup2d, segment_unsup25d
from training.rooms.scene import Shape

from toy_rooms import Builder, looking_at
from toy_views import look

METRICS: Any = metrics


def _quarters(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Four fields of colour with noise, and their numbers."""
    half = np.arange(size) >= size // 2
    fields = half[:, None] * 2 + half
    colours = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [220, 220, 220]])[fields]
    noise = np.random.default_rng(0).normal(0, 4, colours.shape)
    return np.clip(colours + noise, 0, 255).astype(np.uint8), fields


@pytest.mark.parametrize("size", [64, 128, 256])
def test_fields_of_colour_become_segments_at_every_size(size: int) -> None:
    picture, fields = _quarters(size)

    found = segment_unsup2d(picture)

    # Blurred borders may be segments of their own.
    assert METRICS.adapted_rand_error(fields, found)[0] < 0.15
    large = np.bincount(found.ravel()) > size * size / 8
    assert large.sum() == 4


def test_segments_are_numbered_as_they_come() -> None:
    found = segment_unsup2d(_quarters(64)[0]).ravel()

    _, first = np.unique(found, return_index=True)
    assert found[0] == 0
    assert (np.diff(first) > 0).all()


def test_a_plain_picture_is_one_segment() -> None:
    assert segment_unsup2d(np.full((64, 64, 3), 90, np.uint8)).max() == 0


def test_no_picture_has_more_segments_than_8_bits_tell_apart() -> None:
    cells = np.random.default_rng(1).integers(0, 255, (32, 32, 3))
    picture = np.kron(cells, np.ones((8, 8, 1))).astype(np.uint8)

    found = segment_unsup2d(picture)

    assert found.dtype == np.uint8
    assert 20 < found.max() <= 255


@pytest.mark.parametrize("size", [64, 128])
def test_surfaces_of_a_room_become_segments_at_every_size(size: int) -> None:
    room = Builder((6, 6, 3)).add(Shape.BOX, (3, 4, 0.5), (0.5, 0.5, 0.5))
    seen = look(room.scene(), looking_at((3, 4, 1), (2.2, 1.2, 2.2)), size)
    edges = edge_occlusion(seen.depth)

    found = segment_unsup25d(seen.depth[0].numpy(), seen.normal[0].numpy(), edges[0].numpy())

    codes = seen.normal[0].numpy().round(2)
    _, faces = np.unique(codes.reshape(-1, 3), axis=0, return_inverse=True)
    surfaces = faces.reshape(size, size) * 100 + seen.hits.primitive[0].numpy()
    for surface in np.unique(surfaces):
        inside = found[surfaces == surface]
        if len(inside) > 0.02 * size * size:
            assert np.bincount(inside).max() > 0.75 * len(inside), surface
    assert 5 <= found.max() <= 60


def test_segments_are_the_same_in_any_run() -> None:
    picture = np.random.default_rng(2).integers(0, 255, (64, 64, 3)).astype(np.uint8)

    assert (segment_unsup2d(picture) == segment_unsup2d(picture)).all()


@pytest.mark.parametrize("size", [64, 128])
def test_a_curved_surface_is_one_segment(size: int) -> None:
    room = Builder((6, 6, 3)).add(Shape.CYLINDER, (3, 4, 1.5), (0.5, 0.5, 1.5))
    seen = look(room.scene(), looking_at((3, 4, 1.5), (3, 1, 1.5)), size)

    found = segment_unsup25d(
        seen.depth[0].numpy(), seen.normal[0].numpy(), edge_occlusion(seen.depth)[0].numpy()
    )

    post = found[seen.hits.primitive[0].numpy() == 6]
    assert np.bincount(post).max() > 0.85 * len(post)
