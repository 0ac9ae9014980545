"""The program of a plan with rows and objectives of one's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxsolver.planning.problem import Problem
from taxsolver.programs.plan_program import PlanProgram
from toys import toy


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
