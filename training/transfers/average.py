"""The average estimator: the best answer to a target that never looks at the picture.

What is best depends on the loss. Maps: the median of every pixel for absolute errors, its mean for squared
ones. Classes: the marginal distribution, that of every pixel for semantic maps. For poses, layouts and
segmentations there is no formula (norms, angles that wrap around, poses that are composed, pairs of
pixels), so a constant is learned under the very loss: it starts at the mean; for segmentations at
embeddings that lie the further apart the further the pixels do. As in the original, whose constant
predictors are learned too (`constant_predictor.py` of https://github.com/StanfordVL/taskonomy).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.tasks import Loss, OutputKind, Task
from training.targets import Target
from training.transfers.config import TransfersConfig
from training.transfers.fit import Single, fit
from training.transfers.parts import Part

_STEPS, _RATE = 500, 0.02  # of constants that are learned
_PLACES = 16  # rows and columns of a learned map; more are interpolated
_SPREAD = 2.0  # embeddings of opposite edges are that far apart at first
_UNSEEN = 1e-3  # share that all classes have alike, against zeros too
_PRIOR = 4.0  # samples of the whole map's distribution that are added to each pixel's, against zeros


class Constant(nn.Module):
    """A network that gives the same output whatever it is shown.

    Args:
        values: float, the output for one sample; a map (C, h, w) is interpolated to `size`.
        size: side of the map in px; None for outputs that are no maps, or are of that size.
    """

    def __init__(self, values: Tensor, size: int | None = None) -> None:
        super().__init__()
        self.values = nn.Parameter(values.float())
        self.size = size

    def forward(self, shown: Tensor) -> Tensor:
        """(B, ...) -> (B, *values.shape)."""
        values = self.values[None]
        if self.size is not None and values.shape[-1] != self.size:
            values = functional.interpolate(values, (self.size, self.size), mode="bilinear")
        return values.expand(len(shown), *values.shape[1:])


def average_estimator(reading: Part, config: TransfersConfig, size: int) -> Constant:
    """The best constant for the samples that transfers learn from.

    Args:
        reading: these samples; `config.average_samples` of them are looked at.
        config: numbers of samples and steps.
        size: side of the target's maps in px.
    """
    task = reading.task
    if task.loss is Loss.METRIC:
        return _learned(reading, Constant(_plane(task.channels), size), config)
    draw = np.random.default_rng([config.seed, len(reading)])
    rows = np.sort(draw.permutation(len(reading))[: config.average_samples])
    parts = np.array_split(rows, -(-len(rows) // config.batch))
    targets = [reading.target(part) for part in parts]
    if task.output in {OutputKind.CLASSES, OutputKind.MATCH, OutputKind.SEMANTIC_MAP}:
        return Constant(_marginal(task, targets))
    if targets[0].values.ndim == 4:
        return Constant(_median(targets) if task.loss is Loss.L1 else _mean(targets))
    mean = torch.cat([target.values for target in targets]).mean(0)
    start = torch.cat([mean[:6], mean[12:]]) if task.loss is Loss.CYCLE else mean
    return _learned(reading, Constant(start), config)


def _median(targets: list[Target]) -> Tensor:
    """Median of each pixel, samples counted as in their losses, 0 where it is never known: (C, H, W)."""
    shares = [_shares(target) for target in targets]
    rows = []
    for row in range(targets[0].values.shape[2]):
        values, order = torch.cat([target.values[:, :, row] for target in targets]).sort(dim=0)
        counted = torch.cat([share[:, :, row] for share in shares]).expand_as(values).gather(0, order)
        below = counted.cumsum(0)
        middle = (below >= below[-1:] / 2).int().argmax(0, keepdim=True)
        rows.append(values.gather(0, middle)[0].where(below[-1] > 0, 0.0))
    return torch.stack(rows, dim=1)


def _mean(targets: list[Target]) -> Tensor:
    """Mean of each pixel, samples counted as in their losses, 0 where it is never known: (C, H, W)."""
    total = torch.zeros_like(targets[0].values[0])
    count = torch.zeros_like(total[:1])
    for target in targets:
        weight = _shares(target)
        total += (target.values * weight).sum(0)
        count += weight.sum(0)
    return total / count.clamp(min=torch.finfo(count.dtype).tiny)


def _shares(target: Target) -> Tensor:
    """What pixels of maps count in the loss of their sample, (B, 1, H, W)."""
    if target.weight is None:
        return torch.ones_like(target.values[:, :1])
    return target.weight / target.weight.sum((1, 2, 3), keepdim=True).clamp(min=1)


def _marginal(task: Task, targets: list[Target]) -> Tensor:
    """Logarithms of the distribution of classes, (C,) or (C, H, W), counted as the loss counts them."""
    counts = torch.stack([_counts(task, target).sum(0) for target in targets]).sum(0)
    overall = counts.reshape(task.channels, -1).sum(1)
    overall = overall + _UNSEEN * overall.sum() / task.channels
    overall = (overall / overall.sum()).reshape(-1, *[1] * (counts.ndim - 1))
    samples = sum(len(target.values) for target in targets)
    blended = counts + overall * counts.sum(0).mean() * _PRIOR / samples if counts.ndim > 1 else overall
    return (blended / blended.sum(0)).log()


def _counts(task: Task, target: Target) -> Tensor:
    """How much each class counts at each place of each sample, float (B, C) or (B, C, H, W)."""
    shares = target.values
    if not shares.is_floating_point():
        shares = functional.one_hot(shares, task.channels).movedim(-1, 1).float()
    if target.weight is None:
        return shares
    weight = target.weight
    if weight.ndim == 3:
        weight = weight / (weight > 0).sum((1, 2), keepdim=True).clamp(min=1)
    return shares * weight.unsqueeze(1)


def _plane(channels: int) -> Tensor:
    """Embeddings that lie as far apart as their places do: (channels, 16, 16)."""
    across = torch.linspace(-_SPREAD / 2, _SPREAD / 2, _PLACES)
    plane = torch.zeros(channels, _PLACES, _PLACES)
    plane[0], plane[1] = across[:, None], across
    return plane


def _learned(reading: Part, start: Constant, config: TransfersConfig) -> Constant:
    """A constant that was trained under the target's own loss."""
    brief = replace(config, steps=min(_STEPS, config.steps), learning_rate=_RATE)
    learner = Single(start, reading.device)
    batches = (
        reading.blind_batch(rows, turn) for turn, rows in enumerate(reading.drawn(brief.steps), start=1)
    )
    fit(learner, batches, brief, weight_decay=0.0, seed=config.seed, what=f"constant for {reading.task.name}")
    return start
