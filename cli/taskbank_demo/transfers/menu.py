"""Menu of the open bank's transfers: targets, orders, and the sets of sources that exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from taskbank.bank.bank import Bank
from taskbank.bank.index import transfer_name
from taskbank.errors import MissingTaskError
from taskbank.tasks.registry import SCRATCH, TASKS, find_task

RANDOM = "random"
"""The untrained source; its transfers are a baseline, as are networks from `SCRATCH`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One transfer of a bank.

    Attributes:
        sources: canonical names in the order of their channels.
        target: canonical name.
    """

    sources: tuple[str, ...]
    target: str

    @property
    def name(self) -> str:
        """The transfer's name in banks: `normal+reshading -> depth_zbuffer`."""
        return transfer_name(self.sources, self.target)

    @property
    def order(self) -> int:
        """Number of sources."""
        return len(self.sources)

    @property
    def words(self) -> str:
        """The transfer as text: `Z-Depth read from Normals + Reshading`."""
        return f"{label_of(self.target)} read from {self.source_words}"

    @property
    def source_words(self) -> str:
        """The sources as text: `Normals + Reshading`."""
        return " + ".join(label_of(source) for source in self.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferMenu:
    """The transfers of a bank that read a single image.

    Attributes:
        bank: its name.
        choices: in the order of the registry's targets, fewest sources first, without baselines.
        several_images: targets of transfers that take two or three images, which this page does not support.
    """

    bank: str
    choices: tuple[Choice, ...]
    several_images: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets with a transfer, without repetition."""
        return tuple(dict.fromkeys(choice.target for choice in self.choices))

    def orders(self, target: str) -> tuple[int, ...]:
        """Return the numbers of sources of the target's transfers, fewest first."""
        return tuple(sorted({choice.order for choice in self.choices if choice.target == target}))

    def of_order(self, target: str, order: int) -> tuple[Choice, ...]:
        """Return the target's transfers with that number of sources."""
        return tuple(choice for choice in self.choices if choice.target == target and choice.order == order)

    def named(self, name: str) -> Choice:
        """Find a transfer by its name.

        Raises:
            MissingTaskError: the bank has no such transfer that reads a single image.
        """
        for choice in self.choices:
            if choice.name == name:
                return choice
        raise self._missing(name)

    def find(self, target: str, sources: Iterable[str]) -> Choice:
        """Find a transfer by its target and sources.

        Args:
            target: any name of a task, or of the bank's own targets.
            sources: any names, in any order.

        Raises:
            UnknownTaskError: a name is none of the 26 tasks and no target of this bank.
            MissingTaskError: the bank has no such transfer that reads a single image.
        """
        task = target if target in self.targets else find_task(target).name
        wanted = [find_task(source).name for source in sources]
        for choice in self.choices:
            if choice.target == task and set(choice.sources) == set(wanted):
                return choice
        raise self._missing(transfer_name(wanted, task))

    def _missing(self, name: str) -> MissingTaskError:
        held = [choice.name for choice in self.choices]
        target = name.rpartition(" -> ")[2]
        sources = [",".join(choice.sources) for choice in self.choices if choice.target == target]
        instead = f"{target} is read out from {' or '.join(sources)}" if sources else ""
        where = f"the bank {self.bank}"
        return MissingTaskError(name, held, where, what="transfer of single images", instead=instead)


def transfer_menu(bank: Bank) -> TransferMenu:
    """Make the menu of a bank."""
    place = {name: number for number, name in enumerate(TASKS)}
    several, single = set(), []
    for sources, target in bank.transfers:
        if bank.find_target(target).num_images > 1:
            several.add(target)
        elif sources not in {(SCRATCH,), (RANDOM,)}:
            single.append(Choice(sources, target))
    single.sort(
        key=lambda choice: (
            place.get(choice.target, len(place)),
            choice.target,
            choice.order,
            choice.sources,
        )
    )
    return TransferMenu(
        bank=bank.name,
        choices=tuple(single),
        several_images=tuple(sorted(several, key=lambda name: place.get(name, len(place)))),
    )


def label_of(task: str) -> str:
    """Return the label of a task on pages; a user's own target keeps its name."""
    return TASKS[task].label if task in TASKS else task
