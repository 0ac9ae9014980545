"""Scores of banks and of the best constant on images with labels, with paired bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.atomic_files import write_whole
from taskbank.bank.bank import Bank
from taskbank.csv_tables import safe_path, safe_text, to_csv
from taskbank.errors import InvalidInputError
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.probing.division import draws
from taskbank.probing.labels import Labels
from taskbank.scoring.metrics import HIGHER, first_metric, mean_metrics, miou
from taskbank.scoring.truth import Truth, best_constant, make_truth, measure, measure_constant
from taskbank.tasks.kinds import OutputKind

CONSTANT = "best constant"
"""Name of the baseline among the banks: the constant prediction with the least error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Comparison of one bank with the first, by the first metric, on the same images.

    Attributes:
        bank: the bank compared with the first.
        metric: the metric of the comparison.
        difference: mean of the bank's metric minus the first bank's.
        interval: bootstrap interval of the difference, over draws of groups of images.
        better: share of the images on which the bank is better than the first; ties count half.
    """

    bank: str
    metric: str
    difference: float
    interval: tuple[float, float]
    better: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetScores:
    """Scores of one task.

    Attributes:
        task: canonical name.
        images: the images on which all banks were scored.
        means: bank -> metric -> mean over images; `miou` is computed over all pixels.
        rows: bank -> metrics of each image, in the order of `images`.
        comparisons: of every other bank, including the best constant, with the first.
    """

    task: str
    images: tuple[str, ...]
    means: Mapping[str, Mapping[str, float]]
    rows: Mapping[str, Sequence[Mapping[str, float]]]
    comparisons: tuple[Comparison, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all results except the metrics of single images, JSON-ready."""
        return {
            "task": self.task,
            "images": len(self.images),
            "means": {name: dict(values) for name, values in self.means.items()},
            "comparisons": [asdict(one) for one in self.comparisons],
        }


def run_score(
    banks: Mapping[str, Bank],
    images: Mapping[str, Path],
    labels: Sequence[Labels],
    *,
    settings: Settings | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    each: Callable[[], object] = lambda: None,
) -> tuple[list[TargetScores], list[str]]:
    """Score banks on images with labels.

    Args:
        banks: by their names in the results; the others are compared with the first.
        images: files by their paths in the folder of images.
        labels: of tasks that every bank predicts: maps in the dataset's codes and units, or classes.
        settings: how the networks are run.
        resamples: number of bootstrap draws of groups of images. Images of one folder are a group; an image
            outside of folders is a group alone.
        level: share of the draws within an interval.
        seed: of the draws.
        each: called after each image of each bank, for progress.

    Returns:
        scores of each target, and reasons why images were left out.

    Raises:
        InvalidInputError: no bank; a target that cannot be scored; a map that does not match its image.
        TaskBankError: as `Engine`.
    """
    if not banks:
        raise InvalidInputError("no bank was named: name one, as in --bank rooms")
    first = next(iter(banks.values()))
    truths = [make_truth(one, first) for one in labels]
    tasks = [truth.task for truth in truths]
    if len(set(tasks)) < len(tasks):
        twice = next(task for task in tasks if tasks.count(task) > 1)
        raise InvalidInputError(f"{twice} has labels twice: name each task once")
    wanted = [name for name in images if any(name in truth.maps or name in truth.numbers for truth in truths)]
    found: dict[str, dict[str, dict[str, _Row]]] = {task: {} for task in tasks}
    failed: dict[str, str] = {}
    for called, bank in banks.items():
        engine = Engine(bank, tasks, settings)
        for task in tasks:
            found[task][called] = {}
        for name, outcome in zip(wanted, engine.run(images[name] for name in wanted), strict=True):
            each()
            if outcome.error is not None:
                failed[name] = str(outcome.error)
                continue
            for truth in truths:
                if name in truth.maps or name in truth.numbers:
                    made = measure(truth, name, outcome.prediction(truth.task))
                    found[truth.task][called][name] = made
    for truth in truths:
        constant = best_constant(truth)
        found[truth.task][CONSTANT] = {
            name: measure_constant(truth, name, constant) for name in truth.images if name not in failed
        }
    kinds = {task: [bank.find_target(task).output for bank in banks.values()] for task in tasks}
    chosen = _Draws(resamples, level, seed)
    return [_scores(truth, found[truth.task], kinds[truth.task], chosen) for truth in truths], list(
        failed.values()
    )


def write_rows(scores: Sequence[TargetScores], path: Path) -> None:
    """Write the metrics of every image as CSV: image, task, bank, metric, value.

    Raises:
        OutputError: the file cannot be written.
    """
    table = [["image", "task", "bank", "metric", "value"]]
    for one in scores:
        for bank, rows in one.rows.items():
            for image, row in zip(one.images, rows, strict=True):
                names = [safe_path(image), one.task, safe_text(bank)]
                table += [[*names, metric, f"{value:.6g}"] for metric, value in row.items()]
    content = to_csv(table)
    write_whole(path, lambda file: file.write(content))


_Row = tuple[dict[str, float], NDArray[np.int64] | None]


@dataclass(frozen=True, slots=True)
class _Draws:
    """Settings of the bootstrap intervals."""

    resamples: int
    level: float
    seed: int


def _scores(
    truth: Truth, found: Mapping[str, Mapping[str, _Row]], kinds: Sequence[OutputKind], chosen: _Draws
) -> TargetScores:
    """Compute means and comparisons on the images that all banks have."""
    names = [name for name in truth.images if all(name in rows for rows in found.values())]
    if not names:
        raise InvalidInputError(f"no image with a label of {truth.task} could be read")
    rows = {bank: [given[name][0] for name in names] for bank, given in found.items()}
    means = {bank: mean_metrics(listed) for bank, listed in rows.items()}
    for bank, given in found.items():
        counted = [table for name in names if (table := given[name][1]) is not None]
        if counted:
            means[bank]["miou"] = miou(np.sum(counted, axis=0))
    metric = first_metric(kinds)
    groups = [name.rpartition("/")[0] or f"/{name}" for name in names]
    weights = draws(groups, chosen.resamples, chosen.seed)
    ends = ((1 - chosen.level) / 2, (1 + chosen.level) / 2)
    base, *others = rows
    compared = []
    for bank in others:
        difference = np.array(
            [other[metric] - own[metric] for other, own in zip(rows[bank], rows[base], strict=True)]
        )
        low, high = np.quantile(weights @ difference / weights.sum(1), ends).tolist()
        signed = difference if metric in HIGHER else -difference
        better = float(np.mean((signed > 0) + 0.5 * (signed == 0)))
        compared.append(
            Comparison(
                bank=bank,
                metric=metric,
                difference=float(difference.mean()),
                interval=(low, high),
                better=better,
            )
        )
    return TargetScores(
        task=truth.task, images=tuple(names), means=means, rows=rows, comparisons=tuple(compared)
    )
