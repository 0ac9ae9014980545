"""Assembly of a bank from the networks and transfers of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from torch import nn

from taskbank.bank.bank import About, Bank, TransferKey, Untrained
from taskbank.bank.quantise import Storage
from taskbank.bank.seeded import describe_untrained
from taskbank.bank.weights import weights_to_bytes
from taskbank.nets.build import Readout, TaskNetwork
from taskbank.tasks.registry import SCRATCH, TASKS, Loss
from taxsolver import load_affinity
from training.errors import ConfigError, DataError
from training.stages.evaluation.calibrate import network_class_weights, take_out_class_weights
from training.stages.evaluation.choice import those_that_fit, wanted_transfers
from training.stages.evaluation.config import EvaluateConfig
from training.stages.evaluation.trained import Trained
from training.stages.networks.finished import load_network, trained_size
from training.stages.transfers.config import UNTRAINED
from training.stages.transfers.readouts import load_readout, load_scratch
from training.stages.transfers.stage import load_counts, load_foreign

MEGABYTE = 1_000_000
_BESIDES = 1_500_000  # bytes reserved for the index, the card, its pictures and the scores


def assemble_bank(
    folder: Path,
    trained: Trained,
    *,
    about: Mapping[str, About] | None = None,
    about_transfers: Mapping[TransferKey, About] | None = None,
) -> Bank:
    """Write the bank of a run: every task network that was trained, `random`, and the transfers that fit.

    Weights are reproducible byte for byte, independent of the facts about them. `random` is the encoder that
    transfers have read, made from its seed; it takes no space. Third-party encoders that transfers
    read are named with the hashes of their weights, not stored.

    Args:
        folder: folder of the new bank, which is created.
        trained: networks and transfers, and the settings for selecting and storing them.
        about: facts about the networks, by task.
        about_transfers: facts about the transfers.

    Raises:
        DataError: a network or a transfer is missing, or transfers have read another `random`.
        ConfigError: the task networks alone are larger than `max_megabytes`.
        OutputError: the bank cannot be written, or the folder holds one.
    """
    config, networks, shape = trained.config, trained.networks, trained.transfers_config.architecture
    held = {
        task.name: load_network(networks, task, shape)
        for task in TASKS.values()
        if task.loss is not Loss.NONE and (networks / f"{task.name}.safetensors").exists()
    }
    for task, network in held.items():
        take_out_class_weights(network, network_class_weights(networks, TASKS[task]), config.calibration)
    # Tasks of several images may have a size of their own.
    size = trained_size(networks, [name for name in held if TASKS[name].num_images == 1] or held)
    facts_of = dict(about or {})
    for name in held:
        if TASKS[name].num_images > 1 and (own := trained_size(networks, [name])) != size:
            facts_of[name] = replace(facts_of.get(name, About()), image_size=own)
    # The untrained encoder must be the one whose representations transfers have read.
    now = describe_untrained(trained.transfers_config.architecture, trained.transfers_config.seed)
    if load_counts(trained.transfers).get("untrained") != asdict(now):
        raise DataError(
            f"{trained.transfers} has read another {UNTRAINED!r} than seed {now.seed} gives now: run stage 2 "
            "again"
        )
    wanted = wanted_transfers(load_affinity(trained.affinity), config)
    readouts: dict[TransferKey, Readout] = {
        (sources, target): load_scratch(trained.transfers, target, shape)
        if sources == (SCRATCH,)
        else load_readout(trained.transfers, target, sources, shape)
        for sources, target in wanted
    }
    weights = load_counts(trained.transfers).get("class_weights", {})
    for (_, target), readout in readouts.items():
        take_out_class_weights(readout, weights.get(target), config.calibration)
    chosen = those_that_fit(readouts, lambda key: _size(readouts[key], config.storage), _room(held, config))
    kept = tuple(readouts[key] for key in chosen)
    read = {source for readout in kept for source in readout.sources}
    # Facts are found whatever the order of sources.
    facts = {(frozenset(key[0]), key[1]): one for key, one in (about_transfers or {}).items()}
    keys = [(readout.sources, readout.target) for readout in kept]
    told = {key: facts[frozenset(key[0]), key[1]] for key in keys if (frozenset(key[0]), key[1]) in facts}
    return Bank.save(
        folder,
        name=config.name,
        architecture=shape,
        networks={**held, UNTRAINED: Untrained(trained.transfers_config.seed)},
        transfers=kept,
        storage=config.storage,
        about=facts_of,
        about_transfers=told,
        licence=config.licence,
        image_size=size,
        foreign=[one for one in load_foreign(trained.transfers) if one.name in read],
    )


def _room(held: Mapping[str, TaskNetwork], config: EvaluateConfig) -> float:
    """Compute the bytes that are left for transfers.

    Raises:
        ConfigError: no bytes are left.
    """
    if config.max_megabytes is None:
        return math.inf
    taken = sum(
        _size(part, config.storage)
        for network in held.values()
        for part in (network.encoder, network.decoder)
    )
    room = config.max_megabytes * MEGABYTE - _BESIDES - taken
    if room < 0:
        raise ConfigError(
            f"{len(held)} task networks take {taken / MEGABYTE:.1f} MB as {config.storage}, and "
            f"{_BESIDES / MEGABYTE:g} MB are for cards: max_megabytes {config.max_megabytes:g} is too "
            "little. Allow more, store as int8, or train a smaller architecture"
        )
    return room


def _size(network: nn.Module, storage: Storage) -> int:
    """Bytes of a network's file."""
    return len(weights_to_bytes(network.state_dict(), storage))
