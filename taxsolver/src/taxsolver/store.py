"""Affinity tensors as files: safetensors with the words in the header, and CSV by its ending."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from taxsolver.affinity import AffinityTensor
from taxsolver.affinity_csv import tensor_from_csv, tensor_to_csv
from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.names import normalise
from taxsolver.output import write_file

DEFAULT_AFFINITY = "taskonomy-16k"
FORMAT = "taxsolver-affinity"
FORMAT_VERSION = "1"
ARRAYS = ("sources", "target", "affinity", "gain", "quality", "full_supervision")
_SUFFIX = ".safetensors"
_HEADER = ("format", "format_version", "name", "tasks", "targets", "aliases", "untrained")
_NUMBERS = ("images_full", "images_transfer")


def available_affinities() -> tuple[str, ...]:
    """Names of the tensors that come with the package, the default first."""
    shipped = {
        entry.name.removesuffix(_SUFFIX) for entry in _data().iterdir() if entry.name.endswith(_SUFFIX)
    }
    return tuple(sorted(shipped, key=lambda name: (name != DEFAULT_AFFINITY, name)))


def load_affinity(name_or_path: str | Path = DEFAULT_AFFINITY) -> AffinityTensor:
    """A tensor that comes with the package, or one of the user's own.

    Args:
        name_or_path: a name out of `available_affinities()`, or the path of a `.safetensors` or `.csv` file.

    Raises:
        InvalidInputError: no tensor of that name and no file at that path, or the tensor in the file is not
            valid.
        FileFormatError: the file is damaged, or not an affinity tensor.
    """
    path = Path(name_or_path)
    shipped = available_affinities()
    wanted = normalise(str(name_or_path)).replace("_", "-")
    if wanted in shipped and not path.is_file():
        return _from_safetensors(_data().joinpath(wanted + _SUFFIX).read_bytes(), wanted)
    try:
        blob = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a NUL in the name
        raise InvalidInputError(
            f"no affinity tensor {str(name_or_path)!r}: shipped are {', '.join(shipped)}, "
            "or give the path of a .safetensors or .csv file"
        ) from None
    except OSError as error:
        raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from error
    if path.suffix.casefold() == ".csv":
        return tensor_from_csv(blob, name=path.stem, where=str(path))
    return _from_safetensors(blob, str(path))


def save_affinity(tensor: AffinityTensor, path: str | Path) -> Path:
    """Write a tensor as safetensors, or as CSV where `path` ends in `.csv` (rows only, no header words).

    The same tensor gives the same bytes.

    Raises:
        InvalidInputError: `path` has another ending.
        OutputError: the file cannot be written.
    """
    suffix = Path(path).suffix.casefold()
    if suffix == ".csv":
        return write_file(path, tensor_to_csv(tensor))
    if suffix == _SUFFIX:
        return write_file(path, _to_safetensors(tensor))
    raise InvalidInputError(f"cannot tell the format of {str(path)!r}: end it in .safetensors or .csv")


def _data() -> Traversable:
    return files("taxsolver").joinpath("data")


def _to_safetensors(tensor: AffinityTensor) -> bytes:
    from safetensors.numpy import save

    words = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": tensor.name,
        "tasks": json.dumps(tensor.tasks),
        "targets": json.dumps(tensor.targets),
        "aliases": json.dumps(dict(sorted(tensor.aliases.items()))),
        "untrained": json.dumps(tensor.untrained),
        **{field: str(getattr(tensor, field)) for field in _NUMBERS if getattr(tensor, field) is not None},
    }
    clash = sorted({*words, *_NUMBERS} & set(tensor.about))
    if clash:
        raise InvalidInputError(f"about holds the reserved word {clash[0]!r}: use another one")
    for word, text in tensor.about.items():
        if not isinstance(text, str):
            raise InvalidInputError(f"about holds {text!r} under {word!r}, expected text")
    arrays = {field: getattr(tensor, field) for field in ARRAYS}
    return _sort_header(save(arrays, metadata={**words, **tensor.about}))


def _sort_header(blob: bytes) -> bytes:
    """The same file with its metadata in order: safetensors writes a hash map, in a new order each time."""
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + blob[8 + length :]


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
    return _build(arrays, words, where)


def _build(arrays: Mapping[str, np.ndarray], words: Mapping[str, str], where: str) -> AffinityTensor:
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
    known = {*_HEADER, *_NUMBERS}
    return AffinityTensor(**fields, about={word: text for word, text in words.items() if word not in known})


def _texts(text: str, field: str) -> tuple[str, ...]:
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{field} is no list of names")
    return tuple(names)


def _aliases(text: str) -> dict[str, str]:
    aliases = json.loads(text)
    if not isinstance(aliases, dict) or not all(isinstance(task, str) for task in aliases.values()):
        raise ValueError("aliases is no table of names")
    return aliases
