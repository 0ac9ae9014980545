"""Running networks over images: read once, copied once, shown to all.

Memory does not grow with the number of images: a bounded number is read ahead, one batch is in work, and
results are decoded when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from taskbank.bank import Bank
from taskbank.constants import class_names
from taskbank.decode import Reading, decode
from taskbank.device import choose_device, dtype_of, prepare
from taskbank.errors import InvalidInputError, MissingTaskError, TaskBankError
from taskbank.images import ImageInput, name_of, read_photo
from taskbank.inputs import Shown, Sight, look_at, show, shown_to, shown_to_encoder
from taskbank.nets.encoder import normalise_representation
from taskbank.read_ahead import in_batches, read_ahead
from taskbank.results import Prediction
from taskbank.settings import Settings
from taskbank.tasks import Task, find_task

Item: TypeAlias = ImageInput | tuple[ImageInput, ...]
"""What one prediction is about: an image, or a tuple of them for tasks that take several."""

_Batch: TypeAlias = list[tuple[Sight, ...]]
_Compute: TypeAlias = Callable[[_Batch], dict[str, Tensor]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """What became of one item: raw outputs of all networks, or the reason why there are none.

    Attributes:
        sources: names of its images.
        error: why it could not be used; None where it could.
        sights: what networks were shown.
        raw: canonical task name -> float32 on the CPU, without batch axis: what its network gave.
        bank: whose networks they are.
    """

    sources: tuple[str, ...]
    error: TaskBankError | None = None
    sights: tuple[Sight, ...] = ()
    raw: Mapping[str, Tensor] = field(default_factory=dict)
    bank: Bank

    def prediction(self, task: str, reading: Reading | None = None) -> Prediction:
        """The decoded prediction of one of the tasks.

        Args:
            task: canonical name.
            reading: how it is wanted.

        Raises:
            TaskBankError: the item's own error.
        """
        if self.error is not None:
            raise self.error
        entry = self.bank.entry(task)
        found = find_task(task)
        decoded = decode(found, self.raw[task], self.sights, reading or Reading())
        return Prediction(
            task=task,
            kind=found.output,
            array=decoded.array,
            unit=found.unit,
            value_range=decoded.value_range,
            convention=decoded.convention,
            frame=decoded.frame,
            views=tuple(sight.view for sight in self.sights),
            sources=self.sources,
            bank=self.bank.name,
            bank_digest=self.bank.digest,
            classes=entry.classes or class_names(task),
            details=decoded.details,
        )


class Engine:
    """Networks of several tasks on one device. All take the same number of images.

    Args:
        bank: where they come from.
        tasks: any names of tasks.
        settings: how they are run.
        encoders_only: whether decoders are left out; then there are representations and no predictions.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold a task, or no decoder for it.
        InvalidInputError: no task; tasks of different numbers of images; settings that this machine
            cannot meet.
        BankFormatError: a file of the bank is missing or damaged.
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
        self.tasks = _distinct(tasks)
        self.encoders_only = encoders_only
        self.num_images = 1 if encoders_only else _common_number_of_images(self.tasks)
        self.device = choose_device(self.settings.device)
        # Before any weights are read, so that a mistake is known at once.
        for task in self.tasks:
            bank.entry(task.name)
        load = bank.load_encoder if encoders_only else bank.load
        make = partial(
            prepare,
            device=self.device,
            precision=self.settings.precision,
            compiled=self.settings.compiled,
        )
        self._networks: dict[str, nn.Module] = {task.name: make(load(task.name)) for task in self.tasks}

    def run(self, items: Iterable[Item]) -> Iterator[Outcome]:
        """One outcome per item, in order.

        An item that cannot be read has an outcome with its error; the others go on.

        Args:
            items: images, or tuples of as many images as the tasks take.

        Raises:
            MissingTaskError: only encoders were loaded.
        """
        if self.encoders_only:
            raise MissingTaskError(
                self.tasks[0].name, (), f"this engine of encoders ({self.bank.where})", what="decoder for"
            )
        yield from self._outcomes(items, self._predict)

    def encode(self, items: Iterable[ImageInput], *, normalize: bool = True) -> Iterator[Outcome]:
        """One outcome per image, in order, whose `raw` holds representations float32 (8, h, w).

        Args:
            items: single images, also for tasks that take several.
            normalize: every channel to mean 0 and variance 1, as `visualpriors` gives them; otherwise the
                non-negative form that decoders read.
        """
        yield from self._outcomes(items, partial(self._encode, normalize=normalize), single=True)

    def _outcomes(
        self, items: Iterable[Item], compute: _Compute, *, single: bool = False
    ) -> Iterator[Outcome]:
        """Items read ahead, in batches, through the networks."""
        wanted = 1 if single else self.num_images
        size = self.settings.batch_size
        workers = self.settings.workers
        read = partial(self._read, wanted=wanted)
        for batch in in_batches(read_ahead(items, read, workers=workers, ahead=size + workers), size):
            good = [outcome for outcome in batch if outcome.error is None]
            raw = compute([outcome.sights for outcome in good]) if good else {}
            given = iter(range(len(good)))
            for outcome in batch:
                yield outcome if outcome.error else self._filled(outcome, raw, next(given))

    def _filled(self, outcome: Outcome, raw: Mapping[str, Tensor], row: int) -> Outcome:
        """The outcome with its row of every output; a copy, so that the batch can be forgotten."""
        rows = {task: values[row].clone() for task, values in raw.items()}
        return Outcome(sources=outcome.sources, sights=outcome.sights, raw=rows, bank=self.bank)

    def _read(self, item: Item, wanted: int) -> Outcome:
        """One item, read and fitted, or the reason why not."""
        images = item if isinstance(item, tuple) else (item,)
        names = tuple(name_of(image) for image in images)
        tiles = not self.encoders_only and any(shown_to(task) is Shown.TILES for task in self.tasks)
        try:
            if len(images) != wanted:
                raise InvalidInputError(_wrong_number(len(images), wanted, self.tasks))
            sights = tuple(
                look_at(read_photo(image), self.settings.fit, self.settings.size, tiles=tiles)
                for image in images
            )
        except TaskBankError as error:
            return Outcome(sources=names, error=error, bank=self.bank)
        return Outcome(sources=names, sights=sights, bank=self.bank)

    def _predict(self, batch: _Batch) -> dict[str, Tensor]:
        """Raw outputs of all networks, float32 on the CPU, (B, ...)."""
        shown = _Shown(batch, self.device, dtype_of(self.settings.precision))
        with torch.inference_mode():
            return {
                task.name: self._networks[task.name](shown.to(self._networks[task.name], shown_to(task)))
                .float()
                .cpu()
                for task in self.tasks
            }

    def _encode(self, batch: _Batch, *, normalize: bool) -> dict[str, Tensor]:
        """Representations by all encoders, float32 on the CPU, (B, 8, h, w)."""
        shown = _Shown(batch, self.device, dtype_of(self.settings.precision))
        codes = {}
        with torch.inference_mode():
            for task in self.tasks:
                network = self._networks[task.name]
                encoder = network if self.encoders_only else network.get_submodule("encoder")
                code = encoder(shown.to(encoder, shown_to_encoder(task))).float()
                codes[task.name] = (normalise_representation(code) if normalize else code).cpu()
        return codes


class _Shown:
    """What networks are shown of one batch, on their device, each form made once.

    Args:
        batch: one tuple of sights per item.
        device: of the networks.
        dtype: of the networks.
    """

    def __init__(self, batch: _Batch, device: torch.device, dtype: torch.dtype) -> None:
        self._batch = batch
        self._device = device
        self._dtype = dtype
        self._images = len(batch[0])
        self._copied: Tensor | None = None
        self._made: dict[tuple[Shown, int], Tensor] = {}

    def to(self, network: nn.Module, shown: Shown) -> Tensor:
        """Float (B, C, S, S), or (B, P, C, S, S) for tuples of images and for tiles."""
        channels = next(network.parameters()).shape[1]
        key = (shown, channels)
        if key not in self._made:
            self._made[key] = self._tiles() if shown is Shown.TILES else self._squares(shown, channels)
        return self._made[key]

    def _squares(self, shown: Shown, channels: int) -> Tensor:
        """Fitted photos, or what is left of them."""
        if self._copied is None:
            squares = torch.stack([sight.square for sights in self._batch for sight in sights])
            self._copied = self._moved(squares).contiguous(memory_format=torch.channels_last)
        given = show(self._copied, shown, channels)
        return given.reshape(-1, self._images, *given.shape[1:]) if self._images > 1 else given

    def _tiles(self) -> Tensor:
        """Shuffled tiles, (B, 9, 3, S, S)."""
        return self._moved(torch.stack([_tiles_of(sights[0]) for sights in self._batch]))

    def _moved(self, images: Tensor) -> Tensor:
        """On the device, in the networks' precision."""
        return images.to(self._device, self._dtype, non_blocking=True)


def _tiles_of(sight: Sight) -> Tensor:
    """The tiles that were cut because a task wants them."""
    if sight.tiles is None:
        raise RuntimeError("a photo was read without tiles for a task that needs them")
    return sight.tiles


def _distinct(names: Iterable[str]) -> tuple[Task, ...]:
    """The tasks of those names, each once, in the order given."""
    tasks = tuple(dict.fromkeys(find_task(name) for name in names))
    if not tasks:
        raise InvalidInputError("no task was named: `taskbank tasks` lists all")
    return tasks


def _common_number_of_images(tasks: tuple[Task, ...]) -> int:
    """How many images each prediction takes."""
    numbers = {task.num_images: task.name for task in tasks}
    if len(numbers) > 1:
        listed = ", ".join(f"{name} takes {number}" for number, name in sorted(numbers.items()))
        raise InvalidInputError(f"these tasks cannot run together: {listed}. Ask for them separately")
    return tasks[0].num_images


def _wrong_number(given: int, wanted: int, tasks: tuple[Task, ...]) -> str:
    """What to give instead."""
    names = ", ".join(task.name for task in tasks)
    if wanted == 1:
        return f"{names}: one image at a time, not a tuple of {given}; for several images give a list"
    return f"{names}: a tuple of {wanted} images, not {given}"
