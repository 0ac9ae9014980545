"""Reading ahead in threads, in order, and no further than memory allows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Made], *, workers: int, ahead: int
) -> Iterator[Made]:
    """Yield the result of `read` for each item, in order, while threads read the following items.

    Args:
        items: any number; taken one by one.
        read: runs in threads; its exceptions are raised here, when it is the item's turn.
        workers: number of threads.
        ahead: largest number of items that are being read, or are read and not yet yielded.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="taskbank-read")
    try:
        waiting: deque[Future[Made]] = deque(pool.submit(read, item) for item in islice(source, ahead))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(read, item) for item in islice(source, 1))
            yield done
    finally:
        # Also when the consumer stops early, or the user does.
        pool.shutdown(cancel_futures=True)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one shorter."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
