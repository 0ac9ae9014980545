"""Statuses and failures of HiGHS: what is not proven is not called proven, and failures are told."""

from __future__ import annotations

import json
from dataclasses import replace

import highspy
import pytest

from oracle import random_tensor
from taxsolver import solve_problem, sweep
from taxsolver.analysis.significance import compare_with_random
from taxsolver.errors import SolverError
from taxsolver.planning.problem import Problem
from taxsolver.programs.choice import Choice
from taxsolver.programs.highs import Solver, _Quiet
from taxsolver.programs.plan_model import PlanModel
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import triangle


def test_highs_is_new_enough_for_the_tolerances_that_are_set() -> None:
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"):
        assert highs.setOptionValue(option, 1e-10) == highspy.HighsStatus.kOk


def ending(monkeypatch: pytest.MonkeyPatch, *statuses: highspy.HighsModelStatus) -> None:
    """Let the first runs of HiGHS end like this, with nothing done; later ones are real."""
    left, run = list(statuses), Solver.run

    def first(solver: Solver, deadline: float | None) -> highspy.HighsModelStatus:
        return left.pop(0) if left else run(solver, deadline)

    monkeypatch.setattr(Solver, "run", first)


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
    monkeypatch.setattr(_Quiet, call, lambda *_: highspy.HighsStatus.kError, raising=False)
    problem = triangle()  # it takes branch and bound
    with pytest.raises(SolverError, match=rf"HiGHS [\d.]+ answered {call}.* with kError: nothing is solved"):
        solve_problem(problem, k_best=2)


def test_a_run_that_fails_from_an_earlier_basis_is_run_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """With costs far apart the basis of the last budget may end in "excessive dual values"."""
    run, calls = highspy.Highs.run, []

    def flaky(highs: highspy.Highs) -> highspy.HighsStatus:
        calls.append(highs)
        return highspy.HighsStatus.kError if len(calls) == 1 else run(highs)

    monkeypatch.setattr(_Quiet, "run", flaky, raising=False)
    assert solve_problem(hurried()).status == "optimal"
    assert calls[0] is calls[1]
