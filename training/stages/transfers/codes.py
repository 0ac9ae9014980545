"""Representations of every source, computed once per store and read from disk on demand.

`FOLDER/SOURCE.npy` is float16 (frames, channels, h, w): the output of the source's encoder for each whole
picture, even if its own task uses several pictures, tiles or a picture with a hole. Tasks have 8 channels,
third-party encoders as many as their features. `FOLDER/noisy/SOURCE.npy` is the same for pictures with noise,
the inputs of transfers to denoising. Files are written atomically, batch by batch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from taskbank.bank.entries import ForeignEntry
from taskbank.bank.seeded import untrained_encoder
from taskbank.nets.architecture import Architecture
from taskbank.tasks.registry import TASKS, find_task
from training.atomic_files import write_whole
from training.data.frames import FrameStore
from training.errors import DataError, DivergedError
from training.learning.batches import BatchReader
from training.learning.draws import seeds_of
from training.learning.inputs import as_unit, encoder_input, network_input, resized
from training.learning.samples import Samples
from training.stages.networks.finished import load_network
from training.stages.transfers.config import UNTRAINED, TransfersConfig

log = logging.getLogger(__name__)

_NOISY = "noisy"
_AT_ONCE = 32  # pictures per batch


def codes_path(folder: Path, source: str, *, noisy: bool) -> Path:
    """Return the path of a source's representations of one split; `:` and `/` of names are escaped."""
    return (folder / _NOISY if noisy else folder) / f"{quote(source, safe='@#')}.npy"


def write_codes(
    source: str | ForeignEntry,
    store: FrameStore,
    folder: Path,
    *,
    networks: Path,
    config: TransfersConfig,
    noisy: bool,
    device: torch.device,
) -> Path:
    """Write the representations of a source.

    Args:
        source: a task, including `random`, or a third-party encoder.
        store: store of the pictures.
        folder: folder of the split.
        networks: folder of stage 1.
        config: architecture, size and seed.
        noisy: True to add noise to the pictures.
        device: device of the encoder.

    Raises:
        DataError: the network of the source is missing, or of another architecture.
        BankFormatError: a third-party encoder has other weights than described.
        DivergedError: a representation is not finite in 16 bits.
        StorageError: the file cannot be written.
    """
    name = source if isinstance(source, str) else source.name
    path = codes_path(folder, name, noisy=noisy)
    encoder = source_encoder(source, networks, config.architecture, config.seed).to(device)

    def write(file: BinaryIO) -> None:
        for batch in _encoded(source, encoder, store, config, noisy=noisy, device=device):
            if not np.isfinite(batch).all():
                way_out = "train its network again" if isinstance(source, str) else "leave it out"
                raise DivergedError(f"{name} gives representations that overflow 16-bit floats: {way_out}")
            if not file.tell():  # as `np.save` begins a file
                shape = (len(store), *batch.shape[1:])
                header = {"descr": batch.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(batch.tobytes())

    write_whole(path, write)
    log.info("%s: %d representations of %s", path, len(store), store.root)
    return path


def source_encoder(
    source: str | ForeignEntry, networks: Path, architecture: Architecture, seed: int
) -> nn.Module:
    """Load the encoder of a source in evaluation mode; that of `random` is made from the seed.

    Raises:
        DataError: as `load_network`.
        TaskBankError: as `open_square`, for third-party encoders.
    """
    if isinstance(source, ForeignEntry):
        from taskbank.encoders.square import open_square  # with timm, which takes two seconds

        return open_square(source, str(networks.parent))
    if source != UNTRAINED:
        return load_network(networks, find_task(source), architecture).encoder
    return untrained_encoder(architecture, seed)


def input_seeds(seed: int, samples: Samples, rows: NDArray[np.int64]) -> Tensor:
    """Return the seeds of the samples' noise, int64 (B,).

    They depend on the first frame of a sample only, so a picture has the same noise for all tasks.
    """
    frames = samples.frames[rows]
    return seeds_of(seed, torch.from_numpy(frames if frames.ndim == 1 else frames[:, 0]))


@torch.inference_mode()
def _encoded(
    source: str | ForeignEntry,
    encoder: nn.Module,
    store: FrameStore,
    config: TransfersConfig,
    *,
    noisy: bool,
    device: torch.device,
) -> Iterator[NDArray[np.float16]]:
    """Yield representations in batches, float16 (frames, channels, h, w)."""
    # A third-party encoder sees the picture that most tasks see.
    task, denoising = find_task(source if isinstance(source, str) else "autoencoding"), TASKS["denoising"]
    reader = BatchReader(store, device)
    samples = Samples(task="autoencoding", frames=np.arange(len(store)))
    for start in range(0, len(store), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(store)))
        rgb = resized(as_unit(reader.load([TASKS["autoencoding"]], samples, rows)["rgb"]), config.size)
        if noisy:
            seeds = input_seeds(config.seed, samples, rows).to(device)
            rgb = (network_input(denoising, rgb, seeds) + 1) / 2
        found: NDArray[np.float16] = encoder(encoder_input(task, rgb)).half().cpu().numpy()
        yield found


class Codes:
    """Representations of one split for the transfers to one target.

    Args:
        folder: folder of the split.
        target: target of the transfers; denoising uses representations of noisy pictures.
    """

    def __init__(self, folder: Path, target: str) -> None:
        self.folder = folder / _NOISY if target == "denoising" else folder
        self._maps: dict[str, NDArray[np.float16]] = {}

    def read(self, sets: Sequence[Sequence[str]], frames: NDArray[np.int64]) -> Tensor:
        """Read representations, concatenated for each transfer.

        Args:
            sets: the sources of each transfer, of equally many channels in all.
            frames: int64 (B,) or (B, P).

        Returns:
            float16 (transfers, B, [P,] channels of all sources, h, w).

        Raises:
            DataError: the representations of a source are missing.
        """
        names = list(dict.fromkeys(source for sources in sets for source in sources))
        found = {name: torch.from_numpy(self._map(name)[frames]) for name in names}
        return torch.stack([torch.cat([found[source] for source in sources], dim=-3) for sources in sets])

    def _map(self, source: str) -> NDArray[np.float16]:
        """Memory-map a source's representations."""
        if source not in self._maps:
            path = codes_path(self.folder, source, noisy=False)
            if not path.is_file():
                raise DataError(f"no representations of {source!r} in {self.folder}: write them first")
            self._maps[source] = np.load(path, mmap_mode="r", allow_pickle=False)
        return self._maps[source]
