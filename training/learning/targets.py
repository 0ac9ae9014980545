"""Targets of networks, made from the dataset's codes.

The transformations are those of the original configurations (https://github.com/StanfordVL/taskonomy). Where
these are not specific, or frames are not 256 px wide, they are as follows:

- **Occlusion edges** are blurred by 4 px at 256 px; the blur scales with the size of the map. As in the
  original, the blurred map is not clipped.
- **Masks**: pixels whose depth is unknown or not trusted are ignored in 3-D tasks. Pixels whose own code
  means "unknown" (grey normals, zero curvature or reshading) are ignored too, also among the 300 points of a
  2.5-D segmentation.
- **Semantic classes** have the original's weights by default. For stores with other class frequencies,
  `class_weights.semantic_weights` computes weights by the same formula.
- **Poses and layouts** are whitened with the original's constants, although some are wrong, so that all banks
  share one decoding. `taskbank.learning.losses` corrects the units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from taskbank.constants import loss_weights
from taskbank.inference.whitening import WHITENING
from taskbank.labels.codes import TRUSTED_DEPTH
from taskbank.learning.target import Target, joined
from taskbank.tasks.registry import OutputKind, Task
from training.errors import DataError
from training.learning.batches import BatchReader, load_batch
from training.learning.colour_targets import soft_bins
from training.learning.draws import integers
from training.learning.inputs import as_unit, jigsaw_orders, resized

__all__ = [
    "POINTS",
    "BatchReader",
    "Target",
    "joined",
    "load_batch",
    "make_target",
]

POINTS = 300
"""Number of random pixels per image whose pairs are compared in segmentations."""

_BLUR = 4 / 256  # standard deviation, as a share of the map's side
_WHOLE = 0.99  # least share of valid source pixels of a valid resized pixel
_FLAT_CODE = 127  # code of unknown normals
_ROWS, _COLUMNS = 201, 202  # salts


def make_target(
    task: Task,
    raw: Mapping[str, Tensor],
    sample_seeds: Tensor,
    *,
    size: int | None = None,
    weights: Tensor | None = None,
) -> Target:
    """Make the target of a batch.

    Args:
        task: any task but `random`.
        raw: a batch of `BatchReader.load`, all on one device.
        sample_seeds: int64 (B,), as in `network_input`; seeds of jigsaw permutations and of points.
        size: side of maps in px; None for the side of the labels.
        weights: float (17,), weights of semantic classes; None for the original's.

    Raises:
        DataError: `raw` lacks what the task needs.
    """
    try:
        return _MAKERS[task.output](_Made(task, raw, sample_seeds, size, weights))
    except KeyError as error:
        held = ", ".join(raw) or "nothing"
        raise DataError(f"{task.name} needs {error.args[0]!r}, but the batch holds {held}") from error


@dataclass(frozen=True, slots=True)
class _Made:
    """The arguments of `make_target`."""

    task: Task
    raw: Mapping[str, Tensor]
    seeds: Tensor
    size: int | None
    weights: Tensor | None

    @property
    def codes(self) -> Tensor:
        """The task's own label."""
        return self.raw[self.task.name]

    def depth_known(self) -> Tensor | None:
        """Return a mask of trusted depth, bool (B, 1, H, W); None if there is no depth."""
        depth = self.raw.get("depth_zbuffer")
        return None if depth is None else depth[:, None] < TRUSTED_DEPTH

    def map(self, values: Tensor, known: Tensor | None = None, *, by_depth: bool = False) -> Target:
        """Resize a map (B, C, H, W) to the requested size; `known` is bool (B, 1, H, W)."""
        depth = self.depth_known() if by_depth else None
        masks = [mask for mask in (known, depth) if mask is not None]
        weight = None
        if masks:
            both = torch.stack(masks).all(0).to(torch.float32)
            weight = (resized(both, self.size) >= _WHOLE).to(torch.float32)
        return Target(values=resized(values, self.size), weight=weight)


def _depth(made: _Made) -> Target:
    codes = made.codes[:, None]
    values = torch.log1p(codes.to(torch.float32)) / math.log(2**16)
    return made.map(values, codes < TRUSTED_DEPTH, by_depth=True)


def _normals(made: _Made) -> Target:
    known = (made.codes != _FLAT_CODE).any(1, keepdim=True)
    return made.map(as_unit(made.codes) * 2 - 1, known, by_depth=True)


def _curvature(made: _Made) -> Target:
    codes = made.raw["principal_curvature"]
    mean, std = torch.tensor(WHITENING["curvature"], device=codes.device)[..., None, None]
    return made.map((codes - mean) / std, (codes != 0).any(1, keepdim=True), by_depth=True)


def _heat_map(made: _Made) -> Target:
    codes, name = made.codes[:, None], made.task.name
    highest = (made.task.value_range or (0.0, 1.0))[1]
    share = as_unit(codes) if name == "reshading" else codes.to(torch.float32) / 65535
    signed = share / highest * 2 - 1
    if name == "edge_occlusion":
        target = made.map(signed, by_depth=True)
        return Target(values=blurred(target.values), weight=target.weight)
    # No surface is completely black under a lamp at the camera, so the dataset codes unknown brightness as 0.
    known = codes != 0 if name == "reshading" else None
    return made.map(signed.clamp(-1, 1), known, by_depth=name in {"keypoints3d", "reshading"})


def blurred(maps: Tensor) -> Tensor:
    """Blur occlusion edges (B, 1, H, W), mirrored at the border and cut off at four sigmas."""
    sigma = _BLUR * maps.shape[-1]
    reach = min(math.ceil(4 * sigma), maps.shape[-1] - 1)
    places = torch.arange(-reach, reach + 1, dtype=torch.float32, device=maps.device)
    kernel = torch.exp(-0.5 * (places / sigma) ** 2)
    kernel = (kernel / kernel.sum()).reshape(1, 1, 1, -1)
    wide = functional.conv2d(functional.pad(maps, (reach, reach, 0, 0), mode="reflect"), kernel)
    tall = functional.pad(wide, (0, 0, reach, reach), mode="reflect")
    return functional.conv2d(tall, kernel.transpose(2, 3))


def _points(made: _Made) -> Target:
    labels = made.codes
    size = made.size or labels.shape[-1]
    rows, columns = (integers(made.seeds, POINTS, size, salt) for salt in (_ROWS, _COLUMNS))
    down = ((2 * rows + 1) * labels.shape[-2]) // (2 * size)
    across = ((2 * columns + 1) * labels.shape[-1]) // (2 * size)
    image = torch.arange(len(labels), device=labels.device)[:, None]
    values = torch.stack([rows, columns, labels[image, down, across].long()], dim=-1)
    known = made.depth_known() if made.task.name == "segment_unsup25d" else None
    weight = None if known is None else known[:, 0][image, down, across].to(torch.float32)
    return Target(values=values, weight=weight)


def _semantic(made: _Made) -> Target:
    labels = made.codes
    if made.size is not None and made.size != labels.shape[-1]:
        size = (made.size, made.size)
        labels = functional.interpolate(labels[:, None].float(), size, mode="nearest-exact")[:, 0]
    channels = labels.long() - 1
    known = (channels >= 0) & (channels < made.task.channels)
    channels = channels.where(known, 0)
    weights = made.weights
    if weights is None:
        weights = torch.from_numpy(loss_weights(made.task.name).copy())
    return Target(values=channels, weight=weights.to(channels.device)[channels] * known)


def _colours(made: _Made) -> Target:
    size = (made.size or made.raw["rgb"].shape[-1]) // 4
    bins, shares = soft_bins(resized(as_unit(made.raw["rgb"]), size))
    weights = torch.from_numpy(loss_weights("colorization").copy()).to(bins.device)
    return Target(values=bins, weight=weights[bins[:, 0]], shares=shares)


def _classes(made: _Made) -> Target:
    classes = made.codes
    if classes.ndim == 1:
        return Target(values=classes.clamp(min=0), weight=(classes >= 0).to(torch.float32))
    total = classes.sum(1, keepdim=True)
    known = torch.isfinite(total) & (total > 0)
    shares = torch.where(known, classes / total, 1 / classes.shape[1])
    return Target(values=shares, weight=known[:, 0].to(torch.float32))


def _whitened(made: _Made) -> Target:
    numbers, weight = _known_numbers(made)
    mean, std = torch.tensor(WHITENING[made.task.name], device=numbers.device)
    if made.task.num_images == 3:  # there are constants for the two predicted poses, but three target poses
        mean, std = mean[:6].repeat(3), std[:6].repeat(3)
    return Target(values=(numbers - mean) / std, weight=weight)


def _directions(made: _Made) -> Target:
    numbers, weight = _known_numbers(made)
    return Target(values=numbers, weight=weight)


def _known_numbers(made: _Made) -> tuple[Tensor, Tensor]:
    """Numbers (B, n), 0 for NaN, and the weight of each sample, (B,): 0 if a number is NaN."""
    known = made.codes.isfinite().all(1)
    return made.codes.where(known[:, None], 0.0), known.to(torch.float32)


_MAKERS: Mapping[OutputKind, Callable[[_Made], Target]] = {
    OutputKind.IMAGE: lambda made: made.map(as_unit(made.raw["rgb"]) * 2 - 1),
    OutputKind.DEPTH: _depth,
    OutputKind.NORMALS: _normals,
    OutputKind.CURVATURE: _curvature,
    OutputKind.HEAT_MAP: _heat_map,
    OutputKind.EMBEDDING: _points,
    OutputKind.SEMANTIC_MAP: _semantic,
    OutputKind.COLOUR_DISTRIBUTION: _colours,
    OutputKind.CLASSES: _classes,
    OutputKind.LAYOUT: _whitened,
    OutputKind.VANISHING_POINTS: _directions,
    OutputKind.POSE: _whitened,
    OutputKind.MATCH: lambda made: Target(values=made.codes),
    OutputKind.PERMUTATION: lambda made: Target(values=jigsaw_orders(made.seeds)),
}
