"""Labels of a user's own task in the form for training, with the facts for decoding predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from taskbank.errors import InvalidInputError
from taskbank.images.framing import View
from taskbank.options import Kind
from taskbank.probing.labels import Labels, check_classes, read_map
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.own_targets import OwnTarget

_KNOWN = 0.5  # least known share of a resized pixel
_LEAST_SPREAD = 1e-9  # least spread of numbers, relative to their size
_LEAST = 1e-30  # least spread of numbers in their unit, so that they fit into 32 bits
_CHANNELS = (1, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnable:
    """Labels in the form for training.

    Attributes:
        target: description of the labels.
        names: names of classes or numbers; None for maps.
        values: for maps float32 (N, C, S, S), -1 to 1 over the range, NaN where unknown; for classes int64
            (N,); for numbers float32 (N, n), whitened.
    """

    target: OwnTarget
    names: tuple[str, ...] | None
    values: NDArray[np.float32] | NDArray[np.int64]


def one_task(labels: Sequence[Labels], name: str) -> tuple[Labels, tuple[str, ...]]:
    """Join the columns of a table to one task; return it with the names of its numbers or classes.

    Images that lack one of several numbers are left out.

    Raises:
        InvalidInputError: several columns are not all numbers, labels are maps of classes, or there are fewer
            than 2 classes or more than 256.
    """
    first = labels[0]
    if len(labels) > 1:
        wrong = [one.target for one in labels if one.kind is not Kind.NUMBERS or not one.values]
        if wrong:
            raise InvalidInputError(
                f"there are {len(labels)} columns of labels, and {wrong[0]!r} holds classes: several columns "
                "are numbers of one task. Give a table with one column of classes"
            )
        held = [image for image in first.values if all(image in one.values for one in labels)]
        values = {image: tuple(one.values[image][0] for one in labels) for image in held}
        first = replace(first, values=values)
    if first.maps and first.kind is Kind.CLASSES:
        raise InvalidInputError("maps of classes cannot be learned: give maps of numbers")
    check_classes(first)
    names = first.classes if first.kind is Kind.CLASSES else tuple(one.column or one.target for one in labels)
    return replace(first, target=name), names


def learnable(
    labels: Labels,
    names: Sequence[str],
    columns: tuple[str, ...],
    learned: NDArray[np.bool_],
    *,
    unit: str,
    views: Mapping[str, View],
) -> Learnable:
    """Convert labels for training.

    Args:
        labels: of one task.
        names: of the images, in the order of the rows.
        columns: names of classes or numbers.
        learned: bool (images,), true for images that are learned from.
        unit: of maps and numbers.
        views: image -> the part of it that networks see.

    Raises:
        InvalidInputError: labels cannot be read, or the training images have only one label.
    """
    if labels.maps:
        count = read_map(labels, names[0], views[names[0]]).shape[-1]
        if count not in _CHANNELS:
            raise InvalidInputError(
                f"the map {labels.maps[names[0]]} has {count} channels: maps of 1 or 3 can be learned"
            )
        for name in names[1:]:
            other = read_map(labels, name, views[name]).shape[-1]
            if other != count:
                raise InvalidInputError(
                    f"maps differ in their channels: {labels.maps[names[0]]} has {count}, "
                    f"{labels.maps[name]} has {other}; all must have as many"
                )
        maps = torch.stack([fit_map(labels, name, views[name]) for name in names]).numpy()
        # Maps are scaled in place to [-1, 1] by the least and greatest training value.
        low = float(min(np.nanmin(maps[one]) for one in np.flatnonzero(learned)))
        high = float(max(np.nanmax(maps[one]) for one in np.flatnonzero(learned)))
        if not low < high:
            raise InvalidInputError(
                f"all maps of {labels.target} that are learned from hold {low:g} and nothing else: there is "
                "nothing to learn"
            )
        maps -= low
        maps *= 2 / (high - low)
        maps -= 1
        target = OwnTarget(output=OutputKind.MAP, channels=maps.shape[1], unit=unit, value_range=(low, high))
        return Learnable(target=target, names=None, values=maps)
    table = np.array([labels.values[name] for name in names])
    if labels.kind is not Kind.CLASSES:
        # Numbers are whitened by the mean and spread of the training images.
        mean, std = table[learned].mean(0), table[learned].std(0)
        flat = std <= np.maximum(_LEAST_SPREAD * np.abs(mean), _LEAST)
        if flat.any():
            column = int(np.flatnonzero(flat)[0])
            remedy = f". It varies by {std[column]:.1g} only: choose a smaller unit" if std[column] else ""
            raise InvalidInputError(
                f"{columns[column]} is {mean[column]:g} for all images that are learned from: there is "
                f"nothing to learn{remedy}"
            )
        target = OwnTarget(
            output=OutputKind.NUMBERS,
            channels=len(columns),
            unit=unit,
            whitening=(tuple(mean.tolist()), tuple(std.tolist())),
        )
        return Learnable(target=target, names=columns, values=((table - mean) / std).astype(np.float32))
    if unit != "1":
        raise InvalidInputError(f"unit {unit!r}: classes have none, leave it out")
    numbers = table[:, 0].astype(np.int64)
    lacking = sorted(set(numbers.tolist()) - set(numbers[learned].tolist()))
    if lacking:
        raise InvalidInputError(
            f"no image of the class {columns[lacking[0]]!r} is among the {learned.sum()} that are learned "
            "from: label it in more groups, leave it out, or choose another seed"
        )
    target = OwnTarget(output=OutputKind.CLASSES, channels=len(columns))
    return Learnable(target=target, names=columns, values=numbers)


def fit_map(labels: Labels, image: str, view: View) -> Tensor:
    """Crop and resize a map to the networks' view of the image.

    Returns:
        float32 (C, size, size); a pixel is NaN where more than half of it is unknown.

    Raises:
        InvalidInputError: the map cannot be read, or has no known pixel in that view.
    """
    values = torch.from_numpy(read_map(labels, image, view)).permute(2, 0, 1)
    box = view.box
    cut = values[:, int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    known = cut.isfinite().all(0, keepdim=True).float()
    both = torch.cat([cut.where(known > 0, 0.0), known])
    scaled = functional.interpolate(both[None], view.size[::-1], mode="bilinear", antialias=True)[0]
    share = scaled[-1:]
    if not bool((share >= _KNOWN).any()):
        raise InvalidInputError(
            f"the map {labels.maps[image]} has no known pixel where networks look, in its middle square"
        )
    return (scaled[:-1] / share.clamp(min=_KNOWN)).where(share >= _KNOWN, torch.nan)
