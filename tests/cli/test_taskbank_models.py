"""`taskbank models`, and third-party models behind the other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from tests.taskbank.clips import corner_frames, read_clip, write_clip
from typer.testing import CliRunner, Result

from taskbank_cli.app import app
from tiny_models import save_depth_anything, write_catalogue

runner = CliRunner()


def taskbank(*words: object) -> Result:
    """The command, as typed."""
    return runner.invoke(app, list(map(str, words)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photograph, a model, and a catalogue of it without a licence."""
    root = tmp_path_factory.mktemp("models")
    save_depth_anything(root / "depth", "metric")
    Image.linear_gradient("L").resize((90, 60)).save(root / "photo.png")
    row = {
        "name": "metric", "tasks": ["depth"], "loader": "transformers", "class": "DepthAnythingForDepthEstimation",
        "id": "./depth", "licence": "", "depth": "metres", "megabytes": 1,
    }  # fmt: skip
    write_catalogue(root / "mine.toml", row)
    return root


def test_models_are_listed_with_task_id_licence_size_and_loader() -> None:
    done = taskbank("models", "--json")
    assert done.exit_code == 0
    rows = {row["name"]: row for row in json.loads(done.stdout)["models"]}
    tips = rows["tipsv2"]
    assert (tips["id"], tips["licence"], tips["loader"]) == (
        "google/tipsv2-b14-dpt",
        "Apache-2.0",
        "transformers",
    )
    assert tips["taken"] == ["normal", "depth_zbuffer", "segment_semantic"]
    assert rows["clip"]["taken"] == []
    shown = taskbank("models", "--only", "clip,mobilenetv3").stdout
    assert "class_scene*" in shown
    assert "not stated" in shown
    assert "tipsv2" not in shown


def test_a_catalogue_of_ones_own_is_written_once(tmp_path: Path) -> None:
    out = tmp_path / "mine.toml"
    assert taskbank("models", "--only", "clip", "--out", out).exit_code == 0
    again = taskbank("models", "--out", out)
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)
    assert taskbank("models", "--out", out, "--overwrite").exit_code == 0
    assert json.loads(taskbank("models", out, "--json").stdout)["name"] == "mine"
    assert "must end in .toml" in taskbank("models", "--out", tmp_path / "mine.txt").stderr
    assert "add --out" in taskbank("models", "--pin").stderr
    assert "has no model 'nobody'" in taskbank("models", "--only", "nobody").stderr


def test_the_licence_is_asked_for_and_printed_once(folder: Path, tmp_path: Path) -> None:
    words = (
        "predict",
        folder / "photo.png",
        folder / "photo.png",
        "--bank",
        folder / "mine.toml",
        "-o",
        tmp_path,
    )
    refused = taskbank(*words)
    assert refused.exit_code == 1
    assert "no licence is stated" in refused.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())
    done = taskbank(*words, "--accept-licence", "metric")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("no licence is stated") == 1
    facts = json.loads((tmp_path / "photo" / "depth_zbuffer.json").read_text())
    assert facts["model"]["licence"] == "not stated"
    assert facts["unit"] == "m"


def test_videos_are_predicted_frame_by_frame(folder: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", corner_frames(3))
    words = ("--bank", folder / "mine.toml", "--accept-licence", "metric", "--save", "png,npy")
    done = taskbank("predict", clip, *words, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    (film,) = (tmp_path / "out").rglob("*.mp4")
    assert len(read_clip(film)[0]) == 3


def test_commands_that_need_files_say_what_foundation_is(folder: Path) -> None:
    for command in ("info", "push"):
        done = taskbank(command, *(["foundation", "a/b"] if command == "push" else ["foundation"]))
        assert (done.exit_code, "names third-party models" in done.stderr) == (1, True)
    done = taskbank("download", folder / "mine.toml")
    assert (done.exit_code, "--accept-licence" in done.stderr) == (1, True)
    done = taskbank("download", folder / "mine.toml", "--accept-licence", "metric")
    assert (done.exit_code, "sha256:" in done.stdout) == (0, True)
    done = taskbank("download", "rooms", "--accept-licence", "metric")
    assert (done.exit_code, "is for third-party models" in done.stderr) == (1, True)
    done = taskbank("export", "depth", "--bank", folder / "mine.toml", "-o", folder / "depth.onnx")
    assert (done.exit_code, "not a network of this package" in done.stderr) == (1, True)
