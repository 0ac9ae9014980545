"""Sample pictures of map tasks: input, target and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageColor
from torch import Tensor
from torch.nn import functional

from taskbank.constants import colour_bins
from taskbank.images.colour import lab_to_rgb
from taskbank.images.colour_maps import SEMANTIC_PALETTE, paint
from taskbank.inference.whitening import WHITENING
from taskbank.learning.target import Target
from taskbank.tasks.registry import OutputKind, Task
from training.atomic_files import write_whole

Pixels = NDArray[np.uint8]

_GAP = 4  # px between pictures
_DOT = 1  # px around each point of a segmentation
_FLAT = 127  # code of zero curvature
_CURVED = 40.0  # range of codes from flat to full colour
_PAINTED = {
    OutputKind.IMAGE, OutputKind.NORMALS, OutputKind.DEPTH, OutputKind.CURVATURE, OutputKind.HEAT_MAP,
    OutputKind.SEMANTIC_MAP, OutputKind.EMBEDDING, OutputKind.COLOUR_DISTRIBUTION,
}  # fmt: skip


def is_painted(task: Task) -> bool:
    """Return True if a task's outputs are drawn as pictures: maps are, numbers are not."""
    return task.output in _PAINTED


def write_strip(path: Path, task: Task, shown: Tensor, target: Target, output: Tensor) -> None:
    """Write input, target and output of a few samples, one sample per row.

    Args:
        path: a PNG file.
        task: task whose outputs are maps.
        shown: inputs, float (B, 3, H, W) in [-1, 1].
        target: targets of the same samples.
        output: outputs, float (B, C, h, w).

    Raises:
        StorageError: the file cannot be written.
    """
    inputs, given = shown.float().cpu(), output.float().cpu()
    rows = []
    for number in range(len(inputs)):
        truth = _truth(task, target, number, inputs.shape[-1])
        columns = [_signed(inputs[number]), truth, _painted(task, given[number], inputs[number])]
        if task.output is OutputKind.COLOUR_DISTRIBUTION:
            if target.shares is None:
                raise TypeError("targets of colours have shares")
            bins = torch.from_numpy(colour_bins().copy())[target.values[number].cpu()]
            mean = (bins.movedim(-1, 0) * target.shares[number].cpu()).sum(1)  # colour (2, h, w)
            columns[1] = _coloured(mean, inputs[number])
        # A white edge at the right and below.
        edge = ((0, _GAP), (0, _GAP), (0, 0))
        rows.append(np.concatenate([np.pad(one, edge, constant_values=255) for one in columns], axis=1))
    image = Image.fromarray(np.concatenate(rows))
    write_whole(path, lambda file: image.save(file, format="PNG"))


def _truth(task: Task, target: Target, number: int, size: int) -> Pixels:
    """Draw one sample's target."""
    values = target.values[number].cpu()
    match task.output:
        case OutputKind.EMBEDDING:
            # Points (300, 3) of row, column and segment, as dots in the segments' colours.
            picture = np.full((size, size, 3), 40, np.uint8)
            for row, column, segment in values.numpy():
                dot = (
                    slice(max(0, row - _DOT), row + _DOT + 1),
                    slice(max(0, column - _DOT), column + _DOT + 1),
                )
                picture[dot] = np.random.default_rng(segment).integers(60, 256, 3)
            return picture
        case OutputKind.SEMANTIC_MAP:
            return _classes(values.numpy())
        case OutputKind.COLOUR_DISTRIBUTION:
            return np.zeros((size, size, 3), np.uint8)
        case _:
            return _painted(task, values, values)


def _painted(task: Task, values: Tensor, shown: Tensor) -> Pixels:
    """Draw a map (C, h, w) in the network's range."""
    if task.output is OutputKind.COLOUR_DISTRIBUTION:
        bins = torch.from_numpy(colour_bins().copy())
        return _coloured(torch.einsum("chw,ck->khw", values.softmax(0), bins), shown)
    return _PAINTERS.get(task.output, _signed)(values)


def _depth(values: Tensor) -> Pixels:
    """Draw depth; near is bright."""
    low, high = values.amin(), values.amax()
    return paint(((high - values) / (high - low).clamp(min=1e-6))[0].numpy(), "sequential")


def _curvature(values: Tensor) -> Pixels:
    """Draw the mean of both curvatures; flat is light."""
    mean, std = torch.tensor(WHITENING["curvature"])[..., None, None]
    codes = (values * std + mean - _FLAT).mean(0)
    return paint((0.5 + codes / _CURVED / 2).numpy(), "diverging")


def _signed(values: Tensor) -> Pixels:
    """Draw values (3, h, w) in [-1, 1] as colours."""
    return ((values + 1) * 127.5).clamp(0, 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def _classes(channels: NDArray[np.int64]) -> Pixels:
    """Draw class numbers (h, w) as colours."""
    palette = np.array([ImageColor.getrgb(name)[:3] for name in SEMANTIC_PALETTE], dtype=np.uint8)
    return palette[channels]


def _principal(values: Tensor) -> Pixels:
    """Draw the three principal components of vectors as red, green and blue."""
    rows = values.flatten(1).double()
    centred = rows - rows.mean(1, keepdim=True)
    _, directions = torch.linalg.eigh(centred @ centred.T)
    shares = directions[:, -3:].T @ centred
    low, high = shares.amin(1, keepdim=True), shares.amax(1, keepdim=True)
    scaled = (shares - low) / (high - low).clamp(min=1e-9)
    return _signed(scaled.reshape(3, *values.shape[1:]) * 2 - 1)


def _coloured(ab: Tensor, shown: Tensor) -> Pixels:
    """Draw colours (2, h, w) on the lightness of the network's input."""
    wide = functional.interpolate(ab[None], shown.shape[-2:], mode="bilinear")[0]
    light = (shown[:1] + 1) * 50
    return _signed(lab_to_rgb(torch.cat([light, wide])) * 2 - 1)


_PAINTERS: Mapping[OutputKind, Callable[[Tensor], Pixels]] = {
    OutputKind.DEPTH: _depth,
    OutputKind.CURVATURE: _curvature,
    OutputKind.HEAT_MAP: lambda values: paint(((values + 1) / 2)[0].numpy(), "grey"),
    OutputKind.SEMANTIC_MAP: lambda values: _classes(values.argmax(0).numpy()),
    OutputKind.EMBEDDING: _principal,
}
