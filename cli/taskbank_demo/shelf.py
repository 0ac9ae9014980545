"""Things that take long to make, made once and shared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Shelf(Generic[_T]):
    """Made things by key, the ones unused for longest given up. Two threads that want one key make it once.

    Args:
        capacity: things that are kept at most.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._things: OrderedDict[Hashable, _T] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """The thing of that key; an error of `make` passes, and the next caller tries again."""
        with self._lock:
            making = self._making.setdefault(key, Lock())
        # Others may take or make other things meanwhile.
        with making:
            with self._lock:
                if key in self._things:
                    self._things.move_to_end(key)
                    return self._things[key]
            made = make()
            with self._lock:
                self._things[key] = made
                while len(self._things) > self._capacity:
                    gone, _ = self._things.popitem(last=False)
                    self._making.pop(gone, None)
            return made

    def __len__(self) -> int:
        """Return the number of things that are kept."""
        return len(self._things)
