"""From images to outcomes: read once, copied once, shown to all.

Memory does not grow with the number of images: a bounded number is read ahead, one batch is in work, and
results are decoded when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from taskbank.bank import Bank
from taskbank.device import Precision, dtype_of, prepare
from taskbank.errors import BankFormatError, InvalidInputError, TaskBankError
from taskbank.images import name_of, read_photo
from taskbank.inputs import Shown, Sight, look_at, show
from taskbank.nets.backbone import takes_features
from taskbank.outcome import Item, Outcome
from taskbank.read_ahead import in_batches, read_ahead
from taskbank.settings import Settings


class Showing:
    """What networks are shown of one batch, on their device, each form made once.

    Args:
        batch: one tuple of sights per item.
        device: of the networks.
        dtype: of the networks.
        shared: levels that encoders share, for networks that take what these give; None where there are none.
    """

    def __init__(
        self,
        batch: list[tuple[Sight, ...]],
        device: torch.device,
        dtype: torch.dtype,
        shared: nn.Module | None = None,
    ) -> None:
        self._shared = shared
        self._features: dict[Shown, Tensor] = {}
        self._batch = batch
        self._device = device
        self._dtype = dtype
        self._images = len(batch[0])
        self._copied: Tensor | None = None
        self._made: dict[tuple[Shown, int], Tensor] = {}

    def to(self, network: nn.Module, shown: Shown) -> Tensor:
        """Float (B, C, S, S), or (B, P, C, S, S) for tuples of images and for tiles.

        Networks without the levels that encoders share are given what these make of it instead.
        """
        if takes_features(network):
            return self._through_shared(shown)
        channels = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d)).in_channels
        key = (shown, channels)
        if key not in self._made:
            self._made[key] = self._tiles() if shown is Shown.TILES else self._squares(shown, channels)
        return self._made[key]

    def _through_shared(self, shown: Shown) -> Tensor:
        """What the shared levels give, once for all networks: float (B, C, h, w), or (B, P, C, h, w)."""
        if self._shared is None:
            raise RuntimeError("a network lacks the levels that its bank shares")
        if shown not in self._features:
            images = self._tiles() if shown is Shown.TILES else self._squares(shown, 3)
            found = self._shared(images.reshape(-1, *images.shape[-3:]))
            self._features[shown] = found.reshape(*images.shape[:-3], *found.shape[1:])
        return self._features[shown]

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


Compute: TypeAlias = Callable[[Showing], dict[str, Tensor]]
"""What networks make of a batch: task name -> float32 on the CPU, (B, ...)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """How images get to networks, whatever the networks are.

    Attributes:
        bank: where networks come from.
        settings: how they are run.
        device: where they are.
        tasks: names of what is predicted, for messages.
        tiles: whether photos are cut into shuffled tiles too.
        read_from: sources of transfers, for the record.
        shared: levels that encoders share, ready to run; None where there are none.
    """

    bank: Bank
    settings: Settings
    device: torch.device
    tasks: tuple[str, ...]
    tiles: bool = False
    read_from: tuple[str, ...] = ()
    shared: nn.Module | None = None

    @property
    def size(self) -> int:
        """Side in px of the square that networks see."""
        return self.settings.size or self.bank.index.image_size

    def ready(self, network: nn.Module) -> nn.Module:
        """A network as it runs fastest here; the one given is used up."""
        return prepare(network, self.device, self.settings.precision, compiled=self.settings.compiled)

    def outcomes(self, items: Iterable[Item], compute: Compute, num_images: int) -> Iterator[Outcome]:
        """Items read ahead, in batches, through the networks.

        Args:
            items: images, or tuples of `num_images` images.
            compute: runs networks on a batch.
            num_images: that each item must have.
        """
        size = self.settings.batch_size
        workers = self.settings.workers
        read = partial(self._read, wanted=num_images)
        for batch in in_batches(read_ahead(items, read, workers=workers, ahead=size + workers), size):
            good = [outcome.sights for outcome in batch if outcome.error is None]
            raw: dict[str, Tensor] = {}
            if good:
                with torch.inference_mode():
                    dtype = dtype_of(self.settings.precision)
                    raw = compute(Showing(good, self.device, dtype, self.shared))
            given = iter(range(len(good)))
            for outcome in batch:
                yield outcome if outcome.error else self._finite(_filled(outcome, raw, next(given)))

    def _finite(self, outcome: Outcome) -> Outcome:
        """The outcome, or an error in its place where a network gave numbers that mean nothing."""
        bad = [name for name, values in outcome.raw.items() if not bool(values.isfinite().all())]
        if not bad:
            return outcome
        precise = "use fp32" if self.settings.precision is not Precision.FP32 else "its weights are faulty"
        error = BankFormatError(
            f"{' and '.join(outcome.sources)}: the network of {', '.join(bad)} in {self.bank.where} gave "
            f"values that are not finite: {precise}"
        )
        return replace(outcome, error=error, raw={})

    def _read(self, item: Item, wanted: int) -> Outcome:
        """One item, read and fitted, or the reason why not."""
        images = item if isinstance(item, tuple) else (item,)
        empty = Outcome(
            sources=tuple(name_of(image) for image in images), bank=self.bank, read_from=self.read_from
        )
        fit, size = self.settings.fit, self.size
        try:
            if len(images) != wanted:
                raise InvalidInputError(_wrong_number(len(images), wanted, self.tasks))
            sights = tuple(look_at(read_photo(image), fit, size, tiles=self.tiles) for image in images)
        except TaskBankError as error:
            return replace(empty, error=error)
        return replace(empty, sights=sights)


def _filled(outcome: Outcome, raw: Mapping[str, Tensor], row: int) -> Outcome:
    """The outcome with its row of every output; a copy, so that the batch can be forgotten."""
    return replace(outcome, raw={task: values[row].clone() for task, values in raw.items()})


def _wrong_number(given: int, wanted: int, tasks: tuple[str, ...]) -> str:
    """What to give instead."""
    names = ", ".join(tasks)
    if wanted == 1:
        return f"{names}: one image at a time, not a tuple of {given}; for several images give a list"
    return f"{names}: a tuple of {wanted} images, not {given}"
