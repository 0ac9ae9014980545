"""Banks that are broken, or made to harm: a clear error, before any memory is taken."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.torch import load_file, save_file
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout
from typer.testing import CliRunner

import taskbank
from taskbank.bank.bank import Bank, Untrained
from taskbank.bank.files import LARGEST_INDEX
from taskbank.bank.index import index_from_json
from taskbank.errors import BankFormatError, ChecksumMismatchError, InvalidInputError
from taskbank.nets.architecture import Backbone, architecture_from_json, architecture_to_json
from taskbank.nets.backbone import create_trunk
from taskbank_cli.app import app


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Normals, classes of scenes, an encoder that was never trained, and a transfer."""
    return Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={
            "normal": toy_network("normal"),
            "class_scene": toy_network("class_scene"),
            "random": Untrained(seed=1),
        },
        transfers=(toy_readout(("normal",), "reshading"),),
    )


def rewrite(bank: Bank, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change what `bank.json` says."""
    folder = Path(bank.where)
    written = json.loads((folder / "bank.json").read_text())
    change(written)
    (folder / "bank.json").write_text(json.dumps(written))
    return folder


def put(*way: str, value: object) -> Callable[[dict[str, Any]], object]:
    """Set a value deep inside."""

    def change(written: dict[str, Any]) -> None:
        inner = written
        for key in way[:-1]:
            inner = inner[key]
        inner[way[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("architecture", "widths", "blocks", value=[1, 1, 10**9]), "blocks 1000000000 must be 0 to 128"),
        (put("architecture", "widths", "stages", value=[4, 6, 60_000]), "stages 60000 must be 0 to 4096"),
        (put("architecture", "widths", "stem", value=4.5), "stem 4.5 must be of type int"),
        (put("architecture", "widths", "stem", value=True), "stem True must be of type int"),
        (put("architecture", "widths", "blocks", value="111"), "blocks '111' must be a list"),
        (put("architecture", "widths", "blocks", value=[1] * 1000), "must be a list of 32 values at most"),
        (put("architecture", "widths", "stages", value=[]), "must be 3 positive numbers"),
        (put("tasks", "class_scene", "classes", value="x" * 63), "are not a list of names"),
        (put("tasks", "class_scene", "channels", value=10**6), "63 channel.s., not 1000000"),
        (put("tasks", "normal", "value_range", value=[0]), "must be two numbers, the second greater"),
        (put("tasks", "normal", "value_range", value=[1, -1]), "must be two numbers, the second greater"),
        (put("tasks", "normal", "value_range", value=[0, None]), "not as expected"),
        (put("tasks", "normal", "value_range", value=[0, 10**400]), "not as expected"),
        (put("tasks", "normal", "metrics", value={"mean": "low"}), "metric mean 'low' is not a number"),
        (put("tasks", "normal", "metrics", value={"mean": 10**400}), "not as expected"),
        (put("tasks", "normal", "encoder", "size", value=10**18), "must be 0 to 4294967296"),
        (put("tasks", "normal", "encoder", "size", value=-1), "must be 0 to"),
        (put("tasks", "normal", "encoder", "size", value=1.5), "1.5 is not a whole number"),
        (put("tasks", "random", "encoder", "seed", value=2**70), "must be -9223372036854775808 to"),
        (put("representation", value=[8, 16, 10**9]), "must be 1 to 4096"),
        (put("image_size", value=10**9), "4096 at most"),
        (put("architecture", "widths", "code", value=9), "representations have 8 channels"),
        (put("tasks", value=3), "not as expected"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    bank: Bank, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    """They are refused when the bank is opened."""
    with pytest.raises(BankFormatError, match=message):
        Bank.open(rewrite(bank, change))


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "1" * 5000])
def test_numbers_that_are_none_are_refused(bank: Bank, number: str) -> None:
    """JSON has no infinities, and Python takes them."""
    text = (Path(bank.where) / "bank.json").read_text()
    changed = text.replace('"metrics": {}', f'"metrics": {{"mean": {number}}}', 1)
    with pytest.raises(BankFormatError, match="is not JSON"):
        index_from_json(changed, "toy")


def test_deep_json_is_refused(bank: Bank) -> None:
    """It is refused at depths that Python's reader gives up on, and at depths that later readers would."""
    text = (Path(bank.where) / "bank.json").read_text()
    for depth, message in ((100_000, "is not JSON"), (100, "is nested more than 32 deep")):
        deep = '{"x": ' * depth + "1" + "}" * depth
        with pytest.raises(BankFormatError, match=message):
            index_from_json(text.replace('"training": {}', f'"training": {deep}', 1), "toy")


def test_pipes_devices_and_large_files_are_not_read(bank: Bank) -> None:
    """Neither in place of weights nor of the index; links to files are followed, as the Hub's cache has them."""
    folder = Path(bank.where)
    weights = folder / "encoders" / "normal.safetensors"
    content = weights.read_bytes()
    weights.rename(folder / "elsewhere")
    weights.symlink_to(folder / "elsewhere")
    bank.load("normal")
    for target in ("/dev/zero", "/dev/stdin"):
        weights.unlink()
        weights.symlink_to(target)
        with pytest.raises(BankFormatError):
            bank.load("normal")
    weights.unlink()
    os.mkfifo(weights)
    with pytest.raises(BankFormatError, match="is not a regular file"):
        bank.load("normal")
    weights.unlink()
    with weights.open("wb") as file:
        file.truncate(2**40)  # takes no space
    with pytest.raises(ChecksumMismatchError, match=f"1099511627776 bytes, but at most {len(content)}"):
        bank.load("normal")
    weights.write_bytes(content[:-1])
    with pytest.raises(
        ChecksumMismatchError, match=f"has {len(content) - 1} bytes, .* states {len(content)}"
    ):
        bank.load("normal")
    index = folder / "bank.json"
    index.unlink()
    os.mkfifo(index)
    with pytest.raises(BankFormatError, match="is not a regular file"):
        Bank.open(folder)
    index.unlink()
    with index.open("wb") as file:
        file.truncate(LARGEST_INDEX + 1)
    with pytest.raises(BankFormatError, match="bytes, but at most"):
        Bank.open(folder)


def replaced(bank: Bank, change: Callable[[dict[str, torch.Tensor]], object]) -> Bank:
    """The bank with other weights in the encoder of normals, and an index that agrees."""
    path = Path(bank.where) / "encoders" / "normal.safetensors"
    weights = {name: value.float() for name, value in load_file(path).items()}
    change(weights)
    save_file(weights, path)
    entry = {"sha256": sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
    return Bank.open(rewrite(bank, lambda written: written["tasks"]["normal"]["encoder"].update(entry)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "not finite or allowed"),
        (float("inf"), "not finite or allowed"),
        (torch.int64, "of another type"),
        pytest.param(
            torch.complex64,
            "of another type",
            marks=pytest.mark.skipif(
                torch.complex64 not in safetensors.torch._SIZE, reason="this safetensors cannot write them"
            ),
        ),
        (torch.bool, "of another type"),
        (-1.0, "running_var"),
    ],
)
def test_weights_that_are_no_numbers_are_refused(bank: Bank, value: Any, message: str) -> None:
    """Of one tensor among many."""

    def change(weights: dict[str, torch.Tensor]) -> None:
        name = next(name for name in weights if name.endswith("running_var"))
        if isinstance(value, float):
            weights[name][0] = value
        else:
            weights[name] = weights[name].to(value)

    with pytest.raises(BankFormatError, match=message):
        replaced(bank, change).load("normal")


def test_networks_larger_than_their_file_take_no_memory(bank: Bank) -> None:
    """The numbers are within limits each, and 15 GB together; the encoder without a file neither."""
    widths = {"stem": 4096, "stages": [4096] * 3, "blocks": [2, 2, 2], "expansion": 8}
    folder = rewrite(bank, lambda written: written["architecture"]["widths"].update(widths))
    large = Bank.open(folder)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    with pytest.raises(BankFormatError, match="does not fit its network: .* bytes for .* weights"):
        large.load("normal")
    with pytest.raises(BankFormatError, match="weights without a file: 200000000 at most"):
        large.load_encoder("random")
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "hf-hub:evil/model"}, "timm has no model"),
        ({"model": "local-dir:/etc"}, "timm has no model"),
        ({"model": "x" * 1000}, "timm has no model"),
        ({"model": 5}, "model 5 must be of type str"),
        ({"options": {"pretrained": True}}, "is not allowed"),
        ({"options": {"checkpoint_path": "/etc/passwd"}}, "is not allowed"),
        ({"options": {"depths": [1] * 1000}}, "64 at most"),
        ({"options": {"depths": [[10**9]]}}, "lists hold numbers and words"),
        ({"options": {"depth": 10**9}}, "numbers go up to 4096"),
        ({"options": 3}, "options 3 must be a mapping"),
        ({"level": "1"}, "level '1' must be of type int"),
        ({"level": 10**9}, "level 1000000000 must be 0 to 64"),
        ({"classifier": "yes"}, "classifier 'yes' must be of type bool"),
    ],
)
def test_backbones_that_could_harm_are_refused(change: dict[str, Any], message: str) -> None:
    """Names that lead to the network or to files, and options that make more than any machine holds."""
    written = architecture_to_json(Backbone()) | change
    with pytest.raises(BankFormatError, match=message):
        architecture_from_json(written)


def test_large_trunks_take_no_memory() -> None:
    """Options that are within limits each make 825 GB together."""
    with pytest.raises(InvalidInputError, match="weights: 1200000000 at most"):
        create_trunk("vit_tiny_patch16_224", {"embed_dim": 4096, "depth": 96, "num_heads": 64})
    with pytest.raises(InvalidInputError, match="timm cannot make"):
        create_trunk("vit_tiny_patch16_224", {"num_heads": 0})


def test_too_few_names_of_classes_are_refused(bank: Bank) -> None:
    """Before any image is read."""
    folder = rewrite(bank, put("tasks", "class_scene", "classes", value=["one"]))
    with pytest.raises(BankFormatError, match="class_scene has 63 classes, but 1 names"):
        taskbank.load("class_scene", bank=folder, device="cpu")
    with pytest.raises(BankFormatError, match="class_scene has 63 classes, but 1 names"):
        Bank.open(folder).load("class_scene")


def test_values_that_are_not_finite_are_an_error_of_their_image(bank: Bank) -> None:
    """Weights may be finite, and what they make of an image not."""

    def change(weights: dict[str, torch.Tensor]) -> None:
        for name, value in weights.items():
            if value.dim() == 4:
                weights[name] = torch.full_like(value, 3e38)

    predictor = taskbank.load("normal", bank=replaced(bank, change), device="cpu")
    with pytest.raises(BankFormatError, match="the network of normal .* gave values that are not finite"):
        predictor.predict(np.full((20, 20, 3), 200, dtype=np.uint8))


def test_escapes_in_texts_of_a_bank_are_harmless(bank: Bank) -> None:
    """Its name, licences, names of classes, and what errors say about them."""

    def change(written: dict[str, Any]) -> None:
        written["name"] = written["licence"] = "\x1b]0;owned\x07[red]x\u202e"
        written["tasks"]["normal"]["licence"] = "\x1b[2J"

    folder = rewrite(bank, change)
    done = CliRunner().invoke(app, ["info", str(folder)])
    assert done.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(done.output)
    assert r"\x1b]0;owned\x07[red]x\u202e" in done.output
    rewrite(bank, put("tasks", "\x1b[2J", value={}))
    done = CliRunner().invoke(app, ["info", str(folder)])
    assert done.exit_code == 1
    assert "\x1b" not in done.output
