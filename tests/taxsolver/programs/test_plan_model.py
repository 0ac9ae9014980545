"""The integer program against the paper's own rows, and on inputs that make it branch."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from oracle import best_sets, random_tensor
from taxsolver import InfeasibleBudgetError, TimeLimitError, load_affinity, solve_problem
from taxsolver.planning.objective import Objective
from taxsolver.planning.problem import Problem
from taxsolver.programs.choice import Choice
from taxsolver.programs.instance import Instance
from taxsolver.programs.plan_model import PlanModel
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy, triangle


def per_edge_optimum(instance: Instance, budget: float) -> float:
    """The program as section 3.4 of the paper writes it, with one row of need for each transfer."""
    transfers, tasks = instance.sources.shape
    edge, source = np.nonzero(instance.sources)
    edges = np.arange(transfers)
    rows = np.concatenate([edges, edge, transfers + instance.target])
    rows = np.concatenate([rows, np.full(tasks, transfers + instance.num_targets)])
    columns = np.concatenate([edges, transfers + source, edges, transfers + np.arange(tasks)])
    order = instance.sources.sum(axis=1)
    values = np.concatenate([order, -np.ones(len(edge)), np.ones(transfers), instance.cost])
    matrix = coo_array((values, (rows, columns))).tocsr()
    ones = np.ones(instance.num_targets)
    found = milp(
        np.concatenate([-instance.weight, np.zeros(tasks)]),
        constraints=LinearConstraint(
            matrix,
            np.concatenate([np.full(transfers, -np.inf), ones, [-np.inf]]),
            np.concatenate([np.zeros(transfers), ones, [budget]]),
        ),
        bounds=Bounds(np.concatenate([np.zeros(transfers), instance.required.astype(float)]), 1),
        integrality=np.ones(transfers + tasks),
        options={"mip_rel_gap": 0},
    )
    assert found.success
    picked = np.flatnonzero(found.x[:transfers] > 0.5)
    return float(instance.weight[picked].sum())


@pytest.mark.parametrize(
    ("budget", "max_order", "objective"),
    [(1, 1, "affinity"), (2, 4, "affinity"), (5, 2, "affinity"), (12, 3, "affinity"), (4, 1, "gain")],
)
def test_the_optimum_is_that_of_the_papers_rows(budget: int, max_order: int, objective: str) -> None:
    problem = Problem.of(load_affinity(), "all", budget, max_order=max_order, objective=objective)
    model = PlanModel(problem.instance.without_dominated()[0])
    choice = model.solve(budget)
    assert choice is not None
    assert choice.value == pytest.approx(per_edge_optimum(problem.instance, budget), abs=1e-9)
    assert (choice.status, choice.bound) == ("optimal", choice.value)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), budget=st.integers(1, 4))
def test_random_optima_are_those_of_the_papers_rows(seed: int, budget: int) -> None:
    instance = Problem.of(random_tensor(seed, tasks=8, targets=6), budget=budget).instance
    choice = PlanModel(instance).solve(budget)
    assert choice is not None
    assert choice.value == pytest.approx(per_edge_optimum(instance, budget), abs=1e-9)


def test_a_fractional_relaxation_is_branched(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = triangle()
    model = PlanModel(problem.instance)
    branched: list[tuple[Any, ...]] = []
    branch = model._branch

    def counted(*args: Any) -> Choice | None:
        branched.append(args)
        return branch(*args)

    monkeypatch.setattr(model, "_branch", counted)
    choice = model.solve(3)
    assert choice is not None
    assert len(branched) == 1
    assert (choice.value, choice.bound, choice.status) == (2.0, 2.0, "optimal")
    assert choice.chosen.sum() == 1
    assert best_sets(problem, 1)[0][0] == 2.0


def test_one_model_answers_budgets_in_any_order() -> None:
    instance = Problem.of(random_tensor(3, tasks=8, targets=6), budget=1).instance
    model = PlanModel(instance)
    for budget in (3, 1, 8, 2, 0.5, 3):
        choice, alone = model.solve(budget), PlanModel(instance).solve(budget)
        assert (choice is None) == (alone is None) == (budget < 1)
        if choice is not None and alone is not None:
            assert choice.value == pytest.approx(alone.value, abs=1e-12)


def test_the_least_budget_is_the_cheapest_plans() -> None:
    costs = {"a": 3.0, "b": 2.0, "s": 2.5, "c": 0.5}
    model = PlanModel(Problem.of(toy(), budget=1, label_cost=costs).instance)
    assert model.least_budget() == pytest.approx(2.0)
    assert model.solve(1.999) is None
    choice = model.solve(2.0)
    assert choice is not None
    assert choice.chosen.tolist() == [False, True, False, False]


def test_no_budget_suffices_where_a_target_has_no_transfer() -> None:
    instance = replace(Problem.of(toy(), budget=1).instance, num_targets=4)
    model = PlanModel(instance)
    assert model.least_budget() is None
    assert model.solve(100) is None


def test_what_is_forbidden_stays_out_and_so_do_larger_sets() -> None:
    model = PlanModel(Problem.of(toy(), budget=2).instance)
    first = model.solve(2)
    assert first is not None
    model.forbid(first.chosen)
    second = model.solve(2)
    assert second is not None
    assert not (second.chosen >= first.chosen).all()
    assert second.value < first.value
    again = model.solve(100)
    assert again is not None
    assert not (again.chosen >= first.chosen).all()


def test_forbidding_what_is_required_leaves_no_plan() -> None:
    model = PlanModel(Problem.of(toy(), budget=4, require="a,b,c,s").instance)
    first = model.solve(4)
    assert first is not None
    model.forbid(first.chosen)
    assert model.solve(4) is None


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_negative_and_mixed_weights_are_maximised_too(seed: int) -> None:
    problem = Problem.of(random_tensor(seed), budget=2)
    instance = replace(problem.instance, weight=problem.instance.weight - (0.5 if seed % 2 else 2))
    choice = PlanModel(instance.without_dominated()[0]).solve(2)
    assert choice is not None
    assert choice.value == pytest.approx(per_edge_optimum(instance, 2), abs=1e-9)
    assert choice.status == "optimal"


@pytest.mark.parametrize("costs", [{"b": 2.0, "c": 1.0}, {"b": 1.0, "c": 1.000001}, {"b": 3.0, "c": 2.5}])
def test_of_equally_good_sources_the_cheaper_is_chosen(costs: dict[str, float]) -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,b,.5\na,c,.5\nd,b,.25\nd,c,.25\n", name="tie")
    cheaper = min(costs, key=lambda task: costs[task])
    for budget in (max(costs.values()), 10):
        choice = PlanModel(Problem.of(tensor, budget=budget, label_cost=costs).instance).solve(budget)
        assert choice is not None
        assert [tensor.tasks[column] for column in np.flatnonzero(choice.chosen)] == [cheaper]


def test_weights_of_nothing_but_zero_are_solved() -> None:
    instance = Problem.of(toy(), budget=2).instance
    choice = PlanModel(replace(instance, weight=np.zeros(len(instance.weight)))).solve(2)
    assert choice is not None
    assert (choice.value, choice.bound, choice.status) == (0, 0, "optimal")
    assert choice.chosen.sum() == 1


def _odd_problem(seed: int) -> Problem:
    """Costs or importances over many orders of magnitude."""
    rng = np.random.default_rng(seed)
    tensor = random_tensor(seed, tasks=6, targets=4, largest_order=2)
    costs = {task: round(float(rng.uniform(0.01, 2)), 3) for task in tensor.tasks}
    importance: dict[str, float] = {}
    if seed % 4 == 0:
        costs[tensor.tasks[5]] = 1e6  # as if to say: never label this one
    elif seed % 4 == 1:
        costs = {task: round(cost * 1e-6, 9) for task, cost in costs.items()}
    elif seed % 4 == 2:
        costs = {tensor.tasks[4]: 1e6, tensor.tasks[5]: 1e3, **dict.fromkeys(tensor.tasks[:4], 1e-3)}
    else:
        importance = {task: float(10 ** rng.uniform(-6, 6)) for task in tensor.targets}
    cheapest = sorted(Decimal(repr(cost)) for cost in costs.values())
    budget = sum(cheapest[: rng.integers(1, 4)], Decimal()) * Decimal(rng.choice(["1", "0.9999", "1.03"]))
    return Problem.of(tensor, "all", float(budget), label_cost=costs, importance=importance)


def _scaled(problem: Problem) -> Problem:
    """The same problem in a unit of cost in which the budget is 1."""
    unit = problem.budget
    return replace(
        problem,
        budget=1,
        label_cost={task: min(1e6, cost / (unit or 1)) for task, cost in problem.label_cost.items()},
    )


@pytest.mark.parametrize("seed", range(80))
def test_costs_and_importances_of_any_size_are_solved_within_the_budget(seed: int) -> None:
    problem = _odd_problem(seed)
    expected = best_sets(_scaled(problem), 1)  # the oracle allows budgets 1e-9 more, whatever the unit
    if not expected:
        with pytest.raises(InfeasibleBudgetError):
            solve_problem(problem)
        return
    plan = solve_problem(problem)
    assert sum(Decimal(repr(problem.label_cost[task])) for task in plan.sources) <= Decimal(
        repr(problem.budget)
    )
    assert (plan.status, plan.gap) == ("optimal", 0)
    slack = 2e-9 * float(problem.instance.weight.max())
    assert plan.objective == pytest.approx(expected[0][0], rel=0, abs=slack + 1e-9)


def test_a_task_that_costs_a_million_is_as_good_as_excluded() -> None:
    tensor = load_affinity()
    for budget in (1.05, 2.5, 3.999):
        dear = solve_problem(Problem.of(tensor, "all", budget, label_cost={"edges": 1e6}))
        without = solve_problem(Problem.of(tensor, "all", budget, exclude="edges"))
        assert (dear.status, dear.sources) == ("optimal", without.sources)
        assert dear.objective == pytest.approx(without.objective)


def test_importances_far_apart_keep_the_larger_ones_exact() -> None:
    tensor = load_affinity()
    plan = solve_problem(
        Problem.of(tensor, "normals,denoising,depth", 3, importance={"normals": 1e-6, "denoising": 1e6})
    )
    assert plan.status == "optimal"
    assert "denoising" in plan.sources


def test_a_time_limit_that_has_passed_gives_a_greedy_plan_or_an_error() -> None:
    tensor = random_tensor(1, tasks=14, targets=14, largest_order=2)
    instance = Problem.of(tensor, budget=4, max_order=2).instance
    choice = PlanModel(instance).solve(4, time_limit=1e-9)
    assert choice is not None
    assert choice.bound >= choice.value
    assert choice.bound <= instance.heaviest().sum() + 1e-9
    pairs = "".join(f"t{number},a{number}|b{number},.5\n" for number in range(6))
    pair_tensor = tensor_from_csv("target,sources,gain\n" + pairs, name="pairs")
    model = PlanModel(Problem.of(pair_tensor, budget=12, objective="gain").instance)
    with pytest.raises(
        TimeLimitError, match="the time limit passed before any plan was found: allow more time"
    ):
        model.solve(12, time_limit=1e-9)
    choice = model.solve(12)
    assert choice is not None
    assert choice.value == pytest.approx(3.0)


def test_a_time_limit_does_not_outlast_its_call() -> None:
    model = PlanModel(Problem.of(random_tensor(2, tasks=10, targets=8), budget=3).instance)
    model.solve(3, time_limit=1e-9)
    for _ in range(3):
        choice = model.solve(3)
        assert choice is not None
        assert choice.status == "optimal"


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), budget=st.integers(1, 5), objective=st.sampled_from(list(Objective)))
def test_without_a_time_limit_every_plan_is_proven(seed: int, budget: int, objective: Objective) -> None:
    tensor = random_tensor(seed, tasks=9, targets=7, largest_order=2)
    choice = PlanModel(Problem.of(tensor, budget=budget, objective=objective).instance).solve(budget)
    assert choice is not None
    assert choice.status == "optimal"


def test_what_is_forbidden_stays_out_when_the_program_is_written_anew() -> None:
    """That is where the dearest source that a budget affords is another one."""
    costs = {"a": 0.001, "b": 0.002, "s": 3.0, "c": 1000.0}
    plan_model = PlanModel(Problem.of(toy(), budget=10, label_cost=costs).instance)
    first = plan_model.solve(10)
    assert first is not None
    plan_model.forbid(first.chosen)
    relaxation = plan_model._relaxation
    for budget in (2000, 10, 0.01, 10):
        choice = plan_model.solve(budget)
        assert choice is None or not (choice.chosen >= first.chosen).all()
        assert plan_model._relaxation is not relaxation
        relaxation = plan_model._relaxation
