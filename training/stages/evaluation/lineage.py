"""Check that losses and affinities belong to the measured networks, as stages may have been repeated."""

from __future__ import annotations

from pathlib import Path

from training.errors import DataError
from training.runs.markers import digest_of, read_marker


def check_lineage(networks: Path, transfers: Path, affinity: Path) -> None:
    """Raise unless losses and affinities were made from the present networks.

    Args:
        networks: folder of stage 1.
        transfers: folder of stage 2.
        affinity: tensor of stage 3.

    Raises:
        DataError: a stage was repeated without the stages after it, or is not finished.
    """
    for name, made, origin in (
        ("transfers", transfers, networks),
        ("affinity", affinity.parent, transfers),
    ):
        if read_marker(made)["inputs"][0]["digest"] != digest_of(origin):
            raise DataError(f"{made} was made from other files than are in {origin} now: run {name} again")
