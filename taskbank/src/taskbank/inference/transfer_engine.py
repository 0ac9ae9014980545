"""The transfer engine: targets that are read out from the representations of other tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from taskbank.bank.bank import Bank
from taskbank.bank.entries import check_classes
from taskbank.errors import InvalidInputError
from taskbank.inference.device import dtype_of
from taskbank.inference.engine import common_number_of_images, distinct_tasks
from taskbank.inference.mirroring import averaged, mirrored_tasks
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.pipeline import BatchInputs, Pipeline
from taskbank.inference.preprocess import InputKind, input_kind, readout_input_kind, sees_whole
from taskbank.inference.settings import Settings
from taskbank.tasks.registry import Task


class TransferEngine:
    """Transfers from one set of sources; each source's encoder runs once per image for all targets.

    Args:
        bank: source of the networks.
        sources: any names of tasks, in any order; or `scratch` alone, for the targets' networks from scratch.
        targets: any names of tasks that take the same number of images, or of users' own targets.
        settings: how the networks are run.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold a transfer, or the encoder of a source.
        InvalidInputError: no source or no target; targets of different numbers of images; settings that this
            machine does not support.
        BankFormatError: a file of the bank is missing or damaged.
    """

    def __init__(
        self, bank: Bank, sources: Iterable[str], targets: Iterable[str], settings: Settings | None = None
    ) -> None:
        self.bank = bank
        self.settings = settings or Settings()
        names = tuple(dict.fromkeys(bank.find_source(source) for source in sources))
        if not names:
            raise InvalidInputError("no task was named: `taskbank tasks` lists all")
        self.tasks = distinct_tasks(targets, bank)
        self.num_images = common_number_of_images(self.tasks)
        self._mirrored = mirrored_tasks(self.tasks) if self.settings.mirrored else ()
        # Before any weights are read, so that mistakes are reported early.
        entries = {task.name: bank.transfer_entry(names, task.name) for task in self.tasks}
        for entry in entries.values():
            check_classes(entry.classes, entry.task, bank.where)
        encoders = tuple(dict.fromkeys(name for entry in entries.values() for name in entry.encoders))
        foreign = {name: bank.index.foreign[name] for name in encoders if name in bank.index.foreign}
        for name in encoders:
            if name not in foreign:
                bank.entry(name)
        # Sources in the order of their channels; empty for a network from scratch.
        self._orders = {target: entry.encoders for target, entry in entries.items()}
        read_from = entries[self.tasks[0].name].sources
        made = Pipeline.for_tasks(bank, self.tasks, self.settings, read_from)
        self._pipeline = replace(made, origins={task.name: {"mirrored": True} for task in self._mirrored})
        self.device = self._pipeline.device
        ready = self._pipeline.ready
        self._encoders: dict[str, nn.Module] = {
            name: ready(bank.load_encoder(name, shared=False)) for name in encoders if name not in foreign
        }
        for name, described in foreign.items():  # they run unchanged
            from taskbank.encoders.square import open_square  # with timm, which takes two seconds

            other = open_square(described, bank.where)
            self._encoders[name] = other.to(self.device, dtype_of(self.settings.precision))
        self._readouts = {target: ready(bank.load_transfer(names, target)) for target in entries}
        if len(foreign) < len(encoders) and (shared := bank.load_shared()) is not None:
            self._pipeline = replace(self._pipeline, shared=ready(shared))

    def run(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Yield one outcome per item, in order.

        An item that cannot be read gives an outcome with its error, and does not stop the others.

        Args:
            items: images, or tuples of as many images as the targets take.
        """
        for batch, inputs in self._pipeline.batches(items, self.num_images):
            raw = {} if inputs is None else self._predict(inputs, self.tasks)
            if inputs is not None and self._mirrored:
                raw = averaged(self._mirrored, raw, self._predict(inputs.mirror(), self._mirrored))
            yield from self._pipeline.finished(batch, raw)

    def _kind(self, source: str, target: Task) -> InputKind:
        """Return the kind of input of a source's encoder."""
        return input_kind(target) if source in self.bank.index.foreign else readout_input_kind(source, target)

    @torch.inference_mode()
    def _predict(self, inputs: BatchInputs, targets: Sequence[Task]) -> dict[str, list[Tensor]]:
        """Compute raw outputs of some targets for each item, float32 on the CPU, (...)."""
        # Representations by source and kind of input; targets with the same ones share them.
        codes: dict[tuple[str, InputKind, bool], Tensor] = {}
        outputs = {}
        for target in targets:
            readout, order = self._readouts[target.name], self._orders[target.name]
            whole = sees_whole(target)
            keys = [(source, self._kind(source, target), whole) for source in order]
            for source, kind, _ in keys:
                if (source, kind, whole) not in codes:
                    encoder = self._encoders[source]
                    images = inputs.to(encoder, kind, whole=whole)
                    # Tuples of images and tiles are encoded one image at a time.
                    found = inputs.run(encoder, images.reshape(-1, *images.shape[-3:]))
                    codes[source, kind, whole] = found.reshape(*images.shape[:-3], *found.shape[1:])
            if keys:
                seen = torch.cat([codes[key] for key in keys], dim=-3)
            else:  # a network from scratch, which sees the image itself
                seen = inputs.to(readout, input_kind(target), whole=whole)
            outputs[target.name] = inputs.blended(inputs.run(readout, seen), whole=whole)
        return outputs
