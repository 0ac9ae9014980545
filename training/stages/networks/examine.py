"""Evaluation of a finished network: dead channels, and comparison with the best constant."""

from __future__ import annotations

from itertools import cycle

import torch

from taskbank.bank.health import (
    CONSTANT_LOSS,
    DEAD_CHANNELS,
    HELD_OUT_LOSS,
    OUTPUT_VARIATION,
    Finding,
    find_faults,
)
from taskbank.learning.best_constant import CONSTANT_STEPS, best_constant
from taskbank.learning.losses import losses
from taskbank.nets.liveness import OutputVariation, dead_channels
from training.learning.batches import BatchReader
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.held_out import HeldOut
from training.stages.networks.learner import Learner

BEATS_CONSTANT = "beats_constant"
"""Share of held-out samples with a lower loss than the best constant's; ties count half."""

_LEAST = 2  # least number of samples for measuring variation


@torch.no_grad()
def examine(
    learner: Learner, held_out: HeldOut, learned: HeldOut, reader: BatchReader, config: TaskNetworksConfig
) -> dict[str, float]:
    """Measure the averaged weights on held-out samples.

    Args:
        learner: learner after its last step.
        held_out: held-out samples.
        learned: training samples, from which the best constant is computed.
        reader: reader of the store.
        config: settings of the stage.

    Returns:
        `held_out_loss`, `constant_loss` (of the best constant, on the same samples), `beats_constant`; with
        at least two samples also `dead_channels` and `output_variation`, see `taskbank.bank.health`.
    """
    task = learner.task
    targets = [batch.pair(task, learner.weights)[1] for batch in learned.batches(reader, config)]
    steps = min(CONSTANT_STEPS, config.steps or CONSTANT_STEPS)
    size = config.size or reader.store.size
    with torch.enable_grad():
        constant = best_constant(
            task, targets, cycle(targets), size=size, steps=steps, drop=round(2 / 3 * steps)
        )
    variation, codes, own, others = OutputVariation(), [], [], []
    for batch in held_out.batches(reader, config):
        shown, target = batch.pair(task, learner.weights)
        output = learner.show(shown)
        own.append(losses(task, output, target))
        others.append(losses(task, constant.to(output.device)(shown), target))
        variation.add(output)
        codes.append(learner.encode(shown).flatten(0, -4).cpu())
    ours, theirs = torch.cat(own), torch.cat(others)
    found = {
        HELD_OUT_LOSS: float(ours.mean()),
        CONSTANT_LOSS: float(theirs.mean()),
        BEATS_CONSTANT: float(((ours < theirs) + 0.5 * (ours == theirs)).mean()),
    }
    if len(ours) >= _LEAST:
        found[DEAD_CHANNELS] = float(dead_channels(torch.cat(codes)).float().mean())
        found[OUTPUT_VARIATION] = variation.value
    return found


def faults_of(task: str, metrics: dict[str, float]) -> list[Finding]:
    """Find the faults that these metrics show, the worst first."""
    return find_faults(task, metrics, metrics.get(BEATS_CONSTANT))
