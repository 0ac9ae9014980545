"""The commands of training in the documents and in `--help` run, one stage after the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.documents.running import COMMANDS, is_training, type_command

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
    """A folder in which the preset `smoke` has run stage by stage as the help says."""
    here = tmp_path_factory.mktemp("smoke")
    shutil.copy(ROOT / "training" / "presets" / "smoke.toml", here)
    (here / "TEXTURES").mkdir()
    Image.radial_gradient("L").convert("RGB").save(here / "TEXTURES" / "wall.jpg")
    (here / "docs").mkdir()
    for document in ("MODEL_CARD.md", "docs/bundled-bank.md"):
        shutil.copy(ROOT / document, here / document)
    for part in ("taskbank/src/taskbank/banks", "taxsolver/src/taxsolver/data"):
        (here / part).mkdir(parents=True)
    for stage in STAGES:
        words = f"python -m training {stage} --preset smoke --out out/smoke"
        assert words in {each.words for each in COMMANDS}
        type_command(_cut_down(words), here)
    shutil.copytree(here / "out" / "smoke" / "frames", here / "out" / "again" / "frames")
    return here


@pytest.mark.parametrize("words", COMMANDS_OF_TRAINING)
def test_every_training_command_runs(words: str, smoke: Path) -> None:
    type_command(words, smoke)
