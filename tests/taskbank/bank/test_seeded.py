"""Encoders that are made from a seed and never stored."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, TOYS, toy_network, toy_readout

from taskbank.bank.bank import Bank, Untrained
from taskbank.bank.card import model_card
from taskbank.bank.download import download_bank
from taskbank.bank.entries import SeededEncoder
from taskbank.bank.extending import bank_of_transfers
from taskbank.bank.index import INDEX_NAME
from taskbank.bank.seeded import describe_untrained, rebuild, untrained_encoder
from taskbank.bank.writing import About
from taskbank.errors import BankFormatError
from taskbank.nets.architecture import Architecture, Compact
from taskbank.nets.build import build_encoder
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise

SEED = 11


def save(folder: Path, architecture: Architecture = TOY_COMPACT) -> Bank:
    """A stored encoder and a seeded one."""
    return Bank.save(
        folder,
        name="toy",
        architecture=architecture,
        networks={"normal": toy_network("normal", architecture), "random": Untrained(SEED)},
        transfers=(toy_readout(("random",), "normal", architecture),),
    )


@pytest.mark.parametrize("architecture", TOYS, ids=lambda made: made.name)
def test_what_is_loaded_is_to_the_bit_what_training_begins_with(
    architecture: Architecture, tmp_path: Path
) -> None:
    begun = build_encoder(architecture)
    initialise(begun, SEED, gain=UNTRAINED_GAIN)
    loaded = save(tmp_path / "bank", architecture).load_encoder("random")
    expected = begun.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in loaded.state_dict().items())
    assert not loaded.training


def test_no_file_is_written_for_it_and_the_index_says_the_seed(tmp_path: Path) -> None:
    bank = save(tmp_path / "bank")
    assert sorted(path.name for path in (tmp_path / "bank" / "encoders").iterdir()) == ["normal.safetensors"]
    written = json.loads((tmp_path / "bank" / INDEX_NAME).read_text())["tasks"]["random"]["encoder"]
    assert written == asdict(describe_untrained(TOY_COMPACT, SEED))
    assert bank.entry("random").encoder == SeededEncoder(**written)
    assert bank.entry("random").files == ()
    assert len(download_bank(bank.where, ["random"]).files) == 0


def test_making_it_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    untrained_encoder(TOY_COMPACT, SEED)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_that_draws_other_numbers_is_noticed(tmp_path: Path) -> None:
    bank = save(tmp_path / "bank")
    path = tmp_path / "bank" / INDEX_NAME
    index = json.loads(path.read_text())
    index["tasks"]["random"]["encoder"]["seed"] = SEED + 1
    path.write_text(json.dumps(index))
    with pytest.raises(BankFormatError, match=r"seed 12 gives weights with the sum .* draws other numbers"):
        Bank.open(bank.where).load_encoder("random")


@pytest.mark.parametrize("architecture", [*TOYS, Compact()], ids=["resnet50", "compact", "full"])
def test_rounding_of_another_platform_is_allowed_and_other_draws_are_not(architecture: Architecture) -> None:
    """One unit in the last place of every weight, all in one direction."""
    stated = describe_untrained(architecture, SEED)
    weights = untrained_encoder(architecture, SEED).parameters()
    step = sum(value.abs().sum().item() for value in weights) * 2**-23
    rounded = replace(stated, total=stated.total + step, size=stated.size + step)
    rebuild(rounded, architecture, "the bank")
    for seed in range(3):
        with pytest.raises(BankFormatError):
            rebuild(replace(stated, seed=seed), architecture, "the bank")


def test_banks_that_store_the_encoder_still_open(tmp_path: Path) -> None:
    seeded = untrained_encoder(TOY_COMPACT, SEED)
    bank = Bank.save(tmp_path / "old", name="old", architecture=TOY_COMPACT, networks={"random": seeded})
    stored = bank.load_encoder("random")
    assert len(bank.entry("random").files) == 1
    for one, other in zip(stored.parameters(), seeded.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_a_bank_of_transfers_takes_the_seed_along(tmp_path: Path) -> None:
    bank = save(tmp_path / "bank")
    transfers = [(toy_readout(("normal", "random"), "reshading"), About())]
    made = bank_of_transfers(bank, tmp_path / "mine", name="mine", transfers=transfers)
    assert made.entry("random").encoder == bank.entry("random").encoder
    assert not (tmp_path / "mine" / "encoders" / "random.safetensors").exists()
    made.load_encoder("random")


def test_the_card_says_the_seed(tmp_path: Path) -> None:
    bank = save(tmp_path / "bank")
    assert "| random | representation, seed 11 |  | 0.0 |" in model_card(bank.index, bank.digest, "toy")
