"""`bank.json`: what a bank holds, and the sha256 of every file. Nothing heavy is imported here.

Layout, the same in a folder, a Hub repository and the bundled bank:
`bank.json`, `encoders/TASK.safetensors`, `decoders/TASK.safetensors`,
`transfers/SOURCE__SOURCE__TARGET.safetensors`, `README.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from taskbank.errors import BankFormatError, MissingTaskError
from taskbank.tasks import TASKS, find_task

INDEX_NAME = "bank.json"
FORMAT = "taskbank"
FORMAT_VERSION = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One weight file.

    Attributes:
        path: place in the bank, with forward slashes.
        sha256: of its content, 64 hexadecimal digits.
        size: bytes.
        storage: `fp32`, `fp16` or `int8`, see `taskbank.quantise`.
    """

    path: str
    sha256: str
    size: int
    storage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEntry:
    """One task network.

    Attributes:
        task: canonical name.
        encoder: file of the encoder.
        decoder: file of the decoder; None for `random`, or where only the encoder was published.
        output: kind of output, as in the registry of the version that wrote the bank.
        channels: numbers that the network gives per pixel or in all.
        unit: of a decoded prediction.
        value_range: least and greatest decoded value, or None.
        classes: names of the channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was: dataset, images, seed, commit and the like.
    """

    task: str
    encoder: FileEntry
    decoder: FileEntry | None
    output: str
    channels: int
    unit: str
    value_range: tuple[float, float] | None
    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """The encoder's file and, where there is one, the decoder's."""
        return (self.encoder,) if self.decoder is None else (self.encoder, self.decoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEntry:
    """One transfer network and its decoder.

    Attributes:
        sources: canonical names in the order of their channels.
        target: canonical name.
        file: weights under `transfer.` and `decoder.`.
        classes: names of the target's channels, or None.
        licence: of these weights.
        metrics: name -> value on held-out images.
        training: what the run was: dataset, images, seed, commit and the like.
    """

    sources: tuple[str, ...]
    target: str
    file: FileEntry
    classes: tuple[str, ...] | None = None
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The transfer in words: `normal+reshading -> depth_zbuffer`."""
        return transfer_name(self.sources, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankIndex:
    """All that `bank.json` says.

    Attributes:
        name: of the bank.
        architecture: its name and numbers, see `taskbank.nets.architecture`.
        image_size: side in px of the images that the networks were trained on.
        representation: channels, rows and columns at that size.
        licence: of the bank as a whole.
        tasks: by canonical name, in the order of the registry.
        transfers: in any order.
    """

    name: str
    architecture: Mapping[str, Any]
    image_size: int
    representation: tuple[int, int, int]
    licence: str
    tasks: Mapping[str, TaskEntry]
    transfers: tuple[TransferEntry, ...] = ()

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """Every weight file: those of the tasks, then those of the transfers."""
        tasks = [file for entry in self.tasks.values() for file in entry.files]
        return (*tasks, *(entry.file for entry in self.transfers))


def find_entry(index: BankIndex, task: str, where: str) -> TaskEntry:
    """What an index says about a task, by any of its names.

    Args:
        index: of the bank.
        task: any of its names.
        where: of what bank, for messages.

    Raises:
        UnknownTaskError: the name is none of the 26 tasks.
        MissingTaskError: the bank does not hold it.
    """
    name = find_task(task).name
    if name not in index.tasks:
        raise MissingTaskError(name, index.tasks, f"the bank {where}")
    return index.tasks[name]


def transfer_name(sources: Iterable[str], target: str) -> str:
    """A transfer in words: `normal+reshading -> depth_zbuffer`."""
    return f"{'+'.join(sources)} -> {target}"


def encoder_path(task: str) -> str:
    """Place of a task's encoder."""
    return f"encoders/{task}.safetensors"


def decoder_path(task: str) -> str:
    """Place of a task's decoder."""
    return f"decoders/{task}.safetensors"


def transfer_path(sources: tuple[str, ...], target: str) -> str:
    """Place of a transfer network and its decoder."""
    return f"transfers/{'__'.join((*sources, target))}.safetensors"


def index_to_json(index: BankIndex) -> str:
    """The text of `bank.json`; the same index gives the same text."""
    written = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(index)}
    return json.dumps(written, indent=1, sort_keys=True, allow_nan=False) + "\n"


def index_from_json(text: str, where: str) -> BankIndex:
    """The index in the text of a `bank.json`.

    Args:
        text: JSON.
        where: of what bank, for messages.

    Raises:
        BankFormatError: the text is no JSON, of another format or a later version; a field is missing or
            of the wrong kind; a task is unknown; a file lies outside its place.
    """
    written = _parsed(text, where)
    try:
        held = {name: _task(name, entry) for name, entry in dict(written["tasks"]).items()}
        return BankIndex(
            name=str(written["name"]),
            architecture=dict(written["architecture"]),
            image_size=int(written["image_size"]),
            representation=_three(written["representation"]),
            licence=str(written["licence"]),
            tasks={name: held[name] for name in TASKS if name in held},
            transfers=tuple(_transfer(entry) for entry in written["transfers"]),
        )
    except KeyError as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} lacks the field {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} is not as expected: {error}") from error


def index_from_bytes(content: bytes, where: str) -> BankIndex:
    """The index in the content of a `bank.json`.

    Raises:
        BankFormatError: as `index_from_json`, or the content is no UTF-8 text.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} is no UTF-8 text: {error}") from error
    return index_from_json(text, where)


def _parsed(text: str, where: str) -> dict[str, Any]:
    """The JSON object, of our format and a version we can read."""
    try:
        written = json.loads(text)
    except ValueError as error:
        raise BankFormatError(f"{where}: {INDEX_NAME} is no JSON: {error}") from error
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        raise BankFormatError(f"{where}: {INDEX_NAME} does not describe a bank (no format {FORMAT!r})")
    version = written.get("format_version")
    if version != FORMAT_VERSION:
        raise BankFormatError(
            f"{where}: format version {version!r}, but this taskbank reads {FORMAT_VERSION}: update taskbank"
        )
    return written


def _task(name: str, entry: Mapping[str, Any]) -> TaskEntry:
    """One task's entry, its files in their places."""
    _known(name)
    decoder, limits = entry["decoder"], entry["value_range"]
    return TaskEntry(
        task=name,
        encoder=_file(entry["encoder"], encoder_path(name)),
        decoder=None if decoder is None else _file(decoder, decoder_path(name)),
        output=str(entry["output"]),
        channels=int(entry["channels"]),
        unit=str(entry["unit"]),
        value_range=None if limits is None else (float(limits[0]), float(limits[1])),
        classes=None if entry["classes"] is None else tuple(map(str, entry["classes"])),
        licence=str(entry["licence"]),
        metrics=dict(entry["metrics"]),
        training=dict(entry["training"]),
    )


def _transfer(entry: Mapping[str, Any]) -> TransferEntry:
    """One transfer's entry, its file in its place; the first banks stated only metrics."""
    sources, target = tuple(map(str, entry["sources"])), str(entry["target"])
    for name in (*sources, target):
        _known(name)
    return TransferEntry(
        sources=sources,
        target=target,
        file=_file(entry["file"], transfer_path(sources, target)),
        classes=None if entry.get("classes") is None else tuple(map(str, entry["classes"])),
        licence=str(entry.get("licence", "")),
        metrics=dict(entry["metrics"]),
        training=dict(entry.get("training", {})),
    )


def _file(entry: Mapping[str, Any], path: str) -> FileEntry:
    """One file's entry; a path elsewhere than its place is refused, so none can lead out of the bank."""
    if entry["path"] != path:
        raise ValueError(f"file {entry['path']!r} should be {path!r}")
    if not _SHA256.fullmatch(str(entry["sha256"])):
        raise ValueError(f"sha256 {entry['sha256']!r} of {path} is not 64 hexadecimal digits")
    return FileEntry(
        path=path, sha256=entry["sha256"], size=int(entry["size"]), storage=str(entry["storage"])
    )


def _known(name: str) -> None:
    """Refuse the name of a task that this version does not know."""
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; a later version of taskbank may know it")


def _three(numbers: object) -> tuple[int, int, int]:
    """Channels, rows and columns."""
    if not isinstance(numbers, list):
        raise TypeError(f"representation {numbers!r} is no list of three numbers")
    channels, rows, columns = map(int, numbers)
    return channels, rows, columns
