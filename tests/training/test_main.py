"""The command line: options, exit codes, and a stage that really runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.training.data.real.toy_folder import room_folder
from training.__main__ import app
from training.data.frames import FrameStore
from training.pipeline import STAGES
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
SMALL = """# tiny: one room a split.
[rooms]
train = 1
val = 1
test = 1
points = 2
views = 2
size = 32
"""


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def preset_file(tmp_path: Path, text: str = SMALL) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(text)
    return path


def test_help_names_every_stage_and_an_example() -> None:
    code, text = run("--help")
    assert code == 0
    assert all(name in text for name in (*STAGES, "presets", "run"))
    assert "Example: python -m training run" in text


def test_presets_are_listed_with_what_they_reproduce() -> None:
    code, text = run("presets")
    assert code == 0
    assert "smoke\nsmoke: every stage" in text


def test_missing_options_are_wrong_usage(tmp_path: Path) -> None:
    assert run("run", "--preset", "smoke")[0] == 2
    assert run("run", "--out", tmp_path)[0] == 2
    words = ("run", "--preset", "smoke", "--out", tmp_path)
    assert run(*words, "--engine", "slurm")[0] == 2
    assert run(*words, "--camera", "1,2,3,4")[0] == 2
    assert run(*words, "--real", tmp_path)[0] == 2
    assert run(*words, "--real", tmp_path, "--camera", "1,2,3")[0] == 2
    assert run(*words, "--real-camera", "1,2,3,4")[0] == 2
    assert run(*words, "--real-train", tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "smok"), "error: no preset 'smok'"),
        (("--preset", "smoke", "--stages", "network"), "error: no stage 'network': did you mean networks?"),
        (("--preset", "smoke", "--tasks", "normalz"), "error: unknown task 'normalz': did you mean normal"),
        (
            ("--preset", "smoke", "--set", "rooms.trian=1"),
            "[rooms] has no setting 'trian': did you mean train?",
        ),
        (
            ("--preset", "smoke", "--set", 'transfers.foreign=["timm:test_vitt"]'),
            "error: [transfers] foreign 'timm:test_vitt': timm has no model 'test_vitt': choose another",
        ),
        (
            ("--preset", "taskonomy"),
            "error: preset taskonomy reads the real dataset: give its folder with --data",
        ),
        (("--preset", "smoke", "--stages", "networks"), "does not exist: run the stage that makes it"),
    ],
)
def test_known_errors_are_one_line_and_exit_code_1(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, text = run("run", "--out", tmp_path / "out", *arguments)
    assert code == 1
    assert message in text


def test_a_stage_runs_once_and_refuses_another_setting(tmp_path: Path) -> None:
    words = ("frames", "--preset", preset_file(tmp_path), "--out", tmp_path / "out", "--device", "cpu")
    assert run(*words)[0] == 0
    marker = json.loads((tmp_path / "out" / "frames" / "stage.json").read_text())
    assert marker["settings"]["size"] == 32
    assert run(*words)[0] == 0
    assert json.loads((tmp_path / "out" / "frames" / "stage.json").read_text()) == marker
    code, text = run(*words, "--set", "rooms.views=3")
    assert code == 1
    assert "was made with views = 2, and now views = 3: choose another --out, or --overwrite" in text


def test_real_frames_are_a_store_beside_the_rooms_with_a_marker_of_their_own(tmp_path: Path) -> None:
    room_folder(tmp_path / "real")
    words = ("frames", "--preset", preset_file(tmp_path), "--out", tmp_path / "out", "--device", "cpu")
    assert run(*words)[0] == 0
    rooms = (tmp_path / "out" / "frames" / "stage.json").read_text()
    assert run(*words, "--real-train", tmp_path / "real", "--set", "real.views=2")[0] == 0
    assert (tmp_path / "out" / "frames" / "stage.json").read_text() == rooms
    store = FrameStore.open(tmp_path / "out" / "frames" / "real")
    assert (len(store), store.size) == (4, 32)
    marker = json.loads((store.root / "stage.json").read_text())
    assert marker["settings"]["real"]["views"] == 2
    assert marker["settings"]["camera"]["fx"] == 70
    real = (*words, "--real-train", tmp_path / "real", "--set", "real.views=2")
    code, text = run(*real, "--real-camera", "60,60,40,30")
    assert code == 1
    assert "was made with camera.fx = 70.0, and now camera.fx = 60.0" in text
    code, text = run(*real, "--real-camera", "0,60,40,30")
    assert code == 1
    assert "camera has fx = 0: focal lengths must be above 0" in text


def test_a_traceback_can_be_had_for_known_errors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRAINING_DEBUG", "1")
    result = CliRunner().invoke(app, ["run", "--preset", "smok", "--out", str(tmp_path)])
    assert type(result.exception).__name__ == "ConfigError"


def test_it_runs_from_a_source_tree_without_installation(tmp_path: Path) -> None:
    paths = os.pathsep.join(str(ROOT / part) for part in (".", "taskbank/src", "taxsolver/src"))
    script = (
        "import sys; sys.argv[1:] = ['--help']; import runpy\n"
        "try: runpy.run_module('training', run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "print('torch' in sys.modules, code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False 0"


def test_the_script_runs_the_stages_of_the_pipeline_in_their_order() -> None:
    lines = (ROOT / "training" / "run_all.sh").read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert [line.split()[1] for line in lines if line.startswith('"${training[@]}"')] == list(STAGES)


def test_the_script_hands_over_the_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "training" / "run_all.sh", "--preset", "smok", "--out", tmp_path],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("error: no preset 'smok'") == 1


def test_networks_learn_from_the_store_of_real_frames_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path | None] = []
    monkeypatch.setattr(
        "training.stages.networks.stage.run_networks", lambda *_, real, **__: seen.append(real)
    )
    words = ("networks", "--preset", preset_file(tmp_path), "--out", tmp_path / "out")
    room_folder(tmp_path / "real")
    assert run(*words)[0] == 0
    assert run(*words, "--real-train", tmp_path / "real")[0] == 0
    assert seen == [None, tmp_path / "out" / "frames" / "real"]


def test_every_stage_reads_stages_before_it_and_has_sections_of_its_own() -> None:
    before: list[str] = []
    for name, stage in STAGES.items():
        assert set(stage.inputs) <= set(before)
        before.append(name)
    sections = [section for stage in STAGES.values() for section in stage.sections]
    assert len(sections) == len(set(sections))
