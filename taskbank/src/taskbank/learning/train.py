"""Training of the networks of one target: read-outs of its sources, a network from scratch, a constant."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
import torch

from taskbank.learning.best_constant import CONSTANT_STEPS, Constant, best_constant
from taskbank.learning.config import TrainingSettings, seed_of
from taskbank.learning.fit import Single, fit
from taskbank.learning.output_units import OutputUnits, has_units, measured_rows, measured_units
from taskbank.learning.parts import Part
from taskbank.learning.stack import ReadoutStack, members_at_once
from taskbank.nets.build import ScratchNetwork, build_readout, build_scratch
from taskbank.nets.initialise import initialise

log = logging.getLogger(__name__)


def train_readouts(
    learned: Part,
    sets: Sequence[tuple[str, ...]],
    config: TrainingSettings,
    *,
    size: int,
    at_once: int | None = None,
    channels: Sequence[int] | None = None,
) -> ReadoutStack:
    """Train transfers of one target and one order side by side.

    They start from the same weights and use the same batches, so they differ in their sources, and in the
    projections of these, only. If GPU memory is too small, fewer of them are trained in one pass.

    Args:
        learned: the training samples.
        sets: the sources of each transfer, equally many for all.
        config: settings of training.
        size: side of the target's maps in px.
        at_once: number of transfers in one pass; None for a default of the device.
        channels: of the representations of each transfer's sources, equal for all; None for eight each.

    Raises:
        DivergedError: a loss is not finite.
    """
    task, order = learned.task, len(sets[0])
    seed = seed_of(config, task.name, order)
    start = build_readout(task, config.architecture, sets[0], channels)
    initialise(start, seed)
    if start.projections is not None:  # behind projections, weights are those of other transfers too
        usual = build_readout(task, config.architecture, sets[0])
        initialise(usual, seed)
        start.load_state_dict(usual.state_dict(), strict=False)
    at_once = at_once or members_at_once(start, task, config.batch, size, learned.device)
    stack = ReadoutStack(start, sets, device=learned.device, at_once=at_once, precision=config.precision)
    batches = (
        learned.code_batch(sets, rows, turn) for turn, rows in enumerate(learned.drawn(config.steps), start=1)
    )
    try:
        fit(
            stack,
            batches,
            config,
            weight_decay=config.weight_decay if order == 1 else config.weight_decay_higher,
            seed=seed,
            what=f"transfers to {task.name}",
            units=_units(learned, config),
        )
    except torch.OutOfMemoryError:
        tried = at_once or len(sets)
        if tried == 1:
            raise
        log.info("%s: %d transfers at once do not fit, trying half", task.name, tried)
    else:
        return stack
    torch.cuda.empty_cache()
    return train_readouts(learned, sets, config, size=size, at_once=-(-tried // 2), channels=channels)


def train_scratch(learned: Part, config: TrainingSettings) -> ScratchNetwork:
    """Train a target's whole network on the samples of its transfers.

    Args:
        learned: the training samples.
        config: settings of training.

    Raises:
        DivergedError: a loss is not finite.
    """
    network = build_scratch(learned.task, config.architecture)
    seed = seed_of(config, learned.task.name, 0)
    initialise(network, seed)
    batches = (
        learned.picture_batch(rows, turn) for turn, rows in enumerate(learned.drawn(config.steps), start=1)
    )
    fit(
        Single(network, learned.device, config.precision),
        batches,
        config,
        weight_decay=config.weight_decay,
        seed=seed,
        what=f"{learned.task.name} from scratch",
        units=_units(learned, config),
    )
    return network


def train_constant(learned: Part, config: TrainingSettings, size: int) -> Constant:
    """Compute the best constant for the training samples of transfers.

    Args:
        learned: these samples, of which `config.average_samples` are used.
        config: numbers of samples and steps.
        size: side of the target's maps in px.
    """
    draw = np.random.default_rng([config.seed, len(learned)])
    rows = np.sort(draw.permutation(len(learned))[: config.average_samples])
    steps = min(CONSTANT_STEPS, config.steps)
    return best_constant(
        learned.task,
        (learned.target(some) for some in np.array_split(rows, -(-len(rows) // config.batch))),
        (learned.target(some, turn) for turn, some in enumerate(learned.drawn(steps), start=1)),
        size=size,
        steps=steps,
        drop=math.ceil(config.drop_at * steps),
    )


def _units(learned: Part, config: TrainingSettings) -> OutputUnits:
    """Measure the output units of a target on some of the training samples."""
    if not has_units(learned.task, config.architecture):
        return OutputUnits()
    rows = measured_rows(len(learned), config.batch)
    return measured_units(learned.task, map(learned.target, rows))
