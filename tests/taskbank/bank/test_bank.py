"""Banks: written, opened, checked, loaded; and what happens to damaged ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.taskbank.toy import TOY_COMPACT, TOYS, toy_encoder, toy_network, toy_readout

from taskbank.bank.bank import About, Bank
from taskbank.bank.card import model_card
from taskbank.bank.index import INDEX_NAME, encoder_path, index_to_json
from taskbank.bank.quantise import Storage
from taskbank.errors import (
    BankFormatError,
    ChecksumMismatchError,
    InvalidInputError,
    MissingTaskError,
    OutputError,
    UnknownTaskError,
)
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.nets.architecture import Architecture
from taskbank.options import Fit

IMAGE = torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(0)) * 2 - 1


def save_toy(folder: Path, architecture: Architecture = TOY_COMPACT, storage: Storage = Storage.FP32) -> Bank:
    """Two task networks, an encoder alone and a transfer of order two."""
    return Bank.save(
        folder,
        name="toy",
        architecture=architecture,
        networks={
            "normal": toy_network("normal", architecture, 1),
            "class_scene": toy_network("class_scene", architecture, 2),
            "random": toy_encoder(architecture, 3),
        },
        transfers=(toy_readout(("random", "normal"), "reshading", architecture, 4),),
        storage=storage,
        about={"class_scene": About(classes=SCENES, metrics={"top5": 0.5}, licence="MIT")},
        licence="MIT",
    )


SCENES = tuple(f"scene {number}" for number in range(63))


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """The toy bank, in 32 bits."""
    return save_toy(tmp_path / "bank")


def change_index(bank: Bank, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change `bank.json` by hand; the bank's folder."""
    folder = Path(bank.where)
    index = json.loads((folder / INDEX_NAME).read_text())
    change(index)
    (folder / INDEX_NAME).write_text(json.dumps(index))
    return folder


@pytest.mark.parametrize("architecture", TOYS, ids=lambda made: made.name)
def test_loaded_networks_give_what_saved_ones_gave(tmp_path: Path, architecture: Architecture) -> None:
    """Task networks, an encoder alone and a transfer, in 32 bits to the last bit."""
    bank = save_toy(tmp_path / "bank", architecture)
    with torch.inference_mode():
        expected = toy_network("normal", architecture, 1)(IMAGE)
        assert torch.equal(bank.load("normals")(IMAGE), expected)
        codes = toy_encoder(architecture, 3)(IMAGE)
        assert torch.equal(bank.load_encoder("random")(IMAGE), codes)
        both = torch.cat([codes, codes], dim=1)
        readout = toy_readout(("random", "normal"), "reshading", architecture, 4)
        assert torch.equal(bank.load_transfer(["normals", "random"], "reshade")(both), readout(both))


@pytest.mark.parametrize(("storage", "tolerance"), [(Storage.FP16, 0.005), (Storage.INT8, 0.06)])
def test_smaller_forms_give_nearly_the_same(tmp_path: Path, storage: Storage, tolerance: float) -> None:
    """Relative to the spread of the output."""
    bank = save_toy(tmp_path / "bank", storage=storage)
    with torch.inference_mode():
        expected = toy_network("normal", TOY_COMPACT, 1)(IMAGE)
        given = bank.load("normal")(IMAGE)
    assert (given - expected).abs().max() < tolerance * (expected.max() - expected.min())


def test_the_index_says_what_the_bank_holds(bank: Bank) -> None:
    """Names, sizes and what is known about a network."""
    assert bank.name == "toy"
    assert bank.tasks == ("class_scene", "normal", "random")
    assert bank.transfers == ((("random", "normal"), "reshading"),)
    assert bank.size == sum(file.stat().st_size for file in Path(bank.where).rglob("*.safetensors"))
    entry = bank.entry("scene")
    assert (entry.classes, entry.metrics, entry.licence) == (SCENES, {"top5": 0.5}, "MIT")
    assert (entry.output, entry.channels, entry.value_range) == ("classes", 63, (0.0, 1.0))


def test_loaded_networks_are_in_evaluation_mode_and_trainable(bank: Bank) -> None:
    """Ready for prediction, and for fine-tuning."""
    network = bank.load("normal")
    assert not any(module.training for module in network.modules())
    network.train()(IMAGE.repeat(2, 1, 1, 1)).mean().backward()
    assert all(values.grad is not None for values in network.parameters())


def test_the_same_networks_give_the_same_bytes(tmp_path: Path) -> None:
    """So a bank's digest names its content."""
    first, second = save_toy(tmp_path / "a"), save_toy(tmp_path / "b")
    assert first.digest == second.digest
    assert save_toy(tmp_path / "c", storage=Storage.FP16).digest != first.digest


def test_loading_leaves_the_global_generator_alone(bank: Bank) -> None:
    """Networks are built without drawing weights."""
    before = torch.get_rng_state()
    bank.load("normal")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_damaged_file_is_refused(bank: Bank) -> None:
    """Before anything in it is used."""
    path = Path(bank.where) / encoder_path("normal")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ChecksumMismatchError, match=r"normal.safetensors has sha256 .* index states"):
        bank.load("normal")
    bank.load("class_scene")


def test_a_missing_file_is_named(bank: Bank) -> None:
    """With the way out."""
    (Path(bank.where) / encoder_path("normal")).unlink()
    with pytest.raises(BankFormatError, match=r"cannot read .*normal.safetensors.*Get the bank again"):
        bank.load("normal")


def test_missing_tasks_decoders_and_transfers_are_named(bank: Bank) -> None:
    """And what there is."""
    with pytest.raises(MissingTaskError, match=r"no task 'depth_zbuffer' in .* it holds class_scene"):
        bank.load("depth")
    with pytest.raises(MissingTaskError, match="no decoder for 'random'"):
        bank.load("random")
    with pytest.raises(MissingTaskError, match="reshading is read out from random,normal$"):
        bank.load_transfer(("normal",), "reshading")
    with pytest.raises(UnknownTaskError, match="did you mean normal"):
        bank.load("nromal")


def test_weights_of_another_network_are_refused(bank: Bank) -> None:
    """With the number of tensors that differ, and some of their names."""
    index = bank.index.tasks
    wrong = Path(bank.where) / index["normal"].files[0].path
    other = bank.load("class_scene").decoder.state_dict()
    save_file({key: value.contiguous() for key, value in other.items()}, wrong)
    said = {"sha256": sha256(wrong.read_bytes()).hexdigest(), "size": wrong.stat().st_size}
    folder = change_index(bank, lambda index: index["tasks"]["normal"]["encoder"].update(said))
    with pytest.raises(BankFormatError, match=r"does not fit its network: \d+ missing \(.*; \d+ unknown"):
        Bank.open(folder).load("normal")


def test_a_file_that_is_no_safetensors_is_a_format_error(bank: Bank) -> None:
    """A pickle, say: it is never unpickled."""
    path = Path(bank.where) / encoder_path("normal")
    torch.save({"weight": torch.ones(1)}, path)
    said = {"sha256": sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
    folder = change_index(bank, lambda index: index["tasks"]["normal"]["encoder"].update(said))
    with pytest.raises(BankFormatError, match="is not a readable safetensors file"):
        Bank.open(folder).load("normal")


def pop(*keys: str) -> Callable[[dict[str, Any]], object]:
    """A change of the index that takes the last of the keys away."""

    def change(index: dict[str, Any]) -> None:
        for key in keys[:-1]:
            index = index[key]
        index.pop(keys[-1])

    return change


def put(value: object, *keys: str) -> Callable[[dict[str, Any]], object]:
    """A change of the index that sets the last of the keys."""

    def change(index: dict[str, Any]) -> None:
        for key in keys[:-1]:
            index = index[key]
        index[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("other", "format"), "does not describe a bank"),
        (put(2, "format_version"), "format version 2, but this taskbank reads 1: update taskbank"),
        (pop("tasks"), "lacks the field 'tasks'"),
        (pop("tasks", "normal", "encoder", "sha256"), "lacks the field 'sha256'"),
        (put("abc", "tasks", "normal", "encoder", "sha256"), "is not 64 hexadecimal digits"),
        (put("../x", "tasks", "normal", "encoder", "path"), "file '../x' should be 'encoders/normal.safe"),
        (put({}, "tasks", "telepathy"), "unknown task 'telepathy'"),
        (put([8, 16], "representation"), "is not as expected"),
        (put("8", "representation"), "not a list of three numbers"),
        (put(3, "tasks", "normal", "encoder"), "is not as expected"),
        (put("vgg", "architecture", "name"), "unknown architecture 'vgg'"),
    ],
)
def test_a_wrong_index_is_a_format_error(
    bank: Bank, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    """Each with what is wrong."""
    with pytest.raises(BankFormatError, match=message):
        Bank.open(change_index(bank, change))


@pytest.mark.parametrize(
    ("content", "message"), [(b"{", "not JSON"), (b"\xff", "not UTF-8"), (b"[]", "a bank")]
)
def test_an_unreadable_index_is_a_format_error(tmp_path: Path, content: bytes, message: str) -> None:
    """Truncated, binary, or something else."""
    (tmp_path / INDEX_NAME).write_bytes(content)
    with pytest.raises(BankFormatError, match=message):
        Bank.open(tmp_path)


def test_a_folder_without_index_is_no_bank(tmp_path: Path) -> None:
    """Nor is one that does not exist."""
    with pytest.raises(BankFormatError, match="no bank at"):
        Bank.open(tmp_path)
    with pytest.raises(BankFormatError, match="no bank at"):
        Bank.open(tmp_path / "nowhere")


def test_a_bank_is_not_overwritten(bank: Bank) -> None:
    """The old one stays as it was."""
    with pytest.raises(OutputError, match="holds a bank already"):
        save_toy(Path(bank.where))
    Bank.open(bank.where).load("normal")


def test_two_names_of_one_task_are_refused(tmp_path: Path) -> None:
    """An alias beside the canonical name."""
    networks = {"normal": toy_network("normal"), "normals": toy_network("normal")}
    with pytest.raises(InvalidInputError, match="name the task 'normal' twice"):
        Bank.save(tmp_path, name="x", architecture=TOY_COMPACT, networks=networks)
    assert not (tmp_path / INDEX_NAME).exists()


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "bank").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        save_toy(tmp_path / "bank")


def test_an_interrupt_leaves_whole_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here it comes when the second file is in place; without an index there is no bank."""
    moved: list[Path] = []
    move = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(target)
        return move(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_toy(tmp_path)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(moved)


def test_tasks_of_several_images_may_have_a_size_of_their_own(tmp_path: Path) -> None:
    """They are shown it unless another is asked for; all other tasks are shown the bank's."""
    networks = {task: toy_network(task, seed=3) for task in ("normal", "fixated_pose", "egomotion")}
    about = {"fixated_pose": About(image_size=64)}
    bank = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks=networks,
        about=about,
        image_size=128,
    )
    assert (bank.index.image_size, bank.entry("fixated_pose").image_size) == (128, 64)
    assert [bank.index.size_of([task]) for task in networks] == [128, 64, 128]
    photo = np.zeros((90, 120, 3), np.uint8)
    settings = Settings(device="cpu", fit=Fit.CROP)
    for task, count, wanted in (("normal", 1, 128), ("fixated_pose", 2, 64), ("egomotion", 3, 128)):
        item = photo if count == 1 else (photo,) * count
        (outcome,) = Engine(bank, [task], settings).run([item])
        assert outcome.inputs[0].square.shape == (3, wanted, wanted), task
    (outcome,) = Engine(bank, ["fixated_pose"], replace(settings, size=96)).run([(photo, photo)])
    assert outcome.inputs[0].square.shape == (3, 96, 96)
    assert "RGB images of 128 px; 64 px for fixated_pose, -1 to 1" in model_card(bank.index, bank.digest, "x")


def test_a_size_of_a_task_of_one_image_is_refused(bank: Bank, tmp_path: Path) -> None:
    """It is predicted together with others."""
    with pytest.raises(InvalidInputError, match="normal has images of 64 px of its own"):
        Bank.save(
            tmp_path / "own",
            name="toy",
            architecture=TOY_COMPACT,
            networks={"normal": toy_network("normal")},
            about={"normal": About(image_size=64)},
        )
    folder = change_index(bank, lambda index: index["tasks"]["normal"].update(image_size=64))
    with pytest.raises(BankFormatError, match="normal has images of a size of its own"):
        Bank.open(folder)
    folder = change_index(bank, lambda index: index["tasks"]["normal"].pop("image_size"))
    assert "image_size" not in index_to_json(Bank.open(folder).index).split('"tasks"')[1]
