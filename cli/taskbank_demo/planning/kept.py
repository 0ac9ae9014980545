"""Uploads of users, kept in memory under names that cannot be guessed."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

from taskbank_demo.errors import MissingError

_T = TypeVar("_T")
_PREFIX = "uploaded-"
_MOST = 32


class Kept(Generic[_T]):
    """Uploaded objects by name; beyond 32, the least recently used are removed."""

    def __init__(self) -> None:
        self._things: OrderedDict[str, tuple[_T, str]] = OrderedDict()
        self._lock = Lock()

    def put(self, thing: _T, file: str) -> str:
        """Store an object that was uploaded as `file`; return its name."""
        name = _PREFIX + secrets.token_hex(12)
        with self._lock:
            self._things[name] = (thing, file)
            while len(self._things) > _MOST:
                self._things.popitem(last=False)
        return name

    def get(self, name: str) -> tuple[_T, str] | None:
        """Return the object and its file; None if the name is not that of an upload.

        Raises:
            MissingError: the object is no longer stored.
        """
        if not name.startswith(_PREFIX):
            return None
        with self._lock:
            if name not in self._things:
                raise MissingError("This uploaded file is not kept any more: upload it again.")
            self._things.move_to_end(name)
            return self._things[name]
