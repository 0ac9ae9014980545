"""Segments out of embeddings that were made of known ones."""

from __future__ import annotations

import pytest
import torch

from taskbank.images.framing import Box, View
from taskbank.labels.segment_numbers import MOST_SEGMENTS, find_modes, number_segments
from taskbank.options import Fit

WHOLE = View(64, 64, Box(0, 0, 64, 64), (32, 32), Fit.CROP)


def embedding(labels: torch.Tensor, noise: float = 0.1) -> torch.Tensor:
    """(64, h, w): a corner of the cube of tanh for each label, with noise."""
    draw = torch.Generator().manual_seed(0)
    corners = torch.randint(0, 2, (int(labels.max()) + 1, 64), generator=draw) * 1.8 - 0.9
    return corners[labels].permute(2, 0, 1) + noise * torch.randn(64, *labels.shape, generator=draw)


def test_segments_are_found_and_the_largest_is_first() -> None:
    """A square of 1 in a ground of 0, and a small corner of 2."""
    labels = torch.zeros(32, 32, dtype=torch.long)
    labels[8:24, 8:24], labels[:4, :4] = 1, 2
    numbers = number_segments(embedding(labels), WHOLE)
    assert numbers.dtype == torch.uint8
    expected = (labels + 1).repeat_interleave(2, 0).repeat_interleave(2, 1)
    inner = torch.ones_like(expected, dtype=torch.bool)
    for first, last in ((6, 10), (14, 18), (46, 50)):
        inner[first:last] = inner[:, first:last] = False
    assert torch.equal(numbers[inner].long(), expected[inner])
    assert set(numbers.flatten().tolist()) == {1, 2, 3}


def test_what_the_network_did_not_see_is_no_segment() -> None:
    """A photo wider than the square."""
    wide = View(96, 64, Box(16, 0, 80, 64), (32, 32), Fit.CROP)
    numbers = number_segments(embedding(torch.zeros(32, 32, dtype=torch.long)), wide)
    assert numbers.shape == (64, 96)
    assert (numbers[:, :16] == 0).all()
    assert (numbers[:, 16:80] == 1).all()


@pytest.mark.parametrize(("distance", "count"), [(0.9, 1), (2.5, 2)])
def test_two_groups_are_one_where_the_loss_thinks_so(distance: float, count: int) -> None:
    """Pixels belong together by more than one half below a distance of the root of ln 3, 1.05."""
    points = torch.cat([torch.zeros(50, 64), torch.zeros(50, 64)])
    points[50:, 0] = distance
    assert len(find_modes(points)) == count


def test_there_are_never_more_segments_than_numbers() -> None:
    """Points all far from each other."""
    points = torch.eye(300) * 10
    assert len(find_modes(points)) == MOST_SEGMENTS
