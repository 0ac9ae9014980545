"""The subcommands of `taxsolver`: each agrees with the library, in JSON, as a table, in files."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from taxsolver import ahp, load_affinity, rank, save_affinity, significance, similarity, sweep
from taxsolver.grouping import (
    group,
    load_setting,
    load_table,
    next_group,
    predict_groups,
    read_pairwise,
)
from taxsolver_cli.app import app
from taxsolver_cli.completion import complete_affinity, complete_tasks

COMMANDS = ("sweep", "significance", "rank", "tree", "group", "ahp", "compare", "affinity")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def run_json(*words: str) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert command == "affinity" or f"taxsolver {command}" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


@pytest.mark.parametrize("command", ["list", "show", "import", "export"])
def test_every_affinity_command_has_help_with_an_example(command: str) -> None:
    assert f"taxsolver affinity {command}" in " ".join(run("affinity", command, "--help").stdout.split())


def test_sweep_prints_the_rows_of_the_library(tmp_path: Path) -> None:
    words = ["sweep", "-t", "normals,depth", "--budgets", "1-2,4", "--orders", "1,3"]
    rows = run_json(*words, "--save", str(tmp_path / "rows.csv"))["rows"]
    expected = sweep("taskonomy-16k", [1, 2, 4], [1, 3], targets="normals,depth")
    assert rows == [row.to_dict() for row in expected]
    assert list(rows[0]) == ["budget", "max_order", "objective", "gain", "quality", "sources", "status"]
    saved = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert [row["sources"] for row in saved] == ["|".join(row["sources"]) for row in rows]
    table = run(*words).stdout
    assert "+depth_zbuffer" in table
    assert max(len(line) for line in table.splitlines()) <= 80


def test_sweep_draws_the_random_band(tmp_path: Path) -> None:
    words = ["sweep", "-t", "normals,depth,layout", "--budgets", "1-3", "--orders", "1-2"]
    assert run(*words, "--plot", str(tmp_path / "plain.svg")).exit_code == 0
    assert run(*words, "--plot", str(tmp_path / "band.svg"), "--band").exit_code == 0
    assert "random" in (tmp_path / "band.svg").read_text()
    assert "random" not in (tmp_path / "plain.svg").read_text()


def test_sweep_says_where_no_plan_fits() -> None:
    words = [
        "sweep",
        "-t",
        "normals,depth",
        "--require",
        "normals,depth",
        "--budgets",
        "1-2",
        "--orders",
        "1",
    ]
    assert run_json(*words)["rows"][0]["objective"] is None
    assert "no plan fits" in run(*words).stdout


def test_significance_prints_the_rows_of_the_library() -> None:
    words = ["significance", "-t", "normals,depth", "--budgets", "2", "--orders", "2", "--samples", "50"]
    answer = run_json(*words, "--seed", "3")
    expected = significance("taskonomy-16k", [2], [2], targets="normals,depth", samples=50, seed=3)
    assert answer["rows"] == [row.to_dict() for row in expected]
    assert (answer["samples"], answer["seed"]) == (50, 3)
    assert "random gain" in run(*words).stdout


def test_rank_prints_the_rows_of_the_library() -> None:
    answer = run_json("rank", "-t", "normals", "-k", "2", "--allow-random")
    expected = rank("taskonomy-16k", targets="normals", max_order=2, allow_random=True)
    assert answer == {"rows": [row.to_dict() for row in expected]}
    assert list(answer["rows"][0]) == ["target", "order", "sources", "affinity", "gain", "quality"]
    assert "reshading" in run("rank", "-t", "normals").stdout


def test_tree_prints_leaves_and_merges() -> None:
    answer = run_json("tree", "-a", "taskonomy-1k")
    assert answer == json.loads(json.dumps(similarity("taskonomy-1k").to_dict()))
    assert list(answer) == ["leaves", "merges"]
    assert len(answer["merges"]) == len(answer["leaves"]) - 1
    assert "keypoints3d" in run("tree").stdout


def test_group_prints_the_choice_of_the_library() -> None:
    answer = run_json("group", "--setting", "2", "--method", "hoa", "--budget", "2.5")
    assert answer == json.loads(group(load_setting(2), "hoa", 2.5).to_json())
    assert list(answer) == [
        "setting",
        "method",
        "budget",
        "networks",
        "untrained",
        "validation_loss",
        "test_loss",
        "assigned_test_loss",
        "status",
        "bound",
    ]
    assert "half-2" in run("group", "--setting", "1", "--budget", "2.5").stdout


def test_group_reads_a_table_of_ones_own(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "split,network,cost,a,b\nvalidation,both,1,0.4,0.5\nvalidation,a,1,0.3,\nvalidation,b,1,,0.2\n"
    )
    answer = run_json("group", "--table", str(table), "--budget", "2")
    assert answer["networks"] == ["a", "b"]
    assert answer["validation_loss"] == pytest.approx(0.5)
    assert answer["test_loss"] is None
    curves = run("group", "--table", str(table), "--show", "curves", "--budgets", "2").stdout
    assert "total validation loss" in curves
    assert "0.5000" in curves


def test_a_group_that_does_not_fit_is_infeasible() -> None:
    words = ["group", "--setting", "1", "--method", "independent", "--budget", "1"]
    assert run_json(*words)["status"] == "infeasible"
    done = run(*words)
    assert done.exit_code == 1
    assert (
        "infeasible: no independent choice within a budget of 1; the least that works is 2.5" in done.stderr
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["group", "--budget", "2"], 2, "give either --setting 1..4 or --table FILE.csv"),
        (["group", "--setting", "1"], 2, "missing option --budget"),
        (
            ["group", "--setting", "1", "--show", "curves", "--method", "hoa"],
            2,
            "--method has no meaning with",
        ),
        (
            ["group", "--setting", "1", "--budget", "2", "--budgets", "1,2"],
            2,
            "--budgets has no meaning with",
        ),
        (["group", "--setting", "1", "--show", "pairs", "--budget", "2"], 2, "--budget has no meaning with"),
        (["group", "--setting", "9", "--budget", "2"], 1, "setting is 9"),
        (["group", "--setting", "1", "--budget", "0"], 1, "budget is 0.0, expected"),
        (["group", "--setting", "1", "--budget", "2", "--method", "best"], 1, "unknown method 'best'"),
        (["sweep", "--budgets", "5-1"], 2, "--budgets: '5-1' is not a range"),
        (["sweep", "--budgets", "1-99999"], 2, "--budgets: '1-99999' has more than 10,000 numbers"),
        (["ahp", "nothing.csv", "--target", " "], 2, "--target is empty"),
        (["compare", "taskonomy-16k", "taskonomy-1k", "-k", "0"], 1, "max_order is 0, expected"),
        (["-t", "all", "-b", "1", "--sources", ""], 1, "sources is empty: name at least one task"),
        (["sweep", "--orders", "x"], 2, "--orders: cannot read 'x', expected numbers"),
        (["significance", "--samples", "0", "--budgets", "1"], 1, "samples is 0, expected"),
        (["significance", "--seed", "-1", "--budgets", "1"], 1, "seed is -1, expected"),
        (["rank", "-k", "0"], 1, "max_order is 0, expected"),
        (["compare", "taskonomy-16k", "nothing"], 1, "no affinity tensor 'nothing'"),
        (["affinity", "show", "nothing"], 1, "no affinity tensor 'nothing'"),
        (["affinity", "export", "taskonomy-1k", "x.txt"], 1, "end it in .safetensors or .csv"),
        (["ahp", "nothing.csv", "--target", "a"], 1, "cannot read nothing.csv: No such file"),
        (["ahp", "nothing.csv"], 2, "--target"),
    ],
)
def test_errors_are_one_message_with_their_exit_code(words: list[str], code: int, message: str) -> None:
    done = run(*words)
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("view", ["curves", "pairs", "counts"])
def test_group_shows_its_tables_and_pictures(view: str, tmp_path: Path) -> None:
    words = ["group", "--setting", "4", "--show", view]
    words += ["--budgets", "1,2.5", "--draws", "20"] if view == "curves" else []
    assert run_json(*words)["rows"]
    done = run(*words, "--plot", str(tmp_path / "view.svg"), "--save", str(tmp_path / "view.csv"))
    assert done.exit_code == 0, done.output
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert (tmp_path / "view.svg").stat().st_size > 1000
    assert (tmp_path / "view.csv").read_text().count("\n") > 2


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Each task alone, two pairs and the network for all three: a with c is untrained."""
    path = tmp_path / "few.csv"
    rows = ("a,1,1,,", "b,1,,0.1,", "c,1,,,1", "ab,1,0.2,0.9,", "bc,1,,0.9,0.2", "all,1,1,1,1")
    path.write_text("\n".join(["split,network,cost,a,b,c", *(f"validation,{row}" for row in rows)]) + "\n")
    (tmp_path / "affinity.csv").write_text("task,a,b,c\na,,2,-1\nb,-1,,-1.2\nc,-1,2,\n")
    return path


def test_group_predicts_untrained_networks_and_stars_them(few: Path) -> None:
    affinity = few.with_name("affinity.csv")
    words = ["group", "--pairwise", str(affinity), "--measured", str(few)]
    found = predict_groups(load_table(few), read_pairwise(affinity, ("a", "b", "c")))
    following = next_group(found, 2)
    assert following is not None
    answer = run_json(*words, "--budget", "2")
    assert answer == json.loads(
        json.dumps(
            group(found.table, "optimal", 2).to_dict()
            | {"prediction": found.to_dict(), "next": following.to_dict()}
        )
    )
    assert answer["untrained"] == ["a+c"]
    printed = " ".join(run(*words, "--budget", "2").stdout.split())
    assert "a+c*" in printed
    assert f"leaving out one of 3 trained groups: {100 * found.error:.1f} %" in printed
    assert "Train next: a+c; knowing it" in printed
    listed = run_json(*words, "--show", "losses")
    assert [row["network"] for row in listed["rows"] if row["untrained"]] == ["a+c"]
    assert "a+c*" in run(*words, "--show", "losses").stdout


def test_group_draws_what_it_predicts(few: Path, tmp_path: Path) -> None:
    picture = tmp_path / "groups.svg"
    affinity = few.with_name("affinity.csv")
    words = ["group", "--pairwise", str(affinity), "--measured", str(few), "--budget", "2"]
    assert run(*words, "--plot", str(picture)).exit_code == 0
    drawn = picture.read_text()
    assert "a + c*" in drawn
    assert "* predicted, not trained" in drawn


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--pairwise", "x.csv", "--budget", "2"], 2, "--pairwise and --group-size go with --measured"),
        (["--measured", "few.csv", "--setting", "1", "--budget", "2"], 2, "leave out --setting and --table"),
        (["--measured", "few.csv", "--method", "hoa", "--budget", "2"], 2, "--method has no meaning with"),
        (["--measured", "few.csv", "--show", "curves"], 2, "--measured has no meaning with --show curves"),
        (["--setting", "1", "--show", "pairs", "--time-limit", "1"], 2, "--time-limit has no meaning with"),
        (
            ["--setting", "1", "--show", "losses", "--plot", "a.png"],
            2,
            "--plot has no meaning with --show lo",
        ),
        (["--measured", "few.csv"], 2, "missing option --budget"),
        (["--measured", "few.csv", "--budget", "2", "--group-size", "0"], 1, "largest is 0, expected"),
        (["--measured", "few.csv", "--budget", "2", "--pairwise", "no.csv"], 1, "cannot read no.csv"),
        (["--setting", "1", "--budget", "3", "--time-limit", "0"], 1, "time_limit is 0.0, expected"),
    ],
)
def test_options_of_prediction_are_checked(
    words: list[str], code: int, message: str, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(few.parent)
    done = run("group", *words)
    assert (done.exit_code, done.stdout) == (code, "")
    assert message in done.stderr


def test_a_choice_cut_short_by_the_time_limit_says_so() -> None:
    words = ["group", "--setting", "1", "--budget", "3", "--time-limit", "1e-9"]
    assert "Not proven: the time limit cut in; no choice is better than" in run(*words).stdout
    assert run_json(*words)["status"] == "time_limit"
    curves = run(
        "group", "--setting", "1", "--show", "curves", "--budgets", "3", "--time-limit", "1e-9"
    ).stdout
    assert "Not proven are the plans marked ?" in curves


@pytest.fixture
def losses(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).random((40, 3)) + np.array([0.0, 0.2, 0.4])
    lines = [",".join(["image7", *(repr(float(value)) for value in row)]) for row in values]
    path = tmp_path / "losses.csv"
    path.write_text("\n".join(["image,normal,normal|edge_texture,self", *lines]) + "\n")
    return path


def test_ahp_prints_affinities_that_can_be_planned_with(losses: Path, tmp_path: Path) -> None:
    out = tmp_path / "affinities.csv"
    words = ["ahp", str(losses), "--target", "reshading"]
    answer = run_json(*words, "--save", str(out), "--plot", str(tmp_path / "ahp.png"))
    table = np.loadtxt(losses, delimiter=",", skiprows=1, usecols=(1, 2, 3))
    assert [row["affinity"] for row in answer["rows"]] == pytest.approx(ahp(table).tolist())
    assert answer["images"] == 40
    assert "40 images" in run(*words).stdout
    assert run("affinity", "import", str(out), str(tmp_path / "mine.safetensors")).exit_code == 0
    plan = run_json("-a", str(tmp_path / "mine.safetensors"), "-t", "reshading", "-b", "2")
    assert plan["status"] == "optimal"


def test_what_ahp_saves_for_two_targets_is_planned_with_as_one_tensor(losses: Path, tmp_path: Path) -> None:
    saved = [tmp_path / "rows" / f"{target}.csv" for target in ("reshading", "depth")]
    saved[0].parent.mkdir()
    for path in saved:
        assert run("ahp", str(losses), "--target", path.stem, "--save", str(path)).exit_code == 0
    (tmp_path / "both.csv").write_text("".join(path.read_text() for path in saved))
    ask = ["-t", "reshading,depth", "-b", "2"]
    plans = [
        run_json("-a", str(tmp_path / "both.csv"), *ask),
        run_json("-a", str(saved[0]), "-a", str(saved[1]), *ask),
        run_json("-a", ",".join(map(str, saved)), *ask),
        run_json("-a", str(saved[0].parent), *ask),
        run_json("-a", str(saved[0].parent / "*.csv"), *ask),
    ]
    assert len({(plan["objective"], *plan["sources"]) for plan in plans}) == 1
    assert run("affinity", "import", *map(str, saved), str(tmp_path / "one.safetensors")).exit_code == 0
    assert load_affinity(tmp_path / "one.safetensors").targets == ("depth", "reshading")
    for path in saved:
        assert run("ahp", str(losses), "--target", path.stem, "--save", f"{path}.json").exit_code == 0
    plan = run_json("-a", f"{saved[0]}.json", "-a", f"{saved[1]}.json", *ask)
    assert plan["objective"] == plans[0]["objective"]
    twice = run("-a", str(saved[0]), "-a", str(saved[0]), *ask)
    assert (twice.exit_code, "both have the transfer" in twice.stderr) == (1, True)


@pytest.mark.parametrize("target", ["Self", "a|b", "normal + self"])
def test_ahp_refuses_a_target_that_its_rows_could_not_name(target: str, losses: Path) -> None:
    done = run("ahp", str(losses), "--target", target)
    assert (done.exit_code, done.stderr.startswith("error: --target: ")) == (1, True)


def test_ahp_names_the_wrong_line(losses: Path) -> None:
    losses.write_text(losses.read_text() + "image8,0.1,0.2\n")
    done = run("ahp", str(losses), "--target", "a")
    assert (
        done.exit_code,
        "line 42: not as many cells as there are columns: 3, expected 4" in done.stderr,
    ) == (1, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n0.1,nan\n", "1 losses are not finite"), ("a\n0.1\n", "losses hold 1 transfer: at least two")],
)
def test_ahp_refuses_losses_that_cannot_be_compared(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    path.write_text(text)
    done = run("ahp", str(path), "--target", "x")
    assert (done.exit_code, message in done.stderr) == (1, True)


def test_compare_prints_the_agreement() -> None:
    answer = run_json("compare", "taskonomy-16k", "taskonomy-16k", "-k", "1")
    assert answer["mean"] == pytest.approx(1)
    assert "Mean over targets" in run("compare", "taskonomy-16k", "taskonomy-1k").stdout


def test_affinity_list_and_show_tell_where_a_tensor_comes_from() -> None:
    listed = run_json("affinity", "list")["affinities"]
    published = [entry for entry in listed if entry["name"].startswith("taskonomy")]
    assert [entry["name"] for entry in published] == ["taskonomy-16k", "taskonomy-1k", "taskonomy-main"]
    assert all("CVPR 2018" in entry["about"]["citation"] for entry in published)
    assert "1,762" in run("affinity", "list").stdout
    shown = run("affinity", "show", "taskonomy-1k").stdout
    assert "MIT (https://github.com/StanfordVL/taskonomy)" in shown
    assert run_json("affinity", "show")["transfers"] == 1762


def test_affinity_show_draws_matrix_and_map(tmp_path: Path) -> None:
    done = run("affinity", "show", "--plot", str(tmp_path / "a.png"), "--map", str(tmp_path / "b.png"))
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png"}


def test_export_and_import_give_the_same_numbers(tmp_path: Path) -> None:
    table, tensor = tmp_path / "t.csv", tmp_path / "t.safetensors"
    assert run("affinity", "export", "taskonomy-1k", str(table)).exit_code == 0
    words = ["--name", "again", "--licence", "mine", "--alias", "n=normal", "--images-transfer", "1000"]
    done = run("affinity", "import", str(table), str(tensor), *words)
    assert done.exit_code == 0, done.output
    again, first = load_affinity(tensor), load_affinity("taskonomy-1k")
    assert again.name == "again"
    assert again.about["licence"] == "mine"
    assert again.names.find("n") == "normal"
    assert again.untrained == ("random",)
    assert np.array_equal(again.affinity, first.affinity)
    assert np.array_equal(again.sources, first.sources)


def test_export_selects(tmp_path: Path) -> None:
    out = tmp_path / "part.csv"
    words = ["--targets", "normals", "--max-order", "1", "--sources", "depth,reshading"]
    assert run("affinity", "export", "taskonomy-16k", str(out), *words).exit_code == 0
    assert [row["sources"] for row in csv.DictReader(out.read_text().splitlines())] == [
        "depth_zbuffer",
        "reshading",
    ]


def test_an_alias_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("target,sources,affinity\na,b,.5\n")
    done = run(
        "affinity", "import", str(table), str(tmp_path / "t.safetensors"), "--alias", "x=a", "--alias", "x=b"
    )
    assert (done.exit_code, done.stderr) == (2, "error: --alias: 'x' is given twice\n")


def test_a_wrong_alias_is_wrong_usage(tmp_path: Path) -> None:
    path = save_affinity(load_affinity("taskonomy-1k"), tmp_path / "t.csv")
    assert (
        run("affinity", "import", str(path), str(tmp_path / "x.safetensors"), "--alias", "n").exit_code == 2
    )


def test_the_shell_completes_the_last_name_of_a_list() -> None:
    assert list(complete_tasks("normal,depth_z")) == ["normal,depth_zbuffer"]
    assert "normal,normal" not in set(complete_tasks("normal,nor"))
    assert list(complete_affinity("taskonomy-m")) == ["taskonomy-main"]


def _completions(words: str) -> list[str]:
    """Return the completions that bash offers behind the words, from a process of its own."""
    done = subprocess.run(
        [Path(sys.executable).with_name("taxsolver")],
        env={
            **os.environ,
            "_TAXSOLVER_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def test_the_shell_completes_tasks_of_the_tensor_that_is_given(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("target,sources,affinity\nlux,self,.5\nlux,lumen,.4\n")
    assert _completions(f"taxsolver --affinity {table} --targets lu") == ["lumen", "lux"]
    assert _completions(f"taxsolver rank -a {table} --sources lux,") == ["lux,lumen"]
    assert _completions(f"taxsolver affinity export {table} out.csv --targets l") == ["lumen", "lux"]
    assert _completions(f"taxsolver --affinity {tmp_path}/absent.csv --targets l") == []
    assert _completions("taxsolver --targets normal,depth_z") == ["normal,depth_zbuffer"]


def _modules_after(*words: str) -> set[str]:
    """Return the modules that a command imports in a process of its own."""
    program = (
        "import sys\nfrom taxsolver_cli.app import app\n"
        f"sys.argv = ['taxsolver', *{list(words)!r}]\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_neither_numpy_nor_the_library() -> None:
    assert not {"numpy", "highspy", "taxsolver", "torch"} & _modules_after("--help")


def test_a_plan_imports_nothing_that_it_does_not_need() -> None:
    imported = _modules_after("--targets", "normals", "--budget", "1")
    assert "highspy" in imported
    assert not {"torch", "scipy", "matplotlib", "networkx"} & imported


def test_a_command_whose_extra_is_missing_names_the_pip_command() -> None:
    program = (
        "import sys\nsys.modules['scipy'] = None\nsys.modules['scipy.stats'] = None\n"
        "sys.modules['scipy.cluster.hierarchy'] = None\nsys.modules['matplotlib'] = None\n"
        "from taxsolver_cli.app import app\nsys.argv = ['taxsolver', *{!r}]\napp()"
    )
    for words in (
        ["tree"],
        ["compare", "taskonomy-16k", "taskonomy-1k"],
        ["-t", "normals", "-b", "1", "--plot", "never-written.png"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", program.format(words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        assert "pip install './taxsolver[plot]'" in done.stderr
        assert "Traceback" not in done.stderr
    assert not Path("never-written.png").exists()


def test_measures_without_a_bound_are_imported_under_a_named_normalisation(tmp_path: Path) -> None:
    table, out = tmp_path / "mine.csv", tmp_path / "mine.safetensors"
    table.write_text("target,sources,gain\na,b,-3\na,c,1\na,b|c,5\n")
    assert run("affinity", "import", str(table), str(out)).exit_code == 1
    done = run("affinity", "import", str(table), str(out), "--normalise", "min-max")
    assert done.exit_code == 0, done.output
    tensor = load_affinity(out)
    assert sorted(tensor.gain.tolist()) == [0, 0.5, 1]
    assert tensor.about["normalisation"] == "min-max"
    other = tmp_path / "other.csv"
    other.write_text("target,sources,gain\na,d,-9\n")
    done = run("affinity", "import", str(table), str(other), str(out), "--normalise", "rank")
    assert (done.exit_code, "those of a are in two files" in done.stderr) == (2, True)
    done = run("affinity", "import", str(table), str(out), "--normalise", "best")
    assert (done.exit_code, "unknown normalisation 'best'" in done.stderr) == (1, True)
