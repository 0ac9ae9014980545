"""`taskbank learn`: from labelled images to a bank that predicts and a tensor that `taxsolver` plans with."""

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
from tests.taskbank.own_toy import (
    BLIND,
    COUNT,
    SEEING,
    SIDE,
    brightness,
    file_name,
    pixels,
    side,
    toy_bank,
    write_csv,
    write_labels,
    write_photographs,
)
from typer.testing import CliRunner, Result

from taskbank.bank.bank import Bank
from taskbank.errors import DivergedError
from taskbank.own_task import training as learning
from taskbank_cli.app import app
from taxsolver import load_affinity, solve

runner = CliRunner()
FOREIGN = "timm:test_convnext@0?weights=random&size=64"
QUICK = ["--size", SIDE, "--steps", 60, "--best", 2, "--resamples", 20]


class Given:
    """Photographs, labels and a bank in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = write_photographs(folder / "images")
        self.bank = toy_bank(folder / "bank").where
        self.labels = {kind: write_labels(folder / kind, kind) for kind in ("numbers", "classes", "maps")}


def words_of(given: Given, kind: str, out: Path, *words: object) -> list[str]:
    """The command, as typed."""
    fixed = ["--images", given.images, "--labels", given.labels[kind], "--out", out, "--bank", given.bank]
    return ["learn", *map(str, [*fixed, "--name", f"my {kind}", *QUICK, *words])]


def typed(*words: object) -> Result:
    """A command of taskbank in this process."""
    return runner.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """Return the files that a user has."""
    return Given(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="module")
def outs(given: Given) -> dict[str, Path]:
    """A finished run for every kind of labels, of which numbers are read from a third-party encoder too."""
    found = {}
    for kind, words in (
        ("numbers", ["--sources", f"normals,{FOREIGN}", "--orders", "1,2", "--unit", "%", "--scratch"]),
        ("classes", ["--affinity", "taskonomy-main"]),
        ("maps", ["--unit", "%", "--sources", "normals,reshading"]),
    ):
        found[kind] = given.folder / f"out_{kind}"
        done = typed(*words_of(given, kind, found[kind], *words))
        assert done.exit_code == 0, done.output
        assert f"predict:  taskbank predict PHOTO --tasks my_{kind}" in done.stdout
    return found


def report(out: Path) -> dict[str, Any]:
    """The report of a run."""
    told: dict[str, Any] = json.loads((out / "report.json").read_text())
    return told


@pytest.mark.parametrize("kind", ["numbers", "classes", "maps"])
def test_the_best_read_out_beats_the_best_constant_on_other_images(outs: dict[str, Path], kind: str) -> None:
    told = report(outs[kind])
    scores = {score["name"]: score for score in told["scores"]}
    best = scores["+".join(told["best"])]
    assert best["loss"] < 0.9 * scores["constant"]["loss"]
    low, high = best["error_interval"]
    assert low <= best["error"] <= high
    parts = told["images"]
    assert sorted(name for part in parts.values() for name in part) == [file_name(n) for n in range(COUNT)]
    with (outs[kind] / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == parts["measured"]
    mean = np.mean([float(row["+".join(told["best"])]) for row in rows])
    assert mean == pytest.approx(best["error"], rel=1e-4)


def test_the_blind_encoder_is_not_trained(outs: dict[str, Path]) -> None:
    """The probe chooses the two that see out of three."""
    told = report(outs["classes"])
    assert {tuple(score["sources"]) for score in told["scores"] if score["sources"]} == {
        (one,) for one in SEEING
    }
    assert told["probe"][BLIND] <= min(told["probe"][one] for one in SEEING)


def test_an_encoder_of_others_is_named_in_the_bank_and_checked(
    outs: dict[str, Path], given: Given, tmp_path: Path
) -> None:
    bank = Bank.open(outs["numbers"] / "bank")
    (name,) = bank.index.foreign
    assert name == "timm:test_convnext@0#random#64px"
    assert {sources for sources, _ in bank.transfers} == {
        ("normal",), (name,), ("scratch",), *(s for s, _ in bank.transfers if len(s) == 2),
    }  # fmt: skip
    photo = given.images / file_name(5)
    done = typed(
        "transfer", photo, "--sources", name, "--target", "my_numbers", "--bank", bank.where, "--out", tmp_path,
        "--save", "json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "p05" / "my_numbers.json").read_text())
    assert facts["read_from"] == [name]
    assert facts["values"]["brightness"] == pytest.approx(brightness(5), abs=20)
    shown = typed("info", bank.where)
    assert "not in the bank; " in shown.stdout.replace("\n", " ")
    index = Path(bank.where) / "bank.json"
    text = index.read_text()
    changed = tmp_path / "changed"
    changed.mkdir()
    for file in Path(bank.where).rglob("*"):
        if file.is_file():
            (changed / file.relative_to(bank.where)).parent.mkdir(parents=True, exist_ok=True)
            (changed / file.relative_to(bank.where)).write_bytes(file.read_bytes())
    (changed / "bank.json").write_text(text.replace('"seed": 0,\n   "sha256"', '"seed": 1,\n   "sha256"'))
    done = typed(
        "transfer",
        photo,
        "--sources",
        name,
        "--target",
        "my_numbers",
        "--bank",
        changed,
        "--out",
        tmp_path / "o",
    )
    assert done.exit_code == 1
    assert "those that the bank was made with have" in done.stderr


@pytest.mark.parametrize("kind", ["numbers", "classes", "maps"])
def test_predict_reads_the_task_out_of_its_best_sources(
    outs: dict[str, Path], given: Given, tmp_path: Path, kind: str
) -> None:
    photo = given.images / file_name(3)
    words = ["predict", photo, "--bank", outs[kind] / "bank", "--out", tmp_path, "--save", "json,npy"]
    done = typed(*words, *([] if kind == "classes" else ["--tasks", f"my {kind}"]))
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "p03" / f"my_{kind}.json").read_text())
    assert facts["read_from"] == report(outs[kind])["best"]
    if kind == "classes":
        assert facts["top5"][0]["name"] == side(3)
    elif kind == "maps":
        array = np.load(tmp_path / "p03" / "my_maps.npy")
        assert array.shape == pixels(3).shape[:2]
        assert array[:, :20].mean() > array[:, 20:].mean()  # the right half of odd pictures is dark


def test_what_was_measured_is_what_the_bank_predicts(
    outs: dict[str, Path], given: Given, tmp_path: Path
) -> None:
    told = report(outs["numbers"])
    with (outs["numbers"] / "images.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    words = ["--tasks", "my_numbers", "--bank", outs["numbers"] / "bank", "--out", tmp_path, "--save", "json"]
    assert typed("predict", given.images / row["file"], *words).exit_code == 0
    facts = json.loads((tmp_path / Path(row["file"]).stem / "my_numbers.json").read_text())
    error = abs(facts["values"]["brightness"] - brightness(int(row["file"][1:3])))
    assert error == pytest.approx(float(row["+".join(told["best"])]), rel=0.03, abs=0.1)


def test_the_tensor_is_planned_with(outs: dict[str, Path]) -> None:
    extended, base = load_affinity(outs["classes"] / "affinity.safetensors"), load_affinity("taskonomy-main")
    assert extended.targets == (*base.targets, "my_classes")
    plan = solve(extended, "all", 3)
    (own,) = (one for one in plan.transfers if one.target == "my_classes")
    assert set(own.sources) <= set(SEEING)
    new = load_affinity(outs["numbers"] / "affinity.safetensors")
    assert new.targets == ("my_numbers",)
    assert new.affinity.sum() == pytest.approx(1)
    assert not np.isnan(new.gain).any()
    assert new.draws["affinity"].shape == (100, 3)


def test_a_run_that_was_stopped_goes_on_and_ends_alike(
    outs: dict[str, Path], given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own the second time; finished steps are not computed again."""
    out = tmp_path / "out"
    words = words_of(given, "maps", out, "--unit", "%", "--sources", "normals,reshading")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(learning, "train_constant", stop)
        runner.invoke(app, words)
    assert not (out / "bank").exists()
    trained = out / "work" / "transfers_0.safetensors"
    before = trained.read_bytes()
    other = typed(*words, "--seed", 1)
    assert other.exit_code == 1
    assert "was begun with other" in other.stderr
    assert trained.read_bytes() == before
    done = subprocess.run(
        [sys.executable, "-c", "from taskbank_cli.app import app; app()", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (out / "work").exists()
    for name in ("images.csv", "ranking.csv", "affinity.safetensors", "bank/bank.json"):
        assert (out / name).read_bytes() == (outs["maps"] / name).read_bytes()
    again = typed(*words)
    assert again.exit_code == 1
    assert "exist already" in again.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--name", "normals"], "'normals' is taken by the task 'normal'"),
        (["--orders", "2"], "orders (2,): choose 1, and any of 2, 3 and 4"),
        (["--orders", "1,3"], "read up to 3 sources, but best is 2"),
        (["--orders", "x"], "--orders 'x': write whole numbers"),
        (["--size", "40"], "must be a multiple of 16"),
        (["--sources", "rooms:normals,reshading"], "sources are of several banks"),
        (["--sources", "rooms:random"], "no source was named besides controls"),
        (["--affinity", "nowhere.csv"], "--affinity nowhere.csv: "),
        (["--labels", "nowhere.csv"], "--labels nowhere.csv is neither a folder nor a CSV file"),
        (["--labels", "{folder}/few.csv"], "3 image(s) have labels: 20 at least are needed"),
        (["--labels", "{folder}/one.csv"], "of 5 group(s): 6 at least are needed"),
        (["--labels", "{folder}/same.csv"], "label is 3 for all images that are learned from"),
        (["--labels", "{folder}/odd.csv", "--kind", "numbers"], "label of p00.png"),
        (["--labels", "{folder}/huge.csv"], "label of p01.png in {folder}/huge.csv is -1e300: numbers up to"),
        (["--labels", "{folder}/inf.csv"], "label of p00.png in {folder}/inf.csv is inf: numbers up to"),
        (["--labels", "{folder}/tiny.csv"], "choose a smaller unit"),
        (["--labels", "{folder}/nan.csv"], "3 image(s) have labels: 20 at least are needed"),
        (["--labels", "{folder}/all_nan.csv"], "the column 'label' of {folder}/all_nan.csv holds no label"),
        (
            ["--labels", "{folder}/one_class.csv"],
            "label has 1 class(es), as 'many': 2 to 256 can be told apart",
        ),
    ],
)
def test_what_cannot_be_is_one_message_and_no_file(
    given: Given, tmp_path: Path, words: list[str], message: str
) -> None:
    names = [file_name(number) for number in range(COUNT)]
    write_csv(tmp_path / "few.csv", ("file", "label"), [(name, 1) for name in names[:3]])
    rows = [(name, place, f"g{place % 5}") for place, name in enumerate(names)]
    write_csv(tmp_path / "one.csv", ("file", "label", "group"), rows)
    write_csv(tmp_path / "same.csv", ("file", "label"), [(name, 3) for name in names])
    write_csv(tmp_path / "odd.csv", ("file", "label"), [(name, "many") for name in names])
    write_csv(tmp_path / "one_class.csv", ("file", "label"), [(name, "many") for name in names])
    for called, odd, even in (("huge", "1e29", "-1e300"), ("inf", "inf", "1"), ("tiny", "1e-31", "3e-31")):
        signs = [(name, even if place % 2 else odd) for place, name in enumerate(names)]
        write_csv(tmp_path / f"{called}.csv", ("file", "label"), signs)
    for called, known in (("nan", 3), ("all_nan", 0)):
        unknown = [(name, place if place < known else "NaN") for place, name in enumerate(names)]
        write_csv(tmp_path / f"{called}.csv", ("file", "label"), unknown)
    out = tmp_path / "out"
    given_words = [word.format(folder=tmp_path) for word in words]
    base = words_of(given, "numbers", out)
    if "--labels" in given_words or "--size" in given_words or "--name" in given_words:
        option = given_words[0]
        place = base.index(option)
        base = base[:place] + base[place + 2 :]
    done = typed(*base, *given_words)
    assert done.exit_code == 1, done.output
    assert message.format(folder=tmp_path) in done.stderr
    assert done.stderr.count("\n") == 1
    assert not out.exists()


def test_a_loss_that_is_not_finite_leaves_nothing_behind(
    given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repetition would diverge again, so there is nothing to continue."""

    def diverge(*_: object, **__: object) -> None:
        raise DivergedError("the loss is nan")

    monkeypatch.setattr(learning, "train_readouts", diverge)
    done = typed(*words_of(given, "numbers", tmp_path / "out"))
    assert done.exit_code == 1
    assert done.stderr == "error: the loss is nan\n"
    assert not (tmp_path / "out").exists()
