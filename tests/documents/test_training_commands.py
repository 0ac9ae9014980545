"""`training/run_all.sh` makes a bank from nothing; then the other commands of training in the documents run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.documents.running import ALL_COMMANDS, COMMANDS, is_training, type_command

from documented import ROOT

STAGES = ("frames", "networks", "transfers", "affinity", "taxonomy", "grouping", "evaluation", "published")

ONE_ROOM = "--set rooms.train=1 --set rooms.val=1 --set rooms.test=1"


def _cut_down(words: str) -> str:
    """The same command on the small preset and a CPU; another stage 1 is for one task, beside the first run."""
    for before, after in (
        ("--preset rooms", "--preset smoke"),
        ("--device cuda", "--device cpu"),
        ("OUT/published", "out/smoke/published"),
        ("out/rooms/published", "out/smoke/published"),
    ):
        words = words.replace(before, after)
    if words.startswith(("python -m training check", "python -m training bundle")):
        words += " --faulty all"  # networks of two steps are no better than a constant
    if "--textures" in words:
        words += f" --stages frames {ONE_ROOM}"
    if "networks.steps=" in words:
        words = re.sub(r"networks\.steps=\S+", "networks.steps=1", words) + " --tasks normal --overwrite"
        words = re.sub(r"--out \S+", "--out out/again", words)
        words += " --stages networks" if " run " in words else ""
    return words


COMMANDS_OF_TRAINING = list(
    dict.fromkeys(_cut_down(each.words) for each in COMMANDS if is_training(each.words))
)
"""Commands that differ in the names of folders only are one."""


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the preset `smoke` has run, from frames to a bank.

    Then the help's command of each stage finds it finished.
    """
    here = tmp_path_factory.mktemp("smoke")
    shutil.copy(ROOT / "training" / "presets" / "smoke.toml", here)
    (here / "TEXTURES").mkdir()
    Image.radial_gradient("L").convert("RGB").save(here / "TEXTURES" / "wall.jpg")
    (here / "docs").mkdir()
    for document in ("MODEL_CARD.md", "docs/bundled-bank.md"):
        shutil.copy(ROOT / document, here / document)
    for part in ("taskbank/src/taskbank/banks", "taxsolver/src/taxsolver/data"):
        (here / part).mkdir(parents=True)
    words = "OMP_NUM_THREADS=1 training/run_all.sh --preset smoke --out out/smoke --workers 2"
    assert words in {each.words for each in ALL_COMMANDS}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHON": sys.executable}
    run_all = [str(ROOT / "training" / "run_all.sh"), *words.split()[2:]]
    ended = subprocess.run(run_all, cwd=here, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for stage in STAGES:
        words = f"python -m training {stage} --preset smoke --out out/smoke"
        assert words in {each.words for each in COMMANDS}
        type_command(_cut_down(words), here)
    shutil.copytree(here / "out" / "smoke" / "frames", here / "out" / "again" / "frames")
    return here


@pytest.mark.parametrize("words", COMMANDS_OF_TRAINING)
def test_every_training_command_runs(words: str, smoke: Path) -> None:
    type_command(words, smoke)


def test_the_run_made_a_bank_that_loads_and_a_tensor_that_is_planned_with(smoke: Path) -> None:
    type_command("taskbank info out/smoke/published/bank", smoke)
    type_command(
        "taxsolver --affinity out/smoke/published/affinity.safetensors --targets all --budget 8", smoke
    )
