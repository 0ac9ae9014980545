"""`taskbank transfer`, and videos on the command line: messages, exit codes, files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.taskbank.clips import corner_frames, read_clip, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout, toy_scratch
from typer.testing import CliRunner, Result

from taskbank.bank.bank import About, Bank
from taskbank_cli.app import app
from taskbank_cli.info import _headline

runner = CliRunner()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a toy bank with transfers."""
    sources = ("normal", "edge_occlusion")
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(
        folder,
        name="toy",
        architecture=TOY_COMPACT,
        networks={task: toy_network(task) for task in (*sources, "depth_zbuffer")},
        transfers=(
            toy_readout(sources, "reshading"),
            toy_readout(("normal",), "egomotion"),
            toy_scratch("reshading"),
        ),
        about_transfers={(sources, "reshading"): About(metrics={"mae": 0.125}, licence="CC0-1.0")},
        licence="MIT",
    ).where


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small photograph."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path)
    return path


def run(*words: object) -> Result:
    """The command, as typed."""
    return runner.invoke(app, [str(word) for word in words])


def test_a_target_is_read_out_from_sources(bank: str, photo: Path, tmp_path: Path) -> None:
    """By any of their names, in any order; the damaged image is reported."""
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"damaged")
    out = tmp_path / "out"
    done = run(
        "transfer", photo, bad, "--sources", "occlusion_edges, normals", "--target", "reshade",
        "--out", out, "--bank", bank, "--save", "png,npy,json",
    )  # fmt: skip
    assert done.exit_code == 1
    assert done.stdout == f"1 of 2 input(s), results in {out}\n"
    assert f"failed: {bad} is not an image of a known format" in done.stderr
    assert {path.name for path in (out / "photo").iterdir()} == {
        f"reshading.{form}" for form in ("png", "npy", "json")
    }
    facts = json.loads((out / "photo" / "reshading.json").read_text())
    assert facts["read_from"] == ["normal", "edge_occlusion"]
    assert facts["bank"]["name"] == "toy"
    again = run(
        "transfer", photo, "-s", "normals,edge_occlusion", "--target", "reshading", "-o", out, "--bank", bank
    )
    assert (again.exit_code, "exist already" in again.stderr) == (1, True)


def test_a_network_from_scratch_is_named_like_a_source(bank: str, photo: Path, tmp_path: Path) -> None:
    """It needs no encoder of the bank."""
    out = tmp_path / "out"
    words = ("--sources", "scratch", "--target", "reshading", "--out", out, "--bank", bank)
    assert run("transfer", photo, *words).exit_code == 0
    assert json.loads((out / "photo" / "reshading.json").read_text())["read_from"] == ["scratch"]


def test_egomotion_is_read_out_from_three_images(bank: str, photo: Path, tmp_path: Path) -> None:
    """With the composed pose, and the picture of three cameras."""
    out = tmp_path / "out"
    words = ("-s", "normals", "--target", "egomotion", "-o", out, "--bank", bank)
    done = run("transfer", "--together", photo, photo, *words)
    assert done.exit_code == 1
    assert "egomotion takes 3 image(s) together, not 2" in done.stderr
    copies = [photo.with_name(f"{name}.png") for name in "abc"]
    for copy in copies:
        copy.write_bytes(photo.read_bytes())
    assert run("transfer", "--together", *copies, *words).exit_code == 0
    facts = json.loads((out / "a+b+c" / "egomotion.json").read_text())
    assert facts["pairs"] == [[1, 2], [2, 3], [1, 3]]
    assert len(facts["values"]) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-s", "normals", "--target", "reshading"), "no transfer 'normal -> reshading' in the bank"),
        (("-s", "nromals", "--target", "reshading"), "unknown task 'nromals': did you mean normal"),
        (("-s", ",", "--target", "reshading"), "no source was named"),
        (("-s", "normals", "--target", ","), "no task was named"),
        (("-s", "normals", "--target", "egomotion"), "egomotion takes 3 image(s) together, not 1"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(
    bank: str, photo: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """Exit code 1."""
    done = run("transfer", photo, "-o", tmp_path / "out", "--bank", bank, *words)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "out").exists()


def test_info_lists_transfers_with_metrics_and_licences(bank: str) -> None:
    """The bank's licence where a transfer has none."""
    lines = [line.split() for line in run("info", bank).stdout.splitlines()]
    assert ["normal,edge_occlusion", "reshading", "0.0", "CC0-1.0", "mae", "0.125"] in lines
    assert ["normal", "egomotion", "0.0", "MIT", "-"] in lines
    assert ["scratch", "reshading", "0.0", "MIT", "-"] in lines


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({}, "-"),
        ({"mae": 0.12345}, "mae 0.123"),
        ({"l1": 0.1, "psnr": 22.35}, "psnr 22.4 (+1)"),
        (
            {"mean": 23.3, "median": 11.0, "real_mean": 38.25, "real_median": 29.0},
            "mean 23.3, real_mean 38.2 (+2)",
        ),
    ],
)
def test_info_shows_the_metric_that_people_ask_for_first(metrics: dict[str, float], words: str) -> None:
    assert _headline(metrics) == words


def test_a_video_gives_a_video_per_task(bank: str, photo: Path, tmp_path: Path) -> None:
    """Beside images; the bad one is reported, and a second run is refused."""
    clip = write_clip(tmp_path / "clip.mp4", corner_frames(3), sound=True)
    bad = tmp_path / "bad.mov"
    bad.write_bytes(b"damaged")
    out = tmp_path / "out"
    words = ("-t", "normals,depth", "-o", out, "--bank", bank, "--device", "cpu")
    done = run("predict", photo, bad, clip, *words)
    assert done.exit_code == 1
    assert "2 of 3 input(s)" in done.stdout
    assert f"failed: {bad} cannot be read as a video" in done.stderr
    frames, times = read_clip(out / "clip" / "normal.mp4")
    assert (len(frames), frames[0].shape) == (3, (48, 64, 3))
    assert times == pytest.approx([0, 0.04, 0.08])
    facts = json.loads((out / "clip" / "depth_zbuffer.json").read_text())
    assert facts["video"]["sound"] == "left out"
    assert {path.name for path in out.iterdir()} == {"photo", "clip"}
    again = run("predict", clip, *words)
    assert (again.exit_code, "4 result(s) exist already" in again.stderr) == (1, True)


def test_help_does_not_import_torch() -> None:
    """It answers at once."""
    code = (
        "import sys\nfrom taskbank_cli.app import app\n"
        "app(['transfer', '--help'], standalone_mode=False)\n"
        "sys.exit(bool({'torch', 'numpy', 'av'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
