"""Affinity tensors as files: safetensors with metadata in the header, or CSV, by the file's ending."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from glob import glob
from importlib.resources import files
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from taxsolver.arguments import shown
from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.files.output import check_path, write_file
from taxsolver.files.rows import rows_to_csv
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.affinity_csv import tensor_from_csv, tensor_to_csv
from taxsolver.tensors.names import normalise

DEFAULT_AFFINITY = "taskonomy-16k"
FORMAT = "taxsolver-affinity"
FORMAT_VERSION = "1"
ARRAYS = ("sources", "target", "affinity", "gain", "quality", "full_supervision")
UNCERTAIN = ("draws", "intervals")  # prefixes of optional arrays such as `draws.gain`
_SUFFIX = ".safetensors"
_CSV = (".csv", ".tsv", ".txt")
_READ = (_SUFFIX, ".csv", ".tsv")
_NAMED = 3  # largest number of tensors listed in the name of a joined tensor
_HEADER = ("format", "format_version", "name", "tasks", "targets", "aliases", "untrained")
_NUMBERS = ("images_full", "images_transfer")


def available_affinities() -> tuple[str, ...]:
    """List the names of the tensors that come with the package, the default first.

    Examples:
        >>> import taxsolver
        >>> taxsolver.available_affinities()
        ('taskonomy-16k', 'rooms', 'taskonomy-1k', 'taskonomy-main')
    """
    shipped = {
        entry.name.removesuffix(_SUFFIX) for entry in _data().iterdir() if entry.name.endswith(_SUFFIX)
    }
    return tuple(sorted(shipped, key=lambda name: (name != DEFAULT_AFFINITY, name)))


class DataFrame(Protocol):
    """A table of pandas, or any object with a method `to_csv`."""

    def to_csv(self, *args: Any, **options: Any) -> Any:
        """Write the table as CSV."""


OneAffinity = AffinityTensor | str | PathLike[str] | DataFrame
AffinityInput = OneAffinity | Iterable[OneAffinity]


def load_affinity(affinity: AffinityInput = DEFAULT_AFFINITY) -> AffinityTensor:
    """Load a tensor that comes with the package, a user's tensor, or several of these as one.

    Args:
        affinity: a name in `available_affinities()`; the path of a `.safetensors` or `.csv` file; a folder of
            such files or a pattern such as `rows/*.csv`; a table of pandas, with one row per transfer or as a
            matrix with a row per source and a column per target; a tensor; or a list of these, which must not
            have a transfer in common.

    Raises:
        InvalidInputError: no tensor of that name and no file at that path, the tensor in the file is not
            valid, or two of several have a transfer in common.
        FileFormatError: the file is damaged, or not an affinity tensor.

    Examples:
        >>> import taxsolver
        >>> tensor = taxsolver.load_affinity("taskonomy-16k")
        >>> len(tensor.targets), len(tensor.target)
        (22, 1762)
    """
    if isinstance(affinity, AffinityTensor):
        return affinity
    if isinstance(affinity, str | PathLike) and str(affinity).strip():
        path = Path(affinity)
        wanted = normalise(str(affinity)).replace("_", "-")
        if wanted in available_affinities() and not path.is_file():
            return _from_safetensors(_data().joinpath(wanted + _SUFFIX).read_bytes(), wanted).read_from(
                wanted
            )
        found = _files(path)
        if found is None:
            return _load_file(path)
        return join_affinities([_load_file(one) for one in found], path.name if path.is_dir() else None)
    write = getattr(affinity, "to_csv", None)
    if callable(write):
        text = write()
        if isinstance(text, str):
            return tensor_from_csv(text, name="table", where="the table")
    if isinstance(affinity, Iterable) and not isinstance(affinity, str | Mapping | bytes | np.ndarray):
        parts = [load_affinity(one) for one in affinity]
        if parts:
            return join_affinities(parts)
    raise InvalidInputError(
        f"affinity is {shown(affinity)}, expected a name ({', '.join(available_affinities())}), the path of "
        "a .safetensors or .csv file, a table of pandas with names, a tensor, or a list of these"
    )


def join_affinities(tensors: Sequence[OneAffinity], name: str | None = None) -> AffinityTensor:
    """Join several tensors, such as one for each target; tasks are sorted by name.

    Image counts and metadata are kept if all tensors agree; draws and intervals are left out.

    Args:
        tensors: at least one, no two of which have a transfer in common.
        name: name of the joined tensor; None to use the names of the parts.

    Raises:
        InvalidInputError: a transfer is in two of them, or a task is spelt in two ways.

    Examples:
        >>> import taxsolver
        >>> tensor = taxsolver.load_affinity("taskonomy-1k")
        >>> taxsolver.join_affinities([tensor], name="mine").name
        'mine'
    """
    if not isinstance(tensors, list | tuple) or not tensors:
        raise InvalidInputError(f"tensors is {shown(tensors)}, expected a list of at least one tensor")
    if name is not None and not isinstance(name, str):
        raise InvalidInputError(f"name is {shown(name)}, expected text")
    loaded = [load_affinity(tensor) for tensor in tensors]
    if len(loaded) == 1:
        return loaded[0] if name is None else replace(loaded[0], name=name)
    spelt: dict[str, tuple[str, str]] = {}
    for tensor in loaded:
        for task in tensor.tasks:
            other, where = spelt.setdefault(task.casefold(), (task, tensor.name))
            if other != task and other not in tensor.tasks:
                raise InvalidInputError(
                    f"{task!r} of {tensor.name!r} is spelt {other!r} in {where!r}: spell it in one way"
                )
    tasks = tuple(sorted({task for tensor in loaded for task in tensor.tasks}))
    column = {task: number for number, task in enumerate(tasks)}
    first: dict[tuple[object, ...], int] = {}
    for number, tensor in enumerate(loaded):
        for transfer in map(tensor.transfer, range(len(tensor))):
            key = (transfer.target, frozenset(transfer.sources), transfer.full_supervision)
            if first.setdefault(key, number) != number:
                raise InvalidInputError(
                    f"{loaded[first[key]].name!r} and {tensor.name!r} both have the transfer "
                    f"{' + '.join(transfer.sources)} -> {transfer.target}: leave it out of one of them"
                )
    wide = [np.zeros((len(tensor), len(tasks)), dtype=bool) for tensor in loaded]
    for tensor, rows in zip(loaded, wide, strict=True):
        rows[:, [column[task] for task in tensor.tasks]] = tensor.sources
    places = [np.array([column[task] for task in tensor.tasks], dtype=np.int32) for tensor in loaded]
    about = [set(tensor.about.items()) for tensor in loaded]
    full_counts = {tensor.images_full for tensor in loaded}
    transfer_counts = {tensor.images_transfer for tensor in loaded}
    listed = [tensor.name for tensor in loaded]
    measured = {task for tensor in loaded for task in tensor.targets}
    called = " + ".join(listed) if len(listed) <= _NAMED else f"{listed[0]} and {len(listed) - 1} others"
    whole = AffinityTensor(
        name=name or called,
        tasks=tasks,
        targets=tuple(task for task in tasks if task in measured),
        sources=np.concatenate(wide),
        target=np.concatenate(
            [place[tensor.target] for place, tensor in zip(places, loaded, strict=True)]
        ).astype(np.int32),
        affinity=np.concatenate([tensor.affinity for tensor in loaded]),
        gain=np.concatenate([tensor.gain for tensor in loaded]),
        quality=np.concatenate([tensor.quality for tensor in loaded]),
        full_supervision=np.concatenate([tensor.full_supervision for tensor in loaded]),
        aliases={alias: task for tensor in loaded for alias, task in tensor.aliases.items()},
        untrained=tuple(sorted({task for tensor in loaded for task in tensor.untrained})),
        images_full=full_counts.pop() if len(full_counts) == 1 else None,
        images_transfer=transfer_counts.pop() if len(transfer_counts) == 1 else None,
        about=dict(sorted(set.intersection(*about))),
    )
    origin = [place for tensor in loaded for place in tensor.origin]
    return whole.read_from(*origin) if all(tensor.origin for tensor in loaded) else whole


def _files(path: Path) -> list[Path] | None:
    """List the files of a folder or pattern; None if the path is neither."""
    if "\0" in str(path):
        return None
    if path.is_dir():
        found = sorted(one for one in path.iterdir() if one.suffix.casefold() in _READ and one.is_file())
    elif any(mark in str(path) for mark in "*?[") and not path.exists():
        found = [Path(one) for one in sorted(glob(str(path), recursive=True))]  # noqa: PTH207 - may be absolute
    else:
        return None
    if not found:
        raise InvalidInputError(f"there is no .safetensors or .csv file in {str(path)!r}: put one there")
    return found


def _load_file(path: Path) -> AffinityTensor:
    try:
        blob = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        raise InvalidInputError(
            f"no affinity tensor {str(path)!r}: shipped are {', '.join(available_affinities())}, "
            "or give the path of a .safetensors or .csv file"
        ) from None
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from error
    if path.suffix.casefold() == ".json":  # what taxsolver ahp --save writes
        try:
            rows = json.loads(blob)["rows"]
            text = rows_to_csv([{column: row[column] for column in rows[0]} for row in rows])
        except (KeyError, IndexError, TypeError, AttributeError, UnicodeDecodeError, ValueError) as error:
            raise FileFormatError(
                f"{path} holds no rows of transfers ({type(error).__name__}: {error}): expected what  "
                "taxsolver ahp --save  writes; a saved plan is read with --problem"
            ) from error
        return tensor_from_csv(text, name=path.stem, where=str(path)).read_from(str(path))
    if path.suffix.casefold() in _CSV:
        return tensor_from_csv(blob, name=path.stem, where=str(path)).read_from(str(path))
    return _from_safetensors(blob, str(path)).read_from(str(path))


def save_affinity(tensor: AffinityInput, path: str | Path) -> Path:
    """Write a tensor as safetensors, or as CSV (rows only, no metadata or draws) if `path` ends in `.csv`.

    Equal tensors give equal bytes.

    Raises:
        InvalidInputError: `path` has another ending.
        OutputError: the file cannot be written.

    Examples:
        >>> import taxsolver
        >>> tensor = taxsolver.load_affinity("taskonomy-1k")
        >>> taxsolver.save_affinity(tensor, "mine.csv")
        PosixPath('mine.csv')
        >>> taxsolver.load_affinity("mine.csv").targets == tensor.targets
        True
    """
    suffix, loaded = check_path(path).suffix.casefold(), load_affinity(tensor)
    if suffix == ".csv":
        return write_file(path, tensor_to_csv(loaded))
    if suffix == _SUFFIX:
        from safetensors.numpy import save

        words = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "name": loaded.name,
            "tasks": json.dumps(loaded.tasks),
            "targets": json.dumps(loaded.targets),
            "aliases": json.dumps(dict(sorted(loaded.aliases.items()))),
            "untrained": json.dumps(loaded.untrained),
            **{
                field: str(getattr(loaded, field)) for field in _NUMBERS if getattr(loaded, field) is not None
            },
        }
        clash = sorted({*words, *_NUMBERS} & set(loaded.about))
        if clash:
            raise InvalidInputError(f"about holds the reserved word {clash[0]!r}: use another one")
        for word, value in loaded.about.items():
            if not isinstance(value, str):
                raise InvalidInputError(f"about holds {value!r} under {word!r}, expected text")
        arrays = {field: getattr(loaded, field) for field in ARRAYS}
        for field in UNCERTAIN:
            arrays |= {f"{field}.{measure}": values for measure, values in getattr(loaded, field).items()}
        blob = save(arrays, metadata={**words, **loaded.about})
        # safetensors writes the metadata in random order: sort them, so that equal tensors give equal bytes.
        length = int.from_bytes(blob[:8], "little")
        header = json.loads(blob[8 : 8 + length])
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        return write_file(path, (len(text).to_bytes(8, "little") + text + blob[8 + length :]))
    raise InvalidInputError(f"cannot tell the format of {str(path)!r}: end it in .safetensors or .csv")


def _data() -> Traversable:
    return files("taxsolver").joinpath("data")


def _from_safetensors(blob: bytes, where: str) -> AffinityTensor:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(blob)
        length = int.from_bytes(blob[:8], "little")
        words = json.loads(blob[8 : 8 + length]).get("__metadata__") or {}
    except (SafetensorError, ValueError, KeyError) as error:
        raise FileFormatError(f"{where} is damaged or no safetensors file: {error}") from error
    if words.get("format") != FORMAT:
        raise FileFormatError(f"{where} is a safetensors file, but not an affinity tensor of taxsolver")
    if words.get("format_version") != FORMAT_VERSION:
        raise FileFormatError(
            f"{where} has format version {words.get('format_version')!r}, this taxsolver reads version "
            f"{FORMAT_VERSION}: update taxsolver"
        )
    missing = [field for field in ARRAYS if field not in arrays]
    missing += [word for word in _HEADER if word not in words]
    if missing:
        raise FileFormatError(f"{where} lacks {', '.join(missing)}: it was not written by taxsolver")
    try:
        fields: dict[str, Any] = {
            "name": words["name"],
            **{field: _texts(words[field], field) for field in ("tasks", "targets", "untrained")},
            "aliases": _aliases(words["aliases"]),
            **{field: int(words[field]) for field in _NUMBERS if field in words},
        }
    except (TypeError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{where} has a header that cannot be read: {error}") from error
    fields |= {field: arrays[field] for field in ARRAYS}
    for field in UNCERTAIN:
        fields[field] = {
            name.removeprefix(f"{field}."): values
            for name, values in arrays.items()
            if name.startswith(f"{field}.")
        }
    known = {*_HEADER, *_NUMBERS}
    about = {word: text for word, text in words.items() if word not in known}
    return AffinityTensor(**fields, about=about)


def _texts(text: str, field: str) -> tuple[str, ...]:
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{field} is not a list of names")
    return tuple(names)


def _aliases(text: str) -> dict[str, str]:
    aliases = json.loads(text)
    if not isinstance(aliases, dict) or not all(isinstance(task, str) for task in aliases.values()):
        raise ValueError("aliases is not a table of names")
    return aliases
