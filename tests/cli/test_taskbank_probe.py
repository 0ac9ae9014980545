"""`taskbank probe`: labels of every form, scores that toys foretell, tensors that `taxsolver` plans with."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner, Result

from taskbank.bank.bank import Bank
from taskbank_cli.app import app
from taskbank_cli.labelled import labelled_images
from taxsolver import compare, load_affinity, solve
from taxsolver_cli.app import app as planner
from tiny_models import save_dense, write_catalogue

runner = CliRunner()
SOURCES = "normals,reshading,timm:test_convnext@0?weights=random"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a toy bank."""
    networks = {"normal": toy_network("normal"), "reshading": toy_network("reshading", seed=1)}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks, image_size=64).where


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four pictures, dark or bright, with a ramp; labels that raw pixels tell, and one that nothing tells."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("images", "maps", "normals"):
        (folder / name).mkdir()
    draw = np.random.default_rng(0)
    lines = ["file,group,light,side,luck"]
    for number in range(24):
        light, left = draw.uniform(40, 200), bool(number % 2)
        ramp = np.linspace(1, 0, 64) if left else np.linspace(0, 1, 64)
        picture = (light + 50 * ramp)[None, :, None] + draw.normal(0, 2, (64, 64, 3))
        file = f"{number:02}.png"
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / "images" / file)
        lines.append(f"{file},g{number // 3},{light:.3f},{'left' if left else 'right'},{draw.normal():.3f}")
        values = picture.mean(-1).astype(np.float32)
        values[:20] = np.nan
        np.save(folder / "maps" / f"{number:02}.npy", values)
        codes = np.stack([np.full((64, 64), 127), picture[..., 0].clip(1, 255), np.full((64, 64), 20)], -1)
        Image.fromarray(codes.astype(np.uint8)).save(folder / "normals" / file)
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def probe(data: Path, bank: str, out: Path, *words: object) -> Result:
    """The command, as typed."""
    fixed = ["--images", data / "images", "--bank", bank, "--sources", SOURCES, "-o", out]
    return runner.invoke(app, ["probe", *map(str, [*fixed, *words])])


def told(done: Result) -> dict[str, dict[str, Any]]:
    """Scores by target and source."""
    assert done.exit_code == 0, done.stderr
    return {
        one["target"]: {score["source"]: score for score in one["scores"]}
        for one in json.loads(done.stdout)["targets"]
    }


def test_every_column_of_a_table_is_a_target(data: Path, bank: str, tmp_path: Path) -> None:
    """Light and side are read from pixels; luck from nothing; classes are told from numbers by their cells."""
    out = tmp_path / "probe.safetensors"
    done = probe(data, bank, out, "--labels", data / "labels.csv", "--json", "--plot", tmp_path / "p.svg")
    scores = told(done)
    report = json.loads(done.stdout)
    assert report["estimated"] is True
    assert [one["measure"] for one in report["targets"]] == [
        "variance explained",
        "accuracy",
        "variance explained",
    ]
    assert {one["groups"] for one in report["targets"]} == {3}
    assert scores["light"]["pixels"]["ridge"] > 0.9
    assert scores["side"]["pixels"]["ridge"] == 1
    assert scores["luck"]["pixels"]["ridge"] < 0.3
    assert scores["light"]["pixels"]["control"]
    assert scores["light"]["random"]["control"]
    for target in scores.values():
        assert set(target) == {
            "normal",
            "reshading",
            "timm:test_convnext@0#random",
            "pixels",
            "random",
        }
        for score in target.values():
            low, high = score["ridge_interval"]
            assert low <= score["ridge"] <= high or target is scores["luck"]
            assert score["rank_interval"][0] <= score["rank"] + 1
    assert b"<svg" in (tmp_path / "p.svg").read_bytes()[:400]

    tensor = load_affinity(out)
    assert tensor.targets == ("light", "side", "luck")
    assert tensor.untrained == ("pixels", "random")
    assert "estimated" in tensor.name
    assert "no network was trained" in tensor.about["estimated"]
    plan = solve(tensor, "light,side", 1)
    assert len(plan.sources) == 1
    assert not set(plan.sources) & {"pixels", "random"}


def test_maps_are_compared_place_by_place(data: Path, bank: str, tmp_path: Path) -> None:
    """Unknown pixels do not count, and maps of the dataset's tasks are read in their own codes."""
    done = probe(
        data, bank, tmp_path / "a.safetensors", "--labels", f"brightness={data / 'maps'}",
        "--labels", f"normals={data / 'normals'}", "--places", 4, "--json",
    )  # fmt: skip
    scores = told(done)
    assert scores["brightness"]["pixels"]["ridge"] > 0.98
    assert scores["brightness"]["pixels"]["knn"] > 0.7
    assert scores["normal"]["pixels"]["ridge"] > 0.8
    tensor = load_affinity(tmp_path / "a.safetensors")
    assert tensor.targets == ("normal", "brightness")
    assert compare(tensor, tensor).mean == pytest.approx(1)


def test_images_in_a_folder_for_each_class_need_no_table(data: Path, bank: str, tmp_path: Path) -> None:
    """Each image is then its own group; the seed alone decides."""
    for number, file in enumerate(sorted((data / "images").iterdir())):
        folder = tmp_path / "images" / ("left" if number % 2 else "right")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file.name).write_bytes(file.read_bytes())
    (tmp_path / "groups.csv").write_text(
        "file,group\n"
        + "".join(f"{side}/{n:02}.png,g{n}\n" for n in range(24) for side in [["right", "left"][n % 2]])
    )
    words = [
        "--labels",
        f"side={tmp_path / 'images'}",
        "--groups",
        tmp_path / "groups.csv",
        "--json",
        "--overwrite",
    ]
    first, again, other = (
        probe(tmp_path, bank, tmp_path / "a.safetensors", *words, "--seed", seed) for seed in (0, 0, 1)
    )
    assert told(first) == told(again)
    assert told(first) != told(other)
    assert told(first)["side"]["pixels"]["ridge"] == 1


def test_the_ranking_is_printed_with_the_controls_and_the_order_by_parameters(
    data: Path, bank: str, tmp_path: Path
) -> None:
    out = tmp_path / "probe.safetensors"
    done = probe(data, bank, out, "--labels", data / "labels.csv")
    assert done.exit_code == 0, done.stderr
    assert "pixels (control)" in done.stdout
    assert "random (control)" in done.stdout
    assert "sources beat both controls. Order by parameters: Spearman" in done.stdout
    command = next(line for line in done.stdout.splitlines() if line.startswith("plan:"))
    words = command.removeprefix("plan:").split()
    run = subprocess.run(
        [sys.executable, "-c", "from taxsolver_cli.app import app; app()", *words[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "(estimated)" in run.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--labels", "nowhere.csv"], "--labels nowhere.csv is neither a folder nor a CSV file"),
        (["--labels", "{data}/images"], "images stand outside of the folders of classes"),
        (["--labels", "{data}"], "no image has a map in"),
        (["--labels", "x={data}/labels.csv"], "3 columns of labels, which have names: leave out x="),
        (["--labels", "{data}/labels.csv", "--kind", "numbers"], "'right', which is not a number"),
        (["--labels", "{data}/labels.csv", "--groups", "{data}/labels.csv", "--held-out", "2"], "share 2.0"),
        (["--labels", "{data}/labels.csv", "--places", "0"], "places 0: choose 1 to 64"),
        (["--labels", "{data}/labels.csv", "--resamples", "1"], "resamples 1: choose 10 at least"),
        (["--labels", "a={data}/maps", "--labels", "a={data}/maps"], "two targets are called 'a'"),
        (["--labels", "{data}/maps", "--kind", "classes"], "holds no classes"),
        (["--labels", "{data}/labels.csv", "--plot", "{data}/p.gif"], "p.gif must end in .png, .svg, .pdf"),
    ],
)
def test_what_cannot_be_is_one_message_and_no_file(
    data: Path, bank: str, tmp_path: Path, words: list[str], message: str
) -> None:
    out = tmp_path / "out" / "probe.safetensors"
    done = probe(data, bank, out, *(word.format(data=data) for word in words))
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "has the columns (none): it needs `file`"),
        ("name,light\n00.png,3\n", "it needs `file`, and each column once"),
        ("file,group\n00.png,3\n", "it needs one of labels too"),
        ("file,light\n00.png,3\n00.png,4\n", "more than one line for 00.png"),
        ("file,light\n77.png,3\n", "1 file(s) that are not among the images: 77.png"),
        ("file,light\n00.png,3,4\n", "line 2 of"),
        ("file,light\n00.png,3\n01.png,4\n", "light: 2 image(s) with labels can be read, 12 at least"),
        ("file,light\n" + "".join(f"{n:02}.png,3\n" for n in range(24)), "the same everywhere"),
        ("file,group,light\n" + "".join(f"{n:02}.png,g,{n}\n" for n in range(24)), "of 1 group(s)"),
        ("file,kind\n" + "".join(f"{n:02}.png,same\n" for n in range(24)), "has 1 class(es), as 'same'"),
        (
            "file,kind\n" + "".join(f"{n:02}.png,{n % 2 or 'inf'}\n" for n in range(24)),
            "is inf: numbers up to",
        ),
        ("file,kind\n" + "".join(f"{n:02}.png,NaN\n" for n in range(24)), "'kind' of"),
    ],
)
def test_a_table_that_says_too_little_is_refused(
    data: Path, bank: str, tmp_path: Path, table: str, message: str
) -> None:
    (tmp_path / "labels.csv").write_text(table)
    done = probe(data, bank, tmp_path / "probe.safetensors", "--labels", tmp_path / "labels.csv")
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_decimal_commas_go_with_semicolons(data: Path, bank: str, tmp_path: Path) -> None:
    rows = [line.split(",") for line in (data / "labels.csv").read_text().splitlines()]
    text = "\n".join(
        ";".join(cell.replace(".", ",") if n == 2 else cell for n, cell in enumerate(row)) for row in rows
    )
    (tmp_path / "labels.csv").write_text(text)
    done = probe(data, bank, tmp_path / "a.safetensors", "--labels", tmp_path / "labels.csv", "--json")
    assert told(done)["light"]["pixels"]["ridge"] > 0.9


def test_nan_is_an_unknown_label_and_the_unit_may_be_small(data: Path, bank: str, tmp_path: Path) -> None:
    """Columns with NaN stay numbers, and are not the same everywhere for being small."""
    with (data / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = [
        f"{row['file']},{float(row['light']) * 1e-15 if place else 'NaN'}" for place, row in enumerate(rows)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["file,light", *lines]))
    done = probe(data, bank, tmp_path / "a.safetensors", "--labels", tmp_path / "labels.csv", "--json")
    assert told(done)["light"]["pixels"]["ridge"] > 0.9
    (scores,) = json.loads(done.stdout)["targets"]
    assert scores["measure"] == "variance explained"
    assert scores["learned"] + scores["held_out"] == len(rows) - 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.full((40, 60), 1e300), "holds 1e+300: numbers up to 1e+30 can be read"),
        (np.full((40, 60), 1j), "does not hold one array of real numbers"),
        (np.full((40, 60), "a"), "does not hold one array of real numbers"),
        (np.zeros((40, 60, 7)), "maps are (H, W) or (H, W, 1 to 4)"),
        (np.zeros(0), "maps are (H, W) or (H, W, 1 to 4)"),
        (np.zeros((7, 7)), "they must be of one size"),
    ],
)
def test_maps_of_no_use_are_refused(
    data: Path, bank: str, tmp_path: Path, content: np.ndarray, message: str
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for file in (data / "images").iterdir():
        np.save(maps / f"{file.stem}.npy", content)
    done = probe(data, bank, tmp_path / "a.safetensors", "--labels", maps)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_picture_that_cannot_be_read_is_left_out_and_named(data: Path, bank: str, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for file in (data / "images").iterdir():
        (images / file.name).write_bytes(b"damaged" if file.name == "05.png" else file.read_bytes())
    done = probe(tmp_path, bank, tmp_path / "a.safetensors", "--labels", data / "labels.csv")
    assert done.exit_code == 0
    assert "left out: " in done.stderr
    assert "05.png" in done.stderr


def test_a_plan_within_milliseconds_takes_the_sources_that_fit(data: Path, bank: str, tmp_path: Path) -> None:
    """The costs that `encode --time` writes are label costs of the tensor that `probe` writes."""
    out = tmp_path / "probe.safetensors"
    assert probe(data, bank, out, "--labels", data / "labels.csv").exit_code == 0
    words = ["encode", str(data / "images"), "--bank", bank, "--sources", SOURCES, "--time"]
    assert runner.invoke(app, [*words, "-o", str(tmp_path / "f.safetensors")]).exit_code == 0
    file = tmp_path / "f.costs.csv"
    costs = {line.split(",")[0]: float(line.split(",")[1]) for line in file.read_text().splitlines()[1:]}
    del costs["*"]
    cheapest = min(costs, key=costs.__getitem__)
    plan = solve(load_affinity(out), "light,side,luck", costs[cheapest], costs=file)
    assert plan.sources == (cheapest,)
    rich = solve(load_affinity(out), "light,side,luck", sum(costs.values()), costs=file)
    assert rich.objective >= plan.objective


def test_the_two_best_encoders_within_milliseconds_are_those_of_a_search_of_all_pairs(
    data: Path, bank: str, tmp_path: Path
) -> None:
    """By the commands of the documents, with other milliseconds for each budget to matter."""
    out, costs = tmp_path / "probe.safetensors", tmp_path / "costs.csv"
    words = ["--labels", data / "labels.csv", "--sources", "timm:test_resnet@1?weights=random"]
    assert probe(data, bank, out, *words).exit_code == 0
    foreign = {"timm:test_convnext@0#random": 14, "timm:test_resnet@1#random": 20}
    price = {"normal": 5, "reshading": 9, **foreign}
    rows = [f"{name},{cost},1,1" for name, cost in {**price, "*": 0}.items()]
    costs.write_text("\n".join(["task,price,images_full,images_transfer", *rows]))
    tensor = load_affinity(out)
    affinity = {
        (tensor.source_names(row)[0], tensor.tasks[tensor.target[row]]): float(tensor.affinity[row])
        for row in range(len(tensor.affinity))
    }

    def served(some: tuple[str, ...]) -> float:
        return sum(max(affinity[source, target] for source in some) for target in tensor.targets)

    for budget in (5, 14, 23, 25, 29, 34):
        choices = [some for count in (1, 2) for some in combinations(price, count)]
        best = max(served(some) for some in choices if sum(price[name] for name in some) <= budget)
        asked = ["--affinity", out, "--targets", "all", "--budget", budget, "--costs", costs, "--unit", "ms"]
        run = runner.invoke(
            planner, [*map(str, asked), "--at-most", f"2:{','.join(price)}", "--json"], catch_exceptions=False
        )
        assert run.exit_code == 0, run.stderr
        assert json.loads(run.stdout)["objective"] == pytest.approx(best)


def test_files_of_the_folder_that_are_no_images_here_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `predict` does, so that nobody thinks that they were compared."""
    for name in ("a.png", "b.heic", "c.mp4"):
        (tmp_path / name).touch()
    assert labelled_images(tmp_path) == {"a.png": tmp_path / "a.png"}
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("passed over 1 image(s) of a type that needs a plugin")
    assert second.startswith("passed over 1 video(s)")


@pytest.mark.parametrize("command", ["probe", "learn"])
def test_models_of_a_catalogue_are_sources_once_their_licence_is_accepted(
    data: Path, tmp_path: Path, command: str
) -> None:
    """By the option that the message names."""
    entry = {
        "name": "dense", "tasks": ["depth"], "loader": "transformers", "class": "Tipsv2DptForDensePrediction",
        "id": str(save_dense(tmp_path / "dense")), "licence": "", "depth": "metres",
    }  # fmt: skip
    catalogue = str(write_catalogue(tmp_path / "mine.toml", entry))
    (tmp_path / "light.csv").write_text(
        "\n".join(",".join(line.split(",")[:3]) for line in (data / "labels.csv").read_text().splitlines())
    )
    out = tmp_path / ("probe.safetensors" if command == "probe" else "learned")
    words = [
        command, "--images", str(data / "images"), "--labels", str(tmp_path / "light.csv"), "--sources",
        f"{catalogue},timm:test_convnext?weights=random", "--out", str(out), *(["--steps", "2"] if command == "learn" else []),
    ]  # fmt: skip
    refused = runner.invoke(app, words)
    assert (refused.exit_code, "--accept-licence" in refused.stderr, out.exists()) == (1, True, False)
    done = runner.invoke(app, [*words, "--accept-licence", "dense"])
    assert done.exit_code == 0, done.output
    assert "hf:dense@3" in done.stdout
    if command == "learn":  # its bank opens both encoders again
        picture, bank = str(data / "images" / "00.png"), str(out / "bank")
        done = runner.invoke(
            app,
            ["predict", picture, "--tasks", "mytask", "--bank", bank, "--out", str(tmp_path / "predicted")],
        )
        assert done.exit_code == 0, done.output
