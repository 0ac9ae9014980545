"""The affinity tensors of a server: those that come with taxsolver, and uploaded ones.

An uploaded tensor is read once and kept in memory under a name that cannot be guessed; its file is no longer
needed.
"""

from __future__ import annotations

import csv
import functools
import io
from pathlib import Path

from taskbank_demo.errors import UploadError
from taskbank_demo.planning.kept import Kept
from taxsolver.errors import InvalidInputError, TaxSolverError
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.affinity_csv import tensor_from_csv
from taxsolver.tensors.store import available_affinities, load_affinity

MOST_BYTES = 8 * 2**20
MOST_TASKS = 120
MOST_TRANSFERS = 20_000
SUFFIXES = (".csv", ".safetensors")
_LONGEST_NAME = 120  # characters of a task's name


class TensorShelf:
    """Tensors by name, shared by all users."""

    def __init__(self) -> None:
        self._uploaded: Kept[AffinityTensor] = Kept()

    def put(self, tensor: AffinityTensor, file: str) -> str:
        """Store a tensor that was uploaded as `file`; return its name, which cannot be guessed."""
        return self._uploaded.put(tensor, file)

    def get(self, name: str) -> AffinityTensor:
        """Return the tensor of a name.

        Raises:
            MissingError: the uploaded tensor is no longer stored.
            InvalidInputError: no tensor has that name.
        """
        uploaded = self._uploaded.get(name)
        if uploaded is not None:
            return uploaded[0]
        shipped = available_affinities()
        if name not in shipped:
            raise InvalidInputError(
                f"unknown affinity tensor {name[:_LONGEST_NAME]!r}: shipped are {', '.join(shipped)}"
            )
        return _shipped(name)

    def called(self, name: str) -> str:
        """Return the tensor's name for a command: its own, or that of the uploaded file.

        Raises:
            MissingError: the uploaded tensor is no longer stored.
        """
        uploaded = self._uploaded.get(name)
        return name if uploaded is None else uploaded[1]


@functools.cache
def _shipped(name: str) -> AffinityTensor:
    return load_affinity(name)


def read_tensor(path: Path) -> AffinityTensor:
    """Read the tensor in an uploaded file, after a check of its size.

    Args:
        path: a file that `taskbank_demo.uploads.check_upload` accepted.

    Raises:
        UploadError: the file is too large, of another kind, damaged, or not a valid tensor.
    """
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise UploadError(f"{path.name} is not an affinity tensor: upload a .csv or a .safetensors file.")
    if path.stat().st_size > MOST_BYTES:
        raise UploadError(f"{path.name} is larger than {MOST_BYTES >> 20} MiB, which no tensor needs.")
    try:
        if suffix == ".csv":
            return tensor_from_text(_text(path.read_bytes(), path.name), name=path.stem, where=path.name)
        return _within_limits(load_affinity(path), path.name)
    except TaxSolverError as error:
        raise UploadError(str(error).replace(str(path), path.name)) from error


def tensor_from_text(text: str, *, name: str, where: str = "the CSV") -> AffinityTensor:
    """Read the tensor in the text of a CSV, with the columns of taxsolver.

    Raises:
        UploadError: the text is too large.
        TaxSolverError: the text does not describe a valid tensor; the message states the number of a wrong
            line.
    """
    if len(text) > MOST_BYTES:
        raise UploadError(f"{where} is longer than {MOST_BYTES >> 20} MiB, which no tensor needs.")
    _refuse_many_names(text, where)
    return _within_limits(tensor_from_csv(text, name=name, where=where), where)


def _text(blob: bytes, where: str) -> str:
    try:
        return blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UploadError(f"{where} is not CSV text in UTF-8: it is damaged or of another kind.") from error


def _refuse_many_names(text: str, where: str) -> None:
    """Check the numbers of lines and names, before a matrix of lines times names is allocated."""
    names: set[str] = set()
    columns: list[int] = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""))):
            if not number:
                columns = [at for at, cell in enumerate(cells) if cell.strip() in {"target", "sources"}]
            names.update(name for at in columns if at < len(cells) for name in cells[at].split("|"))
            if number > MOST_TRANSFERS or len(names) > MOST_TASKS + 2:  # the headings of the two columns
                raise _too_many(where)
    except csv.Error:
        return  # taxsolver reports the line


def _within_limits(tensor: AffinityTensor, where: str) -> AffinityTensor:
    if len(tensor.tasks) > MOST_TASKS or len(tensor) > MOST_TRANSFERS:
        raise _too_many(where)
    longest = max(tensor.tasks, key=len)
    if len(longest) > _LONGEST_NAME:
        raise UploadError(f"{where} has a task of {len(longest)} characters; {_LONGEST_NAME} are allowed.")
    return tensor


def _too_many(where: str) -> UploadError:
    return UploadError(
        f"{where} has more than {MOST_TASKS} tasks or {MOST_TRANSFERS:,} transfers, which is more than "
        "this page plans with. The command taxsolver has no such limit."
    )
