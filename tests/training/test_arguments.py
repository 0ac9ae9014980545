from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from training.arguments import ScriptParser

ROOT = Path(__file__).parents[2]


def parser() -> ScriptParser:
    made = ScriptParser(prog="script")
    made.add_argument("out")
    made.add_argument("--size", "-s", type=int, default=64)
    made.add_argument("--quick", action="store_true")
    return made


def test_each_value_is_stored() -> None:
    given = parser().parse_args(["a", "--size", "3", "--quick", "--quick"])
    assert (given.out, given.size, given.quick) == ("a", 3, True)
    assert parser().parse_args(["a"]).size == 64


@pytest.mark.parametrize(
    "words",
    [
        ["--size", "3", "--size", "4"],
        ["--size", "64", "--size", "64"],
        ["-s3", "--size=4"],
        ["--si", "3", "--size", "4"],
    ],
)
def test_an_option_that_stands_twice_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(["a", *words])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.endswith("error: argument --size/-s: is given twice, but takes one value: keep one\n")


def test_no_script_has_a_parser_that_keeps_the_last_of_two_values() -> None:
    scripts = [path for folder in ("training", "benchmarks", "cli") for path in (ROOT / folder).rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in scripts}
    found = [
        path.name
        for path, text in texts.items()
        if "argparse.ArgumentParser)" in text or "ArgumentParser(" in text
    ]
    assert found == ["arguments.py"]  # the class that scripts use is derived there
    assert sum("= ScriptParser(" in text for text in texts.values()) >= 10


def test_a_script_refuses_a_repeated_option_before_it_writes(tmp_path: Path) -> None:
    words = [
        "-m",
        "training.published_affinities",
        "--out",
        str(tmp_path / "a"),
        "--out",
        str(tmp_path / "b"),
    ]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "argument --out: is given twice, but takes one value: keep one" in done.stderr
    assert not list(tmp_path.iterdir())
