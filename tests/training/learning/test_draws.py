import numpy as np
import pytest
import torch
from training.learning.draws import gaussian, integers, seeds_of, uniform

SEEDS = seeds_of(torch.arange(50), 3)


def test_a_samples_numbers_do_not_depend_on_its_batch() -> None:
    whole = gaussian(SEEDS, (3, 4), 1)
    assert torch.equal(whole[[7, 2]], gaussian(SEEDS[[7, 2]], (3, 4), 1))


def test_seeds_and_purposes_give_different_numbers() -> None:
    assert len(set(seeds_of(torch.arange(1000), 0).tolist())) == 1000
    assert not torch.equal(uniform(SEEDS, 4, 1), uniform(SEEDS, 4, 2))
    assert not torch.equal(seeds_of(torch.arange(4), 0), seeds_of(torch.arange(4), 1))


def test_uniform_numbers_fill_the_interval_evenly() -> None:
    numbers = uniform(SEEDS, 2000, 1)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = torch.histc(numbers, 10, 0, 1)
    assert counts.sum() == 100_000
    assert (counts - 10_000).abs().max() < 5 * np.sqrt(10_000)


def test_integers_stay_below_their_bound_and_reach_all_values() -> None:
    assert set(integers(SEEDS, 200, 7, 1).flatten().tolist()) == set(range(7))


def test_gaussian_numbers_have_the_moments_of_a_gaussian() -> None:
    numbers = gaussian(SEEDS, (40, 51), 1).double()
    assert float(numbers.mean()) == pytest.approx(0, abs=0.01)
    assert float(numbers.var()) == pytest.approx(1, abs=0.02)
    assert float((numbers**4).mean()) == pytest.approx(3, abs=0.1)


def test_neighbouring_numbers_and_samples_do_not_go_together() -> None:
    numbers = gaussian(SEEDS, (4000,), 1)
    rows = np.corrcoef(numbers[0], numbers[1])[0, 1]
    neighbours = np.corrcoef(numbers[:, 1:].flatten(), numbers[:, :-1].flatten())[0, 1]
    assert abs(rows) < 0.08
    assert abs(neighbours) < 0.01
