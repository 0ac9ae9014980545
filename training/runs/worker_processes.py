"""Worker processes that end with their parent process, even if that is killed."""

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
    """Make a pool of spawned processes that end when this process ends.

    A forked child of a process that uses torch's threads or CUDA can hang, so children are spawned.

    Args:
        workers: number of processes.
        begin: function that is called first in each of them; it must be picklable. By default it sets one
            torch thread.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(begin,))


def _begin(begin: Callable[[], object]) -> None:
    """Watch the parent process, which cannot end its workers if it is killed."""
    Thread(target=_end_with_parent, daemon=True).start()
    begin()


def _end_with_parent() -> None:
    """Exit when the parent has ended, so that the worker does not interfere with the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
