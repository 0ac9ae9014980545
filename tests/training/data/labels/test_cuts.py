"""Normalised cuts are those of scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import graph, metrics
from training.data.labels.cuts import cut_normalised, join_smooth, similarity_graph

GRAPH: Any = graph
METRICS: Any = metrics


def _tiles(count: int = 6, side: int = 4) -> np.ndarray:
    """A square of square regions."""
    numbers = np.arange(count * count).reshape(count, count)
    return np.kron(numbers, np.ones((side, side), dtype=np.int64))


def _colours(regions: np.ndarray, groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Each group of regions has a colour of its own, and noise."""
    generator = np.random.default_rng(seed)
    colours = np.array([[60.0, 60, 60], [90, 90, 90], [200, 90, 60], [40, 200, 200]])
    own = colours[groups] + generator.normal(0, 3, (len(groups), 3))
    found: np.ndarray = own[regions]
    return found


def test_similarities_are_those_of_scikit_image() -> None:
    regions = _tiles()
    colours = np.random.default_rng(1).integers(100, 130, (36, 3)).astype(float)[regions]
    expected = np.zeros((36, 36))
    for one, other, data in GRAPH.rag_mean_color(colours, regions, mode="similarity").edges(data=True):
        expected[one, other] = expected[other, one] = data["weight"]

    np.testing.assert_allclose(similarity_graph(regions, colours), expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_parts_are_those_of_scikit_image(seed: int) -> None:
    regions = _tiles()
    column = np.arange(36) % 6
    groups = np.where(column < 2, 0, np.where(column < 4, 2, 3))
    colours = _colours(regions, groups, seed)
    weights = similarity_graph(regions, colours)

    found = cut_normalised(weights, threshold=0.05, steps=10, own=2.0)[regions]

    rag = GRAPH.rag_mean_color(colours, regions, mode="similarity")
    expected = GRAPH.cut_normalized(regions, rag, thresh=0.05, num_cuts=10, max_edge=2.0, rng=0)
    assert METRICS.adapted_rand_error(expected, found)[0] == 0
    assert METRICS.adapted_rand_error(groups[regions], found)[0] == 0


def test_regions_alike_stay_together_and_unlike_ones_part() -> None:
    regions = np.repeat(np.arange(4)[None], 3, axis=0)
    colours = np.array([10.0, 11, 200, 201])[regions][..., None]

    parts = cut_normalised(similarity_graph(regions, colours), threshold=0.005, steps=10, own=2.0)

    assert parts[0] == parts[1] != parts[2] == parts[3]


def test_a_single_region_is_one_part() -> None:
    assert cut_normalised(np.zeros((1, 1)), threshold=1.0, steps=10, own=1.0).tolist() == [0]


def test_a_greater_threshold_never_joins_what_a_lesser_one_parts() -> None:
    regions = _tiles()
    colours = _colours(regions, np.arange(36) // 9)
    weights = similarity_graph(regions, colours)

    counts = [
        cut_normalised(weights, threshold=limit, steps=10, own=2.0).max() for limit in (1e-4, 0.01, 0.3)
    ]

    assert counts == sorted(counts)


def _stripes(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """A region a column, with a feature each."""
    columns = np.repeat(np.arange(len(values))[None], 6, axis=0)
    return columns, np.array(values)[columns][..., None]


def test_stripes_of_a_bent_surface_are_one_region() -> None:
    bent = np.sin(np.linspace(-1, 1, 12)).tolist()

    assert join_smooth(*_stripes(bent), step=0.3).max() == 0


@pytest.mark.parametrize("values", [[0, 0, 0, 0.2, 0.2, 0.2], [0, 0.01, 0.02, 0.12, 0.13, 0.14]])
def test_regions_on_both_sides_of_a_step_stay_apart_even_on_slopes(values: list[float]) -> None:
    for turn in (False, True):
        regions, features = _stripes(values)
        if turn:
            regions, features = regions.T, features.swapaxes(0, 1)

        found = join_smooth(regions, features, step=0.3)

        first, last = (found[:3], found[3:]) if turn else (found[:, :3], found[:, 3:])
        assert set(np.unique(first)).isdisjoint(np.unique(last))
        assert len(np.unique(first)) == len(np.unique(last)) == 1


def test_changes_above_the_step_are_never_smooth() -> None:
    assert join_smooth(*_stripes([0, 1, 2, 3, 4, 5]), step=0.5).max() == 5
