"""Plans that are not proven: what the commands and the page say of them, and why."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taskbank_demo.planning.answer import answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.drawing.plan_words import proof
from taskbank_demo.planning.sweep_view import show_sweep
from taxsolver import load_affinity
from taxsolver.programs.choice import Choice
from taxsolver.programs.plan_model import PlanModel
from taxsolver_cli.app import app

WORDS = ["-t", "normals,depth,reshading"]


@pytest.fixture(params=["unproven", "time_limit"])
def status(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A solver that proves no plan of a budget of 2."""
    solve = PlanModel.solve

    def without_proof(model: PlanModel, budget: float, time_limit: float | None = None) -> Choice | None:
        choice = solve(model, budget, time_limit)
        if choice is None or budget != 2:
            return choice
        return replace(choice, status=request.param, bound=choice.value * 1.25)

    monkeypatch.setattr(PlanModel, "solve", without_proof)
    return str(request.param)


def printed(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_plan_says_that_it_is_not_proven_and_by_how_much(status: str) -> None:
    said = printed(*WORDS, "-b", "2")
    named = {"unproven": "Not proven", "time_limit": "Time limit"}[status]
    assert f"{named}: affinity 0.18984, at most 0.2373 (gap 25.00%)" in said
    assert "Proven optimal" not in said
    assert "One more unit" not in said
    answer = json.loads(printed(*WORDS, "-b", "2", "--k-best", "2", "--json"))
    assert [plan["status"] for plan in (answer, *answer["alternatives"])] == [status] * 2
    assert answer["gap"] == pytest.approx(0.25)
    assert "(not proven)" in printed(*WORDS, "-b", "2", "--k-best", "2")


def test_rows_of_a_sweep_that_are_not_proven_are_marked(status: str, tmp_path: Path) -> None:
    words = [*WORDS, "--budgets", "1-3", "--orders", "1"]
    said = printed("sweep", *words)
    assert said.count("?") == 2  # one in the table, one in the line that says what it means
    reason = {"unproven": "the solver ended without a proof", "time_limit": "the time limit cut in"}[status]
    assert f"Not proven are the plans marked ?: 1 because {reason}" in " ".join(said.split())
    rows = json.loads(printed("sweep", *words, "--json", "--save", str(tmp_path / "rows.csv")))["rows"]
    assert [row["status"] for row in rows] == ["optimal", status, "optimal"]
    assert f",{status}\n" in (tmp_path / "rows.csv").read_text()


def test_rows_of_significance_that_are_not_proven_are_marked(status: str) -> None:
    words = ["significance", *WORDS, "--budgets", "2,3", "--orders", "1", "--samples", "5"]
    assert printed(*words).count("?") == 2
    assert [row["status"] for row in json.loads(printed(*words, "--json"))["rows"]] == [status, "optimal"]


def test_the_page_says_so_too(status: str) -> None:
    tensor = load_affinity()
    ask = PlanAsk.from_json({"targets": "normal,depth_zbuffer,reshading", "budget": 2})
    answer = answer_plan(ask, tensor, tensor.name, samples=5)
    said = {"unproven": "not proven: at most", "time_limit": "not proven, time ran out: at most"}[status]
    assert proof(answer.taxonomy).startswith(said)
    assert (answer.to_dict()["status"], answer.more) == (status, None)
    rows = answer_sweep(ask, tensor, tensor.name, [1, 2], [1])
    assert not rows.to_dict()["proven"]
    reason = {"unproven": "the solver ended without a proof", "time_limit": "time ran out"}[status]
    assert f"Some of these plans are good, but not proven: {reason}." in show_sweep(rows, 2)
    proven = answer_sweep(ask, tensor, tensor.name, [1], [1])
    assert proven.to_dict()["proven"]
    assert "not proven" not in show_sweep(proven, 1)


def test_a_failure_of_the_solver_is_one_message_and_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    highs = sys.modules["highspy"]
    quiet = sys.modules["taxsolver.programs.highs"]._Quiet
    monkeypatch.setattr(quiet, "run", lambda _: highs.HighsStatus.kError, raising=False)
    for words in ([*WORDS, "-b", "2"], ["sweep", *WORDS], ["group", "--setting", "1", "--budget", "2"]):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 1
        assert done.stdout == ""
        assert done.stderr.startswith("error: HiGHS ")
        assert "answered run with kError" in done.stderr
