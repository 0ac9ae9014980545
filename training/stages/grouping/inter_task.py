"""Inter-task affinity: the decrease of one task's loss by another task's step on the shared weights.

Z(i -> j) = 1 - L_j(after a step along the gradient of L_i) / L_j(before), with the step on the encoder only
and on one batch, averaged over training: Fifty et al., NeurIPS 2021, section 4
(https://arxiv.org/abs/2109.04617). The step is plain gradient descent with the current learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from taskbank.learning.losses import losses
from taskbank.learning.target import Target
from taskbank.tasks.registry import find_task
from training.stages.grouping.network import MultiTaskNetwork, kept_statistics, moved


def inter_task_affinity(
    network: MultiTaskNetwork, shown: Tensor, targets: Mapping[str, Target], rate: float
) -> Tensor:
    """Compute the affinities of one batch.

    Args:
        network: network in training mode; it is unchanged afterwards.
        shown: input, float (B, 3, H, W).
        targets: targets of its tasks, in the order of its decoders.
        rate: learning rate of the step.

    Returns:
        float64 (tasks, tasks) on the CPU: [i, j] is the effect of the step of task i on task j.
    """
    shared = dict(network.encoder.named_parameters())
    with kept_statistics(network):
        before = _with_same_dropout(network, shown, targets)
        gradients = [
            torch.autograd.grad(loss, list(shared.values()), retain_graph=True) for loss in before.values()
        ]
        rows = []
        for gradient in gradients:
            steps = {name: -rate * slope for name, slope in zip(shared, gradient, strict=True)}
            with moved(shared, steps), torch.no_grad():
                rows.append(torch.stack(list(_with_same_dropout(network, shown, targets).values())))
    start = torch.stack([loss.detach() for loss in before.values()])
    return (1 - torch.stack(rows) / start).double().cpu()


def _with_same_dropout(
    network: MultiTaskNetwork, shown: Tensor, targets: Mapping[str, Target]
) -> dict[str, Tensor]:
    """Compute losses and restore torch's generators, so that dropout is equal before and after a step."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        return task_losses(network, shown, targets)


def task_losses(network: MultiTaskNetwork, shown: Tensor, targets: Mapping[str, Target]) -> dict[str, Tensor]:
    """Compute the mean loss of each task on a batch."""
    outputs = network(shown)
    return {name: losses(find_task(name), outputs[name], target).mean() for name, target in targets.items()}
