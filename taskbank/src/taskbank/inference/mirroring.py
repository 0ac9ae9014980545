"""Test-time averaging with the mirrored image.

The networks are trained on images that are mirrored at random, so both predictions are equally good and their
errors differ: their mean is better than either, at twice the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from taskbank.errors import InvalidInputError
from taskbank.tasks.kinds import MAPS, OutputKind
from taskbank.tasks.registry import Task

_MIRRORED = MAPS - {OutputKind.EMBEDDING} | {OutputKind.CLASSES}


def mirrored_tasks(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Select the tasks whose predictions can be averaged with those of the mirrored image.

    These are maps and classes; axes of embeddings have no meaning, and poses, rooms and vanishing points of a
    mirrored image are others.

    Raises:
        InvalidInputError: there is none.
    """
    chosen = tuple(task for task in tasks if task.output in _MIRRORED and task.num_images == 1)
    if not chosen:
        names = ", ".join(task.name for task in tasks)
        raise InvalidInputError(
            f"mirrored averages maps and classes, and there is none among {names}: leave it out"
        )
    return chosen


def averaged(
    tasks: Sequence[Task], raw: Mapping[str, list[Tensor]], mirrored: Mapping[str, list[Tensor]]
) -> dict[str, list[Tensor]]:
    """Average the outputs of networks with those for the mirrored images.

    Depth is the logarithm of metres in networks' outputs, so its mean is the geometric one.

    Args:
        tasks: tasks to average.
        raw: task name -> one output for each item, float32 (C, H, W) or (C,).
        mirrored: the same for the mirrored images; maps are mirrored back.

    Returns:
        `raw` with the outputs of `tasks` replaced.
    """
    outputs = dict(raw)
    for task in tasks:
        sign = torch.ones(1)
        if task.output is OutputKind.NORMALS:  # x points the other way in a mirror
            sign = torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
        pairs = zip(raw[task.name], mirrored[task.name], strict=True)
        outputs[task.name] = [(one + other * sign) / 2 for one, other in pairs]
    return outputs
