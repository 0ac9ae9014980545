"""A user's own task from photographs to plan to prediction, on toy encoders and labels that can be computed."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.training.stages.novel.toy_task import (
    BLIND,
    COUNT,
    SEEING,
    SIDE,
    SOURCES,
    brightness,
    file_name,
    pixels,
    side,
    toy_bank,
    toy_config,
    write_labels,
    write_photographs,
)
from training.__main__ import app as training_app
from training.errors import ConfigError
from training.runs.engine import Job, LocalEngine
from training.stages.novel.conclude import BANK, RANKING, TABLE, TENSOR, read_report
from training.stages.novel.division import Part
from training.stages.novel.kinds import LabelKind
from training.stages.novel.prepare import load_prepared
from training.stages.novel.stage import run_novel
from training.stages.transfers.loss_files import load_target
from typer import Typer
from typer.testing import CliRunner

import taskbank
from taskbank.bank.bank import Bank
from taskbank_cli.app import app as taskbank_app
from taxsolver import load_affinity, solve
from taxsolver_cli.app import app as taxsolver_app

runner = CliRunner()
SINGLE = ("normal", "reshading", BLIND)


class Given:
    """Photographs, labels and a bank in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.photographs = write_photographs(folder / "photographs")
        self.bank = toy_bank(folder / "bank").where

    def labels(self, kind: LabelKind) -> Path:
        """Written when they are first asked for."""
        folder = self.folder / f"labels_{kind}"
        if folder.exists():
            return next(folder.iterdir())
        return write_labels(folder, kind)

    def run(self, kind: LabelKind, out: Path, engine: LocalEngine | None = None, **more: object) -> Path:
        """The stage."""
        return run_novel(
            toy_config(kind, **more),
            images=self.photographs,
            labels=self.labels(kind),
            bank=self.bank,
            out=out,
            affinity="taskonomy-main" if kind is LabelKind.NUMBERS else None,
            engine=engine,
        )


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """Return the files that a user has."""
    return Given(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="module")
def outs(given: Given) -> dict[LabelKind, Path]:
    """A finished run for every kind of labels."""
    return {kind: given.run(kind, given.folder / f"out_{kind}", name=f"my_{kind}") for kind in LabelKind}


def typed(app: Typer, *words: object) -> str:
    """Run a command that succeeds and return its output."""
    done = runner.invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    """The ranking by name."""
    with (out / RANKING).open(newline="") as file:
        return {row["sources"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("kind", LabelKind)
def test_sources_that_see_beat_the_blind_one_and_the_best_constant(
    outs: dict[LabelKind, Path], kind: LabelKind
) -> None:
    rows = rows_of(outs[kind])
    losses = {name: float(row["loss"]) for name, row in rows.items()}
    assert max(losses[name] for name in SEEING) < 0.9 * losses[BLIND]
    assert min(losses[name] for name in SEEING) < 0.9 * losses["average"]
    affinities = {name: float(rows[name]["affinity"]) for name in SINGLE}
    assert min(affinities, key=affinities.__getitem__) == BLIND
    assert sum(float(row["affinity"]) for row in rows.values() if row["affinity"]) == pytest.approx(
        1, abs=1e-4
    )
    assert set(read_report(outs[kind])["best"]) <= set(SOURCES)


@pytest.mark.parametrize("kind", LabelKind)
def test_losses_of_every_test_photograph_are_kept(outs: dict[LabelKind, Path], kind: LabelKind) -> None:
    out, name = outs[kind], f"my_{kind}"
    losses = load_target(out / "transfers", name)
    prepared = load_prepared(out / "prepared")
    assert len(losses.rooms) == len(prepared.of(Part.TEST)) == COUNT // 4
    assert {"scratch", "average", *SINGLE} < set(losses.by_name)
    assert sum("+" in transfer for transfer in losses.by_name) == 1  # a pair, of the best two
    rows = rows_of(out)
    for transfer, values in losses.by_name.items():
        assert float(rows[transfer]["loss"]) == pytest.approx(values.mean(), rel=1e-4)
    scratch = losses.by_name["scratch"]
    beaten = (losses.by_name[BLIND] < scratch).mean() + 0.5 * (losses.by_name[BLIND] == scratch).mean()
    assert float(rows[BLIND]["beats_scratch"]) == pytest.approx(beaten, rel=1e-5)


def test_the_division_is_told_photograph_by_photograph(outs: dict[LabelKind, Path]) -> None:
    report = read_report(outs[LabelKind.CLASSES])
    parts = [report[part.value] for part in Part]
    named = [name for part in parts for name in part]
    assert sorted(named) == [file_name(number) for number in range(COUNT)]


def test_the_extended_tensor_is_solved_with_all_targets(outs: dict[LabelKind, Path]) -> None:
    tensor, base = load_affinity(outs[LabelKind.NUMBERS] / TENSOR), load_affinity("taskonomy-main")
    assert tensor.targets == (*base.targets, "my_numbers")
    plan = solve(tensor, "all", 3)
    assert len(plan.transfers) == len(base.targets) + 1
    (own,) = (one for one in plan.transfers if one.target == "my_numbers")
    assert set(own.sources) <= set(SOURCES)
    assert not own.full_supervision
    assert "my_numbers" not in {source for one in plan.transfers for source in one.sources}


@pytest.mark.parametrize("kind", LabelKind)
def test_the_plan_of_taxsolver_is_one_that_taskbank_can_run(
    outs: dict[LabelKind, Path], given: Given, tmp_path: Path, kind: LabelKind
) -> None:
    out, name = outs[kind], f"my_{kind}"
    planned = typed(taxsolver_app, "--affinity", out / TENSOR, "--targets", name, "--budget", 3, "--json")
    (transfer,) = json.loads(planned)["transfers"]
    photo, sources = given.photographs / file_name(3), ",".join(transfer["sources"])
    typed(
        taskbank_app, "transfer", photo, "--sources", sources, "--target", name, "--bank", out / BANK,
        "--size", SIDE, "--out", tmp_path, "--save", "png,npy,json",
    )  # fmt: skip
    facts = json.loads((tmp_path / "p03" / f"{name}.json").read_text())
    assert facts["unit"] == ("1" if kind is LabelKind.CLASSES else "%")
    assert facts["read_from"] == sorted(transfer["sources"], key=facts["read_from"].index)
    if kind is LabelKind.CLASSES:
        assert facts["top5"][0]["name"] == side(3)
    elif kind is LabelKind.NUMBERS:
        assert list(facts["values"]) == ["brightness"]
        assert facts["values"]["brightness"] == pytest.approx(brightness(3), abs=15)
    else:
        array = np.load(tmp_path / "p03" / f"{name}.npy")
        assert array.shape == (SIDE, SIDE + 8)
        truth = pixels(3)[..., 0] * 100.0
        error = np.nanmean(np.abs(array - truth)[:, 4:-4])
        assert error < np.abs(truth - truth.mean())[:, 4:-4].mean()


def test_taskbank_predicts_what_was_measured(outs: dict[LabelKind, Path], given: Given) -> None:
    """The loss of a test photograph, computed from its prediction in percent."""
    out = outs[LabelKind.NUMBERS]
    prepared = load_prepared(out / "prepared")
    (mean,), (std,) = prepared.target.whitening or ((), ())
    number = int(prepared.of(Part.TEST)[0])
    predictor = taskbank.load_transfer("normal", "my_numbers", bank=out / BANK, size=SIDE, device="cpu")
    said = predictor.predict(given.photographs / prepared.photographs[number]).array[0]
    loss = ((said - brightness(number)) / std) ** 2
    measured = load_target(out / "transfers", "my_numbers").by_name["normal"][0]
    assert loss == pytest.approx(measured, rel=0.02, abs=1e-3)
    learned = [brightness(int(one)) for one in prepared.of(Part.LEARNED)]
    assert (mean, std) == pytest.approx((np.mean(learned), np.std(learned)))


def test_a_finished_run_is_skipped_and_other_settings_are_refused(
    outs: dict[LabelKind, Path], given: Given
) -> None:
    out = outs[LabelKind.CLASSES]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    given.run(LabelKind.CLASSES, out, name="my_classes")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with pytest.raises(ConfigError, match="novel.steps = 60, and now novel.steps = 61"):
        given.run(LabelKind.CLASSES, out, name="my_classes", steps=61)


def test_a_tensor_that_knows_the_name_is_refused_before_anything_is_done(
    outs: dict[LabelKind, Path], given: Given, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="has a task 'my_numbers': choose another --name"):
        run_novel(
            toy_config(LabelKind.NUMBERS, name="my numbers"),
            images=given.photographs,
            labels=given.labels(LabelKind.NUMBERS),
            bank=given.bank,
            out=tmp_path / "out",
            affinity=str(outs[LabelKind.NUMBERS] / TENSOR),
        )
    assert not (tmp_path / "out").exists()


def test_a_run_extends_the_tensor_of_another(
    outs: dict[LabelKind, Path], given: Given, tmp_path: Path
) -> None:
    """From a file, which is an input: changed, it would be another run."""
    out = run_novel(
        toy_config(LabelKind.CLASSES, name="second", steps=2, orders=(1,)),
        images=given.photographs,
        labels=given.labels(LabelKind.CLASSES),
        bank=given.bank,
        out=tmp_path / "out",
        affinity=str(outs[LabelKind.NUMBERS] / TENSOR),
    )
    targets = load_affinity(out / TENSOR).targets
    assert targets == (*load_affinity("taskonomy-main").targets, "my_numbers", "second")
    inputs = json.loads((out / "stage.json").read_text())["inputs"]
    assert inputs[-1]["path"] == str(outs[LabelKind.NUMBERS] / TENSOR)


class StopsAfter(LocalEngine):
    """An engine whose process is killed after so many jobs."""

    def __init__(self, jobs: int) -> None:
        super().__init__()
        self.left = jobs

    def run(self, jobs: Sequence[Job]) -> None:
        """As many as are left."""
        for job in jobs:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            super().run([job])


@pytest.mark.parametrize("jobs", [1, 4, 6])
def test_a_run_that_was_stopped_ends_alike(
    outs: dict[LabelKind, Path], given: Given, tmp_path: Path, jobs: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        given.run(LabelKind.CLASSES, tmp_path / "out", StopsAfter(jobs), name="my_classes")
    assert not (tmp_path / "out" / TENSOR).exists()
    given.run(LabelKind.CLASSES, tmp_path / "out", name="my_classes")
    for name in (TENSOR, RANKING, TABLE, "intervals.safetensors", f"{BANK}/bank.json"):
        assert (tmp_path / "out" / name).read_bytes() == (outs[LabelKind.CLASSES] / name).read_bytes()


def test_the_saved_bank_lists_own_targets(outs: dict[LabelKind, Path]) -> None:
    assert "my_numbers" in typed(taskbank_app, "info", outs[LabelKind.NUMBERS] / BANK)
    transfers = json.loads(typed(taskbank_app, "info", "--json", outs[LabelKind.IMAGE] / BANK))["transfers"]
    assert {one["own_target"]["output"] for one in transfers} == {"map"}
    bank = Bank.open(outs[LabelKind.NUMBERS] / BANK)
    assert bank.tasks == tuple(task for task in taskbank.TASKS if task in SOURCES)
    assert bank.index.image_size == SIDE
    assert bank.transfer_entry(["normal"], "my_numbers").training["seed"] == 0


def test_the_command_prints_the_ranking_and_what_to_type_next(given: Given, tmp_path: Path) -> None:
    (given.photographs / "broken.jpg").write_bytes(b"no photograph")
    labels = tmp_path / "side.csv"
    labels.write_text((given.labels(LabelKind.CLASSES)).read_text() + "broken.jpg,left\n")
    bank, out = toy_bank(tmp_path / "bank", (*SOURCES, "random")).where, tmp_path / "out"
    try:
        said = typed(
            training_app, "novel", "--images", given.photographs, "--labels", labels, "--kind", "classes",
            "--bank", bank, "--out", out, "--name", "Dark side", "--steps", 3, "--orders", "1,2",
            "--size", SIDE, "--device", "cpu", "--affinity", "taskonomy-16k",
        )  # fmt: skip
    finally:
        (given.photographs / "broken.jpg").unlink()
    assert "left out: 1 photograph(s) that cannot be read: broken.jpg" in said
    for words in ("beats scratch", *SOURCES, "random", "scratch", "average"):
        assert words in said
    assert ("random",) not in {sources for sources, _ in Bank.open(out / BANK).transfers}
    tensor = load_affinity(out / TENSOR)
    assert tensor.untrained == ("random",)
    own = len(tensor) - len(load_affinity("taskonomy-16k"))
    assert own == len(SOURCES) + 1 + 3  # random too, and pairs of the best three
    plan, predict = said.strip().splitlines()[-2:]
    assert plan.startswith(f"plan:    taxsolver --affinity {out / TENSOR} --targets all --budget 3")
    assert "dark_side" in typed(taxsolver_app, *plan.split()[2:])
    typed_words = predict.replace("PHOTO", str(given.photographs / file_name(0))).split()[2:]
    typed(taskbank_app, *typed_words, "--size", SIDE, "--out", tmp_path / "said")
    assert (tmp_path / "said" / "p00" / "dark_side.png").exists()
