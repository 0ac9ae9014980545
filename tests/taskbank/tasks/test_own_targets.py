"""Targets that the registry does not know: described by a bank, loaded, decoded, drawn, named."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, TOYS, toy_network

import taskbank
from taskbank.bank.bank import About, Bank
from taskbank.bank.card import model_card
from taskbank.bank.extending import bank_of_transfers
from taskbank.bank.index import INDEX_NAME
from taskbank.drawing.render import picture
from taskbank.errors import (
    BankFormatError,
    InvalidInputError,
    MissingTaskError,
    OutputError,
    UnknownTaskError,
)
from taskbank.images.reading import read_photo
from taskbank.inference.decode import Reading, decode
from taskbank.inference.preprocess import Preprocessed, preprocess
from taskbank.labels.codes import DOMAINS
from taskbank.labels.files import CLASSES as CLASS_FOLDERS
from taskbank.labels.files import MATCHES, POINT_INFO
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import TransferReadout, build_readout
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise
from taskbank.options import Frame
from taskbank.tasks.kinds import DecoderForm, OutputKind
from taskbank.tasks.own_targets import OwnTarget, find_target, own_name, own_target_from_json

MAP = OwnTarget(output=OutputKind.MAP, channels=1, unit="lx", value_range=(10.0, 50.0))
COLOURS = OwnTarget(output=OutputKind.MAP, channels=3, value_range=(0.0, 2.0))
CLASSES = OwnTarget(output=OutputKind.CLASSES, channels=2)
NUMBERS = OwnTarget(output=OutputKind.NUMBERS, channels=2, unit="%", whitening=((1.0, 2.0), (0.5, 4.0)))
TARGETS = {"daylight": MAP, "tint": COLOURS, "side": CLASSES, "share": NUMBERS}
NAMES = {"side": ("left", "right"), "share": ("green", "blue")}
SOURCES = ("reshading", "normal")


def readout(
    name: str, sources: tuple[str, ...] = SOURCES, shape: Architecture = TOY_COMPACT
) -> TransferReadout:
    """A seeded transfer to a target of one's own."""
    made = build_readout(TARGETS[name].as_task(name), shape, sources)
    initialise(made, 3, gain=UNTRAINED_GAIN)
    return made.eval()


def about(name: str, **more: Any) -> About:
    """Return the facts about an own target."""
    return About(classes=NAMES.get(name), own_target=TARGETS[name], **more)


def toy_bank(folder: Path) -> Bank:
    """Two encoders with decoders."""
    return Bank.save(
        folder,
        name="toy",
        architecture=TOY_COMPACT,
        networks={task: toy_network(task, seed=seed) for seed, task in enumerate(SOURCES)},
        about={"normal": About(metrics={"angle": 20.0}, licence="CC0-1.0")},
        licence="MIT",
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A bank of transfers to all four targets."""
    folder = tmp_path_factory.mktemp("own")
    transfers = [(readout(name), about(name, metrics={"test_loss": 0.5})) for name in TARGETS]
    return bank_of_transfers(toy_bank(folder / "toy"), folder / "bank", name="mine", transfers=transfers)


@pytest.fixture(scope="module")
def preprocessed() -> Preprocessed:
    """A photograph of 48 x 32 px, seen at 32."""
    rng = np.random.default_rng(0)
    return preprocess(read_photo(rng.integers(0, 256, (32, 48, 3), dtype=np.uint8)), "crop", 32)


def test_a_bank_of_transfers_has_the_encoders_of_their_sources_byte_for_byte(
    bank: Bank, tmp_path: Path
) -> None:
    original = toy_bank(tmp_path / "again")
    assert bank.tasks == tuple(sorted(SOURCES))
    for task in SOURCES:
        held, given = bank.entry(task), original.entry(task)
        assert held.encoder == given.encoder
        assert bank.files.read(held.files[0]) == original.files.read(given.files[0])
        assert (held.decoder, held.metrics, held.licence) == (None, {}, given.licence)
    assert bank.index.licence == "MIT"


def test_what_a_target_is_survives_the_file(bank: Bank) -> None:
    again = Bank.open(bank.where)
    for name, target in TARGETS.items():
        entry = again.transfer_entry(reversed(SOURCES), name.upper())
        assert (entry.own_target, entry.classes, entry.sources) == (target, NAMES.get(name), SOURCES)
        assert again.find_target(name) == entry.task == target.as_task(name)
    assert again.find_target("surface normals").name == "normal"


def test_banks_without_own_targets_do_not_mention_them(tmp_path: Path) -> None:
    saved = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        transfers=(build_readout(taskbank.find_task("depth"), TOY_COMPACT, ("normal",)),),
    )
    assert "own_target" not in (Path(saved.where) / INDEX_NAME).read_text()
    assert saved.index.own_tasks == {}


@pytest.mark.parametrize("shape", TOYS, ids=lambda shape: shape.name)
@pytest.mark.parametrize("name", TARGETS)
def test_both_architectures_have_networks_for_every_kind(shape: Architecture, name: str) -> None:
    codes = torch.zeros(2, 16, 16, 16)
    given = readout(name, shape=shape)(codes)
    channels = TARGETS[name].channels
    assert given.shape == ((2, channels, 256, 256) if "MAP" in TARGETS[name].output.name else (2, channels))


def test_maps_are_decoded_to_the_range_of_the_labels(preprocessed: Preprocessed) -> None:
    raw = torch.tensor([[[-1.0, 0.0], [0.5, 3.0]]])
    task = MAP.as_task("daylight")
    decoded = decode(task, raw, (preprocessed,), Reading(frame=Frame.NETWORK))
    assert decoded.array.shape == (32, 32)
    assert decoded.array[0, 0] == pytest.approx(10)
    assert decoded.array[-1, 0] == pytest.approx(40)
    assert decoded.array[-1, -1] == pytest.approx(50)
    assert decoded.value_range == (10, 50)
    placed = decode(task, raw, (preprocessed,), Reading()).array
    assert placed.shape == (32, 48)
    assert np.isnan(placed[:, :8]).all()
    assert not np.isnan(placed[:, 8:-8]).any()


def test_numbers_are_unwhitened(preprocessed: Preprocessed) -> None:
    decoded = decode(NUMBERS.as_task("share"), torch.tensor([2.0, -1.0]), (preprocessed,), Reading())
    np.testing.assert_allclose(decoded.array, [1 + 2 * 0.5, 2 - 4])


def test_predictions_say_unit_names_and_sources(bank: Bank) -> None:
    image = np.random.default_rng(1).integers(0, 256, (40, 32, 3), dtype=np.uint8)
    share = taskbank.load_transfer(SOURCES, "share", bank=bank, size=32, device="cpu").predict(image)
    facts = share.facts()
    assert facts["unit"] == "%"
    assert facts["values"] == dict(zip(("green", "blue"), share.array.tolist(), strict=True))
    assert facts["read_from"] == list(SOURCES)
    side = taskbank.load_transfer(SOURCES, "side", bank=bank, size=32, device="cpu").predict(image)
    assert {name for name, _ in side.top()} == {"left", "right"}
    assert sum(chance for _, chance in side.top()) == pytest.approx(1)
    light = taskbank.load_transfer(SOURCES, "daylight", bank=bank, size=32, device="cpu").predict(image)
    assert (light.array.shape, light.unit, light.facts()["range"]) == ((40, 32), "lx", [10, 50])
    json.dumps(light.facts())


def drawn(bank: Bank, name: str, preprocessed: Preprocessed, array: NDArray[Any]) -> Image.Image:
    """The picture of a given array, as if it had been predicted."""
    shown = taskbank.load_transfer(SOURCES, name, bank=bank, size=32, device="cpu", fit="crop")
    prediction = replace(shown.predict(preprocessed.photo.as_bytes()), array=array.copy())
    return picture(prediction, (preprocessed,))


def test_pictures_of_maps_span_the_range(bank: Bank, preprocessed: Preprocessed) -> None:
    array = np.full((32, 48), 10, np.float32)
    array[:, 24:] = 50
    dark, bright = (drawn(bank, "daylight", preprocessed, array).getpixel((column, 5)) for column in (5, 40))
    assert max(dark) < 64  # type: ignore[arg-type] # RGB has three
    assert sum(bright) > 500  # type: ignore[arg-type]
    tint = np.zeros((32, 48, 3), np.float32) + np.array([0, 1, 2], np.float32)
    assert drawn(bank, "tint", preprocessed, tint).getpixel((9, 9)) == (0, 128, 255)


def test_numbers_are_written_under_the_photograph(bank: Bank, preprocessed: Preprocessed) -> None:
    one, two = (drawn(bank, "share", preprocessed, np.array([value, 3], np.float32)) for value in (1, 2))
    assert one.size == two.size == (384, 384 + 2 * 28 + 8)
    changed = np.flatnonzero((np.asarray(one) != np.asarray(two)).any(axis=(1, 2)))
    assert len(changed)
    assert changed.min() > 384
    assert changed.max() < 384 + 32  # the second row is the same


def test_the_card_says_what_the_target_is(bank: Bank) -> None:
    card = model_card(bank.index, bank.digest, bank.where)
    for words in ("daylight (map, lx)", "side (2 classes)", "share (2 numbers, %)"):
        assert words in card


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("normals", "the name 'normals' is taken by the task 'normal': choose another, such as my_normals"),
        ("Depth", "is taken by the task 'depth_zbuffer'"),
        ("all", "that word means something else here"),
        ("../..", "use 1 to 60 letters or digits"),
        ("x" * 61, "use 1 to 60 letters or digits"),
    ],
)
def test_names_that_clash_or_are_none_are_refused(name: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        own_name(name)


@pytest.mark.parametrize("folder", [*DOMAINS, *CLASS_FOLDERS, POINT_INFO, MATCHES])
def test_folders_of_the_dataset_are_no_names(folder: str) -> None:
    with pytest.raises(InvalidInputError):
        own_name(folder)


def test_names_are_written_in_one_way() -> None:
    assert own_name("My Daylight (lx)") == "my_daylight_lx"


def test_unknown_names_are_compared_with_own_targets_too(bank: Bank) -> None:
    with pytest.raises(UnknownTaskError, match="did you mean daylight"):
        bank.find_target("dayligt")
    with pytest.raises(UnknownTaskError):
        find_target("daylight", {})
    with pytest.raises(
        InvalidInputError, match=r"'Daylight' has no network of its own .* `taskbank transfer"
    ):
        bank.load("Daylight")
    with pytest.raises(MissingTaskError, match=r"no transfer 'normal -> daylight'"):
        bank.transfer_entry(["normal"], "daylight")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": OutputKind.DEPTH}, "output depth must be map, classes, numbers"),
        ({"channels": 2}, "a map has 1 or 3 channels"),
        ({"value_range": (3.0, 3.0)}, "a range that rises"),
        ({"value_range": None}, "a range that rises"),
        ({"output": OutputKind.CLASSES}, r"1 class\(es\), but two at least"),
        ({"output": OutputKind.NUMBERS}, r"1 number\(s\) need as many means"),
        ({"output": OutputKind.NUMBERS, "whitening": ((1.0,), (0.0,))}, "positive standard deviations"),
    ],
)
def test_targets_that_cannot_be_decoded_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        replace(MAP, **changes)


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.output)
def test_json_and_back(target: OwnTarget) -> None:
    assert own_target_from_json(json.loads(json.dumps(asdict(target)))) == target
    assert target.as_task("x").decoder in {DecoderForm.PIXEL, DecoderForm.FULLY_CONNECTED}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("own_target", None, "unknown task 'daylight'"),
        ("target", "normal", "is taken by the task 'normal'"),
        ("target", "Day Light", "target 'Day Light' should be written 'day_light'"),
        ("own_target", {"output": "map"}, "lacks the field"),
        ("own_target", {**asdict(MAP), "output": "smell"}, "'smell' is not a valid OutputKind"),
        ("own_target", {**asdict(MAP), "whitening": "ab"}, "'a' is not a list of numbers"),
    ],
)
def test_damaged_descriptions_are_refused(
    bank: Bank, tmp_path: Path, field: str, value: object, message: str
) -> None:
    index = json.loads((Path(bank.where) / INDEX_NAME).read_text())
    (entry,) = (entry for entry in index["transfers"] if entry["target"] == "daylight")
    entry[field] = value
    (tmp_path / INDEX_NAME).write_text(json.dumps(index))
    with pytest.raises(BankFormatError, match=message):
        Bank.open(tmp_path)


def test_one_name_is_one_target(tmp_path: Path) -> None:
    given = [
        (readout("side"), about("side")),
        (readout("side", ("normal",)), replace(about("side"), own_target=replace(CLASSES, hidden=(8,)))),
    ]
    with pytest.raises(InvalidInputError, match="describe their target 'side' differently"):
        bank_of_transfers(toy_bank(tmp_path / "toy"), tmp_path / "bank", name="mine", transfers=given)
    assert not (tmp_path / "bank" / INDEX_NAME).exists()


def test_what_cannot_be_written_is_refused(bank: Bank, tmp_path: Path) -> None:
    toy = toy_bank(tmp_path / "toy")
    with pytest.raises(OutputError, match="holds a bank already"):
        bank_of_transfers(toy, bank.where, name="mine", transfers=[])
    undescribed = [(readout("side"), About())]
    with pytest.raises(InvalidInputError, match=r"'side' is none of the 26 tasks: say what it is"):
        bank_of_transfers(toy, tmp_path / "a", name="mine", transfers=undescribed)
    spelled = build_readout(CLASSES.as_task("My Side"), TOY_COMPACT, SOURCES)
    with pytest.raises(InvalidInputError, match="must be written 'my_side'"):
        bank_of_transfers(toy, tmp_path / "b", name="mine", transfers=[(spelled, about("side"))])
    absent = [(readout("side", ("jigsaw",)), about("side"))]
    with pytest.raises(MissingTaskError, match="jigsaw"):
        bank_of_transfers(toy, tmp_path / "c", name="mine", transfers=absent)
