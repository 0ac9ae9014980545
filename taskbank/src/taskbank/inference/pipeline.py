"""Pipeline from images to outcomes: each image is read once and copied to the device once for all networks.

Memory does not grow with the number of images: a bounded number is read ahead, one batch is processed at a
time, and results are decoded when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from taskbank.bank.bank import Bank
from taskbank.errors import BankFormatError, InvalidInputError, TaskBankError
from taskbank.images.framing import blend_squares, cut_squares, for_squares, squares_of
from taskbank.images.read_ahead import in_batches, read_ahead
from taskbank.images.reading import name_of, read_photo
from taskbank.inference.device import choose_device, dtype_of, prepare
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.preprocess import (
    InputKind,
    Preprocessed,
    as_input,
    input_kind,
    preprocess,
    sees_whole,
)
from taskbank.inference.settings import Settings
from taskbank.nets.backbone import takes_features
from taskbank.options import Precision
from taskbank.tasks.registry import Task


class BatchInputs:
    """Inputs of networks for one batch, on their device; each form is made once.

    Args:
        batch: one tuple of inputs per item.
        device: of the networks.
        dtype: of the networks.
        shared: levels that encoders share, for networks whose input is their output; None if encoders share
            none.
        most: most squares, or tuples of squares, in one call of a network.
        mirrored: whether networks see the mirror image of every photo; maps are mirrored back.
    """

    def __init__(
        self,
        batch: list[tuple[Preprocessed, ...]],
        device: torch.device,
        dtype: torch.dtype,
        shared: nn.Module | None = None,
        most: int = 8,
        *,
        mirrored: bool = False,
    ) -> None:
        self._shared = shared
        self.mirrored = mirrored
        self._most = most
        self._features: dict[tuple[InputKind, bool], Tensor] = {}
        self.batch = batch
        self._device = device
        self._dtype = dtype
        self._images = len(batch[0])
        # Photos whose squares are the same for all networks are not run twice.
        self._apart = any(one.middle is not None for inputs in batch for one in inputs)
        self._copied: dict[bool, list[Tensor]] = {}
        self._made: dict[tuple[InputKind, bool, int], Tensor] = {}

    def mirror(self) -> BatchInputs:
        """Return the inputs with every photo mirrored."""
        return BatchInputs(
            self.batch, self._device, self._dtype, self._shared, self._most, mirrored=not self.mirrored
        )

    def to(self, network: nn.Module, shown: InputKind, *, whole: bool) -> Tensor:
        """Make the input of a network.

        Networks without the shared levels get the output of these levels instead.

        Args:
            network: a task network, an encoder, or a network from scratch.
            shown: kind of the network's input.
            whole: whether the network sees all squares of photos with the fit `whole`; otherwise only the
                middle square.

        Returns:
            float (N, C, S, S), all squares of one photo after those of another; or (B, P, C, S, S) for tuples
            of images and for tiles.
        """
        whole = whole or not self._apart
        if takes_features(network):
            return self._through_shared(shown, whole)
        first = next((layer for layer in network.modules() if isinstance(layer, nn.Conv2d)), None)
        channels = 3 if first is None else first.in_channels
        key = (shown, whole, channels)
        if key not in self._made:
            self._made[key] = self._squares(shown, whole, channels)
        return self._made[key]

    def run(self, network: nn.Module, squares: Tensor) -> Tensor:
        """Run a network over squares, `most` at once."""
        parts = torch.split(squares, self._most)
        return torch.cat([network(part) for part in parts]) if len(parts) > 1 else network(squares)

    def blended(self, given: Tensor, *, whole: bool) -> list[Tensor]:
        """Split a network's output by item, and blend maps of a photo's squares: float32 on the CPU, (...).

        Args:
            given: (N, ...), output for the input that `to` made.
            whole: as for `to`.
        """
        rows = given.float().cpu()
        if self.mirrored and rows.dim() == 4:
            rows = rows.flip(-1)
        if self._images > 1 or not whole:
            return [row.clone() for row in rows]  # a view would keep the whole batch in memory
        views = [inputs[0].view for inputs in self.batch]
        parts = torch.split(rows, [len(squares_of(view)) for view in views])
        return [blend_squares(part, view).clone() for part, view in zip(parts, views, strict=True)]

    def _through_shared(self, shown: InputKind, whole: bool) -> Tensor:
        """Compute features of the shared levels once: float (N, C, h, w), or (B, P, C, h, w)."""
        if self._shared is None:
            raise RuntimeError("a network lacks the levels that its bank shares")
        if (shown, whole) not in self._features:
            images = self._squares(shown, whole, 3)
            found = self.run(self._shared, images.reshape(-1, *images.shape[-3:]))
            self._features[shown, whole] = found.reshape(*images.shape[:-3], *found.shape[1:])
        return self._features[shown, whole]

    def _squares(self, shown: InputKind, whole: bool, channels: int) -> Tensor:
        """Make inputs of one kind: fitted photos, cut into squares, or tiles."""
        if shown is InputKind.TILES:  # shuffled, (B, 9, 3, S, S)
            tiles = []
            for inputs in self.batch:
                own = inputs[0].part(whole=False).tiles
                if own is None:
                    raise RuntimeError("a photo was read without tiles for a task that needs them")
                tiles.append(own)
            return self._moved(torch.stack(tiles))
        fitted = [one.part(whole=whole) for inputs in self.batch for one in inputs]
        if whole not in self._copied:
            self._copied[whole] = [self._moved(one.square) for one in fitted]
        left = [as_input(image[None], shown, channels)[0] for image in self._copied[whole]]
        cut = torch.cat([cut_squares(image, one.view) for image, one in zip(left, fitted, strict=True)])
        squares = (cut.flip(-1) if self.mirrored else cut).contiguous(memory_format=torch.channels_last)
        return squares.reshape(-1, self._images, *squares.shape[1:]) if self._images > 1 else squares

    def _moved(self, images: Tensor) -> Tensor:
        """Move images to the device, in the networks' precision."""
        return images.to(self._device, self._dtype, non_blocking=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """Reading, preprocessing and batching of images for any networks.

    Attributes:
        bank: source of the networks.
        settings: settings for running them.
        device: device that they run on.
        tasks: names of the predicted tasks, for messages.
        tiles: whether photos are cut into shuffled tiles too.
        whole: whether networks take whole photos (True), one square (False), or both. If `settings.fit` is
            `whole`, networks that take one square get the middle one.
        read_from: sources of transfers, for `Outcome.read_from`.
        shared: levels that encoders share, ready to run; None if they share none.
        origins: task -> further facts about its predictions' origin, see `Outcome.origins`.
    """

    bank: Bank
    settings: Settings
    device: torch.device
    tasks: tuple[str, ...]
    tiles: bool = False
    whole: frozenset[bool] = frozenset({True})
    read_from: tuple[str, ...] = ()
    shared: nn.Module | None = None
    origins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def for_tasks(
        cls, bank: Bank, tasks: tuple[Task, ...], settings: Settings, read_from: tuple[str, ...] = ()
    ) -> Pipeline:
        """Return the pipeline of networks that predict these tasks, without shared levels.

        Raises:
            InvalidInputError: this machine does not support the settings.
        """
        return cls(
            bank=bank,
            settings=settings,
            device=choose_device(settings.device),
            tasks=tuple(task.name for task in tasks),
            tiles=any(input_kind(task) is InputKind.TILES for task in tasks),
            whole=frozenset(sees_whole(task) for task in tasks),
            read_from=read_from,
        )

    @property
    def size(self) -> int:
        """Side in px of the networks' square."""
        return self.settings.size or self.bank.index.size_of(self.tasks)

    def ready(self, network: nn.Module) -> nn.Module:
        """Optimise a network for the pipeline's device; the given network is modified."""
        return prepare(network, self.device, self.settings.precision, compiled=self.settings.compiled)

    def batches(
        self, items: Iterable[Item], num_images: int
    ) -> Iterator[tuple[list[Outcome], BatchInputs | None]]:
        """Read items ahead and group them into batches.

        Args:
            items: images, or tuples of `num_images` images.
            num_images: that each item must have.

        Yields:
            outcomes, some with errors; and the inputs of those without errors, None if all have errors.
        """
        size, workers = self.settings.batch_size, self.settings.workers
        dtype = dtype_of(self.settings.precision)
        read = partial(self._read, wanted=num_images)
        read_items = read_ahead(items, read, workers=workers, ahead=size + workers, weigh=_weight)
        for batch in in_batches(read_items, size, _weight):
            good = [outcome.inputs for outcome in batch if outcome.error is None]
            yield batch, BatchInputs(good, self.device, dtype, self.shared, size) if good else None

    def finished(self, batch: Iterable[Outcome], raw: Mapping[str, list[Tensor]]) -> Iterator[Outcome]:
        """Add the networks' outputs to the outcomes of a batch.

        Args:
            batch: outcomes that `batches` yielded.
            raw: task name -> one output for each item without an error, float32 on the CPU, (...).
        """
        row = 0
        for outcome in batch:
            if outcome.error is not None:
                yield outcome
                continue
            filled = replace(outcome, raw={task: values[row] for task, values in raw.items()})
            row += 1
            yield self._finite(filled)

    def _finite(self, outcome: Outcome) -> Outcome:
        """Return the outcome, or an outcome with an error if a network's output is not finite."""
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
        """Read and fit one item; a failure gives an outcome with an error."""
        images = item if isinstance(item, tuple) else (item,)
        empty = Outcome(
            sources=tuple(name_of(image) for image in images),
            bank=self.bank,
            read_from=self.read_from,
            origins=self.origins,
        )
        squares = False in self.whole
        fit = self.settings.fit if True in self.whole else for_squares(self.settings.fit)
        try:
            if len(images) != wanted:
                said = f"a tuple of {wanted} images, not {len(images)}"
                if wanted == 1:
                    said = (
                        f"one image at a time, not a tuple of {len(images)}; for several images give a list"
                    )
                raise InvalidInputError(f"{', '.join(self.tasks)}: {said}")
            inputs = tuple(
                preprocess(read_photo(image), fit, self.size, tiles=self.tiles, square=squares)
                for image in images
            )
        except TaskBankError as error:
            return replace(empty, error=error)
        return replace(empty, inputs=inputs)


def _weight(outcome: Outcome) -> int:
    """Return the bytes of the photos of an item."""
    return sum(one.photo.pixels.nbytes for one in outcome.inputs)
