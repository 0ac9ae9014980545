"""Stage 4 on hand-made losses."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from tests.training.stages.affinity.test_stage import hand_made, write_stage_2
from tests.training.toy_store import toy_store
from training.errors import ConfigError
from training.stages.affinity.stage import AffinityConfig, run_affinity
from training.stages.taxonomy.novel_table import RIVALS, NovelRow, mean_wins, table_text
from training.stages.taxonomy.stage import TaxonomyConfig, run_taxonomy

BRIEF = TaxonomyConfig(budgets=(1, 2), orders=(1, 2), budget=2, samples=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    transfers = write_stage_2(root / "transfers")
    toy_store(root / "train", rooms=1)
    tensor = run_affinity(AffinityConfig(resamples=2), transfers, {"train": root / "train"}, root)
    return run_taxonomy(BRIEF, tensor, transfers, root)


def test_everything_is_written(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"plan.json", "sweep.csv", "significance.csv", "tree.json", "agreement.json", "card.md"} <= names
    assert {"novel.csv", "novel.json", "novel.txt"} <= names
    assert {"figures/affinity.png", "figures/taxonomy.svg", "figures/significance.png"} <= names


def test_a_novel_task_is_read_out_from_the_best_pair(folder: Path) -> None:
    rows = json.loads((folder / "novel.json").read_text())
    assert rows["reshading"]["sources"] == ["jigsaw", "normal"]
    made = hand_made(0)
    own = made["normal+jigsaw"]
    assert rows["reshading"]["loss"] == pytest.approx(own.mean(), rel=1e-5)
    for rival in ("scratch", "average", "full_supervision", "jigsaw", "random"):
        assert rows["reshading"]["wins"][rival] == pytest.approx((own < made[rival]).mean())
        assert rows["reshading"]["losses"][rival] == pytest.approx(made[rival].mean(), rel=1e-5)
    assert rows["reshading"]["wins"]["inpainting"] is None


def test_the_csv_says_the_same_as_the_json(folder: Path) -> None:
    rows = json.loads((folder / "novel.json").read_text())
    with (folder / "novel.csv").open() as file:
        for line in csv.DictReader(file):
            row = rows[line["target"]]
            assert line["sources"].split("|") == row["sources"]
            assert float(line["wins_vs_scratch"]) == row["wins"]["scratch"]
            assert line["wins_vs_inpainting"] == ""


def test_the_sweep_has_a_row_a_budget_and_order(folder: Path) -> None:
    with (folder / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["max_order"], row["budget"]) for row in rows] == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
        ("2", "2"),
    ]
    assert float(rows[1]["objective"]) >= float(rows[0]["objective"])


def test_the_card_says_what_was_saved_and_how_it_was_measured(folder: Path) -> None:
    card = (folder / "card.md").read_text()
    plan = json.loads((folder / "plan.json").read_text())
    assert f"{plan['labels_saved']:.0%} of their labels saved" in card
    assert "trained on what its transfers learned from" in card
    assert "| `reshading` | jigsaw, normal |" in card


def test_agreement_with_the_published_tensors_is_stated(folder: Path) -> None:
    agreement = json.loads((folder / "agreement.json").read_text())
    assert set(agreement) == {"taskonomy-16k", "taskonomy-1k"}
    assert agreement["taskonomy-16k"]["transfers"] > 0


def test_the_text_table_keeps_its_columns() -> None:
    nothing = dict.fromkeys(RIVALS, math.nan)
    row = NovelRow("normal", ("jigsaw",), 0.25, {**nothing, "scratch": 0.75}, {**nothing, "scratch": 0.5})
    lines = table_text([row]).splitlines()
    end = lines[1].index("scratch") + len("scratch")
    assert lines[2][end - 2 : end] == "75"
    assert lines[3][end - 6 : end] == "0.5000"
    assert lines[4][end - 2 : end] == "75"
    assert lines[2].endswith("jigsaw")


def test_rivals_that_were_never_measured_have_no_mean() -> None:
    nothing = dict.fromkeys(RIVALS, math.nan)
    assert math.isnan(mean_wins([NovelRow("normal", ("jigsaw",), 0.25, nothing, nothing)], "scratch"))


def test_empty_sweeps_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"budgets \(\).* must be 1 or more"):
        TaxonomyConfig(budgets=())
