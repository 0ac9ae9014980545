"""The documents: what they and `--help` tell people to type works, and nothing in them leads astray."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from ast import literal_eval
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
import typer
from gradio_client import Client
from PIL import Image
from tests.taskbank.clips import corner_frames, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout
from training.__main__ import app as training_app
from typer.testing import CliRunner

from documented import DOCUMENTS, ROOT, Documented, commands_of_documents, commands_of_help, programs
from taskbank.bank.bank import Bank
from taskbank.nets.encoder import ResNetEncoder
from taskbank_cli.app import app as taskbank_app
from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings
from taxsolver import load_affinity, save_affinity
from taxsolver_cli.app import app as taxsolver_app

APPS = {"taxsolver": taxsolver_app, "taskbank": taskbank_app, "python -m training": training_app}
EXAMPLES = ROOT / "cli" / "taskbank_demo" / "examples"
STAGES = ("frames", "networks", "transfers", "affinity", "taxonomy", "grouping", "evaluation", "published")

NOT_RUN = {
    r"make demo": "CI runs it",
    r"make test": "CI runs it",
    r"pip install .*": "needs a package index; test_packaging.py does it in tests marked `network`",
    r".*training/run_all\.sh --preset smoke .*": "`make smoke` runs these words in CI",
    r"taskbank push .*": "needs the Hub; test_taskbank_hub.py pushes to one on this machine",
    r"taskbank download hf://.*": "needs the Hub; test_taskbank_hub.py downloads from one on this machine",
    r"taskbank convert visualpriors .*": "downloads 3.4 GB; test_convert_published.py serves small ones",
    r"taxsolver --install-completion": "writes into the start-up file of the shell",
    r"python -m training\.published_affinities": "writes the shipped tensors; their own test makes them",
    r"python -m training\.rooms\.frames\.gallery OUT\.png": "renders for minutes; tests/training/rooms/ renders less",
    r"python -m training (evaluation|frames) \.\.\. .*": "needs real frames; tests/training/data/real/ makes some",
    r"python -m training\.rooms\.surfaces\.environments .*": "needs the package; test_environments.py converts a toy",
    r"taxsolver (affinity import|ahp|group( --table)?)|taskbank encode|python -m training bundle": "only named",
}
"""What is not run here, and why."""

SMALL = {
    "size = 64": "size = 32",
    "steps = 6": "steps = 2",
    "steps = 4": "steps = 2",
    "check_every = 3": "check_every = 1",
}
"""What is changed in the preset `smoke` so that all stages take a minute."""


def _all_commands() -> list[Documented]:
    """Every command, once."""
    found = list(commands_of_documents())
    for name, app in APPS.items():
        found += commands_of_help(app, name)
    return list({each.words: each for each in found}.values())


def _is_run(words: str) -> bool:
    return not any(re.fullmatch(pattern, words) for pattern in NOT_RUN)


def _is_training(words: str) -> bool:
    """Whether it belongs to the commands that build on each other."""
    return words.startswith("python -m training ") or _is_own_task(words)


def _is_own_task(words: str) -> bool:
    return "daylight" in words or " novel " in words


COMMANDS = [each for each in _all_commands() if _is_run(each.words)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the photographs, videos, banks and tables that the documents name, all small."""
    folder = tmp_path_factory.mktemp("documents") / "prepared"
    (folder / "photos").mkdir(parents=True)
    with Image.open(EXAMPLES / "sitting_room.jpg") as photo:
        small = photo.resize((160, 120))
    for name in (
        "photo.jpg",
        "room.jpg",
        "sitting_room.jpg",
        "a.png",
        "b.png",
        "photos/1.jpg",
        "photos/2.jpg",
    ):
        small.save(folder / name)
    (folder / "pictures").mkdir()
    for number in range(12):
        small.point(lambda value, times=number: value * times / 12).save(
            folder / "pictures" / f"{number}.png"
        )
    lines = ["file,light", *(f"{number}.png,{number}" for number in range(12))]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    save_affinity(load_affinity("rooms"), folder / "probe.safetensors")
    (folder / "features.costs.csv").write_text(
        "task,price,images_full,images_transfer\nnormal,6,1,1\nreshading,7,1,1\n*,0,1,1\n", encoding="utf-8"
    )
    (folder / "TEXTURES").mkdir()
    (folder / "out" / "demo").mkdir(parents=True)
    small.save(folder / "TEXTURES" / "wall.jpg")
    write_clip(folder / "clip.mp4", corner_frames(3))

    networks = {task: toy_network(task) for task in ("normal", "depth_zbuffer", "reshading")}
    transfers = (toy_readout(("normal",), "reshading"),)
    for name in ("my-bank", "bank"):
        Bank.save(folder / name, name="toy", architecture=TOY_COMPACT, networks=networks, transfers=transfers)
    networks.pop("depth_zbuffer")
    Bank.save(folder / "BANK", name="toy", architecture=TOY_COMPACT, networks=networks)

    losses = np.random.default_rng(0).random((20, 2)).tolist()
    rows = ["normal,depth_zbuffer", *(f"{one!r},{other!r}" for one, other in losses)]
    (folder / "losses.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    save_affinity(load_affinity("taskonomy-1k"), folder / "mine.csv")
    costs = (
        "task,price,images_full,images_transfer,owned\n*,0.02,120000,1000,0\nnormal,0.05,120000,1000,0.4\n"
    )
    (folder / "costs.csv").write_text(costs, encoding="utf-8")
    _typed("taxsolver --targets normals,depth --budget 1 --save plan.json", folder)
    for target in ("reshading", "normals"):
        _typed(f"taxsolver ahp losses.csv --target {target} --save {target}.csv", folder)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, in which a command is typed."""
    here = tmp_path / "here"
    shutil.copytree(prepared, here)
    monkeypatch.delenv("TASKBANK_BANK", raising=False)
    monkeypatch.setattr(Running, "wait", lambda running: httpx.get(running.url).raise_for_status())
    # A browser would outlive the test.
    monkeypatch.setattr(typer, "launch", lambda url: 0 if url.startswith("http://127.0.0.1:") else 1)
    return here


def _typed(words: str, folder: Path) -> None:
    """Type a command in a folder; commands of ours run in this process, as importing takes the longest."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, app in APPS.items():
            if words.startswith(f"{name} "):
                done = CliRunner().invoke(app, shlex.split(words.removeprefix(f"{name} ")))
                assert done.exit_code == 0, f"{words}\n{done.output}"
                return
        command = [sys.executable, *shlex.split(words)[1:]]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        ended = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{words}\n{ended.stdout}{ended.stderr}"
    finally:
        os.chdir(before)


def _checkpoints(folder: Path) -> None:
    """One encoder of the original size, all zeros."""
    folder.mkdir()
    with torch.device("meta"):
        shapes = ResNetEncoder().state_dict()
    state = {name: torch.zeros(value.shape, dtype=value.dtype) for name, value in shapes.items()}
    torch.save({"state_dict": state}, folder / "new")
    digest = sha256((folder / "new").read_bytes()).hexdigest()
    (folder / "new").rename(folder / f"jigsaw_encoder-{digest}.pth")


@pytest.mark.parametrize(
    "command",
    [each for each in COMMANDS if not _is_training(each.words)],
    ids=lambda command: f"{command.place}: {command.words}",
)
def test_every_command_of_the_documents_and_of_help_runs(command: Documented, folder: Path) -> None:
    words = command.words
    if words.startswith("taskbank demo"):
        words += " --port 0"
    if words.startswith("taskbank convert"):
        _checkpoints(folder / "CHECKPOINTS")
        shutil.rmtree(folder / "bank")
    if words.startswith("taxsolver group --table"):
        shutil.copy(
            ROOT / "taxsolver" / "src" / "taxsolver" / "data" / "task_grouping_setting1.csv",
            folder / "mine.csv",
        )
    _typed(words, folder)


@pytest.fixture(scope="module")
def smoke(prepared: Path) -> Path:
    """A folder in which the preset `smoke`, made smaller still, has run stage by stage as the help says."""
    text = (ROOT / "training" / "presets" / "smoke.toml").read_text(encoding="utf-8")
    for before, after in SMALL.items():
        assert before in text, before
        text = text.replace(before, after)
    here = prepared.with_name("smoke")
    here.mkdir()
    (here / "smoke.toml").write_text(text, encoding="utf-8")
    shutil.copytree(prepared / "TEXTURES", here / "TEXTURES")
    for document in ("MODEL_CARD.md", "README.md"):
        shutil.copy(ROOT / document, here)
    for part in ("taskbank/src/taskbank/banks", "taxsolver/src/taxsolver/data"):
        (here / part).mkdir(parents=True)
    for stage in STAGES:
        words = f"python -m training {stage} --preset smoke --out out/smoke"
        assert words in {each.words for each in COMMANDS}
        _typed(words.replace("--preset smoke", "--preset smoke.toml"), here)
    shutil.copytree(here / "out" / "smoke" / "frames", here / "out" / "again" / "frames")
    return here


def _cut_down(words: str) -> str:
    """The same command on the small preset and a CPU; another stage 1 is for one task, beside the first run."""
    for before, after in (
        ("--preset smoke", "--preset smoke.toml"),
        ("--preset rooms", "--preset smoke.toml"),
        ("--device cuda", "--device cpu"),
        ("OUT/published", "out/smoke/published"),
        ("out/rooms/published", "out/smoke/published"),
    ):
        words = words.replace(before, after)
    if words.startswith(("python -m training check", "python -m training bundle")):
        words += " --faulty all"  # networks of two steps are no better than a constant
    if "--textures" in words:
        words += " --stages frames"
    if "networks.steps=" in words:
        words = re.sub(r"networks\.steps=\S+", "networks.steps=1", words) + " --tasks normal --overwrite"
        words = re.sub(r"--out \S+", "--out out/again", words)
        words += " --stages networks" if " run " in words else ""
    return words


@pytest.mark.parametrize(
    "command",
    [each for each in COMMANDS if _is_training(each.words) and not _is_own_task(each.words)],
    ids=lambda command: command.words,
)
def test_every_training_command_runs(command: Documented, smoke: Path) -> None:
    _typed(_cut_down(command.words), smoke)


def test_a_task_of_ones_own_is_learned_planned_and_predicted_as_the_documents_say(folder: Path) -> None:
    rows = ["file,value,group"]
    shutil.rmtree(folder / "photos")
    (folder / "photos").mkdir()
    draws = np.random.default_rng(0)
    for number in range(24):
        pixels = draws.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.png")
        rows.append(f"{number}.png,{pixels.mean() / 255:.4f},{number // 2}")
    (folder / "light.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    chain = [each.words for each in COMMANDS if _is_own_task(each.words)]
    assert len(chain) == 4
    for words in chain:
        _typed(f"{words} --steps 2 --size 32" if " novel " in words else words, folder)


@pytest.mark.parametrize("program", list(programs()), ids=lambda program: program.place)
def test_every_python_program_of_the_documents_runs(
    program: Documented, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a comment behind an expression is a value, that is its value."""
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    with ExitStack() as stack:
        text = program.words
        if "127.0.0.1:7860" in text:
            server = stack.enter_context(launch(DemoSettings(bank="my-bank", device="cpu", port=0)))
            text = text.replace("http://127.0.0.1:7860", server.url)
        exec(compile(text, program.place, "exec"), names)
        if isinstance(client := names.get("client"), Client):
            client.close()
    for expression, value in re.findall(r"^([\w., ]+?)  # (\(.+\))$", program.words, flags=re.MULTILINE):
        assert eval(expression, names) == literal_eval(value), expression


def test_what_is_not_run_is_still_in_the_documents() -> None:
    words = [each.words for each in _all_commands()]
    for pattern in NOT_RUN:
        assert any(re.fullmatch(pattern, each) for each in words), pattern


def test_commands_are_found_in_every_kind_of_place() -> None:
    places = {each.place for each in _all_commands()}
    assert {"README.md", "taxsolver/README.md", "training/README.md", "taxsolver sweep --help"} <= places
    assert {"taskbank predict --help", "python -m training novel --help"} <= places
    assert len(COMMANDS) > 80


def test_the_output_in_the_readme_is_what_the_command_prints() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"```text\n(.*?)```", readme, flags=re.DOTALL)[0]
    done = CliRunner().invoke(taxsolver_app, ["--targets", "normals,depth,reshading", "--budget", "2"])

    def words(text: str) -> list[str]:
        return re.sub(r"\(\d+ ms\)", "", text).split()

    assert words(shown) == words(done.stdout)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_sends_people_to_another_authors_project(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not re.search(r"pip install (-\S+ )*['\"]?taskbank\b(?!.*@ git)", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target
