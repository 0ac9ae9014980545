"""Ridge read-outs: a closed-form estimate, in about a minute, of the results of trained transfers.

A linear function maps a source's representation to the target at the resolution of the representation: maps
are averaged over each cell and predicted from 3 x 3 cells; classes and numbers are predicted from 4 x 4 means
of the representation. Segmentations cannot be averaged; instead, differences of representations predict if
two points are in one segment.

The error of a source is its squared error on held-out rooms over that of the best constant.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from taskbank.learning.losses import ERROR_SCALE
from taskbank.learning.target import Target
from taskbank.tasks.registry import Loss, Task
from training.atomic_files import write_json
from training.stages.transfers.config import TransfersConfig
from training.stages.transfers.places import Places, TargetData
from training.stages.transfers.reading import Reading

_PENALTY = 1e-3  # penalty relative to the mean squared feature
_POOLED = 4  # rows and columns for classes and numbers
_WINDOW = 3  # side of the window of cells
_PLACE = 16  # px per side of a cell


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeJob:
    """Job for ridge read-outs of all sources for one target."""

    places: Places
    config: TransfersConfig
    device: str
    target: str

    @property
    def output(self) -> Path:
        """The file of errors by source."""
        return ridge_path(self.places.out, self.target)

    def run(self) -> None:
        """Compute and write the errors."""
        data = TargetData(self.target, self.places, self.config, torch.device(self.device))
        samples = self.config.ridge_samples
        write_json(self.output, ridge_errors(data.learned, data.held_out, self.config.sources, samples))


def ridge_path(folder: Path, target: str) -> Path:
    """Return the path of a target's errors by source."""
    return folder / target / "ridge.json"


def load_ridge(folder: Path, target: str) -> dict[str, float]:
    """Load errors by source."""
    errors: dict[str, float] = json.loads(ridge_path(folder, target).read_text(encoding="utf-8"))
    return errors


def ridge_errors(
    learned: Reading, held_out: Reading, sources: Sequence[str], samples: int
) -> dict[str, float]:
    """Measure the error of a linear function that reads the target out of each source.

    Args:
        learned: samples for fitting.
        held_out: samples of other rooms for testing.
        sources: source tasks.
        samples: largest number of samples for fitting; half as many for testing.

    Returns:
        share of the target's variance that is left, at least 0; below 1 is better than a constant.
    """
    # Weighted sums of products of features with features and with targets, per source: float64.
    gram = mixed = torch.zeros(())
    for features, truth, weight in _rows(learned, sources, samples):
        weighted = features.transpose(1, 2) * weight
        gram = gram.to(weighted) + weighted @ features
        mixed = mixed.to(weighted) + weighted @ truth
    # Solve for weights, (sources, features, outputs); each feature's penalty is relative to its size.
    size = gram.diagonal(dim1=1, dim2=2).sqrt().clamp(min=1e-12)
    scaled = gram / size[:, :, None] / size[:, None]
    penalty = torch.full_like(size, _PENALTY)
    penalty[:, 0] = 1e-9  # the constant feature has no penalty
    scaled += torch.diag_embed(penalty)
    weights = torch.linalg.solve(scaled, mixed / size[:, :, None]) / size[:, :, None]
    constant = mixed[:, :1] / gram[:, :1, :1]  # the first feature is 1
    left = torch.zeros(len(sources), dtype=torch.float64, device=gram.device)
    whole = torch.zeros_like(left)
    for features, truth, weight in _rows(held_out, sources, max(1, samples // 2)):
        left += ((features @ weights - truth).square().sum(-1) * weight).sum(-1)
        whole += ((constant - truth).square().sum(-1) * weight).sum(-1)
    shares = (left / whole.clamp(min=1e-12)).tolist()
    return dict(zip(sources, shares, strict=True))


def ridge_agreement(errors: Mapping[str, float], losses: Mapping[str, float]) -> float:
    """Compute Spearman's rank correlation of errors and mean trained losses over common sources.

    Returns:
        correlation in [-1, 1]; NaN for fewer than three sources, or if all values of one side are equal.
    """
    from scipy.stats import spearmanr

    shared = [source for source in errors if source in losses]
    pairs = np.array([[errors[source], losses[source]] for source in shared])
    if len(shared) < 3 or (pairs == pairs[0]).all(axis=0).any():
        return math.nan
    return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def _rows(reading: Reading, sources: Sequence[str], samples: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Features (sources, n, f) with a 1 first, targets (n, outputs) and weights (n,), float64, in batches."""
    sets = [(source,) for source in sources]
    chosen = np.linspace(0, len(reading) - 1, min(samples, len(reading))).astype(np.int64)
    values = reading.target(chosen[:1]).values
    shape: Shape = _picture_rows
    if reading.task.loss is Loss.METRIC:
        shape = _pair_rows
    elif values.ndim == 4 or (values.ndim == 3 and not values.is_floating_point()):  # one per pixel
        shape = _place_rows
    for rows in np.array_split(chosen, -(-len(chosen) // reading.config.batch)):
        codes = reading.codes(sets, rows)
        features, truth, weight = shape(codes, reading.target(rows), reading.task)
        ones = torch.ones_like(features[..., :1])
        yield torch.cat([ones, features], -1).double(), truth.double(), weight.double()


Shape = Callable[[Tensor, Target, Task], tuple[Tensor, Tensor, Tensor]]


def _place_rows(codes: Tensor, target: Target, task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """One row for each cell of the representation."""
    maps = target.values
    if maps.ndim == 3:
        maps = functional.one_hot(maps, task.channels).movedim(-1, 1).float()
    weight = torch.ones_like(maps[:, 0]) if target.weight is None else target.weight.reshape(maps[:, 0].shape)
    known = (weight > 0).to(maps.dtype)[:, None]
    size = (codes.shape[-2], codes.shape[-1])
    share = functional.adaptive_avg_pool2d(known, size)
    pooled = functional.adaptive_avg_pool2d(maps * known, size) / share.clamp(min=1e-6)
    # Unfold (S, B, C, h, w) to (S, B * h * w, 9 C): each cell with its neighbours.
    patches = functional.unfold(codes.flatten(0, 1), _WINDOW, padding=_WINDOW // 2)
    features = patches.reshape(*codes.shape[:2], *patches.shape[1:]).movedim(-1, 2).flatten(1, 2)
    return features, pooled.movedim(1, -1).flatten(0, 2), share.flatten()


def _picture_rows(codes: Tensor, target: Target, task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """One row for each sample: coarse means of the representations of all its pictures."""
    flat = codes.reshape(-1, *codes.shape[-3:])
    features = functional.adaptive_avg_pool2d(flat, _POOLED).reshape(*codes.shape[:2], -1)
    truth = target.values
    if truth.ndim == 1:
        truth = functional.one_hot(truth, task.channels).float()
    if task.name in ERROR_SCALE:  # without it, angles about x and y would have almost no weight
        scale = truth.new_tensor(ERROR_SCALE[task.name])
        truth = truth * scale.repeat(truth.shape[1] // len(scale))
    weight = torch.ones_like(truth[:, 0]) if target.weight is None else target.weight
    return features, truth, weight


def _pair_rows(codes: Tensor, target: Target, task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """One row for each pair of successive points: squared differences of representations and positions."""
    size = codes.shape[-1] * _PLACE
    rows, columns, segments = target.values.unbind(-1)
    row, column = (place * codes.shape[-1] // size for place in (rows, columns))
    image = torch.arange(codes.shape[1], device=codes.device)[:, None]
    points = codes.movedim(2, -1)[:, image, row, column]
    apart = torch.stack([rows, columns], -1).float().diff(dim=1).abs() / size
    between = torch.cat([apart, apart.square()], -1).expand(len(codes), -1, -1, -1)
    features = torch.cat([points.diff(dim=2).square(), between], -1)
    same = (segments[:, 1:] == segments[:, :-1]).float()
    weight = torch.ones_like(same) if target.weight is None else target.weight[:, 1:] * target.weight[:, :-1]
    return features.flatten(1, 2), same.flatten()[:, None], weight.flatten()
