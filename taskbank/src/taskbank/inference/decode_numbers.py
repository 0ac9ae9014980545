"""Decode outputs that are not maps: see the table of `taskbank.inference.decode`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor
from torch.nn import functional

from taskbank.constants import jigsaw_permutations
from taskbank.geometry import CAMERA_AXES, compose
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Decoded
from taskbank.inference.whitening import unwhiten
from taskbank.tasks.kinds import OutputKind, Task

_POSE = (
    "static-axes Euler angles x, y, z of R2^T R1 in rad, then R2^T (l1 - l2) in m, for cameras 1 and 2 with "
    f"rotations R and locations l; {CAMERA_AXES}"
)


def _classes(_task: Task, logits: Tensor, _sights: tuple[Preprocessed, ...]) -> Decoded:
    """Decode probabilities of classes."""
    return Decoded(array=logits.softmax(0).numpy(), convention="probabilities of classes", value_range=(0, 1))


def _numbers(task: Task, whitened: Tensor, _sights: tuple[Preprocessed, ...]) -> Decoded:
    """Decode numbers of a user's own target, in its unit."""
    mean, std = np.array(task.whitening or ((0,), (1,)))
    return Decoded(
        array=(whitened.numpy() * std + mean).astype(np.float32),
        convention="numbers of a user's own target",
        value_range=None,
    )


def _match(_task: Task, logits: Tensor, _sights: tuple[Preprocessed, ...]) -> Decoded:
    """Decode the probability of a match, the second of two classes."""
    return Decoded(
        array=logits.softmax(0)[1].numpy(),
        convention="probability that both images are fixed on one point",
        value_range=(0, 1),
    )


def _permutation(_task: Task, logits: Tensor, inputs: tuple[Preprocessed, ...]) -> Decoded:
    """Decode the likeliest order of tiles."""
    probability, number = logits.softmax(0).max(0)
    order = inputs[0].order
    shown = None if order is None else jigsaw_permutations()[order].tolist()
    return Decoded(
        array=jigsaw_permutations()[int(number)].copy(),
        convention="tile of the photo thought to be shown at each place; both counted row by row",
        value_range=(0, 8),
        details={"probability": float(probability), "permutation": int(number), "shown": shown},
    )


def _layout(task: Task, numbers: Tensor, _sights: tuple[Preprocessed, ...]) -> Decoded:
    """Decode the box of the room."""
    return Decoded(
        array=unwhiten(task.name, numbers.numpy()).astype(np.float32),
        convention=(
            "centre of the room (m), static-axes Euler angles x, y, z of the camera in the room's frame "
            f"(rad), edges along the room's x, y and z (m); {CAMERA_AXES}"
        ),
        value_range=None,
    )


def _vanishing_points(_task: Task, numbers: Tensor, _sights: tuple[Preprocessed, ...]) -> Decoded:
    """Decode three unit vectors."""
    return Decoded(
        array=functional.normalize(numbers.reshape(3, 3), dim=1).numpy(),
        convention=f"directions of the room's x, y and z, one per row; {CAMERA_AXES}",
        value_range=(-1, 1),
    )


def _pose(task: Task, numbers: Tensor, _sights: tuple[Preprocessed, ...]) -> Decoded:
    """Decode one relative pose, or three, of which the last is composed of the others."""
    poses = unwhiten(task.name, numbers.numpy())
    convention, pairs = _POSE, [[1, 2]]
    if task.num_images == 3:
        first, second = poses[:6], poses[6:]
        poses = np.stack([first, second, compose(first, second)])
        convention += "; rows are images 1-2, 2-3 and 1-3"
        pairs = [[1, 2], [2, 3], [1, 3]]
    angles = np.degrees(poses[..., :3])
    return Decoded(
        array=poses.astype(np.float32),
        convention=convention,
        value_range=None,
        details={"pairs": pairs, "angles_in_degrees": angles.tolist()},
    )


DECODED_NUMBERS: Mapping[OutputKind, Callable[[Task, Tensor, tuple[Preprocessed, ...]], Decoded]] = {
    OutputKind.CLASSES: _classes,
    OutputKind.NUMBERS: _numbers,
    OutputKind.MATCH: _match,
    OutputKind.PERMUTATION: _permutation,
    OutputKind.LAYOUT: _layout,
    OutputKind.VANISHING_POINTS: _vanishing_points,
    OutputKind.POSE: _pose,
}
"""Kind of output -> function that decodes a network's raw output for one item."""
