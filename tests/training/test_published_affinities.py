"""The shipped tensors are what was published, and are made again to the byte."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from training import published_affinities
from training.published_affinities import PUBLISHED, SHIPPED, TABLES, read_published

from taskbank.tasks.registry import ALIASES, TASKS
from taxsolver import AffinityTensor, load_affinity

NAMES = [entry.name for entry in PUBLISHED]
EXTRAS = {"class_selected": "class_object_100", "object_class_100": "class_object_100"}


@pytest.fixture(params=PUBLISHED, ids=NAMES)
def entry(request: pytest.FixtureRequest) -> published_affinities.Published:
    """One published table after the other."""
    found: published_affinities.Published = request.param
    return found


@pytest.fixture
def tensor(entry: published_affinities.Published) -> AffinityTensor:
    """The shipped tensor of the table."""
    return load_affinity(entry.name)


def lines(entry: published_affinities.Published) -> list[dict[str, str]]:
    """The published table as it stands."""
    with (TABLES / entry.table).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def column(tensor: AffinityTensor, target: str) -> np.ndarray:
    """Bool (transfers,): those of one target."""
    return np.asarray(tensor.target == tensor.tasks.index(target))


def test_the_script_makes_the_shipped_bytes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["published_affinities", "--out", str(tmp_path)])
    published_affinities.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.safetensors" for name in NAMES)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes(), path.name
    assert {path.stem for path in SHIPPED.glob("taskonomy*.safetensors")} == set(NAMES)


def test_the_header_says_where_the_figures_come_from(tensor: AffinityTensor) -> None:
    assert tensor.about["dataset"] == "Taskonomy"
    assert "https://arxiv.org/abs/1804.08328" in tensor.about["citation"]
    assert "Zamir" in tensor.about["citation"]
    assert "CVPR 2018" in tensor.about["citation"]
    assert tensor.about["licence"].startswith("MIT")
    assert "training/published_affinities.py" in tensor.about["made_by"]
    assert tensor.about["note"]
    assert tensor.untrained == ("random",)
    assert tensor.images_full == 120_000


def test_images_per_transfer_are_those_of_the_run() -> None:
    assert [load_affinity(name).images_transfer for name in NAMES] == [16_000, 1_000, None]


def test_aliases_are_those_of_taskbank_and_two_more(tensor: AffinityTensor) -> None:
    assert dict(tensor.aliases) == {**ALIASES, **EXTRAS}
    assert set(tensor.tasks) - set(TASKS) == {"class_object_100"}


@pytest.mark.parametrize(
    ("name", "transfers", "tasks", "largest"),
    [("taskonomy-16k", 1762, 27, 24), ("taskonomy-1k", 1418, 27, 4), ("taskonomy-main", 814, 26, 2)],
)
def test_as_many_transfers_as_were_published(name: str, transfers: int, tasks: int, largest: int) -> None:
    tensor = load_affinity(name)
    assert (len(tensor), len(tensor.tasks), len(tensor.targets)) == (transfers, tasks, 22)
    assert tensor.full_supervision.sum() == 22
    assert tensor.order.max() == largest


def test_every_published_row_is_in_the_tensor_to_the_last_digit(
    entry: published_affinities.Published, tensor: AffinityTensor
) -> None:
    def number(cell: str) -> float:
        return float(cell) if cell else float("nan")

    rows = {
        (
            tensor.tasks[tensor.target[row]],
            frozenset(tensor.source_names(row)),
            bool(tensor.full_supervision[row]),
        ): (tensor.affinity[row], tensor.gain[row], tensor.quality[row])
        for row in range(len(tensor))
    }
    baselines = 0
    for line in lines(entry):
        if line["sources"] == "pixels":
            baselines += 1
            continue
        full = line["sources"] == "self"
        sources = frozenset([line["target"]] if full else line["sources"].split("|"))
        expected = [line["affinity"], line["win_rate_vs_scratch"], line["win_rate_vs_full_supervision"]]
        np.testing.assert_array_equal(
            rows.pop((line["target"], sources, full)), [number(cell) for cell in expected]
        )
    assert not rows
    assert baselines == (22 if entry.name == "taskonomy-main" else 0)


def test_affinities_of_a_target_sum_to_one(tensor: AffinityTensor) -> None:
    for target in tensor.targets:
        assert np.nansum(tensor.affinity[column(tensor, target)]) == pytest.approx(1, abs=1e-6)


def test_quality_of_full_supervision_is_parity(tensor: AffinityTensor) -> None:
    quality = tensor.quality[tensor.full_supervision]
    assert quality[~np.isnan(quality)] == pytest.approx(0.5)
    assert (~np.isnan(quality)).all()


def test_four_transfers_of_the_16k_run_have_a_gain_only() -> None:
    tensor = load_affinity("taskonomy-16k")
    unmeasured = np.flatnonzero(np.isnan(tensor.affinity))
    assert len(unmeasured) == 4
    assert {tensor.tasks[column] for column in tensor.target[unmeasured]} == {"nonfixated_pose"}
    assert set(tensor.order[unmeasured].tolist()) == {2}
    assert np.isfinite(tensor.gain[unmeasured]).all()
    assert np.isnan(tensor.quality[unmeasured]).all()


def test_the_note_on_orders_and_on_full_supervision_is_true() -> None:
    large = load_affinity("taskonomy-16k")
    beyond = large.order > 4
    targets = set(large.target[beyond].tolist())
    assert len(targets) == 18
    for target in targets:
        assert sorted(large.order[beyond & (large.target == target)].tolist()) == list(range(5, 25))
    main = load_affinity("taskonomy-main")
    full = {main.tasks[main.target[row]]: main.affinity[row] for row in np.flatnonzero(main.full_supervision)}
    odd = {target for target, value in full.items() if value < 0.001}
    assert odd == {"class_object_100", "egomotion", "nonfixated_pose"}


def test_reading_a_table_gives_the_shipped_tensor(entry: published_affinities.Published) -> None:
    read, shipped = read_published(entry), load_affinity(entry.name)
    for field in ("sources", "target", "affinity", "gain", "quality", "full_supervision"):
        np.testing.assert_array_equal(getattr(read, field), getattr(shipped, field))


def test_the_tables_of_the_workshop_have_these_columns(entry: published_affinities.Published) -> None:
    expected = "target order sources affinity win_rate_vs_scratch win_rate_vs_full_supervision"
    assert list(lines(entry)[0]) == expected.split()
