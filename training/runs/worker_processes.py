"""Processes that work for this one, and end with it, however it ends."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from threading import Thread

import torch

_ONE_THREAD = partial(torch.set_num_threads, 1)


def worker_pool(workers: int, begin: Callable[[], object] = _ONE_THREAD) -> ProcessPoolExecutor:
    """Make a pool of processes that start afresh, and that end when this process is gone.

    A forked child of a process that uses torch's threads or CUDA can hang, so children are spawned.

    Args:
        workers: how many.
        begin: is called in each of them first; it must be picklable. By default it leaves torch one thread.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(begin,))


def _begin(begin: Callable[[], object]) -> None:
    """Watch the parent, whom a kill gives no time to end its workers."""
    Thread(target=_end_with_parent, daemon=True).start()
    begin()


def _end_with_parent() -> None:
    """End when the parent is gone, or work would go on beside that of the run that is started next."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
