"""Scales of colours: measured by hand on one prediction, and pooled over several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from taskbank.drawing.picture_scale import CurvatureScale, DepthScale, EmbeddingScale, depth_limits, measure
from taskbank.images.framing import Box, View
from taskbank.inference.results import Prediction
from taskbank.options import Fit, Frame
from taskbank.tasks.registry import TASKS

RNG = np.random.default_rng(0)


def prediction(task: str, array: NDArray[Any]) -> Prediction:
    """A prediction with these values."""
    return Prediction(
        task=task,
        kind=TASKS[task].output,
        array=array.astype(np.float32),
        unit="",
        value_range=None,
        convention="",
        frame=Frame.NETWORK,
        views=(View(4, 4, Box(0, 0, 4, 4), (256, 256), Fit.CROP),),
        sources=("image",),
        bank="toy",
        bank_digest="",
    )


def depth(low: float, high: float) -> Prediction:
    """Depth that grows evenly over 101 x 101 px."""
    return prediction("depth_zbuffer", np.linspace(low, high, 101 * 101).reshape(101, 101))


def test_two_percent_of_depth_lie_beyond_each_limit() -> None:
    """Of what was seen."""
    scale = measure([depth(0, 100)])
    assert isinstance(scale, DepthScale)
    assert (scale.low, scale.high) == pytest.approx((2, 98), abs=0.01)
    holed = depth(0, 100).array.copy()
    holed[holed < 50] = np.nan
    assert depth_limits(prediction("depth_zbuffer", holed)) == pytest.approx((51, 99), abs=0.02)
    assert depth_limits(prediction("depth_zbuffer", np.full((3, 3), np.nan))) == (0.1, 1.0)


def test_frames_of_a_clip_share_one_scale() -> None:
    """Near in one, far in the other: the scale spans both."""
    scale = measure([depth(1, 2), depth(9, 10)])
    assert isinstance(scale, DepthScale)
    assert (scale.low, scale.high) == pytest.approx((1.04, 9.96), abs=0.01)


def test_large_maps_are_measured_on_a_grid() -> None:
    """With nearly the same result."""
    values = np.exp(RNG.normal(size=(1500, 1001)))
    exact = np.percentile(values, [2, 98])
    assert depth_limits(prediction("depth_zbuffer", values)) == pytest.approx(tuple(exact), rel=0.03)


def test_curvature_reaches_equally_far_both_ways() -> None:
    """The mean of the two, of either sign; a flat world has a scale too."""
    scale = measure([prediction("curvature", np.dstack([np.full((5, 5), -3.0), np.full((5, 5), 1.0)]))])
    assert scale == CurvatureScale(1.0)
    flat = measure([prediction("curvature", np.zeros((4, 4, 2)))])
    assert isinstance(flat, CurvatureScale)
    assert flat.reach > 0


def test_embeddings_are_shown_along_their_main_directions() -> None:
    """Most important first, of length one, with a sign that does not change."""
    spread = np.array([5.0, 0.1, 1.0, 3.0])
    vectors = (RNG.normal(size=(40, 50, 4)) * spread).astype(np.float32)
    scale = measure([prediction("segment_unsup2d", vectors)])
    assert isinstance(scale, EmbeddingScale)
    assert np.abs(scale.directions.T) == pytest.approx(np.eye(4)[[0, 3, 2]], abs=0.1)
    assert scale.directions.max(axis=0) == pytest.approx([1, 1, 1], abs=0.02)
    assert scale.low < 0 < scale.high


def test_other_pictures_have_fixed_colours() -> None:
    """Normals mean the same everywhere."""
    assert measure([prediction("normal", np.zeros((3, 3, 3)))]) is None
