"""Stage 4: plans for every budget, compared with random plans and with the paper's, and figures.

`novel_table.py` computes the benefit of a taxonomy for a task with few labels.
"""

from __future__ import annotations

import csv
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskbank.bank.index import FOREIGN
from taxsolver import (
    AffinityTensor,
    Agreement,
    InfeasibleBudgetError,
    InvalidInputError,
    SignificanceRow,
    SweepRow,
    TaskTree,
    Taxonomy,
    compare,
    load_affinity,
    similarity,
    solve,
    sweep,
)
from taxsolver.analysis.significance import compare_with_random
from training.atomic_files import write_json, write_whole
from training.errors import ConfigError
from training.runs.stage import run_stage
from training.stages.taxonomy.card import card_text
from training.stages.taxonomy.figures import draw_all
from training.stages.taxonomy.novel_table import NovelRow, novel_table, table_text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxonomyConfig:
    """Settings of stage 4.

    Attributes:
        budgets: budgets of the sweep, as numbers of tasks labelled in full.
        orders: orders of the sweep, the largest numbers of sources of a transfer.
        budget: budget of the plan that is drawn and described.
        max_order: largest order of that plan, and of the table of novel tasks.
        samples: number of random taxonomies that each plan is compared with.
        published: tensors with which affinities are compared.
        seed: seed of the random taxonomies.
    """

    budgets: tuple[int, ...] = tuple(range(1, 27))
    orders: tuple[int, ...] = (1, 2, 3, 4)
    budget: int = 8
    max_order: int = 4
    samples: int = 1000
    published: tuple[str, ...] = ("taskonomy-16k", "taskonomy-1k")
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings early, by the rules of taxsolver.

        Raises:
            ConfigError: a value is not allowed; the message names the field.
        """
        numbers = (*self.budgets, *self.orders, self.budget, self.max_order, self.samples)
        if not self.budgets or not self.orders or min(numbers) < 1:
            raise ConfigError(
                f"budgets {self.budgets}, orders {self.orders}, budget {self.budget}, max_order "
                f"{self.max_order} and samples {self.samples} must be 1 or more, and none may be missing"
            )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Findings:
    """All findings of stage 4.

    Attributes:
        tensor: the analysed tensor.
        plan: the best taxonomy of `TaxonomyConfig.budget`.
        sweep: the best taxonomies of every budget and order.
        significance: the same compared with random ones.
        tree: task tree of the sources; None if there are too few.
        agreements: agreement with the published tensors that share transfers.
        novel: results for each target as a novel task.
    """

    tensor: AffinityTensor
    plan: Taxonomy
    sweep: tuple[SweepRow, ...]
    significance: tuple[SignificanceRow, ...]
    tree: TaskTree | None
    agreements: tuple[Agreement, ...]
    novel: tuple[NovelRow, ...]


def run_taxonomy(
    config: TaxonomyConfig, affinity: Path, transfers: Path, out: Path, *, overwrite: bool = False
) -> Path:
    """Run stage 4.

    Args:
        config: budgets and orders.
        affinity: the tensor of stage 3.
        transfers: folder of stage 2, for losses.
        out: folder of the run, in which `taxonomy` is created.
        overwrite: delete outputs of another configuration.

    Returns:
        the folder: `plan.json`, `sweep.csv`, `significance.csv`, `tree.json`, `agreement.json`, `novel.csv`,
        `novel.json`, `novel.txt`, `figures/` and `card.md`.

    Raises:
        TrainingError: as for `run_stage`.
        TaxSolverError: no plan serves all targets.
    """

    def body(folder: Path) -> None:
        findings = find(config, load_affinity(affinity), transfers)
        write_findings(findings, folder)
        draw_all(findings, folder / "figures")

    return run_stage(
        out / "taxonomy",
        name="taxonomy",
        config=config,
        inputs=[affinity, transfers],
        body=body,
        overwrite=overwrite,
    )


def find(config: TaxonomyConfig, tensor: AffinityTensor, transfers: Path) -> Findings:
    """Compute all findings on a tensor.

    Args:
        config: budgets and orders.
        tensor: tensor of stage 3.
        transfers: folder of stage 2.

    Raises:
        TaxSolverError: no plan serves all targets.
        DataError: losses are missing.
    """
    free = without_labels(tensor)
    rows = sweep(tensor, config.budgets, config.orders, owned=free)
    # The plan of the configured budget, or of the least one that serves every target.
    try:
        plan = solve(tensor, budget=config.budget, max_order=config.max_order, owned=free)
    except InfeasibleBudgetError as error:
        if error.least is None:
            raise
        log.info("a budget of %s does not serve all targets: planning with %s", config.budget, error.least)
        plan = solve(tensor, budget=error.least, max_order=config.max_order, owned=free)
    # Budgets for which random taxonomies are too rare are left out.
    significance: list[SignificanceRow] = []
    for row in rows:
        try:
            significance += compare_with_random([row], samples=config.samples, seed=config.seed)
        except InvalidInputError as error:
            log.info("budget %s, order %s: %s", row.budget, row.max_order, error)
    tree: TaskTree | None = None
    try:
        tree = similarity(tensor)
    except InvalidInputError as error:
        log.info("no tree: %s", error)
    # Rank correlations with published tensors over the tasks that both have.
    agreements: list[Agreement] = []
    for name in config.published:
        try:
            agreements.append(compare(tensor, name))
        except InvalidInputError as error:
            log.info("%s: %s", name, error)
    return Findings(
        tensor=tensor,
        plan=plan,
        sweep=tuple(rows),
        significance=tuple(significance),
        tree=tree,
        agreements=tuple(agreements),
        novel=novel_table(tensor, transfers, budget=config.budget, max_order=config.max_order, owned=free),
    )


def write_findings(findings: Findings, folder: Path) -> None:
    """Write all findings except the figures.

    Raises:
        StorageError: a file cannot be written.
    """
    write_json(folder / "plan.json", findings.plan.to_dict())
    write_json(folder / "tree.json", findings.tree.to_dict() if findings.tree else {})
    write_json(folder / "agreement.json", {one.second: one.to_dict() for one in findings.agreements})
    write_json(folder / "novel.json", {row.target: row.to_dict() for row in findings.novel})
    for name, rows in (
        ("sweep", [row.to_dict() for row in findings.sweep]),
        ("significance", [row.to_dict() for row in findings.significance]),
        ("novel", [row.to_flat() for row in findings.novel]),
    ):
        stream = io.StringIO()
        if rows:  # lists are joined by `|`, None is empty
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
        _write_text(folder / f"{name}.csv", stream.getvalue())
    _write_text(folder / "novel.txt", table_text(findings.novel))
    _write_text(folder / "card.md", card_text(findings))


def without_labels(tensor: AffinityTensor) -> dict[str, float]:
    """Return the shares of owned labels: third-party encoders need none, so that they are free."""
    return dict.fromkeys((task for task in tensor.tasks if task.startswith(FOREIGN)), 1.0)


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "|".join(str(_cell(one)) for one in value)
    return "" if value is None else value


def _write_text(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode()))
