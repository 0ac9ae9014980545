"""Scores of banks: metrics by hand, a bank that is right, the best constant, intervals."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner, Result

from taskbank import predict
from taskbank.bank.bank import Bank
from taskbank.bank.writing import About
from taskbank.constants import class_names
from taskbank.errors import InvalidInputError
from taskbank.options import Kind
from taskbank.probing.labels import Labels
from taskbank.scoring import metrics
from taskbank.scoring.truth import make_truth
from taskbank.tasks.kinds import OutputKind
from taskbank_cli.app import app

TASKS = ("normal", "depth_zbuffer", "segment_semantic", "class_scene", "reshading")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two banks, eight images, and labels that the first bank gives."""
    root = tmp_path_factory.mktemp("scored")
    for name, seed in (("right", 1), ("wrong", 2)):
        networks = {task: toy_network(task, seed=seed) for task in TASKS}
        Bank.save(root / name, name=name, architecture=TOY_COMPACT, networks=networks, image_size=64)
    (root / "images").mkdir()
    scenes = ["file,class_scene"]
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 256, (50, 70, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / "images" / f"{number}.png")
        found = predict(root / "images" / f"{number}.png", TASKS, bank=root / "right")
        for task in TASKS:
            (root / task).mkdir(exist_ok=True)
            np.save(root / task / f"{number}.npy", found[task].array)
        scenes.append(f"{number}.png,{found['class_scene'].top(1)[0][0]}")
    (root / "scenes.csv").write_text("\n".join(scenes) + "\n", encoding="utf-8")
    return root


def score(folder: Path, *words: object, banks: tuple[str, ...] = ("right", "wrong")) -> Result:
    """The command, as typed."""
    named = [word for bank in banks for word in ("--bank", folder / bank)]
    return CliRunner().invoke(app, ["score", "--images", str(folder / "images"), *map(str, (*named, *words))])


def test_a_bank_that_gave_the_labels_is_right(folder: Path, tmp_path: Path) -> None:
    """The other one is not, and nor is the best constant; every image has its row."""
    labels = [word for task in ("normal", "reshading") for word in ("--labels", folder / task)]
    out = tmp_path / "rows.csv"
    done = score(folder, *labels, "--labels", folder / "scenes.csv", "--out", out, "--json")
    assert done.exit_code == 0, done.stderr
    scores = {one["task"]: one for one in json.loads(done.stdout)["scores"]}
    right, wrong = str(folder / "right"), str(folder / "wrong")
    for task, metric, best in (
        ("normal", "mean_angle", 0), ("reshading", "mae", 0),
        ("class_scene", "top1", 1),
    ):  # fmt: skip
        assert scores[task]["images"] == 8
        assert scores[task]["means"][right][metric] == pytest.approx(best, abs=0.01)
        compared = {one["bank"]: one for one in scores[task]["comparisons"]}
        assert set(compared) == {wrong, "best constant"}
        assert compared[wrong]["metric"] == metric
        low, high = compared[wrong]["interval"]
        assert low <= compared[wrong]["difference"] <= high
    assert scores["normal"]["means"][wrong]["mean_angle"] > 10
    assert {one["bank"]: one["better"] for one in scores["normal"]["comparisons"]}[wrong] == 0
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    angles = [float(row["value"]) for row in rows if row["bank"] == wrong and row["metric"] == "mean_angle"]
    assert len(angles) == 8
    assert np.mean(angles) == pytest.approx(scores["normal"]["means"][wrong]["mean_angle"], rel=1e-4)


def test_labels_may_be_one_class_or_hundreds(folder: Path, tmp_path: Path) -> None:
    """By name or number: nothing has to be told apart here."""
    many = tmp_path / "many"
    many.mkdir()
    Bank.save(
        many / "bank",
        name="many",
        architecture=TOY_COMPACT,
        networks={"class_object": toy_network("class_object")},
        image_size=64,
    )
    names = class_names("class_object") or ()
    some = range(200, 500)  # two of them are cardigans
    (many / "images").mkdir()
    for number in some:
        Image.new("RGB", (16, 16), (number % 256, number // 256, 0)).save(many / "images" / f"{number}.png")
    rows = [f'{number}.png,"{names[number]}"' for number in some]
    (many / "labels.csv").write_text("\n".join(["file,class_object", *rows]), encoding="utf-8")
    mixed = [row if place % 2 else f"{some[place]}.png,{some[place]}" for place, row in enumerate(rows)]
    (many / "mixed.csv").write_text("\n".join(["file,class_object", *mixed]), encoding="utf-8")
    found = []
    for table in ("labels.csv", "mixed.csv"):
        done = score(many, "--labels", many / table, "--json", banks=("bank",))
        assert done.exit_code == 0, done.stderr
        found += json.loads(done.stdout)["scores"]
    assert found[0] == found[1]
    assert found[0]["images"] == 300
    one = ["file,class_scene", *(f"{number}.png,kitchen" for number in range(8))]
    (tmp_path / "one.csv").write_text("\n".join(one), encoding="utf-8")
    done = score(folder, "--labels", tmp_path / "one.csv", "--json", banks=("right",))
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["scores"][0]["means"]["best constant"]["top1"] == 1
    # Two classes of ImageNet, a dog and a garment, differ by a capital only.
    (many / "labels.csv").write_text("file,class_object\n264.png,CARDIGAN\n", encoding="utf-8")
    refused = score(many, "--labels", many / "labels.csv", banks=("bank",))
    assert refused.exit_code == 1
    assert "has 2 classes called 'CARDIGAN': give the number, 264 or 474" in refused.stderr


def test_the_first_synonym_names_a_class_unless_it_names_another(folder: Path, tmp_path: Path) -> None:
    """As in the names of ImageNet that models on the Hub carry."""
    listed = (*(f"{name}, room of its own" for name in ("kitchen", "attic", "attic")), "kitchen garden")
    names = (*listed, *map(str, range(63 - len(listed))))
    Bank.save(
        tmp_path / "bank",
        name="listed",
        architecture=TOY_COMPACT,
        networks={"class_scene": toy_network("class_scene")},
        about={"class_scene": About(classes=names)},
        image_size=64,
    )
    labels = Labels(target="class_scene", kind=Kind.CLASSES, values={"a.png": (0.0,)}, classes=("Kitchen",))
    assert make_truth(labels, Bank.open(tmp_path / "bank")).numbers == {"a.png": 0}
    with pytest.raises(InvalidInputError, match="2 classes called 'attic': give the number, 1 or 2"):
        make_truth(replace(labels, classes=("attic",)), Bank.open(tmp_path / "bank"))


def test_semantic_labels_are_counted_over_all_pixels(folder: Path) -> None:
    """And printed as a table."""
    done = score(folder, "--labels", folder / "segment_semantic")
    assert done.exit_code == 0, done.stderr
    assert "segment_semantic on 8 images" in done.stdout
    assert "miou" in done.stdout
    assert "best constant - " in done.stdout


def test_depth_metrics_by_hand() -> None:
    """Twice as far everywhere: the scale and the alignment take all of it away."""
    metres = np.array([1.0, 2.0, 4.0])
    found = metrics.depth_metrics(2 * metres, metres)
    assert found["abs_rel"] == pytest.approx(1)
    assert found["rmse"] == pytest.approx(np.sqrt(7))
    assert found["delta_1"] == 0
    assert found["abs_rel_scaled"] == pytest.approx(0)
    assert found["abs_rel_aligned"] == pytest.approx(0)
    relative = metrics.aligned_metrics(3 / metres + 5, metres)
    assert relative["abs_rel_aligned"] == pytest.approx(0, abs=1e-9)


def test_angles_labels_and_classes_by_hand() -> None:
    """A right angle and none; one union of three."""
    found = metrics.normal_metrics(np.eye(3)[:2], np.array([[1.0, 0, 0], [1, 0, 0]]))
    assert found["mean_angle"] == pytest.approx(45)
    assert found["within_11.25"] == 0.5
    assert metrics.label_metrics(np.array([1, 2]), np.array([1, 3])) == {"accuracy": 0.5}
    # Class 1: one of two pixels right; class 2: one right, one more claimed.
    assert metrics.miou(np.array([[0, 0, 0], [0, 1, 1], [0, 0, 1]])) == pytest.approx(0.5)
    assert metrics.class_metrics(np.array([0.1, 0.7, 0.2]), 2) == {"top1": 0, "top5": 1}
    assert metrics.value_metrics(np.array([[1.0], [3]]), np.array([[0.0], [0]])) == {
        "mae": 2,
        "rmse": pytest.approx(np.sqrt(5)),
    }


def test_relative_depth_is_compared_once_aligned() -> None:
    """With that of other banks, too."""
    assert metrics.first_metric([OutputKind.DEPTH, OutputKind.INVERSE_DEPTH]) == "abs_rel_aligned"
    assert metrics.first_metric([OutputKind.DEPTH]) == "abs_rel"
    assert metrics.first_metric([OutputKind.HEAT_MAP]) == "mae"


def test_depth_is_read_in_the_codes_of_the_data_set(folder: Path, tmp_path: Path) -> None:
    """A wall two metres away is 1024 in 16 bits; 65535 is unknown, and the best constant is right."""
    codes = np.full((50, 70), 1024, np.uint16)
    codes[:10] = 65535
    for number in range(8):
        Image.fromarray(codes).save(tmp_path / f"{number}.png")
    done = score(folder, "--labels", f"depth={tmp_path}", "--json", banks=("right",))
    assert done.exit_code == 0, done.stderr
    (found,) = json.loads(done.stdout)["scores"]
    assert found["means"]["best constant"]["rmse"] == 0
    assert found["means"][str(folder / "right")]["rmse"] > 0.1


def test_what_is_wrong_is_said(folder: Path, tmp_path: Path) -> None:
    """One line, exit code 1, nothing written."""
    (tmp_path / "small").mkdir()
    np.save(tmp_path / "small" / "0.npy", np.ones((5, 7), np.float32))
    lines = ["file,class_scene", *(f"{number}.png,{name}" for number, name in enumerate(["moon", "sun"]))]
    (tmp_path / "scenes.csv").write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "rows.csv"
    for words, message in (
        (["--labels", f"depth={tmp_path / 'small'}"], "rows, columns and channels"),
        (["--labels", tmp_path / "scenes.csv"], "is not a class of class_scene"),
        (["--labels", f"walls={folder / 'normal'}"], "cannot be scored"),
        (["--labels", f"normals={folder / 'normal'}", "--labels", folder / "normal"], "labels twice"),
        (["--labels", f"edges={folder / 'reshading'}"], "no task 'edge_texture'"),
        (["--labels", folder / "nowhere"], "neither a folder nor a CSV"),
    ):
        done = score(folder, *words, "--out", out)
        assert (done.exit_code, message in done.stderr) == (1, True), done.stderr
    assert not out.exists()
    assert "must end in .csv" in score(folder, "--labels", folder / "normal", "--out", "rows.txt").stderr
    twice = score(folder, "--labels", folder / "normal", banks=("right", "right"))
    assert "named twice" in twice.stderr


@pytest.mark.parametrize(
    ("task", "values", "message"),
    [
        ("segment_semantic", np.full((50, 70), 40.0), "labels are whole numbers, 1 to 17"),
        ("segment_semantic", np.full((50, 70), 2.5), "holds 2.5"),
        ("depth_zbuffer", np.full((50, 70), 1 + 2j), "does not hold real numbers"),
        ("normal", np.full((50, 70, 3), 128.0), "normals are unit vectors"),
        ("normal", np.zeros((50, 70, 3)), "no known pixel"),
    ],
)
def test_maps_of_other_values_are_refused(
    folder: Path, tmp_path: Path, task: str, values: NDArray[np.generic], message: str
) -> None:
    """Labels of other classes, colours for normals, normals without a direction."""
    (tmp_path / task).mkdir()
    np.save(tmp_path / task / "0.npy", values)
    done = score(folder, "--labels", tmp_path / task, "--out", tmp_path / "rows.csv")
    assert (done.exit_code, message in done.stderr) == (1, True), done.output
    assert not (tmp_path / "rows.csv").exists()


def test_normals_of_no_length_are_unknown(folder: Path, tmp_path: Path) -> None:
    """They were counted as predicted exactly."""
    (tmp_path / "normal").mkdir()
    for number in range(8):
        values = np.load(folder / "normal" / f"{number}.npy")
        values[:25] = 0
        np.save(tmp_path / "normal" / f"{number}.npy", values)
    means = []
    for labels in (folder / "normal", tmp_path / "normal"):
        done = score(folder, "--labels", labels, "--json", banks=("wrong",))
        means.append(json.loads(done.stdout)["scores"][0]["means"][str(folder / "wrong")]["mean_angle"])
    assert means[1] > 0.8 * means[0] > 5
