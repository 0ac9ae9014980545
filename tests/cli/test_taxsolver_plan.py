"""`taxsolver --targets A,B --budget N`: what it prints, writes and refuses."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from typer.testing import CliRunner, Result

from taxsolver import load_affinity, save_affinity, solve
from taxsolver_cli.app import app

KEYS = [
    "affinity",
    "targets",
    "budget",
    "max_order",
    "status",
    "objective",
    "bound",
    "gap",
    "seconds",
    "labels",
    "labels_saved",
    "sources",
    "transfers",
]
TRANSFER_KEYS = ["target", "sources", "order", "affinity", "gain", "quality", "full_supervision"]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def run_json(*words: str) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_json_is_one_object_with_the_documented_keys_and_nothing_else() -> None:
    answer = run_json("--targets", "normals,depth,reshading", "--budget", "5")
    assert list(answer) == KEYS
    assert [list(transfer) for transfer in answer["transfers"]] == [TRANSFER_KEYS] * 3
    plan = solve("taskonomy-16k", "normals,depth,reshading", 5)
    assert answer["objective"] == plan.objective
    assert answer["sources"] == list(plan.sources)
    assert answer["targets"] == ["normal", "depth_zbuffer", "reshading"]
    assert (answer["affinity"], answer["budget"], answer["max_order"]) == ("taskonomy-16k", 5, 4)
    assert (answer["status"], answer["gap"], answer["bound"]) == ("optimal", 0, plan.objective)


def test_a_measure_that_was_not_made_is_null(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("target,sources,affinity\na,self,0.6\na,b,0.4\n")
    answer = run_json("--affinity", str(table), "--targets", "a", "--budget", "1", "--exclude", "a")
    (transfer,) = answer["transfers"]
    assert transfer["gain"] is None
    assert transfer["quality"] is None
    assert transfer["sources"] == ["b"]


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--max-order", "2"], {"max_order": 2}),
        (["--sources", "normals,depth,edges"], {"sources": "normals,depth,edges"}),
        (["--exclude", "denoise"], {"exclude": "denoising"}),
        (["--require", "class_scene"], {"require": "class_scene"}),
        (["--objective", "gain"], {"objective": "gain"}),
        (["--objective", "normalised-affinity"], {"objective": "normalised-affinity"}),
        (["--objective", "quality"], {"objective": "quality"}),
        (["--importance", "normals=50,depth=2"], {"importance": {"normal": 50, "depth_zbuffer": 2}}),
        (["--label-cost", "denoising=3,normals=0.5"], {"label_cost": {"denoising": 3, "normal": 0.5}}),
        (["--supervise-targets", "none"], {"supervise_targets": False}),
        (["--supervise-targets", "normals,depth"], {"supervise_targets": "normals,depth"}),
        (["--images-full", "1000", "--images-transfer", "10"], {"images_full": 1000, "images_transfer": 10}),
        (["--affinity", "taskonomy-1k"], {"affinity": "taskonomy-1k"}),
        (["--time-limit", "60"], {"time_limit": 60}),
    ],
)
def test_every_option_reaches_the_solver(words: list[str], options: dict[str, Any]) -> None:
    answer = run_json("--targets", "all", "--budget", "4", *words)
    plan = solve(options.pop("affinity", "taskonomy-16k"), "all", 4, **options)
    assert answer["objective"] == pytest.approx(plan.objective)
    assert answer["sources"] == list(plan.sources)
    assert answer["labels"] == plan.labels
    assert answer["labels_saved"] == pytest.approx(plan.labels_saved)


def test_alternatives_and_one_more_unit_are_added_where_asked_for() -> None:
    answer = run_json("--targets", "all", "--budget", "5", "--k-best", "3", "--one-more")
    assert len(answer["alternatives"]) == 2
    assert list(answer["alternatives"][0]) == KEYS
    assert answer["one_more"]["added"] == ["keypoints3d"]


def test_the_table_says_what_to_label_what_is_proven_and_what_is_saved() -> None:
    done = run("--targets", "all", "--budget", "5", "--k-best", "2")
    assert done.exit_code == 0
    assert "Label in full: autoencoding, denoising, edge_texture, keypoints2d, normal" in done.stdout
    assert "Proven optimal: affinity 2.10335" in done.stdout
    assert "872,000 labelled images instead of 2,640,000: 67% saved" in done.stdout
    assert "One more unit of budget adds 0.07583: label keypoints3d" in done.stdout
    assert "Plan 2: affinity 2.07729" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert done.stderr == ""


def test_a_plan_that_labels_more_than_was_asked_for_says_so() -> None:
    done = run("--targets", "normals,depth,reshading", "--budget", "5")
    assert "the plan labels 4 tasks, more than the 3 asked for" in " ".join(done.stdout.split())
    assert "38% more" in done.stdout
    assert "One more unit of budget buys nothing" in done.stdout
    assert "more than the" not in run("--targets", "normals,depth,reshading", "--budget", "2").stdout


def test_required_and_untrained_sources_are_no_surprise() -> None:
    words = ["-t", "normals", "-b", "3", "--require", "depth,random"]
    assert "more than the" not in run(*words).stdout


def test_a_plan_is_written_in_every_format(tmp_path: Path) -> None:
    words = ["--targets", "normals,depth,reshading", "--budget", "2"]
    for ending in ("json", "csv", "dot", "graphml"):
        done = run(*words, "--save", str(tmp_path / f"plan.{ending}"))
        assert done.exit_code == 0, done.output
        assert f"plan.{ending}" in done.stderr
    assert list(json.loads((tmp_path / "plan.json").read_text())) == [*KEYS, "cost", "problem"]
    assert set(nx.read_graphml(tmp_path / "plan.graphml")) == {"normal", "depth_zbuffer", "reshading"}
    assert (tmp_path / "plan.dot").read_text().startswith("digraph")
    assert len((tmp_path / "plan.csv").read_text().splitlines()) == 4


ASKED = [
    *[
        "--targets",
        "normals,depth,reshading,layout",
        "--budget",
        "7.5",
        "--max-order",
        "3",
        "--objective",
        "gain",
    ],
    *[
        "--label-cost",
        "normal=2,edge_texture=0.25",
        "--importance",
        "reshading=3",
        "--exclude",
        "keypoints2d",
    ],
    *["--require", "edge_occlusion", "--supervise-targets", "normals", "--images-full", "7"],
]


def test_a_saved_plan_holds_all_it_was_asked_and_is_solved_again_from_its_file(tmp_path: Path) -> None:
    path, again = tmp_path / "plan.json", tmp_path / "again.json"
    first = run_json(*ASKED, "--save", str(path))
    saved = json.loads(path.read_text())
    assert {key: value for key, value in saved.items() if key not in {"cost", "problem"}} == first
    plan = solve(
        "taskonomy-16k", "normals,depth,reshading,layout", 7.5, max_order=3, objective="gain",
        label_cost={"normal": 2, "edge_texture": 0.25}, importance={"reshading": 3}, exclude="keypoints2d",
        require="edge_occlusion", supervise_targets="normals",
    )  # fmt: skip
    assert saved["cost"] == plan.cost
    asked = saved["problem"]
    assert asked["affinity"]["name"] == "taskonomy-16k"
    assert asked["objective"] == "gain"
    assert asked["label_cost"] == {"normal": 2, "edge_texture": 0.25}
    assert asked["importance"] == {"reshading": 3}
    assert (asked["exclude"], asked["require"]) == (["keypoints2d"], ["edge_occlusion"])
    assert asked["supervise_targets"] == ["normal"]
    assert (asked["budget"], asked["max_order"]) == (7.5, 3)
    second = run_json("--problem", str(path), "--save", str(again))
    assert first | {"seconds": 0} == second | {"seconds": 0}
    assert json.loads(again.read_text())["problem"] == asked


def test_a_saved_plan_holds_its_alternatives_and_as_many_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    first = run_json(
        "--targets", "normals,depth,layout", "--budget", "2", "--k-best", "3", "--save", str(path)
    )
    saved = json.loads(path.read_text())
    assert saved["k_best"] == 3
    assert [{**other, "cost": 0} for other in saved["alternatives"]] == [
        {**other, "cost": 0} for other in first["alternatives"]
    ]
    again = run_json("--problem", str(path))
    assert [other["sources"] for other in again["alternatives"]] == [
        other["sources"] for other in first["alternatives"]
    ]
    assert len(run_json("--problem", str(path), "--k-best", "2")["alternatives"]) == 1
    assert "alternatives" not in run_json("--problem", str(path), "--k-best", "1")
    path.write_text(json.dumps(saved | {"k_best": "many"}))
    assert "asks for 'many' plans, expected a whole number" in run("--problem", str(path)).stderr


def test_a_saved_plan_of_ones_own_tensor_finds_it_beside_itself_and_knows_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    table = tmp_path / "runs" / "mine.csv"
    table.write_text("target,sources,affinity\na,self,0.6\na,b,0.4\n")
    monkeypatch.chdir(table.parent)
    assert run("-a", "mine.csv", "-t", "a", "-b", "1", "--save", "plan.json").exit_code == 0
    monkeypatch.chdir(tmp_path)
    plan = run_json("--problem", "runs/plan.json")
    assert (plan["affinity"], plan["sources"]) == ("mine", ["a"])
    other = tmp_path / "other.csv"
    other.write_text("target,sources,affinity\na,self,0.6\na,b,0.5\n")
    done = run("--problem", "runs/plan.json", "-a", str(other))
    assert (done.exit_code, "'other' holds other transfers than 'mine'" in done.stderr) == (1, True)
    table.unlink()
    assert run("--problem", "runs/plan.json").exit_code == 1


def test_options_beside_a_saved_plan_that_it_says_itself_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert run("-t", "normals", "-b", "1", "--save", str(path)).exit_code == 0
    done = run("--problem", str(path), "--budget", "2")
    assert (done.exit_code, done.stderr) == (
        2,
        "error: --budget is in the file of --problem: leave out one of the two\n",
    )
    path.write_text("{}")
    done = run("--problem", str(path))
    assert (done.exit_code, "is not a plan that taxsolver saved as JSON" in done.stderr) == (1, True)
    assert run("--problem", str(tmp_path / "absent.json")).exit_code == 1


@pytest.mark.parametrize(
    ("budget", "shown"),
    [
        ("1000000", "budget 1,000,000,"),
        ("999999.5", "budget 999,999.5,"),
        ("1e6", "budget 1,000,000,"),
        ("24691.33", "budget 24,691.33,"),
        ("1.0", "budget 1,"),
        ("1.0000000000001", "budget 1.0000000000001,"),
    ],
)
def test_budgets_are_printed_in_full_to_the_largest(budget: str, shown: str) -> None:
    done = run("-t", "normals", "-b", budget)
    assert (done.exit_code, shown in done.stdout) == (0, True), done.output
    assert "One more unit of budget" in done.stdout
    assert run_json("-t", "normals", "-b", budget, "--one-more")["one_more"]["increase"] >= 0


@pytest.mark.parametrize("budget", ["inf", "nan", "-inf", "1e400", "1000000.1", "0", "-0.0", "1e-400"])
def test_budgets_outside_of_the_range_are_refused(budget: str) -> None:
    done = run("-t", "normals", "-b", budget)
    assert (done.exit_code, "expected a number in (0, 1,000,000]" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ["--importance", "normal=1e-300"],
        ["--importance", "normal=1e6,depth=1e-6"],
        ["--label-cost", "normal=1e-100,depth=1e6"],
        ["--label-cost", "normal=1e-9,depth=0.123456789012345"],
        ["--images-full", "1" + "0" * 30, "--images-transfer", "1"],
        ["--max-order", "1" + "0" * 30],
        ["--k-best", "1000000"],
    ],
)
def test_numbers_at_their_extremes_are_printed(words: list[str]) -> None:
    done = run("-t", "normals,depth", "-b", "2", *words)
    assert done.exit_code == 0, done.output
    assert "Proven optimal" in done.stdout


def test_labels_are_counted_only_where_the_tensor_or_the_user_says_how_many(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("target,sources,affinity\na,self,0.6\na,b,0.4\nb,self,0.3\nb,a,0.2\n")
    ask = ["-a", str(table), "-t", "all", "-b", "1", "--k-best", "2"]
    assert "labelled images" not in run(*ask).stdout
    assert (run_json(*ask)["labels"], run_json(*ask)["labels_saved"]) == (None, None)
    told = [*ask, "--images-full", "100", "--images-transfer", "10"]
    assert "Labels: 110 labelled images instead of 200: 45% saved" in run(*told).stdout
    assert run_json(*told)["labels"] == 110


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_plan_is_drawn(ending: str, magic: bytes, tmp_path: Path) -> None:
    picture = tmp_path / f"plan.{ending}"
    done = run("--targets", "normals,depth", "--budget", "1", "--plot", str(picture))
    assert done.exit_code == 0, done.output
    assert picture.read_bytes().startswith(magic)
    assert [path.name for path in tmp_path.iterdir()] == [picture.name]


def test_a_tensor_of_ones_own_is_planned_from_its_file(tmp_path: Path) -> None:
    path = save_affinity(load_affinity("taskonomy-1k"), tmp_path / "mine.safetensors")
    answer = run_json("--affinity", str(path), "--targets", "normals", "--budget", "1")
    assert answer["sources"] == ["normal"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["-t", "normls", "-b", "2"],
            "unknown task 'normls' in the affinity tensor 'taskonomy-16k': did you",
        ),
        (["-t", "all", "-b", "0"], "budget is 0, expected a number in (0, 1,000,000]"),
        (["-t", "all", "-b", "-3"], "budget is -3, expected"),
        (["-t", "all", "-b", "nan"], "budget is nan, expected"),
        (["-t", "all", "-b", "inf"], "budget is inf, expected"),
        (
            ["-t", "normals", "-b", "1", "--label-cost", "normal=5e-324"],
            "is 5e-324, expected 0 or a number from 1e-100 on",
        ),
        (["-t", "all", "-b", "1e30"], "budget is 1e+30, expected a number in (0, 1,000,000]"),
        (
            ["-t", "normals", "-b", "0.5"],
            "no plan fits a budget of 0.5: the least that serves every target is 1",
        ),
        (["-t", "all", "-b", "2", "--exclude", "depth", "--require", "depth"], "both required and excluded"),
        (["-t", "all", "-b", "2", "-k", "0"], "max_order is 0, expected a whole number of at least 1"),
        (["-t", "all", "-b", "2", "--k-best", "0"], "k_best is 0, expected"),
        (["-t", "all", "-b", "2", "--objective", "x"], "unknown objective 'x': choose one of affinity"),
        (
            ["-t", "all", "-b", "2", "--importance", "normals=-1"],
            "the importance of normal is -1.0, expected",
        ),
        (
            ["-t", "all", "-b", "2", "--label-cost", "normals=nan"],
            "the label cost of normal is nan, expected",
        ),
        (
            ["-t", "all", "-b", "2", "-a", "none.csv"],
            "no affinity tensor 'none.csv': shipped are taskonomy-16k",
        ),
        (
            ["-t", "all", "-b", "2", "--save", "no/where.json"],
            "the folder no does not exist; create it first",
        ),
        (["-t", "all", "-b", "2", "--plot", "no/where.png"], "the folder no does not exist; create it first"),
        (["-t", "all", "-b", "2", "--plot", "x.jpg"], "cannot draw 'x.jpg': end the file name in .png, .svg"),
        (["-t", "all", "-b", "2", "--save", "x.xls"], "x.xls"),
    ],
)
def test_a_known_error_is_one_message_on_stderr_and_exit_1(words: list[str], message: str) -> None:
    done = run(*words)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-t", "all"], "missing option --budget"),
        (["-b", "2"], "missing option --targets, as in  taxsolver --targets all --budget 2"),
        (["-t", "all", "-b", "five"], "--budget"),
        (
            ["-t", "all", "-b", "2", "--importance", "normals"],
            "--importance: cannot read 'normals', expected TASK",
        ),
        (
            ["-t", "all", "-b", "2", "--label-cost", "a=b"],
            "--label-cost: cannot read 'a=b', expected TASK=NUMBER",
        ),
        (["-t", "all", "-b", "2", "--label-cost", "a=1,a=2"], "--label-cost: 'a' is given twice"),
        (["-t", "all", "-b", "2", "--nonsense"], "--nonsense"),
        (
            ["-t", "all", "-b", "2", "sweep"],
            "write --targets after the command: taxsolver sweep ... --targets",
        ),
        (["-a", "taskonomy-1k", "sweep"], "write --affinity after the command: taxsolver sweep"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], message: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"\x00" * 100)
    done = run("-t", "all", "-b", "2", "-a", str(damaged))
    assert (done.exit_code, "damaged or no safetensors file" in done.stderr) == (1, True)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("target,sources,affinity\na,b,0.1\na,c,much\n")
    done = run("-t", "all", "-b", "2", "-a", str(wrong))
    assert (done.exit_code, "line 3: affinity is 'much', expected a number" in done.stderr) == (1, True)


def test_an_unknown_exception_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["taxsolver.planning.solve"], "solve", broken)
    assert isinstance(run("-t", "all", "-b", "2").exception, ZeroDivisionError)


def test_without_words_the_help_is_shown() -> None:
    assert "Usage" in run().output
    done = run("--help")
    assert done.exit_code == 0
    words = " ".join(done.stdout.replace("│", " ").split())
    assert "Supervision budget: how many tasks may be labelled in full" in words
    assert "Order: largest number of labelled tasks from which ONE target is read out" in words


def test_the_version_is_printed() -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, "taxsolver 0.2.0\n")


COSTS = "task,price,images_full,images_transfer,owned\n*,0.02,120000,1000,\nnormal,0.05,120000,1000,0.4\n"


def test_a_plan_in_money_says_what_to_buy_and_what_it_costs(tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text(COSTS)
    words = ["--targets", "normals,depth,reshading", "--costs", str(costs), "--unit", "EUR"]
    done = run(*words, "--budget", "4000", "--save", str(tmp_path / "plan.json"))
    assert done.exit_code == 0, done.output
    assert "Cost: 3,640 EUR of 4,000 EUR" in done.stdout
    assert "normal          all uses     72,000   3,600" in done.stdout
    assert "400 EUR more buys nothing" in done.stdout
    done = run(*words, "--budget", "999999999999.99")
    assert "99,999,999,999.999 EUR more buys nothing" in done.stdout
    answer = run_json(*words, "--budget", "4000")
    assert list(answer) == [*KEYS, "unit", "cost", "purchases"]
    assert answer["purchases"][0] == {"task": "normal", "labels": "full", "images": 72_000, "cost": 3600}
    again = run_json("--problem", str(tmp_path / "plan.json"))
    assert again | {"seconds": 0} == answer | {"seconds": 0}
    refused = run(*words, "--budget", "10")
    assert (refused.exit_code, "the least that serves every target is" in refused.stderr) == (1, True)


def test_the_cheapest_plan_needs_a_goal_and_no_budget() -> None:
    done = run("-t", "normals,depth,layout", "--min-quality", "0.2")
    assert done.exit_code == 0, done.output
    assert "least cost for a quality from 0.2" in done.stdout
    assert "Proven the cheapest" in done.stdout
    answer = run_json("-t", "all", "--min-gain", "0.8", "--unit", "images")
    plan = solve("taskonomy-16k", "all", min_gain=0.8, unit="images")
    assert (answer["cost"], answer["budget"]) == (plan.cost, None)
    assert plan.gain >= 0.8
    assert run("-t", "all", "--min-gain", "0.8", "--budget", "3").exit_code == 1
    assert run("--min-gain", "0.8").exit_code == 2


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (
            ["--together", "normals,edges", "--together", "depth,layout"],
            {"together": ["normals,edges", "depth,layout"]},
        ),
        (["--apart", "denoising,autoencoding"], {"apart": ["denoising,autoencoding"]}),
        (["--at-most", "1:denoising,autoencoding,edges"], {"at_most": [(1, "denoising,autoencoding,edges")]}),
        (["--owned", "normals,depth=0.5"], {"owned": {"normals": 1, "depth": 0.5}}),
        (["--importance", "normals=0"], {"importance": {"normals": 0}}),
        (["--min-quality", "0.02"], {"min_quality": 0.02}),
    ],
)
def test_groups_and_owned_labels_reach_the_solver(words: list[str], options: dict[str, Any]) -> None:
    answer = run_json("--targets", "all", "--budget", "4", *words)
    plan = solve("taskonomy-16k", "all", 4, **options)
    assert (answer["objective"], answer["sources"]) == (plan.objective, list(plan.sources))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at-most", "x:normals"], "--at-most: cannot read 'x:normals', expected N:A,B"),
        (["--owned", "normals=x"], "--owned: cannot read 'normals=x'"),
    ],
)
def test_groups_that_cannot_be_read_are_refused(words: list[str], message: str) -> None:
    done = run("-t", "all", "-b", "4", *words)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [("1000:3000:1000", [1000, 2000, 3000]), ("0.1:0.35:0.1", [0.1, 0.2, 0.3]), ("1,2:4:2", [1, 2, 4])],
)
def test_budgets_may_be_steps(budgets: str, expected: list[float], tmp_path: Path) -> None:
    from taxsolver_cli.parse import parse_numbers

    assert parse_numbers(budgets, "--budgets") == expected


@pytest.mark.parametrize("budgets", ["1:2", "3:1:1", "1:2:0", "1:x:1", "0:1e9:1", "1:inf:1"])
def test_steps_that_make_no_sense_are_refused(budgets: str) -> None:
    assert run("sweep", "--budgets", budgets).exit_code == 2


def test_a_sweep_in_money_shows_costs_and_needs_budgets(tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    costs.write_text(COSTS)
    words = ["sweep", "--costs", str(costs), "--unit", "EUR", "--orders", "4", "-t", "normals,depth"]
    done = run(*words, "--budgets", "3000:4000:1000")
    assert "budget and cost in EUR" in done.stdout
    rows = run_json(*words, "--budgets", "3000:4000:1000")["rows"]
    assert [row["cost"] for row in rows] == [2400, 3620]
    refused = run(*words)
    assert (refused.exit_code, "count EUR: give budgets" in refused.stderr) == (1, True)


def test_the_front_is_printed_saved_and_drawn(tmp_path: Path) -> None:
    words = ["front", "-t", "normals,depth,layout", "--unit", "images"]
    done = run(*words, "--save", str(tmp_path / "front.csv"), "--plot", str(tmp_path / "front.svg"))
    assert done.exit_code == 0, done.output
    plans = run_json(*words)["plans"]
    assert list(plans[0]) == ["cost", "objective", "gain", "quality", "labels", "sources", "status"]
    for earlier, later in pairwise(plans):
        assert earlier["cost"] < later["cost"]
        assert earlier["gain"] < later["gain"]
    assert f"{plans[0]['cost']:,.0f}" in done.stdout
    assert len((tmp_path / "front.csv").read_text().splitlines()) == len(plans) + 1
    assert f"{len(plans)} plans" in (tmp_path / "front.svg").read_text()


def test_stability_is_printed_saved_and_drawn(tmp_path: Path) -> None:
    words = ["stability", "-t", "normals,depth,layout", "-b", "2", "--noise", "0.1", "--draws", "12"]
    done = run(*words, "--save", str(tmp_path / "tasks.csv"), "--plot", str(tmp_path / "stability.svg"))
    assert done.exit_code == 0, done.output
    assert "12 draws, noise of 0.1" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    answer = run_json(*words)
    assert [plan["name"] for plan in answer["plans"]] == ["estimate", "mean", "worst"]
    assert answer["plans"][0]["sources"] == list(solve("taskonomy-16k", "normals,depth,layout", 2).sources)
    assert len((tmp_path / "tasks.csv").read_text().splitlines()) == len(answer["frequency"]) + 1
    assert run("stability", "-t", "normals", "-b", "2").exit_code == 1
    assert run("stability", "-t", "normals", "--noise", "0.1").exit_code == 2


def test_a_chain_is_printed_saved_and_drawn(tmp_path: Path) -> None:
    words = ["chain", "-t", "normals,depth,layout,edges", "--budgets", "1:3:1"]
    done = run(*words, "--save", str(tmp_path / "years.csv"), "--plot", str(tmp_path / "years.svg"))
    assert done.exit_code == 0, done.output
    assert "Proven the best chain: affinity" in done.stdout
    answer = run_json(*words)
    assert [period["budget"] for period in answer["periods"]] == [1, 2, 3]
    assert answer["greedy_objective"] <= answer["objective"] <= answer["free_objective"]
    assert len((tmp_path / "years.csv").read_text().splitlines()) == 3 * 3 + 1
    assert run("chain").exit_code == 2
    assert run("chain", "--budgets", "3,2").exit_code == 1


def test_losses_with_controls_give_gain_and_quality_to_plan_with(tmp_path: Path) -> None:
    losses, rows = tmp_path / "losses.csv", tmp_path / "rows.csv"
    losses.write_text("image,a,b,self,scratch\n1,.1,.5,.2,.3\n2,.2,.2,.1,.2\n3,.4,.6,.3,.5\n4,.9,.1,.1,.5\n")
    done = run("ahp", str(losses), "--target", "t", "--save", str(rows))
    assert done.exit_code == 0, done.output
    assert "scratch" not in done.stdout
    listed = run_json("ahp", str(losses), "--target", "t")["rows"]
    assert [(row["gain"], row["quality"]) for row in listed] == [(0.625, 0.25), (0.375, 0.125), (1, 0.5)]
    plan = run_json("-a", str(rows), "-t", "t", "-b", "1", "--objective", "gain", "--exclude", "t")
    assert plan["transfers"][0]["gain"] == 0.625


def test_a_plan_may_buy_transfers_of_two_sizes() -> None:
    words = ["-a", "taskonomy-1k", "--larger", "taskonomy-16k", "--unit", "images", "--objective", "quality"]
    words += ["-t", "normals,depth,layout", "-b", "150000"]
    answer = run_json(*words)
    one_size = run_json(*words[:2], *words[4:])
    assert answer["objective"] >= one_size["objective"]
    assert answer["cost"] <= 150_000
    assert answer["large"]
    assert "a large transfer    16,000" in run(*words).stdout


def test_group_takes_weights_of_tasks() -> None:
    plain = run_json("group", "--setting", "1", "--budget", "2.5")
    heavy = run_json("group", "--setting", "1", "--budget", "2.5", "--weights", "normal=3")
    assert heavy["validation_loss"] > plain["validation_loss"]
    assert run("group", "--setting", "1", "--budget", "2.5", "--weights", "normal").exit_code == 2
