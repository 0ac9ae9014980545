"""Networks from scratch in a bank: saved, opened and run beside transfers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, TOYS, toy_network, toy_readout, toy_scratch

import taskbank
from taskbank.bank.bank import About, Bank
from taskbank.bank.card import model_card
from taskbank.bank.extending import bank_of_transfers
from taskbank.bank.quantise import Storage
from taskbank.errors import InvalidInputError, MissingTaskError
from taskbank.images.framing import fit_photo
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import InputKind, as_input, preprocess
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import ScratchNetwork
from taskbank.options import Fit

PHOTO = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
TARGETS = ("normal", "jigsaw", "inpainting", "egomotion")
CPU = Settings(device="cpu", batch_size=2, fit=Fit.CROP)


@pytest.fixture(scope="module", params=TOYS, ids=lambda made: made.name)
def bank(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Networks from scratch of every form, and a transfer."""
    made: Architecture = request.param
    return Bank.save(
        tmp_path_factory.mktemp("toy") / made.name,
        name="toy",
        architecture=made,
        networks={"reshading": toy_network("reshading", made)},
        transfers=(
            *(toy_scratch(target, made, seed) for seed, target in enumerate(TARGETS)),
            toy_readout(("reshading",), "normal", made),
        ),
        about_transfers={(("scratch",), "normal"): About(metrics={"mean": 40.0})},
        storage=Storage.FP32,
    )


def by_hand(bank: Bank, target: str, seen: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        raw: torch.Tensor = bank.load_transfer(["scratch"], target)(seen[None])
    return raw[0]


def check(given: torch.Tensor, expected: torch.Tensor) -> None:
    assert given.shape == expected.shape
    assert (given - expected).abs().max() < 1e-4 * max(1.0, float(expected.abs().max()))


def test_it_is_loaded_as_it_was_saved(bank: Bank) -> None:
    network = bank.load_transfer(["Scratch"], "normals")
    assert isinstance(network, ScratchNetwork)
    assert (network.sources, network.target, network.training) == (("scratch",), "normal", False)
    saved = toy_scratch("normal", bank.architecture, 0).state_dict()
    loaded = network.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in saved.items() if "num_batches" not in name)


def test_the_index_lists_it_among_the_transfers(bank: Bank) -> None:
    again = Bank.open(bank.where)
    assert (("scratch",), "normal") in again.transfers
    entry = again.transfer_entry(["scratch"], "normals")
    assert (entry.name, entry.from_scratch, entry.encoders) == ("scratch -> normal", True, ())
    assert (entry.file.path, entry.metrics) == ("transfers/scratch__normal.safetensors", {"mean": 40.0})
    card = model_card(again.index, again.digest, "toy")
    assert "| scratch | normal |" in card
    assert "`scratch`: the target's whole network" in card


def test_it_sees_what_the_targets_own_network_sees(bank: Bank) -> None:
    engine = TransferEngine(bank, ["scratch"], ["normal", "jigsaw", "inpainting"], CPU)
    (outcome,) = engine.run([PHOTO])
    preprocessed = preprocess(read_photo(PHOTO), "crop", 256, tiles=True)
    assert preprocessed.tiles is not None
    check(outcome.raw["normal"], by_hand(bank, "normal", preprocessed.square))
    check(outcome.raw["jigsaw"], by_hand(bank, "jigsaw", preprocessed.tiles))
    hole = as_input(preprocessed.square[None], InputKind.HOLE)[0]
    check(outcome.raw["inpainting"], by_hand(bank, "inpainting", hole))
    assert outcome.read_from == ("scratch",)


def test_targets_of_several_images_take_tuples(bank: Bank) -> None:
    (outcome,) = TransferEngine(bank, ["scratch"], ["egomotion"], CPU).run([(PHOTO, PHOTO, PHOTO)])
    squares = torch.stack([fit_photo(read_photo(PHOTO))[0]] * 3)
    check(outcome.raw["egomotion"], by_hand(bank, "egomotion", squares))


def test_predictions_say_that_they_are_from_scratch(bank: Bank) -> None:
    predictor = taskbank.load_transfer("scratch", "normals", bank=bank, device="cpu")
    assert (predictor.task, predictor.sources) == ("normal", ("scratch",))
    given = predictor.predict(PHOTO)
    assert given.facts()["read_from"] == ["scratch"]
    assert given.array.shape == (40, 60, 3)


def test_what_is_not_there_is_named(bank: Bank) -> None:
    with pytest.raises(MissingTaskError, match=r"no transfer 'scratch -> reshading' .* nearest are"):
        TransferEngine(bank, ["scratch"], ["reshading"], CPU)
    with pytest.raises(MissingTaskError, match=r"no transfer 'reshading\+scratch -> normal'"):
        TransferEngine(bank, ["scratch", "reshading"], ["normal"], CPU)
    with pytest.raises(InvalidInputError, match="no task was named"):
        TransferEngine(bank, [], ["normal"], CPU)


def test_a_bank_of_transfers_may_hold_nothing_else(tmp_path: Path) -> None:
    empty = Bank.save(tmp_path / "empty", name="e", architecture=TOY_COMPACT, networks={})
    transfers = [(toy_scratch("normal"), About())]
    made = bank_of_transfers(empty, tmp_path / "mine", name="mine", transfers=transfers)
    assert (made.tasks, made.transfers) == ((), ((("scratch",), "normal"),))
    assert taskbank.load_transfer("scratch", "normal", bank=made, device="cpu").predict(PHOTO) is not None
