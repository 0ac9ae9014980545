"""Find networks that are dead, output a constant, or are no better than a constant, from measured numbers.

Nothing heavy is imported: the numbers are measured by `taskbank.inference.measure_health`, and by training.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from taskbank.bank.index import BankIndex

DEAD_CHANNELS = "dead_channels"
"""Name of a metric: share of a representation's channels that are the same for all images."""

OUTPUT_VARIATION = "output_variation"
"""Name of a metric: standard deviation of outputs over images, relative to their size."""

HELD_OUT_LOSS, CONSTANT_LOSS = "held_out_loss", "constant_loss"
"""Names of metrics: mean loss on held-out samples of a network, and of the best constant."""

BEATS_CONSTANT = "beats_average"
"""Name of a win rate: share of held-out samples on which a network beats the best constant."""

HELD_OUT = "held_out"
"""Name of a training fact: results of a network on the samples that stage 1 held out."""

_MOST_DEAD = 0.5
_LEAST_VARIATION = 1e-3
_LEAST_WINS = 0.55


class Fault(StrEnum):
    """Kinds of faults, the worst first."""

    DEAD = "dead"
    CONSTANT = "constant"
    WEAK = "weak"
    PARTLY_DEAD = "partly dead"

    @property
    def useless(self) -> bool:
        """True if nothing can be read out of the network."""
        return self in {Fault.DEAD, Fault.CONSTANT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of one network.

    Attributes:
        network: a task, or a transfer such as `normal+curvature -> reshading`.
        fault: its kind.
        measured: the measured number, as text.
    """

    network: str
    fault: Fault
    measured: str

    def __str__(self) -> str:
        return f"{self.network} is {self.fault}: {self.measured}"


def find_faults(
    network: str, metrics: Mapping[str, float], beats_constant: float | None = None
) -> list[Finding]:
    """Find the faults of one network.

    Args:
        network: its name.
        metrics: `dead_channels`, `output_variation`, `held_out_loss` and `constant_loss` are used if present.
        beats_constant: share of held-out samples on which it beats the best constant; None if not measured.

    Returns:
        its faults, the worst first; empty if nothing was measured.
    """
    found = []
    dead = metrics.get(DEAD_CHANNELS, 0.0)
    variation = metrics.get(OUTPUT_VARIATION, 1.0)
    if dead > 0:
        fault = Fault.DEAD if dead > _MOST_DEAD else Fault.PARTLY_DEAD
        words = f"{dead:.0%} of its channels are the same for all images"
        found.append(Finding(network=network, fault=fault, measured=words))
    if variation < _LEAST_VARIATION:
        words = f"its outputs vary by {variation:.1e} of their size"
        found.append(Finding(network=network, fault=Fault.CONSTANT, measured=words))
    if beats_constant is not None and beats_constant < _LEAST_WINS:
        words = (
            f"it beats the best constant on {beats_constant:.1%} of held-out samples, and half is chance "
            f"({_LEAST_WINS:.0%} is asked)"
        )
        found.append(Finding(network=network, fault=Fault.WEAK, measured=words))
    elif metrics.get(HELD_OUT_LOSS, 0.0) >= metrics.get(CONSTANT_LOSS, math.inf):
        words = (
            f"its mean loss on held-out samples, {metrics[HELD_OUT_LOSS]:.4g}, is not below "
            f"{metrics[CONSTANT_LOSS]:.4g}, that of the best constant"
        )
        found.append(Finding(network=network, fault=Fault.WEAK, measured=words))
    return sorted(found, key=lambda finding: list(Fault).index(finding.fault))


def faults_in_index(index: BankIndex) -> list[Finding]:
    """Find the faults of all networks of a bank from the numbers in its index.

    Args:
        index: of the bank. Banks whose index has no such numbers have no findings.
    """
    found: list[Finding] = []
    for task, entry in index.tasks.items():
        found += find_faults(task, entry.metrics, constant_beaten(entry.training))
    for transfer in index.transfers:
        found += find_faults(transfer.name, transfer.metrics, constant_beaten(transfer.training))
    return found


def constant_beaten(training: Mapping[str, Any]) -> float | None:
    """Return the share of samples on which a network beats the best constant.

    Args:
        training: facts of a bank's index.

    Returns:
        the share of test samples, or else of the samples that stage 1 held out; None if neither was measured.
    """
    for kind in ("win_rates", HELD_OUT):
        share = training.get(kind, {}).get(BEATS_CONSTANT)
        if share is not None:
            return float(share)
    return None


def faults_by_kind(found: Iterable[Finding]) -> dict[Fault, list[Finding]]:
    """Group findings by kind of fault, the worst kind first; kinds without findings are left out."""
    listed = list(found)
    groups = {fault: [finding for finding in listed if finding.fault is fault] for fault in Fault}
    return {fault: members for fault, members in groups.items() if members}
