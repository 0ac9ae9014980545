"""Check that losses and affinities are of the networks that are measured: stages may have been run again."""

from __future__ import annotations

from pathlib import Path

from training.errors import DataError
from training.runs.markers import digest_of, read_marker


def check_lineage(networks: Path, transfers: Path, affinity: Path) -> None:
    """Refuse losses and affinities of other networks than those that are there now.

    Args:
        networks: folder of stage 1.
        transfers: folder of stage 2.
        affinity: tensor of stage 3.

    Raises:
        DataError: a stage was run again, and those after it were not; or one is not finished.
    """
    for name, made, origin in (
        ("transfers", transfers, networks),
        ("affinity", affinity.parent, transfers),
    ):
        if read_marker(made)["inputs"][0]["digest"] != digest_of(origin):
            raise DataError(f"{made} was made from other files than are in {origin} now: run {name} again")
