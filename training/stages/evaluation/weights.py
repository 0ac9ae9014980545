"""Record of the measured weights, so that metrics are not published with other weights."""

from __future__ import annotations

from collections.abc import Mapping

from taskbank.bank.index import BankIndex, SeededEncoder
from training.errors import DataError


def weights_of(index: BankIndex) -> dict[str, str]:
    """Identify a bank's weights: file -> sha256, and task -> the seed of its untrained encoder."""
    files = {file.path: file.sha256 for file in index.files}
    seeds = {
        task: f"seed {entry.encoder.seed}"
        for task, entry in index.tasks.items()
        if isinstance(entry.encoder, SeededEncoder)
    }
    return files | seeds


def check_measured(index: BankIndex, measured: Mapping[str, str]) -> None:
    """Raise unless a bank's weights are those that were measured.

    Args:
        index: index of the bank.
        measured: result of `weights_of` for the measured bank.

    Raises:
        DataError: a file or a seed differs; the message names the first.
    """
    for name, weights in weights_of(index).items():
        if measured.get(name) != weights:
            raise DataError(
                f"{name} is not what was measured: networks or transfers changed since the evaluation, "
                "run it again"
            )
