"""Writing of a safetensors file row by row: memory does not grow with the number of rows.

The format's header states the sizes of all tensors first, so rows are collected in anonymous temporary files
on the same disk, one per tensor, until their number is known. https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from taskbank.atomic_files import write_whole
from taskbank.errors import OutputError, TaskBankError

_DTYPES = {"float32": "F32", "float16": "F16"}
_ALIGNED = 8  # bytes
_CHUNK = 1 << 20  # bytes that are copied at a time


class TensorStream:
    """A safetensors file that is written row by row. Made by `tensor_stream`.

    Attributes:
        rows: number of rows of every tensor so far.
        metadata: texts for the file's header; may be filled until the end.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.rows = 0
        self.metadata: dict[str, str] = {}
        self._folder = folder
        self._stack = stack
        self._files: dict[str, BinaryIO] = {}
        self._kinds: dict[str, tuple[str, tuple[int, ...]]] = {}

    def add(self, rows: Mapping[str, NDArray[np.floating]]) -> None:
        """Append one row to every tensor.

        Args:
            rows: name -> float32 or float16, always of the same names, types and shapes.
        """
        for name, row in rows.items():
            if name not in self._files:
                waiting = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - the stack closes it
                self._files[name] = self._stack.enter_context(waiting)
                self._kinds[name] = (_DTYPES[str(row.dtype)], row.shape)
            self._files[name].write(row.tobytes())
        self.rows += 1

    def write(self, file: BinaryIO) -> None:
        """Write the header, then the rows of every tensor."""
        head: dict[str, object] = {"__metadata__": self.metadata}
        start = 0
        for name, (dtype, shape) in self._kinds.items():
            stop = start + self._files[name].tell()
            head[name] = {"dtype": dtype, "shape": [self.rows, *shape], "data_offsets": [start, stop]}
            start = stop
        text = json.dumps(head).encode()
        text += b" " * (-len(text) % _ALIGNED)
        file.write(struct.pack("<Q", len(text)) + text)
        for rows in self._files.values():
            rows.seek(0)
            shutil.copyfileobj(rows, file, _CHUNK)


@contextmanager
def tensor_stream(path: Path) -> Iterator[TensorStream]:
    """Open a stream of rows to a safetensors file, which appears if the block ends without an error.

    Args:
        path: the file; its folder is created. It is not written without rows.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stream = TensorStream(path.parent, stack)
            yield stream
            if stream.rows:
                write_whole(path, stream.write)
    except OSError as error:
        # Errors of this package need no conversion.
        if isinstance(error, TaskBankError):
            raise
        raise OutputError(f"cannot write {path}: {error}") from error
