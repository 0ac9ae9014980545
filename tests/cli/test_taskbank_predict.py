"""`taskbank predict` and `taskbank encode`: messages, exit codes, files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from tests.taskbank.toy import TOY_COMPACT, toy_network
from typer.main import get_command
from typer.testing import CliRunner, Result

from processes import child_process
from taskbank.bank.bank import Bank
from taskbank_cli.app import app

runner = CliRunner()
TASKS = ("normal", "depth_zbuffer", "class_scene", "segment_semantic", "fixated_pose", "point_matching")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a toy bank."""
    networks = {task: toy_network(task) for task in TASKS}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks).where


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three images, one of them damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "ac":
        noise = np.random.default_rng(ord(name)).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{name}.png")
    (folder / "b.png").write_bytes(b"damaged")
    return folder


def run(*words: object) -> Result:
    """The command, as typed."""
    return runner.invoke(app, [str(word) for word in words])


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_predicted_and_the_bad_image_reported(bank: str, photos: Path, tmp_path: Path) -> None:
    """The others are done; exit code 1; inputs stay as they are."""
    before = content(photos)
    out = tmp_path / "out"
    done = run(
        "predict", photos, "--tasks", "normals, scene", "--out", out, "--bank", bank, "--save", "png,npy,json"
    )
    assert done.exit_code == 1
    assert done.stdout == (
        f"2 of 3 input(s), results in {out}\n"
        "class_scene: the networks saw the middle square only, up to 33% of an image is left out\n"
    )
    assert f"failed: {photos / 'b.png'} is not an image of a known format" in done.stderr
    assert done.stderr.splitlines()[-1] == "1 input(s) failed"
    expected = {f"{task}.{form}" for task in ("normal", "class_scene") for form in ("png", "npy", "json")}
    for name in "ac":
        assert {path.name for path in (out / name).iterdir()} == expected | {"all_tasks.png"}
    assert np.load(out / "a" / "normal.npy").shape == (20, 30, 3)
    assert content(photos) == before


def test_a_folder_without_images_does_not_end_a_run(bank: str, photos: Path, tmp_path: Path) -> None:
    """Nor a pattern that nothing matches; both are named at the end, as bad images are."""
    (tmp_path / "empty").mkdir()
    named = (tmp_path / "empty", photos / "a.png", tmp_path / "*.gif")
    for words in (
        ("predict", *named, "-t", "normals", "-o", tmp_path / "out"),
        ("encode", *named, "-t", "normals", "-o", tmp_path / "a.safetensors"),
    ):
        done = run(*words, "--bank", bank)
        assert done.exit_code == 1
        assert done.stdout.startswith("1 of 3 input(s), ")
        if str(words[-1]).endswith(".safetensors"):  # photographs of 20 x 30 px
            assert "saw the middle square only, up to 33% of an image is left out: --fit" in done.stdout
        assert f"failed: {tmp_path / 'empty'} holds no images" in done.stderr
        assert f"failed: no file matches '{tmp_path / '*.gif'}'" in done.stderr
        assert done.stderr.splitlines()[-1] == "2 input(s) failed"


def test_large_photos_pass_without_a_word_and_decompression_bombs_are_refused(
    bank: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow warns from its limit of pixels on, and refuses from twice as many on; here are 600."""
    words = ("predict", photos / "a.png", "-t", "normals", "--bank", bank, "-o")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    done = run(*words, tmp_path / "large")
    assert (done.exit_code, done.stderr) == (0, "")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200)
    refused = run(*words, tmp_path / "bomb")
    assert refused.exit_code == 1
    assert "decompression bomb DOS attack. Make it smaller first\n" in refused.stderr


def test_no_help_is_cut_off_at_80_columns() -> None:
    commands: Any = get_command(app)
    pages = {
        name: runner.invoke(app, [name, "--help"], env={"COLUMNS": "80", "TERM": "dumb"}).stdout
        for name in commands.commands
    }
    assert [name for name, page in pages.items() if "…" in page] == []
    assert "probe" in pages


@pytest.mark.parametrize("command", ["predict", "transfer", "encode"])
def test_help_says_what_can_be_named_within_80_columns(command: str) -> None:
    """Nothing is cut off."""
    page = runner.invoke(app, [command, "--help"], env={"COLUMNS": "80", "TERM": "dumb"}).stdout
    assert "…" not in page
    assert max(map(len, page.splitlines())) <= 80
    assert "patterns such as" in page


def test_existing_results_are_refused_without_overwrite(bank: str, photos: Path, tmp_path: Path) -> None:
    """With it they are replaced."""
    words = ("predict", photos / "a.png", "-t", "depth", "-o", tmp_path / "out", "--bank", bank)
    assert run(*words).exit_code == 0
    again = run(*words)
    assert again.exit_code == 1
    assert "3 result(s) exist already" in again.stderr
    assert "--overwrite" in again.stderr
    assert run(*words, "--overwrite").exit_code == 0


def test_results_stay_in_their_folder_and_are_no_inputs_of_the_next_call(
    bank: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the images lie, and with the folder of results among them."""
    (photos / "b.png").unlink()
    (tmp_path / "here").mkdir()
    (photos / "c.png").rename(tmp_path / "here" / "c.png")
    monkeypatch.chdir(tmp_path / "here")
    words = ("--tasks", "normals", "--bank", bank, "--save", "json", "--overwrite")
    assert run("predict", "../photos/a.png", "c.png", *words).exit_code == 0
    assert sorted(content(tmp_path)) == [
        "here/c.png",
        "here/predictions/here/c/normal.json",
        "here/predictions/photos/a/normal.json",
        "photos/a.png",
    ]
    (tmp_path / "here" / "predictions" / "earlier.png").write_bytes(Path("c.png").read_bytes())
    assert run("predict", ".", *words).stdout == "1 of 1 input(s), results in predictions\n"


def test_options_that_nothing_would_heed_are_refused(bank: str, photos: Path, tmp_path: Path) -> None:
    """With what they are for."""
    words = ("predict", photos / "a.png", "-t", "normals", "--bank", bank, "-o", tmp_path / "out")
    assert "only --save dataset has buildings" in run(*words, "--building", "home").stderr
    assert "only videos can be smoothed, and none is named" in run(*words, "--smooth", "1").stderr
    assert not (tmp_path / "out").exists()


def test_options_reach_the_prediction(bank: str, photos: Path, tmp_path: Path) -> None:
    """Fit, frame, axes, size and the average with the mirrored image are in the facts."""
    out = tmp_path / "out"
    options = [
        "--fit",
        "pad",
        "--frame",
        "network",
        "--normals",
        "opengl",
        "--size",
        "128",
        "--device",
        "cpu",
        "--mirrored",
    ]
    assert (
        run("predict", photos / "a.png", "-t", "normals", "-o", out, "--bank", bank, *options).exit_code == 0
    )
    facts = json.loads((out / "a" / "normal.json").read_text())
    assert (facts["frame"], facts["shape"]) == ("network", [128, 128, 3])
    assert facts["inputs"][0]["fit"] == "pad"
    assert facts["convention"].startswith("OpenGL")
    assert facts["mirrored"] is True


def test_together_is_for_tasks_of_several_images(bank: str, photos: Path, tmp_path: Path) -> None:
    """`all` is then every task of so many images."""
    out = tmp_path / "out"
    done = run("predict", "--together", photos / "a.png", photos / "c.png", "-o", out, "--bank", bank)
    assert done.exit_code == 0
    written = {path.name for path in (out / "a+c").iterdir()}
    assert {"fixated_pose.json", "point_matching.png", "all_tasks.png"} <= written
    twice = (photos / "a.png", photos / "a.png", "-t", "matching")
    assert run("predict", "--together", *twice, "-o", out, "--bank", bank).exit_code == 0
    assert (out / "a+a" / "point_matching.json").is_file()
    alone = run("predict", photos / "a.png", "-t", "pose", "-o", tmp_path / "x", "--bank", bank)
    assert alone.exit_code == 1
    assert "fixated_pose takes 2 image(s) together, not 1: name so many, with --together" in alone.stderr


def test_a_bank_that_is_not_there_is_one_line(photos: Path, tmp_path: Path) -> None:
    done = run("predict", photos / "a.png", "-o", tmp_path / "out", "--bank", "nowhere")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: no bank at nowhere")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-t", "nromals"), "unknown task 'nromals': did you mean normal"),
        (("-t", "curvature"), "no task 'curvature' in the bank"),
        (("-t", "normals,pose"), "fixated_pose takes 2 image(s) together, not 1"),
        (("-t", ","), "no task was named"),
        (("--save", "gif"), "cannot save as 'gif': choose from png, npy, json"),
        (("--device", "gpu"), "unknown device 'gpu'"),
        (("--precision", "fp16", "--device", "cpu"), "precision fp16 needs a GPU"),
        (("--size", "100"), "size 100 is not a positive multiple of 16"),
        (("--size", "1000000000"), "size 1000000000 is too large: 4096 at most"),
        (("--batch-size", "9" * 20), f"batch_size {'9' * 20} and workers 2 must lie between 1 and 65536"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(
    bank: str, photos: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """Exit code 1."""
    done = run("predict", photos / "a.png", "-o", tmp_path / "out", "--bank", bank, *words)
    assert done.exit_code == 1
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [("predict", "-o"), ("encode", "-o"), ("info",), ("push",)],
    ids=["predict", "encode", "info", "push"],
)
def test_names_that_are_too_long_for_the_file_system_are_an_error(
    bank: str, photos: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Of folders and files of results, and of banks."""
    long = tmp_path / ("x" * 300)
    given: tuple[object, ...] = (*words, long)
    if words[0] in ("predict", "encode"):
        given += (photos / "a.png", "-t", "normal", "--bank", bank)
    if words[0] == "push":
        given += ("owner/name",)
    done = run(*given)
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert "x" * 300 in done.stderr


def test_without_a_bank_the_message_says_what_to_do(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variable and option are named."""
    monkeypatch.setattr("taskbank.bank.source._BUNDLED_FOLDER", tmp_path)
    monkeypatch.delenv("TASKBANK_BANK", raising=False)
    done = run("predict", photos)
    assert done.exit_code == 1
    assert "TASKBANK_BANK" in done.stderr
    assert "--bank" in done.stderr


def test_a_place_without_images_is_named(tmp_path: Path, bank: str) -> None:
    """Before the bank is read."""
    done = run("predict", tmp_path, "--bank", bank)
    assert (done.exit_code, "holds no images" in done.stderr) == (1, True)
    assert run("predict", "--bank", bank).exit_code == 2


def test_representations_are_saved(bank: str, photos: Path, tmp_path: Path) -> None:
    """Of every encoder, also those of tasks that take several images."""
    out = tmp_path / "codes.safetensors"
    done = run("encode", photos, "-o", out, "--bank", bank)
    assert done.exit_code == 1
    assert "2 of 3 input(s), 2 representation(s)" in done.stdout
    assert "b.png is not an image" in done.stderr
    with safe_open(out, "np") as file:
        assert set(file.keys()) == set(TASKS)
        assert file.get_tensor("fixated_pose").shape == (2, 8, 16, 16)
    assert "exist already" in run("encode", photos, "-o", out, "--bank", bank).stderr


@pytest.mark.parametrize("command", ["predict", "encode"])
def test_help_does_not_import_torch(command: str) -> None:
    """It answers at once."""
    code = (
        "import sys\nfrom taskbank_cli.app import app\n"
        f"app([{command!r}, '--help'], standalone_mode=False)\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_leaves_whole_files_only(bank: str, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a folder: what is there can be read, and nothing half-written is left."""
    folder, out = tmp_path / "many", tmp_path / "out"
    folder.mkdir()
    for number in range(300):
        Image.new("RGB", (400, 300), (number % 256, 9, 9)).save(folder / f"{number:03}.png")
    words = [
        "predict",
        str(folder),
        "-t",
        "normals,depth",
        "-o",
        str(out),
        "--bank",
        bank,
        "--save",
        "png,npy,json",
    ]
    code = f"from taskbank_cli.app import app; app({words!r})"
    words = [sys.executable, "-c", code]
    with child_process(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 300  # on a busy machine
        while len(list(out.glob("*/normal.npy"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode != 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if "partial" in path.name]
    assert len(list(out.iterdir())) < 300
    for path in files:
        if path.suffix == ".png":
            with Image.open(path) as image:
                image.load()
        elif path.suffix == ".npy":
            np.load(path)
        else:
            json.loads(path.read_text())


def test_results_of_oddly_named_files_are_all_there(bank: str, photos: Path, tmp_path: Path) -> None:
    """Names that collide, that are dots, as long as allowed, no UTF-8, with an escape; as a process."""
    folder = tmp_path / "odd"
    folder.mkdir()
    names = [
        b"a.png",
        b"a.jpg",
        b"a.png.png",
        b"...png",
        b"x" * 251 + b".png",
        b"caf\xe9.png",
        b"\x1b[2Jz.png",
    ]
    for name in names:
        target = os.fsencode(folder) + b"/" + name
        Path(os.fsdecode(target)).write_bytes((photos / "a.png").read_bytes())
    (folder / "\x1b]0;bad.png").write_bytes(b"damaged")
    out = tmp_path / "out"
    inputs = [str(folder), str(folder / "...png")]  # hidden, so it is named
    words = ["predict", *inputs, "-t", "normal", "-o", str(out), "--bank", bank, "--save", "json,dataset"]
    command = [sys.executable, "-c", "import sys; from taskbank_cli.app import app; sys.exit(app())", *words]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    assert f"7 of 8 input(s), results in {out}" in done.stdout.decode()
    assert b"\x1b" not in done.stdout + done.stderr
    made = sorted(path.relative_to(out).parent.as_posix() for path in out.rglob("normal.json"))
    cut = next(name for name in made if name.startswith("xxx"))
    assert len(cut) == 200
    assert made == sorted(["a.png", "a.jpg", "a.png.png", "...png", cut, "caf%E9", "%1B[2Jz"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odd", "out", "photos"]
    assert "caf\\udce9.png" in (out / "odd.csv").read_text(encoding="utf-8")
