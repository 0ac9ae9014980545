"""Labels of a batch of samples, read once for all tasks of the same frames."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from taskbank.tasks.registry import OutputKind, Task
from training.data.frames import FrameStore
from training.data.poses import relative_poses, room_layouts, vanishing_points
from training.learning.samples import Samples, domains_of


class BatchReader:
    """Reader that loads the codes of frames onto a device.

    Args:
        store: the frames.
        device: device of the tensors.
        resident: True copies whole domains to the device at the first read, for stores that fit there; False
            reads each batch from disk.
    """

    def __init__(
        self, store: FrameStore, device: torch.device | str = "cpu", *, resident: bool = False
    ) -> None:
        self.store = store
        self.device = torch.device(device)
        self.resident = resident
        self._held: dict[str, Tensor] = {}
        self._holding = Lock()

    def load(self, tasks: Iterable[Task], samples: Samples, index: ArrayLike) -> dict[str, Tensor]:
        """Load the codes and numbers from which targets and inputs of some samples are made.

        Args:
            tasks: tasks with the same samples, such as all tasks of one image.
            samples: samples of any of them.
            index: int (B,), numbers of samples.

        Returns:
            `rgb` uint8 (B, 3, H, W) or (B, P, 3, H, W); each domain by its name, codes (B, H, W) or
            (B, C, H, W), or int64 (B,) and float32 (B, C) of classes; numbers of each task that is computed
            from cameras by the task's name, float32 (B, numbers) in radians and metres, int64 (B,) of
            matches.

        Raises:
            DataError: the store lacks labels of a task.
        """
        wanted = list(tasks)
        rows = np.asarray(index, dtype=np.int64)
        frames = samples.frames[rows]
        domains = dict.fromkeys(["rgb", *(name for task in wanted for name in domains_of(task, self.store))])
        raw = {domain: self._codes(domain, frames) for domain in domains}
        for task in wanted:
            numbers = _numbers(task, self.store.cameras[frames])
            if numbers is not None:
                raw[task.name] = torch.from_numpy(numbers.astype(np.float32)).to(self.device)
        if samples.label is not None:
            raw[samples.task] = torch.from_numpy(samples.label[rows]).to(self.device)
        return raw

    def _codes(self, domain: str, frames: NDArray[np.int64]) -> Tensor:
        """Read codes of a domain and convert them to their numbers, channels first."""
        if self.resident:
            codes = self._whole(domain)[torch.from_numpy(frames).to(self.device)]
        else:
            codes = self._copied(self.store.read(domain, frames))
        leading = frames.ndim  # axes of samples and images
        if codes.dtype == torch.int16 and codes.ndim > leading:
            codes = codes.to(torch.int32) & 0xFFFF
        if codes.ndim == leading:
            return codes.to(torch.int64)
        if codes.ndim == leading + 1:
            return codes.to(torch.float32)
        return codes.movedim(-1, leading) if codes.ndim == leading + 3 else codes

    def _whole(self, domain: str) -> Tensor:
        """All codes of a domain, on the device.

        They are copied once for all threads, and without pinned memory: that is rounded up to a power of two
        and kept, which costs gigabytes of host memory and saves a second.
        """
        with self._holding:
            if domain not in self._held:
                every = self.store.read(domain, np.arange(len(self.store)))
                self._held[domain] = _bits(every).to(self.device)
            return self._held[domain]

    def _copied(self, array: NDArray[np.generic]) -> Tensor:
        """Copy a batch to the device."""
        if self.device.type != "cuda":
            return _bits(array).to(self.device)
        return _bits(array).pin_memory().to(self.device, non_blocking=True)


def load_batch(
    store: FrameStore, task: Task, samples: Samples, index: ArrayLike, device: torch.device | str = "cpu"
) -> dict[str, Tensor]:
    """Load one batch of one task, see `BatchReader.load`."""
    return BatchReader(store, device).load([task], samples, index)


def _bits(array: NDArray[np.generic]) -> Tensor:
    """Convert an array to a tensor; uint16 becomes int16 with the same bits, as most kernels lack uint16."""
    return torch.from_numpy(array.view(np.int16) if array.dtype == np.uint16 else array)


def _numbers(task: Task, cameras: NDArray[np.void]) -> NDArray[np.float64] | None:
    """Compute a task's labels from cameras (B,) or (B, P); None for tasks that do not use cameras."""
    match task.output:
        case OutputKind.LAYOUT:
            return room_layouts(cameras)
        case OutputKind.VANISHING_POINTS:
            return vanishing_points(cameras)
        case OutputKind.POSE:
            pairs = ((0, 1),) if task.num_images == 2 else ((0, 1), (0, 2), (1, 2))
            return np.concatenate([relative_poses(cameras[:, i], cameras[:, j]) for i, j in pairs], axis=1)
        case _:
            return None
