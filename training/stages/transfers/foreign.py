"""Third-party encoders as sources of transfers.

They are opened, named and run by `taskbank.encoders`, see pictures resized to the size of their own training,
and give features on the grid of our representations. Transfers project these features to eight channels.
"""

from __future__ import annotations

from collections.abc import Iterable

from taskbank.bank.entries import ForeignEntry
from taskbank.errors import TaskBankError
from taxsolver.tensors.source_names import looks_joined
from training.errors import ConfigError


def describe_foreign(names: Iterable[str], seed: int) -> tuple[ForeignEntry, ...]:
    """Open encoders one by one, and describe them with the hashes of their weights.

    Args:
        names: as in `TransfersConfig.foreign`.
        seed: seed of the weights of encoders that are opened with `weights=random`.

    Raises:
        ConfigError: an encoder is unknown or not available, or two encoders have the same name.
    """
    found: dict[str, tuple[str, ForeignEntry]] = {}
    for name in names:
        # Here, as most runs name no encoder and timm takes two seconds to import.
        from taskbank.encoders.names import open_encoder
        from taskbank.encoders.square import describe

        try:
            entry = describe(open_encoder(name, seed=seed))
        except TaskBankError as error:
            raise ConfigError(f"[transfers] foreign {name!r}: {error}") from error
        if entry.name in found:
            raise ConfigError(
                f"[transfers] foreign: {found[entry.name][0]!r} and {name!r} are both the source "
                f"{entry.name!r}: leave out one, or rename a file of weights"
            )
        if looks_joined(entry.name):
            raise ConfigError(
                f"[transfers] foreign: files of affinities would read {entry.name!r} as several sources: "
                "rename its folder or file of weights"
            )
        found[entry.name] = name, entry
    return tuple(entry for _, entry in found.values())
