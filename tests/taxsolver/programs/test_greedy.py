"""The plan in a hurry."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import random_tensor
from taxsolver import load_affinity, solve
from taxsolver.planning.problem import Problem
from taxsolver.programs.greedy import greedy_sources
from taxsolver.programs.instance import Instance
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


def value(instance: Instance, chosen: np.ndarray) -> float:
    transfers = instance.best_transfers(chosen)
    assert transfers is not None
    return float(instance.weight[transfers].sum())


def test_one_source_after_another_is_added_while_it_helps() -> None:
    instance = Problem.of(toy(), budget=2).instance
    assert np.flatnonzero(greedy_sources(instance, 1) == 1).tolist() == [3]
    assert np.flatnonzero(greedy_sources(instance, 2) == 1).tolist() == [0, 3]
    assert np.flatnonzero(greedy_sources(instance, 100) == 1).tolist() == [0, 1, 3]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), budget=st.floats(0.5, 4))
def test_a_plan_in_a_hurry_keeps_to_the_budget_and_to_what_is_required(seed: int, budget: float) -> None:
    tensor = random_tensor(seed)
    rng = np.random.default_rng(seed)
    costs = {task: float(rng.uniform(0, 1)) for task in tensor.tasks}
    instance = Problem.of(tensor, budget=budget, label_cost={**costs, "task5": 0.3}, require="task5").instance
    chosen = greedy_sources(instance, budget)
    if chosen is not None:
        assert chosen[5]
        assert instance.cost[chosen].sum() <= budget + 1e-9
        assert value(instance, chosen) <= solve(tensor, budget=1e3).objective + 1e-9


def test_a_set_that_is_forbidden_is_not_chosen() -> None:
    instance = Problem.of(toy(), budget=2).instance
    chosen = greedy_sources(instance, 2, [np.array([3])])
    assert chosen is not None
    assert not chosen[3]
    assert np.flatnonzero(greedy_sources(instance, 2, [np.array([0, 3])]) == 1).tolist() == [1, 3]


def test_where_only_pairs_serve_a_target_the_search_finds_none() -> None:
    tensor = tensor_from_csv("target,sources,gain\na,b|c,.5\n", name="pair")
    problem = Problem.of(tensor, budget=2, objective="gain")
    assert greedy_sources(problem.instance, 2) is None
    assert greedy_sources(Problem.of(toy(), budget=0.5).instance, 0.5) is None


def test_the_published_optimum_is_missed_by_little() -> None:
    instance = Problem.of(load_affinity(), budget=5).instance
    chosen = greedy_sources(instance, 5)
    assert chosen is not None
    assert 0.95 * 2.1033498558514223 < value(instance, chosen) <= 2.1033498558514223 + 1e-12
