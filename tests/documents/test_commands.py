"""Commands and programs of the documents and of `--help`, but those of training, do what they say."""

from __future__ import annotations

import re
import shutil
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
from tests.documents.running import COMMANDS, is_own_task, is_training, type_command
from tests.taskbank.clips import corner_frames, write_clip
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

from documented import ROOT, Documented, programs
from taskbank.bank.bank import Bank
from taskbank.nets.encoder import ResNetEncoder
from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings
from taxsolver import load_affinity, save_affinity
from tiny_models import save_depth_anything, write_catalogue

QUICK = "--steps 2 --size 32"
EXAMPLES = ROOT / "cli" / "taskbank_demo" / "examples"


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
    for number in range(24):
        small.point(lambda value, times=number: value * times / 24).save(
            folder / "pictures" / f"{number}.png"
        )
    lines = ["file,light", *(f"{number}.png,{number}" for number in range(24))]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("labelled", "labelled-normals"):
        (folder / name).mkdir()
    for number in range(3):
        small.save(folder / "labelled" / f"{number}.png")
        facing = np.broadcast_to(np.array([0, 0, -1], np.float32), (120, 160, 3))
        np.save(folder / "labelled-normals" / f"{number}.npy", facing)
    save_affinity(load_affinity("rooms"), folder / "estimated.safetensors")
    (folder / "features.costs.csv").write_text(
        "task,price,images_full,images_transfer\nnormal,6,1,1\nreshading,7,1,1\n*,0,1,1\n", encoding="utf-8"
    )
    (folder / "out" / "demo").mkdir(parents=True)
    write_clip(folder / "clip.mp4", corner_frames(3))

    save_depth_anything(folder / "depth-model", "metric")
    row = {
        "name": "mine", "tasks": ["depth"], "loader": "transformers", "class": "DepthAnythingForDepthEstimation",
        "id": "./depth-model", "licence": "Apache-2.0", "depth": "metres",
    }  # fmt: skip
    write_catalogue(folder / "own.toml", row)

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
    few = "split,network,cost,a,b,c\n" + "".join(
        f"validation,{name},1,{losses}\n"
        for name, losses in (("a", "1,,"), ("b", ",1,"), ("c", ",,1"), ("ab", "1,2,"), ("bc", ",1,2"))
    )
    (folder / "few.csv").write_text(few + "validation,all,1,2,2,2\n", encoding="utf-8")
    (folder / "affinity.csv").write_text("task,a,b,c\na,,1,2\nb,3,,1\nc,1,2,\n", encoding="utf-8")
    type_command("taxsolver --targets normals,depth --budget 1 --save plan.json", folder)
    for target in ("reshading", "normals"):
        type_command(f"taxsolver ahp losses.csv --target {target} --save {target}.csv", folder)
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
    [each for each in COMMANDS if not is_training(each.words) and not is_own_task(each.words)],
    ids=lambda command: f"{command.place}: {command.words}",
)
def test_every_command_of_the_documents_and_of_help_runs(command: Documented, folder: Path) -> None:
    words = command.words
    if words.startswith("taskbank demo"):
        words += " --port 0"
    if words.startswith("taskbank info rooms --measure"):  # 25 networks and 54 transfers take half a minute
        words = words.replace("rooms", "my-bank")
    if words.startswith("taskbank convert"):
        _checkpoints(folder / "CHECKPOINTS")
        shutil.rmtree(folder / "bank")
    if words.startswith("taxsolver group --table"):
        shutil.copy(
            ROOT / "taxsolver" / "src" / "taxsolver" / "data" / "task_grouping_setting1.csv",
            folder / "mine.csv",
        )
    type_command(f"{words} {QUICK}" if " learn " in words else words, folder)


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
    chain = [each.words for each in COMMANDS if is_own_task(each.words)]
    assert len(chain) == 4
    for words in chain:
        type_command(f"{words} {QUICK}" if " learn " in words else words, folder)


@pytest.mark.parametrize("program", list(programs()), ids=lambda program: program.place)
def test_every_python_program_of_the_documents_runs(
    program: Documented, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comment behind an expression that is a value is the value of that expression."""
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
