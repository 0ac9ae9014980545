"""The best constant: the output of least loss that does not depend on the picture.

Transfers are compared with it as the average estimator, and stage 1 measures every network against it.

The best constant depends on the loss. Maps: the median of every pixel for absolute errors, its mean for
squared ones. Classes: the marginal distribution, that of every pixel for semantic maps. For poses, layouts
and segmentations there is no formula (norms, angles that wrap around, composed poses, pairs of pixels), so a
constant is learned with the same loss. It starts at the mean; for segmentations at embeddings whose distance
grows with that of the pixels. The constant predictors of the original are learned too
(`constant_predictor.py` of https://github.com/StanfordVL/taskonomy).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.learning.losses import losses
from taskbank.learning.target import Target
from taskbank.tasks.registry import Loss, Task

CONSTANT_STEPS = 500
"""Largest number of steps for learning constants without a formula."""

_RATE, _DROP = 0.02, 0.1  # learning rate of learned constants, and its factor at the end
_PLACES = 16  # rows and columns of a learned map; larger maps are interpolated
_COARSE = 64  # largest side in px at which a map of embeddings is learned
_SPREAD = 2.0  # initial distance of embeddings at opposite edges
_UNSEEN = 1e-3  # share of the uniform distribution, which also avoids zeros
_PRIOR = 4.0  # weight in samples of the whole map's distribution added to each pixel, which avoids zeros


class Constant(nn.Module):
    """A network with the same output for all inputs.

    Args:
        values: float, the output for one sample; a map (C, h, w) is interpolated to `size`.
        size: side of the map in px; None for outputs that are not maps, or already have that size.
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


def best_constant(
    task: Task, targets: Iterable[Target], drawn: Iterable[Target], *, size: int, steps: int, drop: int
) -> Constant:
    """Compute or learn the best constant for some samples.

    Args:
        task: the task of the outputs.
        targets: targets of these samples, in batches; formulas are applied to them.
        drawn: batches of targets to learn from, one per step; only for constants without a formula.
        size: side of the task's maps in px.
        steps: number of steps for learning such constants.
        drop: step from which the learning rate is a tenth.
    """
    if task.loss is Loss.METRIC:
        # Embeddings start with the distances of their positions: (channels, 16, 16).
        across = torch.linspace(-_SPREAD / 2, _SPREAD / 2, _PLACES)
        plane = torch.zeros(task.channels, _PLACES, _PLACES)
        plane[0], plane[1] = across[:, None], across
        # A coarse map is smooth, and learning at 256 px would take sixteen times as long.
        coarse = min(size, _COARSE)
        nearby = (_at_size(target, coarse / size) for target in drawn)
        learned = _learned(task, Constant(plane, coarse), nearby, steps, drop)
        learned.size = size
        return learned
    known = list(targets)
    if task.loss is Loss.CROSS_ENTROPY:
        return Constant(_marginal(task, known))
    if known[0].values.ndim == 4:
        return Constant(_median(known) if task.loss is Loss.L1 else _mean(known))
    mean = torch.cat([target.values for target in known]).mean(0)
    start = torch.cat([mean[:6], mean[12:]]) if task.loss is Loss.CYCLE else mean
    return _learned(task, Constant(start), drawn, steps, drop)


def _median(targets: Sequence[Target]) -> Tensor:
    """Median of each pixel, weighted as in the loss, 0 where never known: (C, H, W)."""
    shares = [_shares(target) for target in targets]
    rows = []
    for row in range(targets[0].values.shape[2]):
        values, order = torch.cat([target.values[:, :, row] for target in targets]).sort(dim=0)
        counted = torch.cat([share[:, :, row] for share in shares]).expand_as(values).gather(0, order)
        below = counted.cumsum(0)
        middle = (below >= below[-1:] / 2).int().argmax(0, keepdim=True)
        rows.append(values.gather(0, middle)[0].where(below[-1] > 0, 0.0))
    return torch.stack(rows, dim=1)


def _mean(targets: Sequence[Target]) -> Tensor:
    """Mean of each pixel, weighted as in the loss, 0 where never known: (C, H, W)."""
    total = torch.zeros_like(targets[0].values[0])
    count = torch.zeros_like(total[:1])
    for target in targets:
        weight = _shares(target)
        total += (target.values * weight).sum(0)
        count += weight.sum(0)
    return total / count.clamp(min=torch.finfo(count.dtype).tiny)


def _shares(target: Target) -> Tensor:
    """Return the weight of each pixel of maps in the loss of its sample, (B, 1, H, W)."""
    if target.weight is None:
        return torch.ones_like(target.values[:, :1])
    return target.weight / target.weight.sum((1, 2, 3), keepdim=True).clamp(min=1)


def _marginal(task: Task, targets: Sequence[Target]) -> Tensor:
    """Logarithms of the distribution of classes, (C,) or (C, H, W), weighted as in the loss."""
    sums = []
    for target in targets:
        # The weight of each class for each sample or pixel, float (B, C) or (B, C, H, W).
        shares = target.values
        if target.shares is not None:
            empty = target.shares.new_zeros(len(shares), task.channels, *shares.shape[2:])
            shares = empty.scatter_add(1, shares, target.shares)
        elif not shares.is_floating_point():
            shares = functional.one_hot(shares, task.channels).movedim(-1, 1).float()
        if target.weight is not None:
            weight = target.weight
            if weight.ndim == 3:
                weight = weight / (weight > 0).sum((1, 2), keepdim=True).clamp(min=1)
            shares = shares * weight.unsqueeze(1)
        sums.append(shares.sum(0))
    counts = torch.stack(sums).sum(0)
    overall = counts.reshape(task.channels, -1).sum(1)
    overall = overall + _UNSEEN * overall.sum() / task.channels
    overall = (overall / overall.sum()).reshape(-1, *[1] * (counts.ndim - 1))
    samples = sum(len(target.values) for target in targets)
    blended = counts + overall * counts.sum(0).mean() * _PRIOR / samples if counts.ndim > 1 else overall
    return (blended / blended.sum(0)).log()


def _at_size(target: Target, scale: float) -> Target:
    """Scale the points of segmentations to a map of another size."""
    places, segments = target.values[..., :2], target.values[..., 2:]
    return replace(target, values=torch.cat([(places * scale).long(), segments], dim=-1))


def _learned(task: Task, start: Constant, drawn: Iterable[Target], steps: int, drop: int) -> Constant:
    """Train a constant with the task's own loss."""
    optimizer = torch.optim.Adam(start.parameters(), lr=_RATE)
    for step, target in zip(range(steps), drawn, strict=False):
        if step == 0:
            start.to(target.values.device)
        if step == drop:
            optimizer.param_groups[0]["lr"] = _RATE * _DROP
        optimizer.zero_grad()
        nothing = target.values.new_zeros(len(target.values), dtype=torch.float32)
        torch.autograd.backward(losses(task, start(nothing), target).mean())
        optimizer.step()
    return start
