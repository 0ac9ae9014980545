"""Groups of networks that train in one process each, of about the same cost.

Costs are shares of the time that a step of a map takes. Measured on one core (torch 2.15, `compact`, batches
of 16 at 128 px, time of the process): a step of a map 0.19 s, of a head 0.11 s, of colours 0.26 s, of pixels'
classes 0.28 s, of segments 0.43 s; pictures varied in colour 0.03 to 0.05 s, others under 0.01 s. Tasks that
look at the same variation of the same frames share it, so a group pays for it once; tasks of pairs and
triplets have frames of their own, which nobody shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from taskbank.tasks.registry import DecoderForm, Loss, Task
from training.learning.augmentation import UNTOUCHED, View, view_of
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.feed import stream_of

_HEAD, _MAP, _COLOURS, _CLASSES, _SEGMENTS = 0.6, 1.0, 1.4, 1.5, 2.3
_VARIED, _PLAIN = 0.25, 0.02
_GAIN = 1e-9  # less is rounding


def task_groups(tasks: Sequence[Task], count: int) -> list[tuple[Task, ...]]:
    """Split tasks into groups of about the same cost.

    The dearest come first, each to where it makes the least cost (Graham, 1969); then tasks move or change
    places as long as the sum of cubed costs falls: that evens costs out and brings together what is shared.
    With squares, tasks stay beside those they share with while another group has less to do.

    Args:
        tasks: different ones.
        count: of groups; there are never more than tasks.

    Returns:
        groups, none empty, each in the order of `tasks`.
    """
    groups: list[list[Task]] = [[] for _ in range(min(count, len(tasks)))]
    for task in sorted(tasks, key=_own_cost, reverse=True):
        min(groups, key=lambda group: group_cost([*group, task])).append(task)
    place = {task: number for number, group in enumerate(groups) for task in group}
    while better := _better(place, len(groups)):
        place = better
    return [tuple(task for task in tasks if place[task] == number) for number in range(len(groups))]


def group_cost(tasks: Sequence[Task]) -> float:
    """Return the cost of a step of all these networks in one process; a map's own part is 1."""
    return sum(map(_own_cost, tasks)) + sum(_VARIED if varied else _PLAIN for *_, varied in _sights(tasks))


def work_of(config: TaskNetworksConfig) -> float:
    """Return the work of all steps of a network, in steps of 16 images at full size."""
    return config.steps * config.batch / 16 * (1 - 0.75 * config.small)


def _own_cost(task: Task) -> float:
    """Return the cost that is not shared: the network's forward and backward pass, and the loss."""
    if task.loss is Loss.METRIC:
        return _SEGMENTS
    if task.decoder is DecoderForm.COLORIZATION:
        return _COLOURS
    if task.decoder is not DecoderForm.PIXEL:
        return _HEAD
    return _CLASSES if task.loss is Loss.CROSS_ENTROPY else _MAP


def _sights(tasks: Sequence[Task]) -> set[tuple[str, View, bool]]:
    """Different pictures that are made: of which stream, of what part, whether varied in colour."""
    return {(stream_of(task), view_of(task.name), task.name not in UNTOUCHED) for task in tasks}


def _better(place: dict[Task, int], count: int) -> dict[Task, int] | None:
    """A neighbour with a smaller sum of cubes; None where there is none."""
    now = _cubes(place, count)
    return next((one for one in _neighbours(place, count) if _cubes(one, count) < now - _GAIN), None)


def _cubes(place: dict[Task, int], count: int) -> float:
    """The sum of cubed costs."""
    members = ([task for task, at in place.items() if at == number] for number in range(count))
    return sum(group_cost(group) ** 3 for group in members)


def _neighbours(place: dict[Task, int], count: int) -> Iterator[dict[Task, int]]:
    """One task in another group, or two tasks with places exchanged."""
    for task, at in place.items():
        yield from ({**place, task: number} for number in range(count) if number != at)
    for one, other in combinations(place, 2):
        if place[one] != place[other]:
            yield {**place, one: place[other], other: place[one]}
