"""The index of a bank, `bank.json`: its networks, and the sha256 of every file. Imports nothing heavy.

Layout, the same in a folder, a Hub repository and the bundled bank:
`bank.json`, `encoders/TASK.safetensors`, `encoders/shared.safetensors` where encoders share their first
levels, `decoders/TASK.safetensors`,
`transfers/SOURCE__SOURCE__TARGET.safetensors`, `README.md`.

A transfer's target is one of the 26 tasks, or a user's own: then its entry has `own_target`, the target's
description (`tasks.own_targets.OwnTarget`), and its name is none of the 26. Its sources are tasks, or
`scratch` alone: then the file is the target's whole network, trained on the same samples as its transfers.
The encoder of a task is a file, or `{"seed": ..., "total": ..., "size": ...}` for one that was never trained.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from taskbank.bank.entries import (
    FileEntry,
    ForeignEntry,
    SeededEncoder,
    TaskEntry,
    TransferEntry,
    check_image_size,
    transfer_name,
)
from taskbank.errors import BankFormatError, InvalidInputError, MissingTaskError
from taskbank.tasks.own_targets import OwnTarget, own_name, own_target_from_json, range_from_json
from taskbank.tasks.registry import SCRATCH, TASKS, Task, find_task, normalise

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "INDEX_NAME",
    "SHARED_PATH",
    "BankIndex",
    "FileEntry",
    "ForeignEntry",
    "SeededEncoder",
    "TaskEntry",
    "TransferEntry",
    "decoder_path",
    "encoder_path",
    "find_entry",
    "index_from_bytes",
    "index_from_json",
    "index_to_json",
    "transfer_name",
    "transfer_path",
]

INDEX_NAME = "bank.json"
FORMAT = "taskbank"
FORMAT_VERSION = 1

LARGEST_FILE = 4 * 2**30
"""Most bytes that a weight file may have, about a hundred times the size of the largest original network."""

FOREIGN = ("timm:", "hf:")
"""Beginnings of the names of third-party encoders."""

_DEEPEST = 32  # levels of nested lists and objects
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankIndex:
    """Content of `bank.json`.

    Attributes:
        name: of the bank.
        architecture: its name and numbers, see `taskbank.nets.architecture`.
        image_size: side in px of the images that the networks were trained on.
        representation: channels, rows and columns at that size.
        licence: of the bank as a whole.
        tasks: by canonical name, in the order of the registry.
        transfers: in any order.
        shared: file of the frozen first levels, which all encoders share; None if they share none.
        foreign: third-party encoders that transfers read, by name.
    """

    name: str
    architecture: Mapping[str, Any]
    image_size: int
    representation: tuple[int, int, int]
    licence: str
    tasks: Mapping[str, TaskEntry]
    transfers: tuple[TransferEntry, ...] = ()
    shared: FileEntry | None = None
    foreign: Mapping[str, ForeignEntry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reject transfers that describe the same target differently.

        Raises:
            InvalidInputError: two descriptions differ; the message names the target.
        """
        described: dict[str, OwnTarget | None] = {}
        for entry in self.transfers:
            if described.setdefault(entry.target, entry.own_target) != entry.own_target:
                raise InvalidInputError(f"transfers describe their target {entry.target!r} differently")

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Every weight file: those of the tasks, then those of the transfers."""
        tasks = self.files_of(self.tasks.values())
        return (*tasks, *(entry.file for entry in self.transfers))

    def files_of(self, entries: Iterable[TaskEntry]) -> tuple[FileEntry, ...]:
        """Return the files that the given tasks need, without repetition, the shared levels first."""
        own = dict.fromkeys(file for entry in entries for file in entry.files)
        return (self.shared, *own) if self.shared is not None and own else tuple(own)

    def size_of(self, tasks: Iterable[str]) -> int:
        """Return the side in px of the images of tasks that are predicted together, by canonical names.

        Networks of different sizes are shown the largest.
        """
        entries = [self.tasks[name] for name in tasks if name in self.tasks]
        return max((entry.image_size or self.image_size for entry in entries), default=self.image_size)

    @property
    def own_tasks(self) -> dict[str, Task]:
        """Users' own targets of the bank's transfers, by name."""
        return {entry.target: entry.task for entry in self.transfers if entry.own_target is not None}


def find_entry(index: BankIndex, task: str, where: str) -> TaskEntry:
    """Return the index entry of a task, by any of its names.

    Args:
        index: of the bank.
        task: any of its names.
        where: name or folder of the bank, for messages.

    Raises:
        UnknownTaskError: the name is none of the 26 tasks.
        InvalidInputError: the name is that of a user's own target, which has no network of its own.
        MissingTaskError: the bank does not hold the task.
    """
    if normalise(task) in index.own_tasks:
        raise InvalidInputError(
            f"{task!r} has no network of its own in the bank {where}: it is read out from other tasks, with "
            f"`taskbank transfer --sources A,B --target {task}`"
        )
    name = find_task(task).name
    if name not in index.tasks:
        raise MissingTaskError(name, index.tasks, f"the bank {where}")
    return index.tasks[name]


def encoder_path(task: str) -> str:
    """Return the path of a task's encoder in a bank."""
    return f"encoders/{task}.safetensors"


SHARED_PATH = "encoders/shared.safetensors"
"""Path, in a bank, of the first levels that all encoders share."""


def decoder_path(task: str) -> str:
    """Return the path of a task's decoder in a bank."""
    return f"decoders/{task}.safetensors"


def transfer_path(sources: tuple[str, ...], target: str) -> str:
    """Return the path of a transfer network and its decoder in a bank; unusual characters become `_`."""
    named = "__".join((*sources, target))
    return f"transfers/{re.sub(r'[^A-Za-z0-9_.-]', '_', named)}.safetensors"


def index_to_json(index: BankIndex) -> str:
    """Write an index as the text of `bank.json`; equal indexes give equal texts."""
    written = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(index)}
    for transfer in written["transfers"]:
        if transfer["own_target"] is None:  # absent, as in earlier banks, so that their bytes stay the same
            del transfer["own_target"]
    for entry in written["tasks"].values():
        if entry["image_size"] is None:
            del entry["image_size"]
    if index.shared is None:  # absent for the same reason
        del written["shared"]
    if not index.foreign:
        del written["foreign"]
    return json.dumps(written, indent=1, sort_keys=True, allow_nan=False) + "\n"


def index_from_json(text: str, where: str) -> BankIndex:
    """Parse the text of a `bank.json`.

    Args:
        text: JSON.
        where: name or folder of the bank, for messages.

    Raises:
        BankFormatError: the text is not JSON, or of another format or a later version; a field is missing or
            of the wrong kind; a task is unknown; a file has an unexpected path.
    """
    try:
        written = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} is not JSON: {error}") from error
    # Measured without recursion, and no further than needed.
    depth, level = 0, [written]
    while level and depth <= _DEEPEST:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if depth > _DEEPEST:
        raise BankFormatError(
            f"{where}: {INDEX_NAME} is nested more than {_DEEPEST} deep: get the bank again"
        )
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise BankFormatError(f"{where}: {INDEX_NAME} does not describe a bank (no format {FORMAT!r})")
    version = written.get("format_version")
    if version != FORMAT_VERSION:
        raise BankFormatError(
            f"{where}: format version {version!r}, but this taskbank reads {FORMAT_VERSION}: update taskbank"
        )
    try:
        foreign = {name: _foreign(name, entry) for name, entry in dict(written.get("foreign", {})).items()}
        held = {name: _task(name, entry) for name, entry in dict(written["tasks"]).items()}
        return BankIndex(
            name=str(written["name"]),
            architecture=dict(written["architecture"]),
            image_size=check_image_size(_whole(written["image_size"], least=-(2**31))),
            representation=_three(written["representation"]),
            licence=str(written["licence"]),
            tasks={name: held[name] for name in TASKS if name in held},
            transfers=tuple(_transfer(entry, foreign) for entry in written["transfers"]),
            shared=None if "shared" not in written else _file(written["shared"], SHARED_PATH),
            foreign=foreign,
        )
    except KeyError as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} lacks the field {error}") from error
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} is not as expected: {error}") from error


def index_from_bytes(content: bytes, where: str) -> BankIndex:
    """Parse the bytes of a `bank.json`.

    Raises:
        BankFormatError: as `index_from_json`, or the content is not UTF-8.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} is not UTF-8 text: {error}") from error
    return index_from_json(text, where)


def _finite(text: str) -> float:
    """Parse a number of the JSON text; reject `1e999`, `NaN` and `Infinity`."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text} is not finite")
    return value


def _task(name: str, entry: Mapping[str, Any]) -> TaskEntry:
    """Parse one task's entry; its files must have their standard paths."""
    _known(name)
    decoder, channels = entry["decoder"], _whole(entry["channels"], least=1)
    if channels != TASKS[name].channels:
        raise ValueError(f"{name} has {TASKS[name].channels} channel(s), not {channels}")
    given, size = entry["encoder"], entry.get("image_size")
    if size is not None and TASKS[name].num_images == 1:
        raise ValueError(f"{name} has images of a size of its own, but is predicted with others")
    encoder: FileEntry | SeededEncoder
    if "seed" in given:
        seed = _whole(given["seed"], least=-(2**63), most=2**64 - 1)  # the range of torch's seeds
        encoder = SeededEncoder(seed=seed, total=float(given["total"]), size=float(given["size"]))
    else:
        encoder = _file(given, encoder_path(name))
    return TaskEntry(
        task=name,
        encoder=encoder,
        decoder=None if decoder is None else _file(decoder, decoder_path(name)),
        output=str(entry["output"]),
        channels=channels,
        unit=str(entry["unit"]),
        value_range=range_from_json(entry["value_range"]),
        classes=_classes(entry["classes"]),
        licence=str(entry["licence"]),
        metrics=_metrics(entry["metrics"]),
        training=dict(entry["training"]),
        image_size=None if size is None else check_image_size(_whole(size, least=-(2**31))),
    )


def _classes(written: object) -> tuple[str, ...] | None:
    """Parse names of the channels; their number is checked where they are used."""
    if written is None:
        return None
    if not isinstance(written, list):
        raise TypeError(f"classes {written!r} are not a list of names")
    return tuple(map(str, written))


def _metrics(written: Mapping[str, Any]) -> dict[str, float]:
    """Parse metrics: finite numbers by name."""
    metrics = dict(written)
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"metric {name} {value!r} is not a number")
        float(value)  # integers that are too large for a float
    return metrics


def _transfer(entry: Mapping[str, Any], foreign: Mapping[str, ForeignEntry]) -> TransferEntry:
    """Parse one transfer's entry, whose file has its standard path; the first banks stated only metrics."""
    sources, target = tuple(map(str, entry["sources"])), str(entry["target"])
    for name in sources if sources != (SCRATCH,) else ():
        if name not in foreign:
            _known(name)
    described = entry.get("own_target")
    if described is None:
        _known(target)
    elif own_name(target) != target:
        raise ValueError(f"target {target!r} should be written {own_name(target)!r}")
    return TransferEntry(
        sources=sources,
        target=target,
        own_target=None if described is None else own_target_from_json(described),
        file=_file(entry["file"], transfer_path(sources, target)),
        classes=_classes(entry.get("classes")),
        licence=str(entry.get("licence", "")),
        metrics=_metrics(entry["metrics"]),
        training=dict(entry.get("training", {})),
    )


def _foreign(name: str, entry: Mapping[str, Any]) -> ForeignEntry:
    """Parse the entry of a third-party encoder."""
    opens, sha256 = str(entry["opens"]), str(entry["sha256"])
    if not name.startswith(FOREIGN) or not opens.startswith(FOREIGN):
        raise ValueError(f"encoder {name!r}, opened as {opens!r}, must begin with {' or '.join(FOREIGN)}")
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"sha256 {sha256!r} of {name} is not 64 hexadecimal digits")
    return ForeignEntry(
        name=name,
        opens=opens,
        seed=_whole(entry["seed"], most=2**63),
        size=_whole(entry["size"], least=1, most=4096),
        channels=_whole(entry["channels"], least=1, most=65_536),
        parameters=_whole(entry["parameters"], most=2**40),
        sha256=sha256,
        weights=str(entry["weights"]),
        licence=str(entry["licence"]),
    )


def _file(entry: Mapping[str, Any], path: str) -> FileEntry:
    """Parse one file's entry; reject any path but the standard one, so that none can lead out of the bank."""
    if entry["path"] != path:
        raise ValueError(f"file {entry['path']!r} should be {path!r}")
    if not _SHA256.fullmatch(str(entry["sha256"])):
        raise ValueError(f"sha256 {entry['sha256']!r} of {path} is not 64 hexadecimal digits")
    size = _whole(entry["size"], least=0, most=LARGEST_FILE)
    return FileEntry(path=path, sha256=entry["sha256"], size=size, storage=str(entry["storage"]))


def _known(name: str) -> None:
    """Reject the name of a task that this version does not know."""
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; a later version of taskbank may know it")


def _three(numbers: object) -> tuple[int, int, int]:
    """Parse the numbers of channels, rows and columns."""
    if not isinstance(numbers, list):
        raise TypeError(f"representation {numbers!r} is not a list of three numbers")
    channels, rows, columns = (_whole(number, least=1, most=4096) for number in numbers)
    return channels, rows, columns


def _whole(value: object, *, least: int = 0, most: int = 2**31) -> int:
    """Check that a value is an integer within limits, and return it."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    if not least <= value <= most:
        raise ValueError(f"the number {value} must be {least} to {most}")
    return value
