"""Third-party encoders in the form of a bank's, and the entries that name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, toy_network
from torch.nn import functional

from taskbank.bank.bank import About, Bank
from taskbank.bank.card import model_card
from taskbank.bank.extending import bank_of_transfers
from taskbank.bank.index import index_from_json, index_to_json, transfer_path
from taskbank.encoders.names import open_encoder
from taskbank.encoders.square import SquareEncoder, at_grid, describe, fingerprint, open_square
from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.nets.build import build_readout
from taskbank.nets.initialise import initialise
from taskbank.nets.transfer import Projections
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.own_targets import OwnTarget
from taskbank.tasks.registry import TASKS

NAME = "timm:test_convnext@0?weights=random&size=64"


def test_an_encoder_is_opened_again_by_what_it_says_of_itself() -> None:
    source = open_encoder(NAME, seed=3)
    assert source.opens == "timm:test_convnext@0?weights=random&size=64"
    again = open_encoder(source.opens, seed=source.seed)
    assert fingerprint(again.network) == fingerprint(source.network)
    assert fingerprint(open_encoder(NAME, seed=4).network) != fingerprint(source.network)
    with pytest.raises(InvalidInputError, match="'normals' is not the name of an encoder"):
        open_encoder("normals")


def test_a_square_gives_a_cell_for_every_16_px_whatever_the_encoder_takes() -> None:
    source = open_encoder(NAME)
    encoder = SquareEncoder(source)
    squares = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        found = encoder(squares)
        own = source.network(source.normalised((squares + 1) / 2))
    assert found.shape == (2, source.channels, 4, 4)
    torch.testing.assert_close(found, functional.adaptive_avg_pool2d(own, 4))
    with torch.inference_mode():
        assert encoder(torch.zeros(1, 3, 96, 96)).shape == (1, source.channels, 6, 6)


def test_a_coarse_map_is_interpolated() -> None:
    coarse = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert at_grid(coarse, 4).shape == (1, 1, 4, 4)
    assert float(at_grid(coarse, 4).mean()) == pytest.approx(1.5)
    assert at_grid(coarse, 2) is coarse


def test_only_sources_of_other_widths_are_projected() -> None:
    layer = Projections((8, 3)).eval()
    codes = torch.rand(2, 11, 4, 4)
    found = layer(codes)
    assert found.shape == (2, 16, 4, 4)
    torch.testing.assert_close(found[:, :8], codes[:, :8])
    assert {name.split(".")[1] for name in layer.state_dict()} == {"1"}
    assert layer(codes[:, None]).shape == (2, 1, 16, 4, 4)


def test_a_bank_may_read_encoders_of_others_only(tmp_path: Path) -> None:
    """It holds no encoder, and names what it reads with its hash."""
    source = open_encoder(NAME)
    target = OwnTarget(output=OutputKind.CLASSES, channels=2)
    readout = build_readout(target.as_task("mine"), TOY_COMPACT, (source.name,), [source.channels])
    initialise(readout, 0)
    bank = bank_of_transfers(
        None,
        tmp_path / "bank",
        name="mine",
        transfers=[(readout.eval(), About(own_target=target))],
        image_size=64,
        foreign=[describe(source)],
        architecture=TOY_COMPACT,
    )
    assert (bank.tasks, bank.transfers) == ((), (((source.name,), "mine"),))
    assert transfer_path((source.name,), "mine") == (
        "transfers/timm_test_convnext_0_random_64px__mine.safetensors"
    )
    assert index_from_json(index_to_json(bank.index), "here") == bank.index
    loaded = bank.load_transfer([source.name], "mine")
    codes = torch.rand(1, source.channels, 4, 4)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(codes), readout(codes), atol=1e-2, rtol=1e-2)
    (entry,) = bank.index.foreign.values()
    open_square(entry, bank.where)
    card = model_card(bank.index, bank.digest, "hf://me/mine")
    assert "Third-party encoders, not in this bank" in card
    assert "bank.load_transfer(['timm:test" in card
    text = index_to_json(bank.index)
    with pytest.raises(BankFormatError, match="must begin with timm: or hf:"):
        index_from_json(text.replace(f'"opens": "{entry.opens}"', '"opens": "../file"'), "here")
    changed = index_from_json(text.replace(entry.sha256, "0" * 64), "here").foreign[source.name]
    with pytest.raises(BankFormatError, match="those that the bank was made with have 000000000000"):
        open_square(changed, bank.where)


def test_a_bank_of_tasks_may_read_encoders_of_others_too(tmp_path: Path) -> None:
    source = open_encoder(NAME)
    sources = ("normal", source.name)
    readout = build_readout(TASKS["reshading"], TOY_COMPACT, sources, [8, source.channels])
    initialise(readout, 0)
    bank = Bank.save(
        tmp_path / "bank",
        name="b",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        transfers=(readout.eval(),),
        image_size=64,
        foreign=[describe(source)],
    )
    assert list(bank.index.foreign) == [source.name]
    engine = TransferEngine(bank, sources, ["reshading"], Settings(device="cpu", size=64))
    (outcome,) = engine.run([np.zeros((64, 64, 3), dtype=np.uint8)])
    assert outcome.prediction("reshading").array.shape[:2] == (64, 64)


def test_transfers_whose_files_would_have_one_path_are_refused(tmp_path: Path) -> None:
    """`a/b_c` and `a_b/c` are two repositories, but one path."""
    repos = ("a/b_c", "a_b/c")
    readouts = [build_readout(TASKS["reshading"], TOY_COMPACT, (f"hf:{repo}@1",), [4]) for repo in repos]
    with pytest.raises(InvalidInputError, match="two transfers would be written to one file"):
        Bank.save(
            tmp_path / "bank",
            name="b",
            architecture=TOY_COMPACT,
            networks={},
            transfers=tuple(readouts),
            image_size=64,
        )
