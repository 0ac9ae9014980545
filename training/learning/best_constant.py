"""The best constant: the answer with the least loss that never looks at the picture.

Transfers are compared with it as the average estimator, and stage 1 measures every network against it.

What is best depends on the loss. Maps: the median of every pixel for absolute errors, its mean for squared
ones. Classes: the marginal distribution, that of every pixel for semantic maps. For poses, layouts and
segmentations there is no formula (norms, angles that wrap around, poses that are composed, pairs of
pixels), so a constant is learned under the very loss: it starts at the mean; for segmentations at
embeddings that lie the further apart the further the pixels do. As in the original, whose constant
predictors are learned too (`constant_predictor.py` of https://github.com/StanfordVL/taskonomy).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.tasks.registry import Loss, Task
from training.learning.losses import losses
from training.learning.targets import Target

CONSTANT_STEPS = 500
"""Steps that constants without a formula are learned in, at most."""

_RATE, _DROP = 0.02, 0.1  # of constants that are learned, and what is left of the rate in the end
_PLACES = 16  # rows and columns of a learned map; more are interpolated
_COARSE = 64  # side in px that a map of embeddings is learned at, at most
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


def best_constant(
    task: Task, targets: Iterable[Target], drawn: Iterable[Target], *, size: int, steps: int, drop: int
) -> Constant:
    """The best constant for some samples.

    Args:
        task: whose outputs are meant.
        targets: of these samples, in batches; where there is a formula it is applied to them.
        drawn: batches of targets to learn from, one a step; only for constants without a formula.
        size: side of the task's maps in px.
        steps: that such constants are learned in.
        drop: step from which a tenth of the learning rate is left.
    """
    if task.loss is Loss.METRIC:
        # So few places give a smooth map, and at 256 px learning it would take sixteen times as long.
        coarse = min(size, _COARSE)
        nearby = (_at_size(target, coarse / size) for target in drawn)
        learned = _learned(task, Constant(_plane(task.channels), coarse), nearby, steps, drop)
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


def _mean(targets: Sequence[Target]) -> Tensor:
    """Mean of each pixel, samples counted as in their losses, 0 where it is never known: (C, H, W)."""
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
    """Logarithms of the distribution of classes, (C,) or (C, H, W), counted as the loss counts them."""
    counts = torch.stack([_counts(task, target).sum(0) for target in targets]).sum(0)
    overall = counts.reshape(task.channels, -1).sum(1)
    overall = overall + _UNSEEN * overall.sum() / task.channels
    overall = (overall / overall.sum()).reshape(-1, *[1] * (counts.ndim - 1))
    samples = sum(len(target.values) for target in targets)
    blended = counts + overall * counts.sum(0).mean() * _PRIOR / samples if counts.ndim > 1 else overall
    return (blended / blended.sum(0)).log()


def _counts(task: Task, target: Target) -> Tensor:
    """Return the weight of each class at each place of each sample, float (B, C) or (B, C, H, W)."""
    shares = target.values
    if target.shares is not None:
        empty = target.shares.new_zeros(len(shares), task.channels, *shares.shape[2:])
        shares = empty.scatter_add(1, shares, target.shares)
    elif not shares.is_floating_point():
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


def _at_size(target: Target, scale: float) -> Target:
    """The points of segmentations on a map of another size."""
    places, segments = target.values[..., :2], target.values[..., 2:]
    return replace(target, values=torch.cat([(places * scale).long(), segments], dim=-1))


def _learned(task: Task, start: Constant, drawn: Iterable[Target], steps: int, drop: int) -> Constant:
    """A constant that was trained under the task's own loss."""
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
