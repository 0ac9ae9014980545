"""Losses of outputs against targets, one number per sample, for training and tests.

The losses are the original's (https://github.com/StanfordVL/taskonomy); means are taken per sample, so that a
sample's loss does not depend on its batch. Two things differ in poses and layouts:

- Errors of poses are rescaled. The original whitens fixated poses with constants that were computed on poses
  whitened already, so an angle of one radian counts as 0.1 and a vertical step of one metre as 4, and angles
  would hardly be learned. Here errors are multiplied by the constant that was applied twice (`ERROR_SCALE`).
  The roll of a room's camera has the opposite fault: its constant, 0.84 degrees, comes from cameras that
  hardly roll; here errors are scaled as if it were 3 degrees.
- Angles are compared modulo 360 degrees: the poses of cameras that face each other are near 180 degrees, and
  179 degrees differ from -179 by 2, not 358.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from taskbank.inference.whitening import WHITENING
from taskbank.learning.rotations import compose_poses
from taskbank.learning.target import Target
from taskbank.tasks.registry import Loss, Task

_OLD_STD = (0.08420961, 0.08221603, 0.84538168, 3.97335931, 4.18549186, 0.55300906)
"""Constants with which the original had whitened the poses on which its final constants were computed."""

_FIXATED_SCALE = tuple(1 / std for std in _OLD_STD)
_ROLL = WHITENING["room_layout"][1][4] / math.radians(3)

ERROR_SCALE: Mapping[str, tuple[float, ...]] = {
    "fixated_pose": _FIXATED_SCALE,
    "egomotion": _FIXATED_SCALE,
    "room_layout": (1, 1, 1, 1, _ROLL, 1, 1, 1, 1),
}
"""Task -> factor of the error of each whitened number; 1 for other tasks."""

_ANGLES = {
    "room_layout": slice(3, 6),
    "fixated_pose": slice(3),
    "nonfixated_pose": slice(3),
    "egomotion": slice(3),
}
_MIDDLE = 0.5  # weight of the composed pose in the cycle loss
_FARTHEST = 80.0  # limit of the squared distance of embeddings
_LEAST = 1e-7  # least probability


def losses(task: Task, output: Tensor, target: Target) -> Tensor:
    """Compute the loss of each sample.

    Args:
        task: any task but `random`.
        output: output of its network, (B, ...), of any floating-point type.
        target: its targets.

    Returns:
        float32 (B,), differentiable.
    """
    if task.loss is Loss.METRIC:
        return metric_losses(output, target)
    given = output.float()
    match task.loss:
        case Loss.POSE_NORM:
            return _known(_norm(number_errors(task.name, given, target.values)), target)
        case Loss.CYCLE:
            return _known(_cycle(task, given, target.values), target)
        case Loss.CROSS_ENTROPY:
            return _cross_entropy(given, target)
        case _ if given.ndim == 2:
            return _known(number_errors(task.name, given, target.values).square().mean(1), target)
        case _:
            distance: Callable[[Tensor], Tensor] = torch.abs if task.loss is Loss.L1 else torch.square
            return _over_pixels(distance(given - target.values).mean(1), target.weight)


def number_errors(task: str, numbers: Tensor, truth: Tensor) -> Tensor:
    """Compute differences of whitened numbers, rescaled as described in the module's docstring.

    Args:
        task: canonical name.
        numbers: float (B, n), whitened.
        truth: float (B, n), whitened.
    """
    error = numbers - truth
    if task in _ANGLES:
        where = _ANGLES[task]
        turn = 2 * math.pi / error.new_tensor(WHITENING[task][1][where])
        error = error.clone()
        error[:, where] -= turn * (error[:, where] / turn).round().detach()
    scale = ERROR_SCALE.get(task)
    return error if scale is None else error * error.new_tensor(scale)


def metric_losses(embedding: Tensor, target: Target) -> Tensor:
    """Compute the pairwise loss of segmentations: binary classification of pixel pairs as one segment or two.

    For all pairs of points d is the squared distance of their embeddings, at most 80, and
    p = 2 / (1 + exp(d)) the probability of "one segment"; the loss is the mean binary cross-entropy. The
    original clips p from below at 1e-7, where gradients end; log p is exact here.

    Args:
        embedding: floating-point (B, C, H, W); fastest in channels-last layout, as networks return it.
        target: points of segmentations.

    Returns:
        float (B,).
    """
    rows, columns, segments = target.values.unbind(-1)
    image = torch.arange(len(embedding), device=embedding.device)[:, None]
    # Indexing whole rows of channels: the gradient of 16 maps of 128 px takes 16 ms instead of 150.
    points = embedding.permute(0, 2, 3, 1)[image, rows, columns].float()
    squares = points.square().sum(-1)
    distance = squares[:, :, None] + squares[:, None] - 2 * points @ points.transpose(1, 2)
    distance = distance.clamp(0, _FARTHEST)
    same = segments[:, :, None] == segments[:, None]
    apart = -torch.tanh(distance / 2).clamp(min=_LEAST).log()
    pair = torch.where(same, functional.softplus(distance) - math.log(2), apart)
    if target.weight is None:
        return pair.mean((1, 2))
    both = target.weight[:, :, None] * target.weight[:, None]
    return (pair * both).sum((1, 2)) / both.sum((1, 2)).clamp(min=1)


def _over_pixels(errors: Tensor, weight: Tensor | None) -> Tensor:
    """Weighted mean of (B, H, W) over pixels."""
    if weight is None:
        return errors.mean((1, 2))
    mask = weight[:, 0]
    return (errors * mask).sum((1, 2)) / mask.sum((1, 2)).clamp(min=1)


def _cross_entropy(logits: Tensor, target: Target) -> Tensor:
    """Weighted cross-entropy with class numbers or probabilities; for maps the weighted mean over pixels."""
    if target.shares is not None:
        likely = logits.log_softmax(1).gather(1, target.values)
        each = -(target.shares * likely).sum(1)
    else:
        each = functional.cross_entropy(logits, target.values, reduction="none")
    weighted = _known(each, target)
    if weighted.ndim == 1:
        return weighted
    counted = weighted[0].numel() if target.weight is None else (target.weight > 0).sum((1, 2)).clamp(min=1)
    return weighted.sum((1, 2)) / counted


def _known(each: Tensor, target: Target) -> Tensor:
    """Losses (B,), set to 0 where the truth is unknown."""
    return each if target.weight is None else each * target.weight


def _norm(errors: Tensor) -> Tensor:
    """Euclidean length of (B, n); its gradient at 0 is 0."""
    length: Tensor = torch.linalg.vector_norm(errors, dim=1)
    return length


def _cycle(task: Task, numbers: Tensor, truth: Tensor) -> Tensor:
    """Loss of poses 1-2 and 2-3, plus half the loss of their composition 1-3 (Zamir et al., supplement)."""
    mean, std = (numbers.new_tensor(row[:6]) for row in WHITENING[task.name])
    first, second = numbers[:, :6], numbers[:, 6:]
    composed = (compose_poses(first * std + mean, second * std + mean) - mean) / std
    norms = [
        _norm(number_errors(task.name, pose, truth[:, start : start + 6]))
        for pose, start in ((first, 0), (composed, 6), (second, 12))
    ]
    return norms[0] + _MIDDLE * norms[1] + norms[2]
