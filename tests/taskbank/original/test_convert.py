"""Original checkpoints into banks: seeded weights in the published form, no network."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.taskbank.toy import TOY_RESNET, toy_encoder, toy_network
from torch import nn

from taskbank.bank.index import INDEX_NAME
from taskbank.bank.quantise import Storage
from taskbank.errors import (
    BankFormatError,
    ChecksumMismatchError,
    InvalidInputError,
    MissingTaskError,
    OutputError,
)
from taskbank.nets.architecture import ORIGINAL_UNBOUNDED
from taskbank.nets.encoder import ResNetEncoder, ResNetWidths
from taskbank.nets.initialise import initialise
from taskbank.original.checkpoints import find_checkpoints, parse_name
from taskbank.original.convert import ORIGINAL, Conversion, convert

TOY = replace(TOY_RESNET, unbounded=ORIGINAL_UNBOUNDED)


def put(folder: Path, part: str, content: bytes) -> Path:
    """A file under the name that its content earns."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{part}-{sha256(content).hexdigest()}.pth"
    path.write_bytes(content)
    return path


def save(folder: Path, part: str, network: nn.Module | Mapping[str, object]) -> Path:
    """A checkpoint in the published form."""
    state = network.state_dict() if isinstance(network, nn.Module) else network
    scratch = folder.parent / "scratch"
    torch.save({"state_dict": dict(state)}, scratch)
    return put(folder, part, scratch.read_bytes())


def save_task(folder: Path, task: str, seed: int = 0) -> None:
    """Encoder and decoder of a task at toy width."""
    network = toy_network(task, TOY, seed)
    save(folder, f"{task}_encoder", network.encoder)
    save(folder, f"{task}_decoder", network.decoder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints of four tasks, one of them without a decoder, and a file that is none."""
    path = tmp_path / "checkpoints"
    for seed, task in enumerate(("normal", "segment_semantic", "class_scene")):
        save_task(path, task, seed)
    save(path, "room_layout_encoder", toy_encoder(TOY, 3))
    (path / "notes.txt").write_text("from an old disk")
    return path


def converted(folder: Path, **options: Any) -> Conversion:
    """The conversion of toy checkpoints."""
    return convert(folder, folder.parent / "bank", architecture=TOY, **options)


def test_converted_networks_give_the_same_to_the_last_bit(folder: Path) -> None:
    """Maps, classes and an encoder alone; batch norm statistics included."""
    bank = converted(folder).bank
    image = torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        for seed, task in enumerate(("normal", "segment_semantic", "class_scene")):
            assert torch.equal(bank.load(task)(image), toy_network(task, TOY, seed)(image))
        assert torch.equal(bank.load_encoder("layout")(image), toy_encoder(TOY, 3)(image))
    with pytest.raises(MissingTaskError, match="no decoder for 'room_layout'"):
        bank.load("layout")


def test_the_index_names_classes_licence_and_origin(folder: Path) -> None:
    """So that every decoded output carries its names."""
    bank = converted(folder).bank
    classes = bank.entry("segment_semantic").classes
    assert classes is not None
    assert (len(classes), classes[2]) == (17, "chair")
    assert len(bank.entry("class_scene").classes or ()) == 63
    assert bank.entry("normal").classes is None
    assert (bank.index.licence, bank.entry("normal").licence) == ("MIT", "MIT")
    training = bank.entry("normal").training
    assert [parse_name(file).part for file in training["checkpoints"]] == ["encoder", "decoder"]  # type: ignore[union-attr]
    assert "CVPR 2018" in training["citation"]


def test_original_mistakes_are_kept_and_told(folder: Path) -> None:
    """In `bank.json`, as numbers of the architecture and in words."""
    save_task(folder, "curvature")
    save_task(folder, "edge_occlusion")
    bank = converted(folder).bank
    index = json.loads((Path(bank.where) / INDEX_NAME).read_text())
    assert index["architecture"]["unbounded"] == ["segment_semantic"]
    notes = {task: entry["training"]["notes"] for task, entry in index["tasks"].items()}
    assert "within one standard deviation" in notes["curvature"][0]
    assert "strongest edges are cut off" in notes["edge_occlusion"][0]
    assert "it is left out, as in visualpriors" in notes["segment_semantic"][0]
    assert notes["room_layout"] == ["only the encoder was published: it gives representations, no output"]
    assert notes["normal"] == []


def test_the_networks_of_visualpriors_become_a_bank(tmp_path: Path) -> None:
    """Its own classes at full size, and the outputs that they give."""
    theirs: Any = import_module("visualpriors.taskonomy_network")
    network = theirs.TaskonomyNetwork(out_channels=3)
    initialise(network, 5)
    folder = tmp_path / "checkpoints"
    written = [
        save(folder, "normal_encoder", network.encoder),
        save(folder, "normal_decoder", network.decoder),
    ]
    bank = convert(folder, tmp_path / "bank").bank
    assert bank.architecture == ORIGINAL
    image = torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        assert (bank.load("normal")(image) - network(image)).abs().max() < 1e-3
    for path in (*written, *Path(bank.where).rglob("*.safetensors"), tmp_path / "scratch"):
        path.unlink()  # half a gigabyte


def test_other_files_are_told(folder: Path) -> None:
    """They may be misspelt."""
    (folder / "telepathy_encoder-0123456789abcdef.pth").write_bytes(b"")
    made = converted(folder)
    assert made.ignored == ("notes.txt", "telepathy_encoder-0123456789abcdef.pth")
    assert made.left_out == {}


def test_some_tasks_can_be_chosen_and_progress_is_told(folder: Path) -> None:
    """By any name."""
    told: list[str] = []
    made = converted(folder, tasks=["normals"], storage=Storage.FP16, report=told.append)
    assert made.bank.tasks == ("normal",)
    assert told == ["converting normal"]


def test_a_task_without_checkpoint_is_named(folder: Path) -> None:
    """And what there is."""
    with pytest.raises(MissingTaskError, match=r"no task 'depth_zbuffer' in .*class_scene, normal"):
        converted(folder, tasks=["depth"])


def test_a_network_that_sees_lightness_only_is_left_out(folder: Path) -> None:
    """The original colorization; the reason is given."""
    grey = ResNetEncoder(ResNetWidths(stem=4, planes=(2, 2, 4, 4), blocks=(2, 2, 2, 2)), in_channels=1)
    save(folder, "colorization_encoder", grey)
    made = converted(folder)
    assert list(made.left_out) == ["colorization"]
    assert "lightness only" in made.left_out["colorization"]
    assert "colorization" not in made.bank.tasks
    with pytest.raises(InvalidInputError, match=r"nothing to convert in .*lightness only"):
        convert(folder, folder.parent / "other", architecture=TOY, tasks=["colorization"])


def test_a_damaged_file_is_refused(folder: Path) -> None:
    """Its sha256 is not that in its name; no bank is left that looks whole."""
    path = next(folder.glob("normal_decoder-*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        ChecksumMismatchError, match=r"normal_decoder.* as its name says.* Delete it and get it"
    ):
        converted(folder)
    assert not (folder.parent / "bank" / INDEX_NAME).exists()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BankFormatError, match="normal_decoder.* is a pipe or a device"):
        converted(folder)


def test_the_beginning_of_a_hash_is_enough(folder: Path) -> None:
    """As PyTorch names files."""
    path = next(folder.glob("normal_encoder-*"))
    name = parse_name(path.name)
    assert name is not None
    path.rename(folder / f"normal_encoder-{name.digest[:8]}.pth")
    assert "normal" in converted(folder).bank.tasks


class Trap:
    """A pickle that would run a program."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Return the call that unpickling would make."""
        return exec, ("import pathlib; pathlib.Path('trapped').touch()",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_is_refused_and_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    """Under a name with the right hash, in either form of PyTorch."""
    monkeypatch.chdir(tmp_path)
    scratch = tmp_path / "scratch"
    torch.save({"state_dict": {"conv1.weight": Trap()}}, scratch, _use_new_zipfile_serialization=zipped)
    put(tmp_path / "checkpoints", "normal_encoder", scratch.read_bytes())
    with pytest.raises(BankFormatError, match="holds more than tensors and is not loaded"):
        converted(tmp_path / "checkpoints")
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a PyTorch checkpoint|holds more than tensors"),
        (b"not a checkpoint", "is not a PyTorch checkpoint|holds more than tensors"),
        (b"PK\x03\x04 cut", "is not a PyTorch checkpoint"),
        (pickle.dumps([1, 2], protocol=2), "is not a PyTorch checkpoint|holds more than tensors"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Empty, text, a cut archive, another pickle."""
    put(tmp_path / "checkpoints", "normal_encoder", content)
    with pytest.raises(BankFormatError, match=message):
        converted(tmp_path / "checkpoints")


@pytest.mark.parametrize("saved", [[1], {"weights": {}}, {"state_dict": {"conv1.weight": 3}}])
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, saved: object) -> None:
    """No state dict, or one that does not hold tensors."""
    torch.save(saved, tmp_path / "scratch")
    put(tmp_path / "checkpoints", "normal_encoder", (tmp_path / "scratch").read_bytes())
    with pytest.raises(BankFormatError, match="it has no `state_dict` of tensors"):
        converted(tmp_path / "checkpoints")


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    """With the names of tensors that do not fit."""
    save(tmp_path / "checkpoints", "normal_encoder", nn.Linear(2, 2))
    with pytest.raises(
        BankFormatError, match=r"does not fit its network: .* missing .* 2 unknown \(bias, weight"
    ):
        converted(tmp_path / "checkpoints")


def test_folders_that_make_no_bank_are_refused(folder: Path, tmp_path: Path) -> None:
    """Missing, without encoders, with a lone decoder, with two files for one network, with a bank in the way."""
    with pytest.raises(InvalidInputError, match=r"is not a folder: .*or `visualpriors`"):
        converted(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InvalidInputError, match=r"holds no encoder: its files must be called TASK_encoder-SHA256"
    ):
        converted(tmp_path / "empty")
    save(folder, "reshading_decoder", nn.Linear(1, 1))
    with pytest.raises(InvalidInputError, match="decoders without their encoders: reshading"):
        find_checkpoints(folder)
    save(folder, "normal_encoder", nn.Linear(1, 1))
    with pytest.raises(InvalidInputError, match="are both the encoder of normal: keep one"):
        find_checkpoints(folder)


def test_a_bank_is_not_overwritten(folder: Path) -> None:
    """Nor is anything read."""
    converted(folder)
    with pytest.raises(OutputError, match="holds a bank already"):
        converted(folder)


def test_no_other_file_of_the_package_loads_a_pickle() -> None:
    """`torch.load` stands in two places, with `weights_only=True`."""
    import taskbank

    sources = {path.name: path.read_text() for path in Path(taskbank.__file__).parent.rglob("*.py")}
    calls = {name: text.count("torch.load(") for name, text in sources.items() if "torch.load(" in text}
    assert calls == {"checkpoints.py": 1, "timm_weights.py": 1}
    assert not any("pickle.load" in text for text in sources.values())
    assert all("weights_only=True)" in sources[name] for name in calls)
