"""Format of log lines, in this process and its worker processes."""

from __future__ import annotations

import logging


def begin_logging(level: int = logging.INFO) -> None:
    """Write this process's log to stderr, with the time."""
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
