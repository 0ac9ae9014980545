"""The engine: networks of several tasks that run over images together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from taskbank.bank.bank import Bank
from taskbank.bank.entries import check_classes
from taskbank.errors import InvalidInputError, MissingTaskError
from taskbank.foundation import load_estimators
from taskbank.foundation.estimator import Place, cut_photo
from taskbank.images.reading import ImageInput
from taskbank.inference.device import dtype_of
from taskbank.inference.mirroring import averaged, mirrored_tasks
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.pipeline import BatchInputs, Pipeline
from taskbank.inference.preprocess import encoder_input_kind, input_kind, sees_whole
from taskbank.inference.settings import Settings
from taskbank.nets.encoder import normalise_representation
from taskbank.tasks.registry import Task, find_task

__all__ = ["Engine", "Item", "Outcome", "common_number_of_images", "distinct_tasks"]


class Engine:
    """Networks of several tasks on one device. All take the same number of images.

    Args:
        bank: source of the networks.
        tasks: any names of tasks.
        settings: how the networks are run.
        encoders_only: whether only encoders are loaded; the engine then returns representations and no
            predictions.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold a task, or no decoder for it.
        InvalidInputError: no task; tasks of different numbers of images; settings that this machine does not
            support.
        BankFormatError: a file of the bank is missing or damaged.

    Examples:
        >>> import taskbank
        >>> bank = taskbank.Bank.open("rooms")
        >>> engine = taskbank.Engine(bank, ["normals", "depth"], taskbank.Settings(device="cpu"))
        >>> [sorted(outcome.raw) for outcome in engine.run(["photo.jpg"])]
        [['depth_zbuffer', 'normal']]
    """

    def __init__(
        self,
        bank: Bank,
        tasks: Iterable[str],
        settings: Settings | None = None,
        *,
        encoders_only: bool = False,
    ) -> None:
        self.bank = bank
        self.settings = settings or Settings()
        self.tasks = tuple(bank.find_target(task.name) for task in distinct_tasks(tasks))
        self.encoders_only = encoders_only
        self.num_images = 1 if encoders_only else common_number_of_images(self.tasks)
        if encoders_only and self.settings.mirrored:
            raise InvalidInputError("mirrored averages predictions, not representations: leave it out")
        self._mirrored = mirrored_tasks(self.tasks) if self.settings.mirrored else ()
        self._pipeline = Pipeline.for_tasks(bank, self.tasks, self.settings)
        self.device = self._pipeline.device
        # Before any weights are read, so that mistakes are reported early.
        for task in self.tasks:
            entry = bank.entry(task.name)
            if entry.model is not None and (encoders_only or self.settings.size is not None):
                raise InvalidInputError(_not_ours(entry.model.id, task.name, encoders_only))
            if not encoders_only:
                check_classes(entry.classes, task, bank.where)
        place = Place(
            device=self.device, dtype=dtype_of(self.settings.precision), compiled=self.settings.compiled
        )
        names = [task.name for task in self.tasks]
        accept = self.settings.accept_licence
        self._estimators = load_estimators(bank, names, place, accept)
        foreign = {task for one in self._estimators for task in one.tasks}
        origins = {task: one.origin(task) for one in self._estimators for task in one.tasks}
        for task in self._mirrored:
            origins[task.name] = {**origins.get(task.name, {}), "mirrored": True}
        self._pipeline = replace(self._pipeline, origins=origins)
        load = bank.load_encoder if encoders_only else bank.load
        ready = self._pipeline.ready
        self._networks: dict[str, nn.Module] = {
            task.name: ready(load(task.name, shared=False)) for task in self.tasks if task.name not in foreign
        }
        if self._networks and (shared := bank.load_shared()) is not None:
            self._pipeline = replace(self._pipeline, shared=ready(shared))

    def run(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """Yield one outcome per item, in order.

        An item that cannot be read gives an outcome with its error, and does not stop the others.

        Args:
            items: images, or tuples of as many images as the tasks take.

        Raises:
            MissingTaskError: only encoders were loaded.
        """
        if self.encoders_only:
            raise MissingTaskError(
                self.tasks[0].name, (), f"this engine of encoders ({self.bank.where})", what="decoder for"
            )
        for batch, inputs in self._pipeline.batches(items, self.num_images):
            raw = {} if inputs is None else self._predict(inputs, self.tasks)
            if inputs is not None and self._mirrored:
                raw = averaged(self._mirrored, raw, self._predict(inputs.mirror(), self._mirrored))
            yield from self._pipeline.finished(batch, raw)

    def encode(self, items: Iterable[ImageInput], *, normalize: bool = True) -> Iterator[Outcome]:
        """Yield one outcome per image, in order, whose `raw` holds representations, float32 (8, h, w).

        A representation covers one square; if `settings.fit` is `whole`, the middle square of the photo.

        Args:
            items: single images, also for tasks that take several.
            normalize: whether every channel is scaled to mean 0 and variance 1, as in `visualpriors`;
                otherwise representations are in the form that decoders read, which is non-negative for
                `resnet50` and the first `compact` banks.
        """
        pipeline = replace(self._pipeline, whole=frozenset({False}), tiles=False)
        for batch, inputs in pipeline.batches(items, 1):
            raw = {} if inputs is None else self._encode(inputs, normalize=normalize)
            yield from pipeline.finished(batch, raw)

    @torch.inference_mode()
    def _predict(self, inputs: BatchInputs, tasks: Sequence[Task]) -> dict[str, list[Tensor]]:
        """Compute raw outputs of some tasks for each item, float32 on the CPU, (...)."""
        outputs: dict[str, list[Tensor]] = {}
        for estimator in self._estimators:
            if not {task.name for task in tasks} & set(estimator.tasks):
                continue
            whole = all(sees_whole(find_task(task)) for task in estimator.tasks)
            seen = [[one.part(whole=whole) for one in item] for item in inputs.batch]
            cut = [tuple(cut_photo(one.photo, one.view) for one in item) for item in seen]
            if inputs.mirrored:
                found = estimator.predict([tuple(photo.flip(-1) for photo in item) for item in cut])
                outputs |= {
                    task: [row.flip(-1) if row.dim() == 3 else row for row in rows]
                    for task, rows in found.items()
                }
            else:
                outputs |= estimator.predict(cut)
        for task in tasks:
            if task.name in outputs:
                continue
            network = self._networks[task.name]
            whole = sees_whole(task)
            squares = inputs.to(network, input_kind(task), whole=whole)
            outputs[task.name] = inputs.blended(inputs.run(network, squares), whole=whole)
        return outputs

    @torch.inference_mode()
    def _encode(self, inputs: BatchInputs, *, normalize: bool) -> dict[str, list[Tensor]]:
        """Compute representations by all encoders for each item, float32 on the CPU, (8, h, w)."""
        codes = {}
        for task in self.tasks:
            if task.name not in self._networks:
                model = self.bank.entry(task.name).model
                raise InvalidInputError(_not_ours(model.id if model else "", task.name, True))
            network = self._networks[task.name]
            encoder = network if self.encoders_only else network.get_submodule("encoder")
            code = encoder(inputs.to(encoder, encoder_input_kind(task), whole=False)).float()
            code = normalise_representation(code) if normalize else code
            codes[task.name] = inputs.blended(code, whole=False)
        return codes


def _not_ours(model: str, task: str, encoders_only: bool) -> str:
    """Write the message on an option that a third-party model does not support."""
    if encoders_only:
        return (
            f"{task} is served by {model}, whose representation is not that of our encoders: take its "
            f"features as those of a source, `taskbank encode --sources hf:{model}`"
        )
    return f"{task} is served by {model}, which brings pictures to a size of its own: leave the size out"


def distinct_tasks(names: Iterable[str], bank: Bank | None = None) -> tuple[Task, ...]:
    """Find the tasks of the given names, without repetition, in the order given.

    Args:
        names: any names.
        bank: if given, names may also be users' own targets of this bank.

    Raises:
        InvalidInputError: `names` is empty.
        UnknownTaskError: a name is none of the 26 tasks and no such target.
    """
    find = find_task if bank is None else bank.find_target
    tasks = tuple(dict.fromkeys(find(name) for name in names))
    if not tasks:
        raise InvalidInputError("no task was named: `taskbank tasks` lists all")
    return tasks


def common_number_of_images(tasks: tuple[Task, ...]) -> int:
    """Return the number of images that each prediction of these tasks takes.

    Raises:
        InvalidInputError: the tasks take different numbers of images.
    """
    numbers = {task.num_images: task.name for task in tasks}
    if len(numbers) > 1:
        listed = ", ".join(f"{name} takes {number}" for number, name in sorted(numbers.items()))
        raise InvalidInputError(f"these tasks cannot run together: {listed}. Ask for them separately")
    return tasks[0].num_images
