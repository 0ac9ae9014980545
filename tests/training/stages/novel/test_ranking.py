"""The ranking of sources: its order, its table, its file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from training.stages.affinity.target import target_affinity
from training.stages.novel.ranking import control_losses, ranking, ranking_text, write_ranking
from training.stages.transfers.loss_files import SampleLosses

LOSSES = SampleLosses(
    rooms=np.arange(4, dtype=np.int32),
    by_name={
        "normal": np.array([1, 1, 1, 5], np.float32),
        "reshading": np.array([2, 2, 2, 2], np.float32),
        "normal+reshading": np.array([0, 0, 0, 0], np.float32),
        "jigsaw+normal": np.array([9, 9, 9, 9], np.float32),
        "scratch": np.array([2, 3, 0.5, 0.5], np.float32),
        "average": np.array([7, 7, 7, 7], np.float32),
    },
)
FOUND = target_affinity("mytask", LOSSES, resamples=10, level=0.8, seed=0, against={"gain": "scratch"})


def test_transfers_stand_by_their_affinity_with_wins_that_ties_share() -> None:
    ranked = ranking(FOUND, LOSSES)
    assert [one.name for one in ranked] == ["normal+reshading", "normal", "reshading", "jigsaw+normal"]
    assert [one.wins for one in ranked] == [1, 0.5, 0.375, 0]
    assert [one.loss for one in ranked] == [0, 2, 2, 9]
    assert ranked[0].wins_interval == (1, 1)
    low, high = ranked[1].wins_interval
    assert 0 <= low < 0.5 < high <= 1


def test_the_table_has_single_sources_and_the_best_set_of_an_order() -> None:
    ranked, controls = ranking(FOUND, LOSSES), control_losses(LOSSES)
    text = ranking_text(ranked, controls, photographs=4, level=0.8)
    first = [line.split()[0] for line in text.splitlines()]
    assert first[1:] == ["sources", "normal", "reshading", "normal+reshading", "scratch", "average"]
    assert text.startswith("On 4 test photographs; beats scratch: in % of them, with 80% interval.")
    assert " 100 (100-100)" in text
    assert "No transfer beats" not in text


def test_a_ranking_without_a_winner_says_so() -> None:
    text = ranking_text(ranking(FOUND, LOSSES)[1:], control_losses(LOSSES), photographs=4, level=0.8)
    assert text.endswith("No transfer beats training from scratch on more than half of the photographs.\n")


def test_the_file_has_every_transfer_and_control(tmp_path: Path) -> None:
    write_ranking(tmp_path / "r.csv", ranking(FOUND, LOSSES), control_losses(LOSSES))
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = {row["sources"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(LOSSES.by_name)
    assert (rows["normal+reshading"]["order"], rows["normal+reshading"]["beats_scratch"]) == ("2", "1")
    assert (rows["scratch"]["loss"], rows["scratch"]["affinity"]) == ("1.5", "")
