from __future__ import annotations

import numpy as np
import pytest
from training.stages.evaluation.measures import Histogram, Mean


def test_a_mean_of_parts_is_the_mean_of_all_and_skips_nan() -> None:
    mean = Mean()
    mean.add(1.0)
    mean.add(np.array([2.0, np.nan, 6.0]))
    assert mean.value == 3.0


def test_the_mean_of_nothing_is_nan_and_false() -> None:
    mean = Mean()
    mean.add(np.array([np.nan]))
    assert np.isnan(mean.value)
    assert not mean


def test_a_histogram_has_the_median_of_its_numbers_to_half_a_step() -> None:
    values = np.random.default_rng(0).uniform(0, 90, 5001)
    histogram = Histogram(180, 0.05)
    histogram.add(values[:3000])
    histogram.add(values[3000:])
    assert histogram.median() == pytest.approx(np.median(values), abs=0.026)


def test_shares_under_a_limit_are_exact_and_leave_the_limit_out() -> None:
    histogram = Histogram(10, 0.05)
    histogram.add(np.array([1.2, 2.25, 2.2499, 11.0, np.nan]))
    assert histogram.share_under(2.25) == 0.5


def test_an_empty_histogram_gives_nan() -> None:
    histogram = Histogram(1, 0.1)
    assert np.isnan(histogram.median())
    assert np.isnan(histogram.share_under(0.5))
