"""Uploads of users, read and kept in memory under names that nobody can guess."""

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
    """Uploaded things by name; beyond 32 the ones unused for longest are given up."""

    def __init__(self) -> None:
        self._things: OrderedDict[str, tuple[_T, str]] = OrderedDict()
        self._lock = Lock()

    def put(self, thing: _T, file: str) -> str:
        """Keep what was uploaded as `file`; the name to ask for it by."""
        name = _PREFIX + secrets.token_hex(12)
        with self._lock:
            self._things[name] = (thing, file)
            while len(self._things) > _MOST:
                self._things.popitem(last=False)
        return name

    def get(self, name: str) -> tuple[_T, str] | None:
        """The thing and its file; None where the name is not one of uploaded things.

        Raises:
            MissingError: it is not kept any more.
        """
        if not name.startswith(_PREFIX):
            return None
        with self._lock:
            if name not in self._things:
                raise MissingError("This uploaded file is not kept any more: upload it again.")
            self._things.move_to_end(name)
            return self._things[name]
