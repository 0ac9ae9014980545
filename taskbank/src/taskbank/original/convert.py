"""Conversion of the original PyTorch checkpoints into a bank, without loss.

Wrong constants of the original are kept if the weights depend on them; each task's entry in `bank.json`
states them under `training.notes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from taskbank.bank.bank import About, Bank
from taskbank.bank.quantise import Storage
from taskbank.bank.weights import empty, fill
from taskbank.constants import class_names
from taskbank.errors import InvalidInputError, MissingTaskError
from taskbank.nets.architecture import ORIGINAL_UNBOUNDED, ResNet50
from taskbank.nets.build import TaskNetwork, build_decoder, build_encoder
from taskbank.original.checkpoints import CheckpointName, Checkpoints, find_checkpoints, read_checkpoint
from taskbank.original.published import download_published
from taskbank.tasks.registry import DecoderForm, find_task

PUBLISHED = "visualpriors"
"""Name of a source: the published checkpoints, which are downloaded."""

LICENCE = "MIT"
"""Licence of the original networks."""

ORIGINAL = ResNet50(unbounded=ORIGINAL_UNBOUNDED)
"""The architecture of the original networks."""

_ORIGIN = {
    "dataset": "Taskonomy, 4 million images of indoor scenes",
    "source": "published checkpoints of the package visualpriors (https://github.com/alexsax/visual-prior)",
    "citation": "Zamir et al., Taskonomy: Disentangling Task Transfer Learning, CVPR 2018, arXiv:1804.08328",
}
_NOTES = {
    "curvature": "kept from the original: targets whitened to mean 0 and variance 1 behind a tanh, so that "
    "decoded curvatures stay within one standard deviation of the mean",
    "edge_occlusion": "kept from the original: a tanh, though the blurred targets leave its range, so that "
    "the strongest edges are cut off",
    "segment_semantic": "trained behind a tanh, which held every probability below 0.32; it is left out, as "
    "in visualpriors: the same classes, wider probabilities",
}
_NO_DECODER = "only the encoder was published: it gives representations, no output"
_ONE_CHANNEL = "its encoder sees lightness only (one channel), but all encoders of a bank see RGB"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Result of a conversion.

    Attributes:
        bank: the new bank.
        left_out: canonical name -> reason why its checkpoints are not in the bank.
        ignored: names of files in the folder that are not checkpoints.
    """

    bank: Bank
    left_out: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def convert(
    source: str | Path,
    out: str | Path,
    *,
    tasks: Iterable[str] | None = None,
    name: str = "taskonomy",
    storage: Storage = Storage.FP32,
    architecture: ResNet50 = ORIGINAL,
    report: Callable[[str], None] | None = None,
) -> Conversion:
    """Make a bank from checkpoints of the original networks.

    Args:
        source: a folder of files `TASK_encoder-SHA256.pth` and `TASK_decoder-SHA256.pth`, or `visualpriors`
            for the published ones: these are stored in the same folder as by that package, PyTorch's folder
            of checkpoints (`TORCH_HOME`), and only missing ones are downloaded.
        out: folder of the bank; it is created.
        tasks: any of their names; None for all available tasks.
        name: of the bank.
        storage: form of the weights; FP32 keeps every bit.
        architecture: of the checkpoints, the original's if not stated.
        report: called with a line of text about each step.

    Raises:
        InvalidInputError: the folder is missing or holds no checkpoints that belong together.
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: there is no checkpoint of a requested task.
        ChecksumMismatchError: a file's sha256 is not that of its name.
        BankFormatError: a file is damaged, holds more than tensors, or does not fit the architecture.
        MissingPackageError: the published checkpoints are requested, but `visualpriors` is not installed.
        DownloadError: a published checkpoint cannot be downloaded.
        OutputError: the folder holds a bank already, or cannot be written.
    """
    if source == PUBLISHED:
        found = download_published(Path(torch.hub.get_dir()) / "checkpoints", tasks, report)
    else:
        found = find_checkpoints(Path(source))
        if tasks is not None:
            wanted = {find_task(task).name for task in tasks}
            for missing in sorted(wanted - found.encoders.keys()):
                raise MissingTaskError(missing, found.encoders, str(source))
            encoders, decoders = _only(found.encoders, wanted), _only(found.decoders, wanted)
            found = Checkpoints(found.folder, encoders, decoders, found.ignored)
    left_out = {}
    # The only task whose network may not fit into a bank.
    if (file := found.encoders.get("colorization")) is not None:
        first = read_checkpoint(found.folder / file.file, file.digest).get("conv1.weight")
        if first is not None and first.dim() > 1 and first.shape[1] == 1:
            left_out["colorization"] = _ONE_CHANNEL
    names = [task for task in found.encoders if task not in left_out]
    if not names:
        raise InvalidInputError(f"nothing to convert in {source}: {'; '.join(left_out.values())}")
    about = {}
    for task in names:
        files = [part[task].file for part in (found.encoders, found.decoders) if task in part]
        notes = [_NOTES[task]] if task in _NOTES and task in found.decoders else []
        if task not in found.decoders and find_task(task).decoder is not DecoderForm.NONE:
            notes.append(_NO_DECODER)
        training: dict[str, Any] = {**_ORIGIN, "checkpoints": files, "notes": notes}
        classes = class_names(task) if task in found.decoders else None
        about[task] = About(classes=classes, licence=LICENCE, training=training)
    bank = Bank.save(
        out,
        name=name,
        architecture=architecture,
        networks=_Networks(found, names, architecture, report),
        storage=storage,
        about=about,
        licence=LICENCE,
    )
    return Conversion(bank, left_out, found.ignored)


def _only(files: Mapping[str, CheckpointName], names: set[str]) -> dict[str, CheckpointName]:
    """Return the files of the given tasks."""
    return {task: file for task, file in files.items() if task in names}


class _Networks(Mapping[str, nn.Module]):
    """Networks that are loaded on access, so that only one at a time is in memory."""

    def __init__(
        self,
        found: Checkpoints,
        names: list[str],
        architecture: ResNet50,
        report: Callable[[str], None] | None,
    ) -> None:
        self.found = found
        self.names = names
        self.architecture = architecture
        self.report = report

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, task: str) -> nn.Module:
        if self.report:
            self.report(f"converting {task}")
        encoder = empty(partial(build_encoder, self.architecture))
        self._fill(encoder, self.found.encoders[task])
        if task not in self.found.decoders:
            return encoder.eval()
        decoder = empty(partial(build_decoder, find_task(task), self.architecture))
        self._fill(decoder, self.found.decoders[task])
        return TaskNetwork(encoder, decoder).eval()

    def _fill(self, network: nn.Module, file: CheckpointName) -> None:
        """Read and check one file, and load its weights into a network."""
        path = self.found.folder / file.file
        fill(network, read_checkpoint(path, file.digest), str(path))
