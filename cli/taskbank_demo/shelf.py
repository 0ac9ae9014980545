"""Cache of objects that are slow to make."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Shelf(Generic[_T]):
    """Cache by key that removes the least recently used; concurrent requests for a key make its object once.

    Args:
        capacity: most objects in the cache.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._things: OrderedDict[Hashable, _T] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return the object of a key; an error of `make` is raised, and the next call tries again."""
        with self._lock:
            making = self._making.setdefault(key, Lock())
        # Other keys can be used meanwhile.
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
        """Return the number of objects in the cache."""
        return len(self._things)
