"""The bare numbers of a plan: best transfers, idle sources, dominated transfers."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import random_tensor
from taxsolver import load_affinity
from taxsolver.planning.objective import Objective
from taxsolver.planning.problem import Problem
from taxsolver.programs.instance import Instance
from taxsolver.programs.plan_model import PlanModel
from toys import toy


def chosen(*tasks: str) -> np.ndarray:
    """Bool (4,): some of the toy's tasks a, b, c, s."""
    return np.isin(["a", "b", "c", "s"], tasks)


def test_only_transfers_from_chosen_sources_are_served() -> None:
    instance = Problem.of(toy(), budget=2).instance
    served = instance.served_by(chosen("a", "s"))
    assert [tuple(np.flatnonzero(row)) for row in instance.sources[served]] == [
        (0,), (3,), (0,), (3,), (0,), (3,), (0, 3),
    ]  # fmt: skip


def test_the_best_transfers_are_the_heaviest_or_none_where_a_target_has_none() -> None:
    instance = Problem.of(toy(), budget=2).instance
    best = instance.best_transfers(chosen("a", "s"))
    assert best is not None
    assert instance.weight[best].tolist() == [0.5, 0.3, 0.9]
    assert instance.best_transfers(chosen("c")) is None
    assert instance.best_transfers(chosen()) is None


def test_of_equally_heavy_transfers_the_one_with_fewer_sources_then_the_first_is_best() -> None:
    instance = Instance(
        sources=np.array([[1, 1], [0, 1], [1, 0]], dtype=bool),
        target=np.zeros(3, dtype=np.intp),
        weight=np.ones(3),
        cost=np.ones(2),
        required=np.zeros(2, dtype=bool),
        num_targets=1,
    )
    best = instance.best_transfers(np.ones(2, dtype=bool))
    assert best is not None
    assert best.tolist() == [1]


def test_heaviest_ignores_what_sources_cost() -> None:
    assert Problem.of(toy(), budget=1, label_cost={"s": 100}).instance.heaviest().tolist() == [0.5, 0.6, 0.9]


def test_used_sources_are_those_read_and_those_required() -> None:
    instance = Problem.of(toy(), budget=3, require="c").instance
    best = instance.best_transfers(chosen("a", "s", "c"))
    assert best is not None
    assert instance.used(best).tolist() == chosen("a", "s", "c").tolist()


def test_free_sources_are_idle_only_where_no_target_loses() -> None:
    instance = Problem.of(toy(), budget=4, label_cost={"a": 0, "b": 0, "s": 0}).instance
    assert instance.without_idle(np.ones(4, dtype=bool)).tolist() == [True] * 4
    only_b = Problem.of(toy(), "b", 4, label_cost={"a": 0, "s": 0}).instance
    assert only_b.without_idle(np.ones(4, dtype=bool)).tolist() == chosen("b", "c").tolist()
    required = replace(only_b, required=chosen("s"))
    assert required.without_idle(np.ones(4, dtype=bool)).tolist() == chosen("b", "c", "s").tolist()


def dominated_by_definition(instance: Instance) -> set[int]:
    """A plain loop over all pairs; of two equal transfers the later is dominated."""
    dominated = set()
    for row in range(len(instance.weight)):
        for other in range(len(instance.weight)):
            subset = not (instance.sources[other] & ~instance.sources[row]).any()
            equal = (
                subset
                and instance.weight[other] == instance.weight[row]
                and (instance.sources[other] == instance.sources[row]).all()
            )
            better = subset and instance.weight[other] >= instance.weight[row] and (not equal or other < row)
            if other != row and instance.target[other] == instance.target[row] and better:
                dominated.add(row)
    return dominated


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), levels=st.sampled_from([None, 2, 5]))
def test_dominated_transfers_are_those_of_the_definition(seed: int, levels: int | None) -> None:
    instance = Problem.of(random_tensor(seed, levels=levels), budget=2).instance
    smaller, kept = instance.without_dominated()
    assert set(range(len(instance.weight))) - set(kept.tolist()) == dominated_by_definition(instance)
    np.testing.assert_array_equal(smaller.weight, instance.weight[kept])
    np.testing.assert_array_equal(smaller.sources, instance.sources[kept])


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), budget=st.integers(1, 5), objective=st.sampled_from(list(Objective)))
def test_dropping_dominated_transfers_never_changes_the_optimum(
    seed: int, budget: int, objective: Objective
) -> None:
    tensor = random_tensor(seed, levels=None if seed % 2 else 4)
    instance = Problem.of(tensor, budget=budget, objective=objective).instance
    whole, smaller = PlanModel(instance), PlanModel(instance.without_dominated()[0])
    one, other = whole.solve(budget), smaller.solve(budget)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.value == pytest.approx(other.value, abs=1e-8)


def test_dropping_dominated_transfers_leaves_every_source_set_as_good_on_the_published_tensor() -> None:
    instance = Problem.of(load_affinity(), budget=3).instance
    smaller, kept = instance.without_dominated()
    assert len(kept) < len(instance.weight)
    usable = np.flatnonzero(instance.sources.any(axis=0))
    for some in combinations(usable[::5], 3):
        sources = np.isin(np.arange(len(instance.cost)), some)
        one, other = instance.best_transfers(sources), smaller.best_transfers(sources)
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(instance.weight[one], smaller.weight[other])


def test_comparing_in_blocks_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = Problem.of(random_tensor(10, levels=5), budget=2).instance
    kept = instance.without_dominated()[1]
    monkeypatch.setattr("taxsolver.programs.instance._PAIRS_AT_ONCE", 7)
    np.testing.assert_array_equal(instance.without_dominated()[1], kept)
    monkeypatch.setattr("taxsolver.programs.instance._LARGEST_COMPARED", 1)
    assert set(kept) < set(instance.without_dominated()[1])
    monkeypatch.setattr("taxsolver.programs.instance._LARGEST_COPIED", 1)
    assert len(instance.without_dominated()[1]) == len(instance.weight)
