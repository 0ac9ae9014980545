"""Networks of a comparison: the transfer, the fully trained network of its target, and the baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from taskbank.bank.bank import Bank
from taskbank.bank.index import transfer_name
from taskbank.errors import TaskBankError
from taskbank.inference.protocol import PredictionEngine
from taskbank.tasks.registry import SCRATCH
from taskbank_demo.services import Networks
from taskbank_demo.transfers.menu import RANDOM, Choice, label_of


class Role(StrEnum):
    """Role of a network in a comparison."""

    TRANSFER = "transfer"
    FULL_SUPERVISION = "full_supervision"
    SCRATCH = "scratch"
    RANDOM = "random"


TITLES = {
    Role.TRANSFER: "Transfer",
    Role.FULL_SUPERVISION: "Full supervision",
    Role.SCRATCH: "From scratch",
    Role.RANDOM: "Random features",
}

NOTES = {
    Role.FULL_SUPERVISION: "the target's own network, trained on all labels",
    Role.SCRATCH: "the same network, trained on the transfer's few labels",
    Role.RANDOM: "read out from an encoder that was never trained",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedNetwork:
    """One network of a comparison, or the reason why it is missing.

    Attributes:
        role: its role.
        runs: engine that predicts the target; None if it is missing.
        note: a line under its name.
        missing: reason why it is missing, and advice; empty if it is not.
    """

    role: Role
    runs: PredictionEngine | None
    note: str
    missing: str = ""


def cast(networks: Networks, choice: Choice) -> tuple[ComparedNetwork, ...]:
    """Load the transfer and the networks to compare it with, in the order of the page.

    Raises:
        TaskBankError: the transfer itself is not in the bank, or damaged. Other networks may be missing.
    """
    bank, target = networks.bank, choice.target
    transfer = ComparedNetwork(
        role=Role.TRANSFER,
        runs=networks.transfer(choice.sources, target),
        note=f"read from {choice.source_words}",
    )
    return (
        transfer,
        _rival(Role.FULL_SUPERVISION, _without_network(bank, target), partial(networks.task, target)),
        *(
            _rival(role, _without_baseline(bank, name, target), partial(networks.transfer, (name,), target))
            for role, name in ((Role.SCRATCH, SCRATCH), (Role.RANDOM, RANDOM))
        ),
    )


def _rival(role: Role, missing: str, load: Callable[[], PredictionEngine]) -> ComparedNetwork:
    """Load a network to compare the transfer with; a damaged file removes only its own picture."""
    runs = None
    if not missing:
        try:
            runs = load()
        except TaskBankError as error:
            missing = str(error)
    return ComparedNetwork(role=role, runs=runs, note=NOTES[role], missing=missing)


def _without_network(bank: Bank, target: str) -> str:
    """Return the reason why the target has no network of its own; empty if it has one."""
    if target in bank.index.own_tasks:
        return "Only transfers are trained for a target of one's own."
    entry = bank.index.tasks.get(target)
    if entry is None or not entry.predicts:
        return (
            f"The bank {bank.name} holds no network for {label_of(target)}: open one that does, "
            "`taskbank info BANK` lists what a bank holds."
        )
    return ""


def _without_baseline(bank: Bank, baseline: str, target: str) -> str:
    """Return the reason why a baseline is missing; empty if it is not."""
    if ((baseline,), target) in bank.transfers:
        return ""
    return (
        f"The bank {bank.name} does not hold it for {label_of(target)}. `taskbank info` of a bank that does "
        f"lists it as `{transfer_name((baseline,), target)}`; `python -m training run` makes such banks."
    )
