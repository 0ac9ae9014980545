"""Long runs and pipes: what is there is skipped, images come from stdin, and a told end leaves nothing half-written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from tests.taskbank.clips import corner_frames, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.testing import CliRunner, Result

from processes import child_process
from taskbank.bank.bank import Bank
from taskbank_cli.app import app

runner = CliRunner()
COMMAND = [sys.executable, "-c", "import sys; from taskbank_cli.app import app; sys.exit(app())"]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("toy") / "bank"
    networks = {task: toy_network(task) for task in ("normal", "depth_zbuffer")}
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks).where


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "abc":
        noise = np.random.default_rng(ord(name)).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{name}.png")
    return folder


def run(*words: object) -> Result:
    return runner.invoke(app, [str(word) for word in words])


def test_a_stopped_run_goes_on_where_it_stopped(bank: str, photos: Path, tmp_path: Path) -> None:
    """Inputs with all of their results are left alone; one that lacks a file, and a new one, are done."""
    out = tmp_path / "out"
    words = ["predict", photos, "-t", "normal,depth", "-o", out, "--bank", bank, "--save", "png,json,dataset"]
    (photos / "c.png").rename(tmp_path / "c.png")
    assert run(*words).exit_code == 0
    (tmp_path / "c.png").rename(photos / "c.png")
    kept = {path: path.stat().st_mtime_ns for path in (out / "a").iterdir()}
    (out / "b" / "normal.json").unlink()
    done = run(*words, "--skip-existing")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"3 of 3 input(s), results in {out} (1 were there already)\n"
    assert {path: path.stat().st_mtime_ns for path in (out / "a").iterdir()} == kept
    assert (out / "b" / "normal.json").exists()
    assert (out / "c" / "normal.json").exists()
    (out / "photos" / "rgb").joinpath(next(p.name for p in (out / "photos" / "rgb").iterdir())).unlink()
    assert "(2 were there already)" in run(*words, "--skip-existing").stdout
    assert "(3 were there already)" in run(*words, "--skip-existing").stdout


def test_results_are_either_skipped_or_replaced(bank: str, photos: Path, tmp_path: Path) -> None:
    """Both at once is refused, and an input is never replaced."""
    words = ["predict", photos, "-t", "normal", "--bank", bank]
    refused = run(*words, "-o", tmp_path / "out", "--skip-existing", "--overwrite")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "choose one of overwrite and skip_existing" in refused.stderr
    inside = tmp_path / "a"
    inside.mkdir()
    Image.new("RGB", (9, 9)).save(inside / "normal.png")
    refused = run(
        "predict", inside / "normal.png", "-t", "normal", "--bank", bank, "-o", tmp_path, "--skip-existing"
    )
    assert (tmp_path / "normal" / "normal.png").exists() or "over the input" in refused.stderr
    with Image.open(inside / "normal.png") as image:
        assert image.size == (9, 9)


@pytest.mark.parametrize("command", ["predict", "encode"])
def test_an_image_that_is_piped_in_is_read(bank: str, photos: Path, tmp_path: Path, command: str) -> None:
    """As a process; its results are called stdin."""
    out = tmp_path / ("out" if command == "predict" else "out.safetensors")
    words = [*COMMAND, command, "-", str(photos / "a.png"), "-t", "normal", "-o", str(out), "--bank", bank]
    with (photos / "b.png").open("rb") as file:
        done = subprocess.run(words, stdin=file, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if command == "predict":
        assert json.loads((out / "stdin" / "normal.json").read_text())["inputs"][0]["source"] == "stdin"
        assert (out / "a" / "normal.json").exists()
    else:
        with safe_open(out, "np") as opened:
            assert json.loads(opened.metadata()["images"]) == ["stdin", str(photos / "a.png")]
    empty = subprocess.run(
        [*words, "--overwrite"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert empty.returncode == 1
    assert "failed: stdin is empty (0 bytes)" in empty.stderr
    assert "1 of 2 input(s)" in empty.stdout


def test_clouds_have_y_up_where_that_is_asked(bank: str, photos: Path, tmp_path: Path) -> None:
    """And --axes without a cloud is refused."""
    words = ["predict", photos / "a.png", "-t", "depth", "--bank", bank, "--axes", "opengl"]
    assert run(*words, "-o", tmp_path / "up", "--save", "ply").exit_code == 0
    head = (tmp_path / "up" / "a" / "depth_zbuffer.ply").read_bytes().split(b"end_header")[0]
    assert b"+y up, +z towards the viewer (OpenGL)" in head
    refused = run(*words, "-o", tmp_path / "none")
    assert refused.exit_code == 1
    assert "--axes is for point clouds: add --save ply" in refused.stderr


def test_every_frame_of_a_video_is_encoded(bank: str, photos: Path, tmp_path: Path) -> None:
    """Rows in the order of frames, beside those of images; a broken video does not end the run."""
    clip = write_clip(tmp_path / "a.mp4", corner_frames(5))
    (tmp_path / "bad.mp4").write_bytes(b"x" * 100)
    out = tmp_path / "codes.safetensors"
    done = run(
        *("encode", photos / "a.png", clip, tmp_path / "bad.mp4", photos / "b.png"),
        *("-t", "normal", "--bank", bank, "-o", out),
    )
    assert done.exit_code == 1
    assert "3 of 4 input(s), 7 representation(s) in" in done.stdout
    assert f"failed: {tmp_path / 'bad.mp4'} cannot be read as a video" in done.stderr
    names = [str(photos / "a.png"), *(f"{clip}#{number}" for number in range(5)), str(photos / "b.png")]
    with safe_open(out, "np") as opened:
        assert json.loads(opened.metadata()["images"]) == names
        rows = opened.get_tensor("normal")
    alone = tmp_path / "alone.safetensors"
    assert run("encode", photos / "b.png", "-t", "normal", "--bank", bank, "-o", alone).exit_code == 0
    with safe_open(alone, "np") as opened:
        assert np.allclose(opened.get_tensor("normal")[0], rows[6], atol=1e-4)
    assert not np.allclose(rows[1], rows[2], atol=1e-2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_leaves_no_partial_files(
    bank: str, photos: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """As init systems and clusters do it; the exit code says which signal it was."""
    clip = write_clip(tmp_path / "long.mp4", corner_frames(400))
    out = tmp_path / "out"
    words = ["predict", str(clip), "-t", "normal,depth", "-o", str(out), "--bank", bank, "--save", "png,npy"]
    with child_process([*COMMAND, *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 300
        while not list(out.rglob("*.partial")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (128 + number, b"")
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


def test_a_signal_while_the_interpreter_exits_prints_no_traceback() -> None:
    """All is written then, and callbacks of other libraries must not be interrupted by an exception."""
    words = [
        *(sys.executable, "-c"),
        "import atexit, os, signal\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM))\n"
        "from taskbank_cli.app import app\n"
        "app()",
        "--version",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    assert done.stdout.startswith("taskbank ")
