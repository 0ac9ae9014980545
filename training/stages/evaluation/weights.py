"""A record of the weights that were measured, so that no metrics are published with other weights."""

from __future__ import annotations

from collections.abc import Mapping

from taskbank.bank.index import BankIndex, SeededEncoder
from training.errors import DataError


def weights_of(index: BankIndex) -> dict[str, str]:
    """Return all that a bank's predictions depend on: file -> sha256, and task -> the seed of its encoder."""
    files = {file.path: file.sha256 for file in index.files}
    seeds = {
        task: f"seed {entry.encoder.seed}"
        for task, entry in index.tasks.items()
        if isinstance(entry.encoder, SeededEncoder)
    }
    return files | seeds


def check_measured(index: BankIndex, measured: Mapping[str, str]) -> None:
    """Refuse a bank whose weights are not those that were measured.

    Args:
        index: of the bank.
        measured: what `weights_of` gave for the bank that was measured.

    Raises:
        DataError: a file or a seed differs, naming the first.
    """
    for name, weights in weights_of(index).items():
        if measured.get(name) != weights:
            raise DataError(
                f"{name} is not what was measured: networks or transfers changed since the evaluation, "
                "run it again"
            )
