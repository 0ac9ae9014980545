"""Stages that were run again, and those after them that were not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from training.errors import DataError
from training.runs.stage import run_stage
from training.stages.evaluation.lineage import check_lineage


@dataclass(frozen=True)
class Config:
    """Of a stage that writes a word."""

    word: str = "first"


def stage(folder: Path, inputs: list[Path], word: str = "first") -> Path:
    config = Config(word)

    def body(place: Path) -> None:
        (place / "word.txt").write_text(word)

    return run_stage(folder, name=folder.name, config=config, inputs=inputs, body=body, overwrite=True)


@pytest.fixture
def stages(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Networks, transfers of them, an affinity tensor of these."""
    networks = stage(tmp_path / "networks", [])
    transfers = stage(tmp_path / "transfers", [networks])
    return networks, transfers, stage(tmp_path / "affinity", [transfers]) / "rooms.safetensors"


def test_stages_of_one_run_fit_each_other(stages: tuple[Path, Path, Path]) -> None:
    check_lineage(*stages)


def test_losses_of_other_networks_are_refused(stages: tuple[Path, Path, Path]) -> None:
    stage(stages[0], [], word="second")
    with pytest.raises(DataError, match=r"transfers was made from other files than .*: run transfers again"):
        check_lineage(*stages)


def test_affinities_of_other_transfers_are_refused(stages: tuple[Path, Path, Path]) -> None:
    stage(stages[1], [stages[0]], word="second")
    with pytest.raises(DataError, match=r"affinity was made from other files than .*: run affinity again"):
        check_lineage(*stages)


def test_a_stage_that_is_not_finished_is_named(stages: tuple[Path, Path, Path]) -> None:
    (stages[1] / "stage.json").unlink()
    with pytest.raises(DataError, match="is not finished"):
        check_lineage(*stages)
