"""The integer program against the paper's own rows, and on inputs that make it branch."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from oracle import best_sets, random_tensor
from taxsolver import InfeasibleBudgetError, TimeLimitError, load_affinity, solve_problem, sweep
from taxsolver.analysis.significance import compare_with_random
from taxsolver.errors import SolverError
from taxsolver.planning import model
from taxsolver.planning.instance import Instance
from taxsolver.planning.model import Choice, PlanModel, PlanProgram, _budget_rows
from taxsolver.planning.problem import Objective, Problem
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy


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


def triangle() -> Problem:
    """Three targets, each as well served by two of three sources: the relaxation takes half of each."""
    rows = ["x,a,1", "x,b,1", "x,c,0", "y,b,1", "y,c,1", "y,a,0", "z,a,1", "z,c,1", "z,b,0"]
    tensor = tensor_from_csv("target,sources,gain\n" + "\n".join(rows), name="triangle")
    costs = {"a": 2, "b": 2, "c": 2, "x": 3}  # in whole units of 1 there is room for one and a half
    return Problem.of(tensor, budget=3, objective="gain", label_cost=costs)


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


def test_a_program_takes_rows_and_objectives_of_ones_own() -> None:
    instance = Problem.of(toy(), budget=2).instance
    program = PlanProgram(instance, 2, lambda _: True)
    weights = np.concatenate([np.zeros(4), instance.weight])
    best = program.best(weights)
    assert best is not None
    assert np.flatnonzero(best).tolist() == [0, 3]
    assert program.on_sources(np.arange(4.0)).tolist()[:4] == [0, 1, 2, 3]
    dearest = program.best(program.on_sources(np.array([0.0, 1, 2, 0])))
    assert dearest is not None
    assert dearest[1]
    assert dearest[2]
    program.add_row(np.array([3]), np.ones(1), upper=0)
    without = program.best(weights)
    assert without is not None
    assert not without[3]
    program.add_row(np.array([0, 1, 2, 3]), np.ones(4), lower=3)
    assert program.best(weights) is None


def test_a_program_cuts_off_what_is_not_accepted() -> None:
    instance = Problem.of(toy(), budget=2).instance
    weights = np.concatenate([np.zeros(4), instance.weight])
    program = PlanProgram(instance, 2, lambda chosen: not chosen[0])
    best = program.best(weights)
    assert best is not None
    assert np.flatnonzero(best).tolist() == [1, 3]
    program.accepts = lambda _: False
    assert program.best(weights) is None


def test_highs_is_new_enough_for_the_tolerances_that_are_set() -> None:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"):
        assert highs.setOptionValue(option, 1e-10) == highspy.HighsStatus.kOk


def ending(monkeypatch: pytest.MonkeyPatch, *statuses: highspy.HighsModelStatus) -> None:
    """Let the first runs of HiGHS end like this, with nothing done; later ones are real."""
    left, run = list(statuses), model._run

    def first(highs: highspy.Highs, deadline: float | None) -> highspy.HighsModelStatus:
        return left.pop(0) if left else run(highs, deadline)

    monkeypatch.setattr(model, "_run", first)


def hurried() -> Problem:
    """A problem whose best plan is worth 4.5; the quick search finds 4."""
    return Problem.of(random_tensor(28, tasks=6, targets=5, largest_order=2, levels=4), budget=2)


@pytest.mark.parametrize(
    ("ended", "status"), [("kUnknown", "unproven"), ("kSolveError", "unproven"), ("kTimeLimit", "time_limit")]
)
def test_what_highs_does_not_prove_is_said_to_be_unproven(
    monkeypatch: pytest.MonkeyPatch, ended: str, status: str
) -> None:
    """`time_limit` is said only where HiGHS ran out of time."""
    ending(monkeypatch, *[getattr(highspy.HighsModelStatus, ended)] * 2)
    plan = solve_problem(hurried())
    assert (plan.objective, plan.status) == (4.0, status)
    assert plan.bound >= 4.5
    assert plan.gap == pytest.approx((plan.bound - 4) / 4)
    assert json.loads(plan.to_json())["status"] == status


def test_a_relaxation_without_an_answer_is_followed_by_branch_and_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ending(monkeypatch, highspy.HighsModelStatus.kUnknown)
    plan = solve_problem(hurried())
    assert (plan.objective, plan.status) == (4.5, "optimal")


def test_plans_come_in_falling_order_behind_one_that_is_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    right = solve_problem(hurried(), k_best=3)
    ending(monkeypatch, *[highspy.HighsModelStatus.kUnknown] * 2)
    plan = solve_problem(hurried(), k_best=3)
    plans = [plan, *plan.alternatives]
    assert [one.objective for one in plans] == [4.5, 4.25, 4.0]
    assert plans[0].sources == right.sources
    assert [one.status for one in plans] == ["unproven"] * 3
    assert all(one.bound == plan.bound >= 4.5 for one in plans)


def test_plans_in_front_of_one_that_is_not_proven_keep_their_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = PlanModel.solve, []

    def second_unproven(self: PlanModel, budget: float, time_limit: float | None = None) -> Choice | None:
        seen.append(run(self, budget, time_limit))
        choice = seen[-1]
        return replace(choice, status="unproven", bound=9.0) if choice and len(seen) == 2 else choice

    monkeypatch.setattr(PlanModel, "solve", second_unproven)
    plan = solve_problem(hurried(), k_best=3)
    assert [one.status for one in (plan, *plan.alternatives)] == ["optimal", "unproven", "unproven"]


def test_rows_of_a_sweep_say_which_plan_is_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, *[highspy.HighsModelStatus.kUnknown] * 2)
    rows = sweep(hurried().affinity, [1, 2, 3], [2])
    assert [row.status for row in rows] == ["optimal", "optimal", "unproven"]
    assert [row.to_dict()["status"] for row in rows] == [row.status for row in rows]
    banded = list(compare_with_random(rows, samples=5))
    assert [row.to_dict()["status"] for row in banded] == ["optimal", "optimal", "unproven"]


def test_a_plan_that_fits_is_better_than_the_word_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, highspy.HighsModelStatus.kInfeasible)
    plan = solve_problem(hurried())
    assert plan.status == "unproven"
    assert plan.cost <= 2
    assert plan.bound >= 4.5


def test_without_any_plan_the_error_names_how_highs_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = "".join(f"t{number},a{number}|b{number},.5\n" for number in range(6))
    problem = Problem.of(
        tensor_from_csv("target,sources,gain\n" + pairs, name="pairs"), budget=12, objective="gain"
    )
    ending(monkeypatch, *[highspy.HighsModelStatus.kUnknown] * 2)
    with pytest.raises(SolverError, match="HiGHS ended with kUnknown and without a plan"):
        solve_problem(problem)


@pytest.mark.parametrize(
    "call",
    [
        "setOptionValue",
        "passModel",
        "addRow",
        "changeRowBounds",
        "changeColsBounds",
        "changeColIntegrality",
        "run",
    ],
)
def test_no_answer_is_given_where_highs_refuses_a_call(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    monkeypatch.setattr(model._Quiet, call, lambda *_: highspy.HighsStatus.kError, raising=False)
    problem = triangle()  # it takes branch and bound
    with pytest.raises(SolverError, match=rf"HiGHS [\d.]+ answered {call}.* with kError: nothing is solved"):
        solve_problem(problem, k_best=2)


def test_a_run_that_fails_from_an_earlier_basis_is_run_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """With costs far apart the basis of the last budget may end in "excessive dual values"."""
    run, calls = highspy.Highs.run, []

    def flaky(highs: highspy.Highs) -> highspy.HighsStatus:
        calls.append(highs)
        return highspy.HighsStatus.kError if len(calls) == 1 else run(highs)

    monkeypatch.setattr(model._Quiet, "run", flaky, raising=False)
    assert solve_problem(hurried()).status == "optimal"
    assert calls[0] is calls[1]


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


@settings(deadline=None, max_examples=200)
@given(
    amounts=st.lists(st.sampled_from([0, 1, 2, 3, 7, 100, 10**6, 10**12, 10**24]), min_size=1, max_size=8),
    data=st.data(),
)
def test_rows_of_the_budget_cut_off_what_is_too_dear_and_nothing_else(
    amounts: list[int], data: st.DataObject
) -> None:
    """Chosen sets break a row by far more than HiGHS's tolerance; all sets within the limit keep them all."""
    array = np.array(amounts, dtype=object if sum(amounts) > 10**18 else np.int64)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(amounts), max_size=len(amounts))))
    total = int(array[chosen].sum())
    limit = data.draw(st.sampled_from([total - 1, total // 2, total - total // 10**9 - 1]))
    if not 0 <= limit < total:
        return
    rows = _budget_rows(array, chosen, limit)

    def excess(taken: np.ndarray) -> float:
        return max(float((row.values * taken[row.columns]).sum() - row.upper) for row in rows)

    assert excess(chosen) > 1e-5
    for bits in product((False, True), repeat=len(amounts)):
        taken = np.array(bits)
        if int(array[taken].sum()) <= limit:
            assert excess(taken) <= 0


def test_a_program_tells_costs_apart_that_highs_does_not_see() -> None:
    """Of sets that cost 1,000,000 and a few millionths, the cheapest; then no other of these is left."""
    instance = replace(Problem.of(toy(), budget=1).instance, cost=np.array([1e6, 3e-6, 2e-6, 1e6]))
    program = PlanProgram(instance, 2e6, lambda chosen: bool(chosen[0] and chosen[1:3].any()))
    cheapest = program.cheapest()
    assert cheapest is not None
    assert np.flatnonzero(cheapest).tolist() == [0, 2]
    dearest = program.best(program.on_sources(np.ones(4)))
    assert dearest is not None
    assert np.flatnonzero(dearest).tolist() == [0, 2]


def test_a_program_without_any_choice_has_no_cheapest() -> None:
    program = PlanProgram(Problem.of(toy(), budget=1).instance, 1, lambda _: False)
    assert program.cheapest() is None
