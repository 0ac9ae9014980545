"""Intermediate files of learning a task, so that an interrupted run continues where it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from taskbank.atomic_files import write_whole
from taskbank.errors import DivergedError, InvalidInputError, OutputError

_SETTINGS = "settings.json"


class Work:
    """A folder of intermediate results, each written whole, of one set of settings.

    Args:
        folder: is created by `begin`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Create the folder, or continue with it if it was begun with the same settings.

        Args:
            settings: JSON-ready, everything that results depend on.

        Raises:
            OutputError: it was begun with other settings, of which the message names the first, or it holds
                other files.
        """
        path = self.folder / _SETTINGS
        now = json.loads(json.dumps(dict(settings)))
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            changed = [key for key in now if before.get(key) != now[key]]
            if not changed:
                return
            was, now_is = (str(given.get(changed[0]))[:60] for given in (before, now))
            raise OutputError(
                f"{self.folder} was begun with other {changed[0]} ({was}, now {now_is}): repeat that "
                "command, choose another --out, or allow --overwrite"
            )
        if self.folder.exists() and any(self.folder.iterdir()):
            raise OutputError(f"{self.folder} holds other files: choose another --out")
        write_whole(path, lambda file: file.write(json.dumps(now, indent=1).encode()))

    @contextmanager
    def removed_after_errors(self) -> Iterator[None]:
        """Delete the folder if the block fails in a way in which every repetition would fail too.

        After other errors, such as a full disk, the same command continues from the finished steps.
        """
        parent = self.folder.parent
        try:
            yield
        except (InvalidInputError, DivergedError):
            self.remove()
            with suppress(OSError):  # it holds other files
                parent.rmdir()
            raise

    def array(self, name: str, compute: Callable[[], NDArray[np.generic]]) -> NDArray[Any]:
        """Return a memory-mapped array, computed if it is not there yet."""
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            values = compute()
            write_whole(path, lambda file: np.save(file, values, allow_pickle=False))
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped

    def tensors(self, name: str, compute: Callable[[], Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Return named tensors on the CPU, computed if they are not there yet.

        Raises:
            OutputError: their file is damaged.
        """
        path = self.folder / f"{name}.safetensors"
        if not path.is_file():
            content = save({key: value.contiguous() for key, value in compute().items()})
            write_whole(path, lambda file: file.write(content))
        try:
            return load_file(path)
        except SafetensorError as error:
            raise OutputError(f"{path} is damaged ({error}): delete it and run the command again") from error

    def record(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return a JSON-ready value, computed if it is not there yet."""
        path = self.folder / f"{name}.json"
        if not path.is_file():
            text = json.dumps(compute())
            write_whole(path, lambda file: file.write(text.encode()))
        return json.loads(path.read_text(encoding="utf-8"))

    def remove(self) -> None:
        """Delete the folder, if it is one of intermediate results."""
        if (self.folder / _SETTINGS).is_file():
            shutil.rmtree(self.folder, ignore_errors=True)


def digest(parts: Sequence[tuple[str, str | Path]]) -> str:
    """Compute the sha256 of names with texts, or with the content of files."""
    total = hashlib.sha256()
    for name, content in parts:
        data = content.read_bytes() if isinstance(content, Path) else content.encode()
        total.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
    return total.hexdigest()
