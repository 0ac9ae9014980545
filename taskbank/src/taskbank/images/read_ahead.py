"""Reading ahead in threads, in order and within a limit of memory."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Condition
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


MOST_BYTES = 128_000_000
"""Most bytes of images that are read ahead, or in one batch; a photograph of 24 million pixels has 72 MB."""


def read_ahead(
    items: Iterable[Item],
    read: Callable[[Item], Made],
    *,
    workers: int,
    ahead: int,
    weigh: Callable[[Made], int] = lambda made: 0,
    most: int = MOST_BYTES,
) -> Iterator[Made]:
    """Yield the result of `read` for each item, in order, while threads read the following items.

    Args:
        items: any number; taken one by one.
        read: runs in threads; its exceptions are raised here, when it is the item's turn.
        workers: number of threads.
        ahead: largest number of items that are being read, or are read and not yet yielded.
        weigh: size of a result in bytes.
        most: bytes of results that are not yet yielded, above which only the next item is begun.
    """
    source = enumerate(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="taskbank-read")
    changed = Condition()
    held, wanted = 0, 0

    def read_in_turn(number: int, item: Item) -> tuple[Made, int]:
        nonlocal held
        with changed:
            changed.wait_for(lambda: held < most or number <= wanted)
        made = read(item)
        weight = weigh(made)
        with changed:
            held += weight
        return made, weight

    try:
        waiting: deque[Future[tuple[Made, int]]] = deque(
            pool.submit(read_in_turn, *item) for item in islice(source, ahead)
        )
        while waiting:
            done, weight = waiting.popleft().result()
            with changed:
                held -= weight
                wanted += 1
                changed.notify_all()
            waiting.extend(pool.submit(read_in_turn, *item) for item in islice(source, 1))
            yield done
            del done
    finally:
        # Also if the consumer stops early or the user interrupts.
        with changed:
            held, wanted = 0, sys.maxsize
            changed.notify_all()
        pool.shutdown(cancel_futures=True)


def in_batches(
    items: Iterable[Item], size: int, weigh: Callable[[Item], int] = lambda item: 0, most: int = MOST_BYTES
) -> Iterator[list[Item]]:
    """Group items into batches.

    Args:
        items: any number.
        size: most items of a batch.
        weigh: bytes of an item.
        most: most bytes of a batch, except that a batch of one item may have more.
    """
    batch: list[Item] = []
    held = 0
    for item in items:
        batch.append(item)
        held += weigh(item)
        if len(batch) == size or held >= most:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
