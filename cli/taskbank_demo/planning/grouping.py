"""Task grouping: the choice of trained networks for an inference budget, and losses for every budget."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskbank_demo.errors import UploadError
from taskbank_demo.planning.command import group_command, untrained_command
from taskbank_demo.planning.kept import Kept
from taxsolver.errors import InvalidInputError, TaxSolverError
from taxsolver.grouping import (
    Grouping,
    LossTable,
    Method,
    NextGroup,
    PredictedGroups,
    budget_curves,
    group,
    load_setting,
    next_group,
    predict_groups,
    table_from_csv,
)
from taxsolver.grouping.pairwise import pairwise_from_csv
from taxsolver.grouping.table import FloatArray
from taxsolver.grouping.table_csv import SETTINGS

BUDGETS = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
DRAWS = 1000  # averaged random choices; a hundred times as many change the fourth digit
SECONDS = 8.0
MOST_BUDGETS = 16
MOST_BYTES = 2**20
MOST_NETWORKS, MOST_TASKS = 48, 8

METHODS: Mapping[str, str] = {
    Method.OPTIMAL: "Optimal",
    Method.HOA: "Higher-order approximation",
    Method.ESA: "Early-stopping approximation",
    Method.INDEPENDENT: "One network for each task",
    Method.ALL_IN_ONE: "One network for all tasks",
    Method.RANDOM: "Random choice (mean)",
    Method.WORST: "Worst choice",
}
SETTING_NAMES: Mapping[int, str] = {
    1: "1: small networks, 4 million images",
    2: "2: large networks, 4 million images",
    3: "3: large networks, 200 thousand images",
    4: "4: large networks, other tasks",
}


class TableShelf:
    """Tables of networks by name, shared by all users: `1` to `4` are published, others were uploaded."""

    def __init__(self) -> None:
        self._uploaded: Kept[LossTable] = Kept()

    def put(self, table: LossTable, file: str) -> str:
        """Store a table that was uploaded as `file`; return its name, which cannot be guessed."""
        return self._uploaded.put(table, file)

    def get(self, name: str) -> tuple[LossTable, str]:
        """Return the table of a name, and the name of its uploaded file.

        Raises:
            MissingError: the uploaded table is no longer stored.
            InvalidInputError: no table has that name.
        """
        uploaded = self._uploaded.get(name)
        if uploaded is not None:
            return uploaded
        return published(int(name) if name.isascii() and name.isdigit() else 0), ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswer:
    """A choice of networks.

    Attributes:
        grouping: the choice.
        command: computes the same choice.
        seconds: computing time.
        predicted: the losses of untrained networks; None if none were predicted.
        following: the group to train next; None for none.
    """

    grouping: Grouping
    command: str
    seconds: float
    predicted: PredictedGroups | None = None
    following: NextGroup | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: the keys of `taxsolver group --json`, and more."""
        found = self.grouping
        beside: dict[str, Any] = {}
        if self.predicted is not None:
            beside = {
                "prediction": self.predicted.to_dict(),
                "next": {} if self.following is None else self.following.to_dict(),
            }
        return {
            **found.to_dict(),
            **beside,
            "cost": found.cost,
            "serves": {network: list(tasks) for network, tasks in found.serves.items()},
            "least_budget": found.least_budget,
            "command": self.command,
            "milliseconds": round(1000 * self.seconds, 3),
        }


def answer_group(table: LossTable, method: str, budget: float, file: str = "") -> GroupAnswer:
    """Choose the networks to run.

    Args:
        table: trained networks.
        method: the method of choice.
        budget: largest total cost, in standard networks.
        file: that the table was uploaded as.

    Raises:
        InvalidInputError: a value is not allowed.
    """
    start = time.perf_counter()
    found = group(table, method, budget, draws=DRAWS, time_limit=SECONDS)
    command = group_command(table.setting, file or f"{table.name}.csv", found.method, budget)
    return GroupAnswer(grouping=found, command=command, seconds=time.perf_counter() - start)


def answer_untrained(
    trained: LossTable, effects: FloatArray | None, budget: float, file: str = ""
) -> GroupAnswer:
    """Choose the networks to run, with predicted losses of untrained groups of tasks.

    Args:
        trained: the trained networks.
        effects: float64 (tasks, tasks) of pairs; None for the trained pairs.
        budget: largest total cost, in standard networks.
        file: that the table was uploaded as.

    Raises:
        InvalidInputError: a value is not allowed, or there are too few trained networks.
    """
    start = time.perf_counter()
    predicted = predict_groups(trained, effects)
    found = group(predicted.table, Method.OPTIMAL, budget, time_limit=SECONDS)
    following = next_group(predicted, budget, time_limit=SECONDS)
    command = untrained_command(file or f"{trained.name}.csv", effects is not None, budget)
    return GroupAnswer(
        grouping=found,
        command=command,
        seconds=time.perf_counter() - start,
        predicted=predicted,
        following=following,
    )


def effects_from_text(content: str | bytes, table: LossTable, where: str = "the CSV") -> FloatArray:
    """Read the effects of the tasks of a table on each other.

    Raises:
        UploadError: the text is too large.
        TaxSolverError: the text is not such a CSV.
    """
    if len(content) > MOST_BYTES:
        raise UploadError(f"{where} is longer than {MOST_BYTES >> 20} MiB, which no such table needs.")
    return pairwise_from_csv(content, table.tasks, where=where)


def curves(
    table: LossTable, budgets: Sequence[float], methods: Sequence[str] | None = None
) -> list[Grouping]:
    """Choose networks for every method and budget, including infeasible ones.

    Raises:
        InvalidInputError: a value is not allowed, or there are too many budgets.
    """
    if len(budgets) > MOST_BUDGETS:
        raise InvalidInputError(f"{len(budgets)} budgets are too many: at most {MOST_BUDGETS} are taken here")
    chosen = methods if methods is not None else offered(table)
    return budget_curves(table, budgets, list(dict.fromkeys(chosen)), draws=DRAWS)


@functools.lru_cache(maxsize=8)
def default_curves(table: LossTable) -> tuple[Grouping, ...]:
    """Compute the curves of all methods, once for each table."""
    return tuple(curves(table, BUDGETS))


def offered(table: LossTable) -> list[str]:
    """Return the methods for which a table has losses."""
    return [method for method in METHODS if method != Method.ESA or table.validation_early is not None]


@functools.cache
def published(setting: int) -> LossTable:
    """Return one of the four published tables.

    Raises:
        InvalidInputError: there is no such setting.
    """
    if isinstance(setting, bool) or setting not in SETTINGS:
        raise InvalidInputError(f"setting is {setting!r}, expected one of 1, 2, 3 and 4")
    return load_setting(setting)


def read_table(path: Path) -> LossTable:
    """Read the table in an uploaded CSV, after a check of its size.

    Raises:
        UploadError: the file is too large, or not such a table.
    """
    if path.suffix.casefold() != ".csv":
        raise UploadError(f"{path.name} is not a table of networks: upload a .csv file.")
    if path.stat().st_size > MOST_BYTES:
        raise UploadError(f"{path.name} is larger than {MOST_BYTES >> 20} MiB, which no such table needs.")
    try:
        return table_from_text(path.read_bytes(), name=path.stem, where=path.name)
    except TaxSolverError as error:
        raise UploadError(str(error)) from error


def table_from_text(content: str | bytes, *, name: str, where: str = "the CSV") -> LossTable:
    """Read the table in the text of a CSV.

    Raises:
        UploadError: the table is too large for a choice within seconds.
        TaxSolverError: the text does not describe a valid table.
    """
    if len(content) > MOST_BYTES:
        raise UploadError(f"{where} is longer than {MOST_BYTES >> 20} MiB, which no such table needs.")
    table = table_from_csv(content, name=name, where=where)
    if len(table.networks) > MOST_NETWORKS or len(table.tasks) > MOST_TASKS:
        raise UploadError(
            f"{where} has {len(table.networks)} networks and {len(table.tasks)} tasks; up to "
            f"{MOST_NETWORKS} and {MOST_TASKS} are taken here. The command taxsolver group has no such limit."
        )
    return table
