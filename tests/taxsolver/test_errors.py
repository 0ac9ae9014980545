"""Errors and results cross process borders, as pools and clusters need."""

from __future__ import annotations

import pickle

import pytest

from taxsolver import (
    FileFormatError,
    InfeasibleBudgetError,
    MissingExtraError,
    OutputError,
    TaxSolverError,
    UnknownTaskError,
    load_affinity,
    solve,
)


@pytest.mark.parametrize(
    "error",
    [
        UnknownTaskError("normls", ["normal", "normals"], "the table"),
        InfeasibleBudgetError("too little", budget=1, least=2),
        MissingExtraError("scipy", "the task tree"),
        FileFormatError("damaged"),
        OutputError("full"),
    ],
)
def test_an_error_is_the_same_after_pickling(error: TaxSolverError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_tensor_and_a_plan_can_be_pickled() -> None:
    tensor = load_affinity("taskonomy-1k")
    plan = solve(tensor, "normals,depth", 1)
    again = pickle.loads(pickle.dumps(plan))
    assert again.to_dict() == plan.to_dict()
    assert again.problem.affinity.about == tensor.about
