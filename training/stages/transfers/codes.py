"""Representations of every source, computed once per store and read from disk on demand.

`FOLDER/SOURCE.npy` is float16 (frames, 8, h, w): the output of the source's encoder for each whole picture,
even if its own task uses several pictures, tiles or a picture with a hole. `FOLDER/noisy/SOURCE.npy` is the
same for pictures with noise, the inputs of transfers to denoising. Files are written atomically.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from taskbank.bank.seeded import untrained_encoder
from taskbank.nets.architecture import Architecture
from taskbank.nets.encoder import CODE_CHANNELS
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
    """Return the path of a source's representations of one split."""
    return (folder / _NOISY if noisy else folder) / f"{source}.npy"


def write_codes(
    source: str,
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
        source: a task, including `random`.
        store: store of the pictures.
        folder: folder of the split.
        networks: folder of stage 1.
        config: architecture, size and seed.
        noisy: True to add noise to the pictures.
        device: device of the encoder.

    Raises:
        DataError: the network of the source is missing, or of another architecture.
        DivergedError: a representation is not finite in 16 bits.
        StorageError: the file cannot be written.
    """
    path = codes_path(folder, source, noisy=noisy)
    encoder = source_encoder(source, networks, config.architecture, config.seed).to(device)
    codes = _encode(source, encoder, store, config, noisy=noisy, device=device)
    if not np.isfinite(codes).all():
        raise DivergedError(
            f"{source} gives representations beyond what 16 bits hold: train its network again"
        )
    write_whole(path, lambda file: np.save(file, codes, allow_pickle=False))
    log.info("%s: %d representations of %s", path, len(codes), store.root)
    return path


def source_encoder(source: str, networks: Path, architecture: Architecture, seed: int) -> nn.Module:
    """Load the encoder of a source in evaluation mode; that of `random` is made from the seed.

    Raises:
        DataError: as `load_network`.
    """
    if source != UNTRAINED:
        return load_network(networks, find_task(source), architecture).encoder
    return untrained_encoder(architecture, seed)


def input_seeds(seed: int, samples: Samples, rows: NDArray[np.int64]) -> Tensor:
    """Return seeds by the first frame of samples, so that the noise of a picture is equal for all tasks."""
    frames = samples.frames[rows]
    return seeds_of(seed, torch.from_numpy(frames if frames.ndim == 1 else frames[:, 0]))


@torch.inference_mode()
def _encode(
    source: str,
    encoder: nn.Module,
    store: FrameStore,
    config: TransfersConfig,
    *,
    noisy: bool,
    device: torch.device,
) -> NDArray[np.float16]:
    """Compute representations, float16 (frames, 8, h, w)."""
    task, denoising = find_task(source), TASKS["denoising"]
    reader = BatchReader(store, device)
    samples = Samples(task="autoencoding", frames=np.arange(len(store)))
    side = (config.size or store.size) // 16
    codes = np.empty((len(store), CODE_CHANNELS, side, side), dtype=np.float16)
    for start in range(0, len(store), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(store)))
        rgb = resized(as_unit(reader.load([TASKS["autoencoding"]], samples, rows)["rgb"]), config.size)
        if noisy:
            seeds = input_seeds(config.seed, samples, rows).to(device)
            rgb = (network_input(denoising, rgb, seeds) + 1) / 2
        found = encoder(encoder_input(task, rgb))
        codes[rows] = found.half().cpu().numpy()
    return codes


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
            sets: the sources of each transfer, equally many for all.
            frames: int64 (B,) or (B, P).

        Returns:
            float16 (transfers, B, [P,] 8 * sources, h, w).

        Raises:
            DataError: the representations of a source are missing.
        """
        names = list(dict.fromkeys(source for sources in sets for source in sources))
        found = torch.from_numpy(np.stack([self._map(name)[frames] for name in names]))
        place = {name: number for number, name in enumerate(names)}
        picked = found[torch.tensor([[place[source] for source in sources] for sources in sets])]
        return picked.movedim(1, -4).flatten(-4, -3)

    def _map(self, source: str) -> NDArray[np.float16]:
        """Memory-map a source's representations."""
        if source not in self._maps:
            path = self.folder / f"{source}.npy"
            if not path.is_file():
                raise DataError(f"no representations of {source!r} in {self.folder}: write them first")
            self._maps[source] = np.load(path, mmap_mode="r", allow_pickle=False)
        return self._maps[source]
