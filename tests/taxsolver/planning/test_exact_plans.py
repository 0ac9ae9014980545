"""Plans against every set of sources, in fractions: no cent over the budget, none better, none cheaper.

The instances are of the kinds that plans once came out wrong for: costs of 0, costs in cents, costs far apart,
many ties; the answers must not depend on what else HiGHS has solved in the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from threading import Thread
from typing import Any

import highspy
import numpy as np
import pytest

from oracle import random_tensor
from taxsolver import InfeasibleBudgetError, SolverError, Taxonomy, load_affinity, solve, solve_problem, sweep
from taxsolver.planning.objective import Objective
from taxsolver.planning.problem import Problem
from taxsolver.programs import plan_model
from taxsolver.programs.instance import Instance
from taxsolver.tensors.affinity_csv import tensor_from_csv

FREE = {
    "t0": "self:0.75 t4|t5:0.75 t1|t2:0.25 t5:0.0 t4:1.0",
    "t1": "self:0.25 t0:0.25 t4|t5:1.0 t3|t4:0.25 t0|t3:0.75",
    "t2": "self:0.25 t4|t5:0.75 t0|t4:0.0 t0|t3:0.25 t4:0.75 t0:0.25",
    "t3": "self:0.0 t4:0.5 t0|t5:0.0 t2:0.5 t1|t4:0.75 t5:0.5",
    "t4": "self:0.25 t1|t2:0.5 t0|t3:0.5 t0|t1:0.0 t2|t3:0.0 t1:1.0",
    "t5": "self:0.25 t1|t4:0.25 t3:0.0 t4:0.75 t1:1.0 t3|t4:0.75",
}

Plans = dict[frozenset[str], tuple[Fraction, Fraction]]


def exact(value: float) -> Fraction:
    return Fraction(repr(float(value)))


def cost_of(problem: Problem, sources: Any) -> Fraction:
    return sum((exact(problem.label_cost.get(task, 1.0)) for task in sources), Fraction())


def every_set(problem: Problem) -> Plans:
    """Objective and cost of every set of sources from which all targets can be served, whatever the budget."""
    instance, tasks = problem.instance, problem.affinity.tasks
    free = [task for task in problem.sources if task not in problem.require]
    found: Plans = {}
    for size in range(len(free) + 1):
        for chosen in combinations(free, size):
            names = frozenset([*chosen, *problem.require])
            transfers = instance.best_transfers(np.isin(tasks, sorted(names)))
            if transfers is not None:
                value = sum((exact(weight) for weight in instance.weight[transfers]), Fraction())
                found[names] = (value, cost_of(problem, names))
    return found


def check(problem: Problem, count: int = 1) -> None:
    """The best plans of a problem, or that there is none, are those of the definition."""
    every = every_set(problem)
    left = {names: plan for names, plan in every.items() if plan[1] <= exact(problem.budget or 0)}
    if not left:
        with pytest.raises(InfeasibleBudgetError) as caught:
            solve_problem(problem)
        least = min((cost for _, cost in every.values()), default=None)
        assert (caught.value.least is None) == (least is None)
        if caught.value.least is not None and least is not None:
            assert least <= exact(caught.value.least)
            assert caught.value.least == pytest.approx(float(least), rel=1e-15)
            assert solve_problem(replace(problem, budget=caught.value.least)).status == "optimal"
        return
    plan = solve_problem(problem, k_best=count)
    tie = exact(2e-9) * exact(np.abs(problem.instance.weight).max()) + exact(1e-15)
    for one in (plan, *plan.alternatives):
        sources = frozenset(one.sources)
        assert cost_of(problem, sources) <= exact(problem.budget or 0)
        assert (one.status, one.gap, one.bound) == ("optimal", 0, one.objective)
        assert one.objective == pytest.approx(float(left[sources][0]), rel=1e-14)
        best = max(value for value, _ in left.values())
        assert best - exact(one.objective) <= tie
        cheapest = min(cost for value, cost in left.values() if value == best)
        assert cost_of(problem, sources) <= cheapest
        left = {names: plan for names, plan in left.items() if not names >= sources}
    assert len(plan.alternatives) == count - 1 or not left
    objectives = [plan.objective, *(one.objective for one in plan.alternatives)]
    assert objectives == sorted(objectives, reverse=True)


def costs_of_a_kind(kind: str, names: tuple[str, ...], rng: np.random.Generator) -> dict[str, float]:
    kinds: dict[str, Callable[[], float]] = {
        "free": lambda: float(rng.random() < 0.4),
        "cents": lambda: int(rng.integers(1, 5_000_000)) / 100,
        "wide": lambda: float(rng.choice([1e-6, 2e-6, 3e-6, 1e-3, 1.0, 1e3, 1e6])),
        "dear": lambda: float(rng.choice([0.0, 1e-6, 2e-6, 1e6])),
        "digits": lambda: float(rng.uniform(0, 2)),
        "tenths": lambda: int(rng.integers(0, 20)) / 10,
    }
    return {name: kinds[kind]() for name in names}


def problem_of_a_kind(kind: str, seed: int) -> Problem:
    rng = np.random.default_rng([seed, 7])
    tasks = int(rng.integers(4, 8))
    levels = [None, 1, 2, 4][seed % 4]
    tensor = random_tensor(
        seed, tasks, int(rng.integers(2, tasks + 1)), int(rng.integers(1, 4)), levels=levels
    )
    costs = costs_of_a_kind(kind, tensor.tasks, rng)
    options: dict[str, Any] = {"label_cost": costs, "objective": list(Objective)[seed % 4]}
    if seed % 3 == 0:
        options["importance"] = dict(
            zip(tensor.targets, rng.choice([3.0, 0.7, 0.1, 1.0], tasks), strict=False)
        )
    if seed % 5 == 0:
        options["require"] = [tensor.tasks[-1]]
    if seed % 7 == 0:
        options["exclude"] = [tensor.tasks[0]]
    some = [cost for cost in costs.values() if rng.random() < 0.5]
    budget = float(sum(map(exact, some), Fraction()))
    budget = [budget, budget - 0.01, float(np.nextafter(budget, 0)), budget * 1.1][seed % 4]
    return Problem.of(tensor, "all", min(max(budget, 1e-6), 1e6), **options)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("kind", ["free", "cents", "wide", "dear", "digits", "tenths"])
def test_plans_are_those_of_the_definition(kind: str, seed: int) -> None:
    check(problem_of_a_kind(kind, seed), count=1 + seed % 4)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("kind", ["free", "cents", "wide", "dear", "digits", "tenths"])
def test_cuts_change_no_plan(kind: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are meant for large problems; here the small ones are solved with them, too."""
    with_cuts_only(monkeypatch)
    check(problem_of_a_kind(kind, seed), count=1 + seed % 4)


@pytest.mark.parametrize("seed", range(24))
def test_cuts_change_no_plan_of_pairs_owned_tasks_and_importance_0(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cuts_only(monkeypatch)
    problem = problem_with_rules(seed)
    instance, every = problem.instance, best_of_every_set(problem.instance)
    limit = Fraction(repr(problem.budget))
    fitting = [plan for plan in every if plan[1] <= limit]
    choice = plan_model.PlanModel(instance.without_dominated()[0]).solve(limit)
    assert (choice is None) == (not fitting)
    if choice is not None:
        best = max(value for value, _ in fitting)
        assert choice.status == "optimal"
        assert choice.value == pytest.approx(float(best), abs=2e-9 * float(instance.weight.max()) + 1e-15)
        cost = instance.costs.exact(instance.costs.total(choice.chosen))
        assert cost <= min(cost for value, cost in fitting if value == best)
        assert instance.allows(choice.chosen)


def with_cuts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solve every problem by cuts, and fail if they prove nothing."""
    monkeypatch.setattr(plan_model, "LARGE", 0)
    cut = plan_model.PlanModel._cut

    def without_help(self: plan_model.PlanModel, *args: Any) -> Any:
        try:
            return cut(self, *args)
        except SolverError as error:
            raise AssertionError(error) from error

    monkeypatch.setattr(plan_model.PlanModel, "_cut", without_help)


def problem_with_rules(seed: int) -> Problem:
    """Pairs that come together or apart, owned tasks, targets of importance 0, and images or money."""
    rng = np.random.default_rng([seed, 11])
    tensor = random_tensor(seed, 7, int(rng.integers(3, 8)), 3, levels=[None, 2, 3][seed % 3])
    names = list(rng.permutation(tensor.tasks))
    options: dict[str, Any] = {
        "objective": list(Objective)[seed % 4],
        "importance": dict(zip(tensor.targets, rng.choice([0.0, 1.0, 2.5], 7), strict=False)),
        "owned": {names[0]: 1.0, names[1]: 0.4},
        "apart": [[names[2], names[3]]],
        "at_most": [(2, names[3:])],
    }
    if seed % 2:
        options["together"] = [[names[4], names[5]]]
    if seed % 3:
        options |= {"images_full": 100, "images_transfer": 10, "unit": "images"}
    else:
        options["label_cost"] = {name: int(rng.integers(0, 300)) / 100 for name in names}
    most = 400.0 if seed % 3 else 4.0
    return Problem.of(tensor, "all", float(np.round(rng.uniform(0.2, 1) * most, 2)), **options)


def best_of_every_set(instance: Instance) -> list[tuple[Fraction, Fraction]]:
    """Objective and cost of every allowed set of sources of an instance from which all targets are served."""
    found = []
    for bits in range(1 << len(instance.cost)):
        chosen = instance.required | np.array(
            [bits >> place & 1 for place in range(len(instance.cost))], bool
        )
        rows = [
            max(
                (
                    instance.weight[row]
                    for row in np.flatnonzero(instance.target == target)
                    if not (instance.sources[row] & ~chosen).any()
                ),
                default=None,
            )
            for target in range(instance.num_targets)
        ]
        if instance.allows(chosen) and all(weight is not None for weight in rows):
            value = sum((exact(weight) for weight in rows if weight is not None), Fraction())
            found.append((value, instance.costs.exact(instance.costs.total(chosen))))
    return found


@pytest.mark.parametrize("kind", ["free", "cents", "wide"])
def test_rows_of_sweeps_are_those_of_the_definition(kind: str) -> None:
    for seed in range(8):
        asked = problem_of_a_kind(kind, seed)
        every = every_set(replace(asked, max_order=2))
        budgets = sorted({float(cost) for _, cost in every.values() if 0 < cost <= 1_000_000})[::3]
        budgets += [float(np.nextafter(budget, 0)) for budget in budgets[:3]] or [1.0]
        names = {"require": asked.require, "sources": asked.sources, "label_cost": asked.label_cost}
        options: dict[str, Any] = {**names, "importance": asked.importance, "objective": asked.objective}
        for row in sweep(asked.affinity, budgets, [3, 2], **options):
            fits = [value for value, cost in every.values() if cost <= exact(row.budget)]
            if row.max_order == 2:
                assert (row.taxonomy is None) == (not fits)
                assert row.status == ("optimal" if fits else "infeasible")
                assert not fits or row.objective == pytest.approx(float(max(fits)), abs=1e-8)
            if row.taxonomy is not None:
                assert cost_of(asked, row.sources) <= exact(row.budget)


def knapsack(threads: int | None = None) -> highspy.HighsStatus:
    """Somebody else's model, solved by somebody else."""

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:  # noqa: N802 - the name is HiGHS's
            self.setOptionValue("output_flag", False)
            super().enableCallbacks()  # type: ignore[no-untyped-call] # highspy annotates only in part

    highs = Silent()  # type: ignore[no-untyped-call] # highspy annotates only in part
    highs.setOptionValue("output_flag", False)
    if threads is not None:
        highs.setOptionValue("threads", threads)
    columns = [highs.addBinary(obj=-value) for value in (3.0, 4.0, 5.0, 6.0)]
    weights = (2.0, 3.0, 4.0, 5.0)
    highs.addConstr(sum(weight * column for weight, column in zip(weights, columns, strict=True)) <= 5.0)
    return highs.run()


def in_a_thread(work: Callable[[], None]) -> None:
    """Run in a new thread: HiGHS keeps its pool of workers for each thread."""
    errors: list[BaseException] = []

    def caught() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            errors.append(error)

    thread = Thread(target=caught)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("threads", [None, 1, 2, 3])
def test_what_the_process_solved_before_does_not_matter(threads: int | None) -> None:
    """On this plan and the shipped tensor, the answer once was 13.2640, "optimal"."""

    def work() -> None:
        assert knapsack(threads) == highspy.HighsStatus.kOk
        costs = {"segment_semantic": 4, "class_object": 3, "normal": 2}
        plan = solve("taskonomy-16k", "all", 2, objective="gain", label_cost=costs)
        assert plan.objective == pytest.approx(14.9535, abs=5e-5)
        assert (plan.status, plan.sources) == ("optimal", ("edge_occlusion", "keypoints2d"))
        for seed in range(4):
            check(problem_of_a_kind("cents", seed), count=3)

    in_a_thread(work)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_what_the_process_solves_afterwards_is_left_alone(threads: int) -> None:
    def work() -> None:
        check(problem_of_a_kind("free", 2), count=3)
        solve("taskonomy-16k", "all", 2, objective="gain", label_cost={"normal": 2})
        assert knapsack(threads) == highspy.HighsStatus.kOk
        check(problem_of_a_kind("free", 3))
        assert knapsack(threads) == highspy.HighsStatus.kOk

    in_a_thread(work)


def test_several_threads_plan_at_once() -> None:
    tensor = load_affinity()
    expected = [solve(tensor, "all", budget).sources for budget in range(1, 9)]
    found: dict[int, Taxonomy] = {}

    def work(budget: int) -> None:
        found[budget] = solve(tensor, "all", budget)

    threads = [Thread(target=work, args=(budget,)) for budget in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[budget].sources for budget in range(1, 9)] == expected


def test_a_plan_with_free_sources_that_a_start_misled() -> None:
    """With a greedy plan to start from, HiGHS 1.16.0 ended at 4.25 without a proof."""
    lines = [
        f"{target},{source.replace(':', ',')}"
        for target, sources in FREE.items()
        for source in sources.split()
    ]
    tensor = tensor_from_csv("\n".join(["target,sources,affinity", *lines]), name="free")
    problem = Problem.of(tensor, "all", 1, label_cost=dict.fromkeys(["t0", "t2", "t3", "t5"], 0))
    assert (solve_problem(problem).objective, solve_problem(problem).status) == (4.5, "optimal")
    check(problem, count=5)


def test_two_that_cost_a_cent_more_than_the_budget_together_are_not_taken() -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,self,.9\na,b,.1\nb,self,.9\nb,a,.1\n", name="two")
    costs = {"a": 12345.67, "b": 12345.67}
    assert len(solve(tensor, budget=24691.33, label_cost=costs).sources) == 1
    assert len(solve(tensor, budget=24691.34, label_cost=costs).sources) == 2
    with pytest.raises(
        InfeasibleBudgetError,
        match=r"no plan fits a budget of 24691\.33: the least that serves every target is 24691\.34;",
    ) as caught:
        solve(tensor, budget=24691.33, label_cost=costs, require="a,b")
    assert caught.value.least == 24691.34


def test_ties_go_to_the_cheaper_set_however_far_costs_are_apart() -> None:
    lines = [f"{target},{source},.5" for target in "xy" for source in "abcd"]
    tensor = tensor_from_csv("\n".join(["target,sources,affinity", *lines, "x,z,.9", "y,z,.5"]), name="wide")
    costs = {"a": 4e-6, "b": 3e-6, "c": 2e-6, "d": 3e-6, "z": 1e6, "x": 1e6, "y": 1e6}
    assert solve(tensor, "y", budget=1e6, label_cost=costs).sources == ("c",)
    assert solve(tensor, "x,y", budget=1e6, label_cost=costs, exclude="z").sources == ("c",)
    assert solve(tensor, "y", budget=1e6, label_cost=costs, require="z").sources == ("z",)


@pytest.mark.parametrize("share", [0, 1e-6])
def test_tiny_costs_beside_large_ones_count_to_the_last(share: float) -> None:
    """HiGHS's presolve took such rows for others: the tiny costs are below what it tells apart."""
    lines = ["t,a|b,.9", "t,c|d,.8", "t,b,.1", "u,a,1", "u,b,.5", "u,d,.6", "t,self,.2", "u,self,.3"]
    tensor = tensor_from_csv("\n".join(["target,sources,affinity", *lines]), name="tiny")
    costs = {"a": 100.0, "b": 1e-5 + share * 1e-5, "c": 1e-5, "d": 100.0}
    for budget in (100.0, 100.00001, 100.00002, 200.0, 1e-5):
        check(Problem.of(tensor, "all", budget, label_cost=costs), count=4)


def test_a_hundred_plans_in_cents_keep_to_their_budgets() -> None:
    """Costs up to 50,000: two thirds of such plans were a cent too dear."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        tensor = random_tensor(seed, tasks=10, targets=6, largest_order=2, levels=4)
        costs = {task: int(rng.integers(100_000, 5_000_000)) / 100 for task in tensor.tasks}
        some = rng.choice(10, 4, replace=False)
        budget = float(sum((exact(costs[tensor.tasks[place]]) for place in some), Fraction())) - 0.01
        plan = solve(tensor, "all", round(budget, 2), label_cost=costs)
        assert plan.status == "optimal"
        assert sum((exact(costs[task]) for task in plan.sources), Fraction()) <= exact(round(budget, 2))
