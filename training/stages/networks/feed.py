"""Batches for all networks, read and augmented once, in an order that depends on seed and step only.

Tasks of one image share a stream of frames; each task of pairs or triplets has its own. A frame without a
known label has weight 0 for a task. So a network's batches do not depend on the other networks.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import accumulate
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from taskbank.inference.preprocess import InputKind, input_kind
from taskbank.learning.forward import through
from taskbank.learning.target import Target, joined
from taskbank.tasks.registry import Task
from training.learning.augmentation import (
    UNTOUCHED,
    Crop,
    crop_of,
    drawn_mirror,
    drawn_shift,
    drawn_zoom,
    in_drawn_order,
    mirrored,
    zoomed,
)
from training.learning.batches import BatchReader
from training.learning.draws import seeds_of
from training.learning.inputs import as_unit, network_input, resized
from training.learning.photometry import photometric
from training.learning.samples import Samples
from training.learning.targets import make_target
from training.stages.networks.config import TaskNetworksConfig

FRAMES = "frames"
"""Name of the stream of tasks of one image."""

_LEAST = 2  # least number of samples per step, as batch norms need more than one


def stream_of(task: Task) -> str:
    """Return the name of a task's stream."""
    return FRAMES if task.num_images == 1 else task.name


def samples_a_step(task: Task, batch: int) -> int:
    """Return the number of samples of a task per step of `batch` images."""
    return max(_LEAST, batch // task.num_encodings)


class Batch:
    """Samples of one stream in one step; data shared by tasks is computed on first use.

    Args:
        raw: a batch of `BatchReader.load`.
        seeds: int64 (B,), seeds of the samples in this step.
        config: settings of the augmentation.
        varied: True to augment samples; held-out ones are not augmented.
        size: side of pictures and maps in px; None for the configured side.

    Attributes:
        images: number of images per step for each task.
    """

    def __init__(
        self,
        raw: dict[str, Tensor],
        seeds: Tensor,
        config: TaskNetworksConfig,
        *,
        varied: bool,
        size: int | None = None,
    ) -> None:
        self.images = config.batch
        self._size = size or config.size
        self._seeds = seeds
        self._config = config
        self._varied = varied
        if varied and config.mirror:
            raw = mirrored(raw, drawn_mirror(seeds))
        self._raw = {Crop.WHOLE: raw}
        self._pictures: dict[tuple[Crop, bool], Tensor] = {}
        self._features: dict[tuple[Crop, bool], Tensor] = {}

    def features(self, task: Task, shown: Tensor, shared: nn.Module) -> Tensor:
        """Run frozen levels on a task's input, once for all tasks with the same input.

        Args:
            task: the task.
            shown: its input from `pair`.
            shared: the frozen levels, equal for all tasks.
        """
        if task.name == "denoising" or input_kind(task) is not InputKind.WHOLE:
            return through(shared, shown)
        key = self._view_of(task), self._is_touched(task)
        if key not in self._features:
            self._features[key] = through(shared, self._picture(*key) * 2 - 1)
        return self._features[key][: len(shown)]

    def pair(self, task: Task, weights: Tensor | None = None) -> tuple[Tensor, Target]:
        """Return the input of the task's network, and the target of its output."""
        count = samples_a_step(task, self._config.batch)
        view, touched = self._view_of(task), self._is_touched(task)
        seeds = self._seeds[:count]
        raw = {name: value[:count] for name, value in self._seen(view).items()}
        shown = network_input(task, self._picture(view, touched)[:count], seeds)
        return shown, make_target(task, raw, seeds, size=self._size, weights=weights)

    def _view_of(self, task: Task) -> Crop:
        """Part of a frame that is a task's input."""
        return crop_of(task.name) if self._varied and self._config.zoom < 1 else Crop.WHOLE

    def _is_touched(self, task: Task) -> bool:
        """True if colours and sharpness are augmented for a task."""
        return self._varied and self._config.photometric and task.name not in UNTOUCHED

    def _seen(self, view: Crop) -> dict[str, Tensor]:
        """Return the raw data of a view of the frames."""
        if view not in self._raw:
            shares = drawn_zoom(self._seeds, self._config.zoom)
            shifts = drawn_shift(self._seeds, shares) if view is Crop.PART else None
            self._raw[view] = zoomed(self._raw[Crop.WHOLE], shares, shifts)
        return self._raw[view]

    def _picture(self, view: Crop, touched: bool) -> Tensor:
        """Pictures in [0, 1] at the size of the networks' inputs."""
        if (view, touched) not in self._pictures:
            if touched:
                picture = photometric(self._picture(view, False), self._seeds)
            else:
                picture = resized(as_unit(self._seen(view)["rgb"]), self._size)
            self._pictures[view, touched] = picture
        return self._pictures[view, touched]


class MixedBatch:
    """Batch of frames of rooms, real frames and frames of additional rooms.

    Args:
        rooms: batch of rooms.
        others: the other batches, each with the names of the tasks that have labels on it.
    """

    def __init__(self, rooms: Batch, others: Sequence[tuple[Batch, frozenset[str]]]) -> None:
        self._rooms = rooms
        self._others = tuple(others)

    def pair(self, task: Task, weights: Tensor | None = None) -> tuple[Tensor, Target]:
        """Return inputs and targets as `Batch.pair` does, rooms first."""
        pairs = [part.pair(task, weights) for part in self._of(task)]
        return torch.cat([shown for shown, _ in pairs]), joined([target for _, target in pairs])

    def features(self, task: Task, shown: Tensor, shared: nn.Module) -> Tensor:
        """Return features as `Batch.features` does."""
        counts = [samples_a_step(task, part.images) for part in self._of(task)]
        ends = list(accumulate(counts))[:-1]
        each = zip(self._of(task), torch.tensor_split(shown, ends), strict=True)
        return torch.cat([part.features(task, images, shared) for part, images in each])

    def _of(self, task: Task) -> list[Batch]:
        """Batches that a task uses."""
        return [self._rooms, *(part for part, names in self._others if task.name in names)]


AnyBatch: TypeAlias = Batch | MixedBatch


class Feed:
    """Batches of one stream, by step.

    Args:
        reader: reader of the store.
        tasks: tasks that share the stream.
        samples: samples of the stream.
        config: batch size, augmentation and seed.
        beside: feeds of other frames to mix in, for the tasks that they name.
    """

    def __init__(
        self,
        reader: BatchReader,
        tasks: Sequence[Task],
        samples: Samples,
        config: TaskNetworksConfig,
        beside: Sequence[Feed] = (),
    ) -> None:
        self._beside = tuple(beside)
        self.tasks = tuple(tasks)
        self.samples = samples
        self._reader = reader
        self._config = config
        self._name = stream_of(self.tasks[0])
        # Not the maximum over these tasks, because a task's batches must not depend on the other tasks.
        self._count = max(_LEAST, config.batch // self.tasks[0].num_images)
        self._epoch = (-1, np.empty(0, dtype=np.int64))

    def batch(self, step: int) -> AnyBatch:
        """Return the batch of a step."""
        own = self._own_batch(step)
        if not self._beside:
            return own
        names = [frozenset(task.name for task in feed.tasks) for feed in self._beside]
        others = [feed._own_batch(step) for feed in self._beside]
        return MixedBatch(own, list(zip(others, names, strict=True)))

    def _own_batch(self, step: int) -> Batch:
        """Return the batch of this feed's own store."""
        index = self._index(step)
        seeds = seeds_of(torch.from_numpy(index).to(self._reader.device), self._config.seed, step)
        samples = in_drawn_order(self.samples, index, seeds.cpu())
        raw = self._reader.load(self.tasks, samples, np.arange(len(index)))
        size = self._config.size_at(step, self._reader.store.size)
        return Batch(raw, seeds, self._config, varied=True, size=size)

    def _index(self, step: int) -> NDArray[np.int64]:
        """Samples of a step: each epoch has its own order, and batches may cross epochs."""
        places = np.arange(step * self._count, (step + 1) * self._count)
        epochs, within = np.divmod(places, len(self.samples))
        return np.array([self._order(int(epoch))[place] for epoch, place in zip(epochs, within, strict=True)])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """The samples in an epoch's order."""
        known, order = self._epoch
        if known != epoch:
            key = [self._config.seed, zlib.crc32(self._name.encode()), epoch]
            order = np.random.default_rng(key).permutation(len(self.samples))
            self._epoch = (epoch, order)
        return order


@contextmanager
def read_ahead(feeds: Sequence[Feed], first: int, threads: int) -> Iterator[Iterator[dict[str, AnyBatch]]]:
    """Read batches of all streams ahead in threads, step by step from `first`.

    Yields:
        an endless iterator of batches by the name of their stream.
    """
    # One core per thread, so that threads of reading do not block threads of training.
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:

        def asked(step: int) -> dict[str, Future[AnyBatch]]:
            return {stream_of(feed.tasks[0]): pool.submit(feed.batch, step) for feed in feeds}

        def steps() -> Iterator[dict[str, AnyBatch]]:
            step, waiting = first, asked(first)
            while True:
                step, ready = step + 1, waiting
                waiting = asked(step)
                yield {name: future.result() for name, future in ready.items()}

        yield steps()
