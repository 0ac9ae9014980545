"""Division of networks into groups of similar cost, each trained in one process.

Costs are relative to the time of a step of a map task. Measured on one core (torch 2.15, `compact`, batches
of 16 at 128 px, time of the process): a step of a map 0.19 s, of a head 0.11 s, of colours 0.26 s, of pixels'
classes 0.28 s, of segments 0.43 s; pictures with photometric augmentation 0.03 to 0.05 s, others under 0.01
s. Tasks with the same augmentation of the same frames share it, so a group pays for it once; tasks of pairs
and triplets have frames of their own, which are not shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from taskbank.tasks.registry import DecoderForm, Loss, Task
from training.learning.augmentation import UNTOUCHED, crop_of
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.feed import stream_of

_HEAD, _MAP, _COLOURS, _CLASSES, _SEGMENTS = 0.6, 1.0, 1.4, 1.5, 2.3
_VARIED, _PLAIN = 0.25, 0.02
_GAIN = 1e-9  # smaller differences are rounding


def task_groups(tasks: Sequence[Task], count: int) -> list[tuple[Task, ...]]:
    """Split tasks into groups of similar cost.

    Tasks are assigned by falling cost, each to the group where it adds the least cost (Graham, 1969). Then
    tasks are moved or exchanged while the sum of cubed costs falls, which balances costs and joins tasks with
    shared work. Squares would keep tasks with shared work together even if another group has less work.

    Args:
        tasks: distinct tasks.
        count: number of groups, limited to the number of tasks.

    Returns:
        non-empty groups, each in the order of `tasks`.
    """
    groups: list[list[Task]] = [[] for _ in range(min(count, len(tasks)))]
    for task in sorted(tasks, key=_own_cost, reverse=True):
        min(groups, key=lambda group: group_cost([*group, task])).append(task)
    place = {task: number for number, group in enumerate(groups) for task in group}
    while True:
        least = _cubes(place, len(groups)) - _GAIN
        nearby = _neighbours(place, len(groups))
        better = next((one for one in nearby if _cubes(one, len(groups)) < least), None)
        if better is None:
            break
        place = better
    return [tuple(task for task in tasks if place[task] == number) for number in range(len(groups))]


def group_cost(tasks: Sequence[Task]) -> float:
    """Return the cost of a step of all these networks in one process; a map's own part is 1."""
    # Distinct inputs to compute: stream, view, and photometric augmentation.
    inputs = {(stream_of(task), crop_of(task.name), task.name not in UNTOUCHED) for task in tasks}
    return sum(map(_own_cost, tasks)) + sum(_VARIED if varied else _PLAIN for *_, varied in inputs)


def work_of(config: TaskNetworksConfig) -> float:
    """Return the work of all steps of a network, in units of steps of 16 images at full size."""
    return config.steps * config.batch / 16 * (1 - 0.75 * config.half_size)


def _own_cost(task: Task) -> float:
    """Return the cost that is not shared: the network's forward and backward pass, and the loss."""
    if task.loss is Loss.METRIC:
        return _SEGMENTS
    if task.decoder is DecoderForm.COLORIZATION:
        return _COLOURS
    if task.decoder is not DecoderForm.PIXEL:
        return _HEAD
    return _CLASSES if task.loss is Loss.CROSS_ENTROPY else _MAP


def _cubes(place: dict[Task, int], count: int) -> float:
    """The sum of cubed costs."""
    members = ([task for task, at in place.items() if at == number] for number in range(count))
    return sum(group_cost(group) ** 3 for group in members)


def _neighbours(place: dict[Task, int], count: int) -> Iterator[dict[Task, int]]:
    """Yield assignments with one task moved, or two tasks exchanged."""
    for task, at in place.items():
        yield from ({**place, task: number} for number in range(count) if number != at)
    for one, other in combinations(place, 2):
        if place[one] != place[other]:
            yield {**place, one: place[other], other: place[one]}
