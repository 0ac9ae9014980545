"""A bank out of the networks and transfers of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from torch import nn

from taskbank.bank import About, Bank, TransferKey
from taskbank.nets.build import TransferReadout
from taskbank.tasks import TASKS, Loss
from taxsolver import AffinityTensor
from training.evaluate.config import EvaluateConfig
from training.transfers.codes import source_encoder
from training.transfers.config import UNTRAINED, TransfersConfig
from training.transfers.networks import load_network
from training.transfers.readouts import load_readout


def assemble_bank(
    folder: Path,
    config: EvaluateConfig,
    transfers_config: TransfersConfig,
    *,
    networks: Path,
    transfers: Path,
    affinity: AffinityTensor,
    about: Mapping[str, About] | None = None,
    about_transfers: Mapping[TransferKey, About] | None = None,
) -> Bank:
    """Write the bank of a run: every task network that was trained, `random`, and chosen transfers.

    The same run gives the same weights byte for byte, whatever is said about them.

    Args:
        folder: is made; holds no bank yet.
        config: name, licence, storage, which transfers.
        transfers_config: of stage 2.
        networks: folder of stage 1.
        transfers: folder of stage 2.
        affinity: of stage 3, which says which transfers are best.
        about: what is known about the networks, by task.
        about_transfers: what is known about the transfers.

    Raises:
        DataError: a network or a transfer is missing.
        OutputError: it cannot be written, or a bank is there.
    """
    shape = transfers_config.architecture
    held: dict[str, nn.Module] = {
        task.name: load_network(networks, task, shape)
        for task in TASKS.values()
        if task.loss is not Loss.NONE and (networks / f"{task.name}.safetensors").exists()
    }
    held[UNTRAINED] = source_encoder(UNTRAINED, networks, shape, transfers_config.seed)
    readouts = tuple(
        load_readout(transfers, target, sources, shape)
        for sources, target in chosen_transfers(affinity, config)
    )
    return Bank.save(
        folder,
        name=config.name,
        architecture=shape,
        networks=held,
        transfers=readouts,
        storage=config.storage,
        about=about,
        about_transfers=_of_those(readouts, about_transfers or {}),
        licence=config.licence,
    )


def _of_those(
    readouts: tuple[TransferReadout, ...], about: Mapping[TransferKey, About]
) -> dict[TransferKey, About]:
    """What is known about the transfers that are given, whatever the order of their sources."""
    known = {(frozenset(sources), target): said for (sources, target), said in about.items()}
    keys = [(readout.sources, readout.target) for readout in readouts]
    return {key: known[frozenset(key[0]), key[1]] for key in keys if (frozenset(key[0]), key[1]) in known}


def chosen_transfers(affinity: AffinityTensor, config: EvaluateConfig) -> list[TransferKey]:
    """Transfers of a bank, each once: the best of each target and order, and those to be compared.

    Args:
        affinity: of stage 3.
        config: which orders, and of which targets sources can be compared.
    """
    chosen: dict[tuple[frozenset[str], str], TransferKey] = {}
    for row in _rows(affinity, config):
        transfer = affinity.transfer(row)
        chosen.setdefault((frozenset(transfer.sources), transfer.target), (transfer.sources, transfer.target))
    return list(chosen.values())


def _rows(affinity: AffinityTensor, config: EvaluateConfig) -> Iterator[int]:
    """Rows of the tensor, best first."""
    useful = ~(affinity.full_supervision | affinity.reads_itself | np.isnan(affinity.affinity))
    random = (
        affinity.sources[:, affinity.columns((UNTRAINED,))].any(axis=1)
        if UNTRAINED in affinity.tasks
        else False
    )
    for target in affinity.targets:
        of_target = useful & (affinity.target == affinity.tasks.index(target))
        for order in config.transfer_orders:
            yield from _best_first(affinity, of_target & ~random & (affinity.order == order))[:1]
        if target in config.shown_targets:
            ranked = _best_first(affinity, of_target & ~random & (affinity.order == 1))
            places = np.linspace(0, len(ranked) - 1, min(config.shown_sources, len(ranked)))
            yield from (ranked[round(place)] for place in places)
            yield from _best_first(affinity, of_target & random & (affinity.order == 1))[:1]


def _best_first(affinity: AffinityTensor, rows: np.ndarray) -> list[int]:
    """Numbers of rows by falling affinity."""
    numbers = np.flatnonzero(rows)
    return [int(number) for number in numbers[np.argsort(-affinity.affinity[numbers], kind="stable")]]
