"""Transfer networks, run over images: targets read out from the representations of other tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from taskbank.bank.bank import Bank
from taskbank.bank.entries import check_classes
from taskbank.errors import InvalidInputError
from taskbank.inference.device import choose_device
from taskbank.inference.engine import common_number_of_images, distinct_tasks
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.pipeline import Pipeline, Showing
from taskbank.inference.preprocess import Shown, sees_whole, shown_for_readout, shown_to
from taskbank.inference.settings import Settings
from taskbank.tasks.registry import Task, find_source


class TransferEngine:
    """Targets read out from one set of sources; each source's encoder sees each image once, for all targets.

    Args:
        bank: where networks come from.
        sources: any names of tasks, in any order; or `scratch` alone, for the targets' networks from scratch.
        targets: any names of tasks that take the same number of images, or of users' own targets.
        settings: how networks are run.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold a transfer, or the encoder of a source.
        InvalidInputError: no source or no target; targets of different numbers of images; settings that
            this machine cannot meet.
        BankFormatError: a file of the bank is missing or damaged.
    """

    def __init__(
        self, bank: Bank, sources: Iterable[str], targets: Iterable[str], settings: Settings | None = None
    ) -> None:
        self.bank = bank
        self.settings = settings or Settings()
        names = _distinct(sources)
        self.tasks = distinct_tasks(targets, bank)
        self.num_images = common_number_of_images(self.tasks)
        self.device = choose_device(self.settings.device)
        # Before any weights are read, so that a mistake is known at once.
        entries = {task.name: bank.transfer_entry(names, task.name) for task in self.tasks}
        for entry in entries.values():
            check_classes(entry.classes, entry.task, bank.where)
        encoders = tuple(dict.fromkeys(name for entry in entries.values() for name in entry.encoders))
        for name in encoders:
            bank.entry(name)
        # In the order in which the channels of the representations are joined; empty for one from scratch.
        self._orders = {target: entry.encoders for target, entry in entries.items()}
        self._pipeline = Pipeline(
            bank=bank,
            settings=self.settings,
            device=self.device,
            tasks=tuple(entries),
            tiles=any(shown_to(task) is Shown.TILES for task in self.tasks),
            whole=frozenset(sees_whole(task) for task in self.tasks),
            read_from=entries[self.tasks[0].name].sources,
        )
        ready = self._pipeline.ready
        self._encoders: dict[str, nn.Module] = {
            name: ready(bank.load_encoder(name, shared=False)) for name in encoders
        }
        self._readouts = {target: ready(bank.load_transfer(names, target)) for target in entries}
        if encoders and (shared := bank.load_shared()) is not None:
            self._pipeline = replace(self._pipeline, shared=ready(shared))

    def run(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """One outcome per item, in order.

        An item that cannot be read has an outcome with its error; the others go on.

        Args:
            items: images, or tuples of as many images as the targets take.
        """
        yield from self._pipeline.outcomes(items, self._predict, self.num_images)

    def _predict(self, showing: Showing) -> dict[str, list[Tensor]]:
        """Raw outputs of all targets for each item, float32 on the CPU, (...)."""
        codes: dict[tuple[str, Shown, bool], Tensor] = {}
        outputs = {}
        for target in self.tasks:
            readout = self._readouts[target.name]
            order = self._orders[target.name]
            seen = (
                self._joined(order, target, showing, codes)
                if order
                else showing.to(readout, shown_to(target), whole=sees_whole(target))
            )
            outputs[target.name] = showing.blended(showing.run(readout, seen), whole=sees_whole(target))
        return outputs

    def _joined(
        self,
        order: tuple[str, ...],
        target: Task,
        showing: Showing,
        codes: dict[tuple[str, Shown, bool], Tensor],
    ) -> Tensor:
        """Representations side by side; those that other targets have asked for are taken from `codes`."""
        whole = sees_whole(target)
        keys = [(source, shown_for_readout(source, target), whole) for source in order]
        for key in keys:
            if key not in codes:
                codes[key] = _encoded(self._encoders[key[0]], showing, key[1], whole)
        return torch.cat([codes[key] for key in keys], dim=-3)


def _distinct(sources: Iterable[str]) -> tuple[str, ...]:
    """Canonical names, each once, in the order given.

    Raises:
        InvalidInputError: there is none.
        UnknownTaskError: a name is none of the 26 tasks and not `scratch`.
    """
    names = tuple(dict.fromkeys(find_source(source) for source in sources))
    if not names:
        raise InvalidInputError("no task was named: `taskbank tasks` lists all")
    return names


def _encoded(encoder: nn.Module, showing: Showing, shown: Shown, whole: bool) -> Tensor:
    """Representations (B, 8, h, w), or (B, P, 8, h, w) for tuples of images and for tiles."""
    images = showing.to(encoder, shown, whole=whole)
    codes = showing.run(encoder, images.reshape(-1, *images.shape[-3:]))
    return codes.reshape(*images.shape[:-3], *codes.shape[1:])
