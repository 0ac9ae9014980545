"""The transfers of a novel task as a bank that `taskbank transfer` predicts with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from taskbank.bank.bank import About, Bank
from taskbank.bank.extending import bank_of_transfers
from taskbank.nets.build import TransferReadout
from training.stages.novel.config import NovelConfig
from training.stages.novel.division import Part
from training.stages.novel.prepare import Prepared
from training.stages.novel.ranking import Ranked
from training.stages.transfers.config import UNTRAINED
from training.stages.transfers.readouts import load_readout


def save_bank(
    folder: Path,
    config: NovelConfig,
    bank: Bank,
    *,
    prepared: Prepared,
    transfers: Path,
    ranked: Sequence[Ranked],
) -> Bank:
    """Write every measured transfer, so that every possible plan can be predicted.

    Transfers from the untrained encoder are left out, as they are controls.

    Args:
        folder: replaced if it exists.
        config: name of the task.
        bank: bank of the encoders, which are copied.
        prepared: kind and names of the labels.
        transfers: folder of weights.
        ranked: the transfers, best first.

    Raises:
        DataError: a transfer was not trained.
        OutputError: a file cannot be written.
    """
    shutil.rmtree(folder, ignore_errors=True)
    return bank_of_transfers(
        bank,
        folder,
        name=f"{bank.name}+{config.name}",
        transfers=_with_facts(config, bank, prepared, transfers, ranked),
        image_size=config.size,
    )


def _with_facts(
    config: NovelConfig, bank: Bank, prepared: Prepared, transfers: Path, ranked: Sequence[Ranked]
) -> Iterator[tuple[TransferReadout, About]]:
    """Each transfer, and the facts about it."""
    task = prepared.target.as_task(config.name)
    training = {
        "data": f"{len(prepared.of(Part.LEARNED))} photographs of a user",
        "tested_on": f"{len(prepared.of(Part.TEST))} more",
        "seed": config.seed,
        "encoders": f"{bank.name} {bank.digest}",
    }
    for one in ranked:
        if UNTRAINED in one.sources:
            continue
        about = About(
            classes=prepared.names,
            licence=bank.index.licence,
            metrics={"test_loss": one.loss, "beats_scratch": one.wins, "affinity": one.affinity},
            training=training,
            own_target=prepared.target,
        )
        yield load_readout(transfers, task, one.sources, bank.architecture), about
