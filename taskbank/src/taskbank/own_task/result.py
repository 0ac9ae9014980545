"""Results of learning a user's own task, as tables and files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.atomic_files import write_whole
from taskbank.csv_tables import safe_path, safe_text, to_csv
from taskbank.learning.measure import transfer_name
from taskbank.own_task.plan import LearnPlan
from taskbank.probing.division import draws

CONSTANT = "constant"
RANKING, IMAGES, REPORT, BANK = "ranking.csv", "images.csv", "report.json", "bank"

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Results of one network on the images that it is measured on.

    Attributes:
        name: sources joined by `+`; `constant`, or `scratch`.
        sources: of a transfer; empty for others.
        chosen: mean loss on the images that transfers are chosen on; NaN for others.
        loss: mean loss.
        error: mean of the error that people read, see `Learned.error`.
        error_interval: its least and greatest value over bootstrap draws of groups.
        wins: share of the images on which the loss is less than that of the best constant; ties count half.
        wins_interval: likewise.
    """

    name: str
    sources: tuple[str, ...]
    chosen: float
    loss: float
    error: float
    error_interval: Interval
    wins: float
    wins_interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """A learned task.

    Attributes:
        task: its name.
        error: name of the error: `wrong`, the share of wrong classes, or `mean absolute error`.
        unit: of the error; "1" for none.
        scores: transfers, best first as chosen without the images that are measured on; then the controls.
        probe: source -> score of the probe, best first; empty if there was one source.
        images: names of the images of each part: `learned`, `chosen`, `measured`.
        failed: reasons why other images could not be read.
        without_label: number of images without a label.
        losses: network -> float32 (measured,), losses of the measured images.
        errors: network -> float32 (measured,), errors of the measured images.
        groups: of each measured image.
        bank: folder of the bank.
    """

    task: str
    error: str
    unit: str
    scores: tuple[Score, ...]
    probe: Mapping[str, float]
    images: Mapping[str, tuple[str, ...]]
    failed: tuple[str, ...]
    without_label: int
    losses: Mapping[str, NDArray[np.float32]] = field(repr=False)
    errors: Mapping[str, NDArray[np.float32]] = field(repr=False)
    groups: tuple[str, ...] = field(repr=False)
    bank: Path

    @property
    def transfers(self) -> tuple[Score, ...]:
        """Scores of transfers only, best first."""
        return tuple(score for score in self.scores if score.sources)

    def to_dict(self) -> dict[str, Any]:
        """Return all results except the numbers of each image, JSON-ready, with None in place of NaN."""
        scores = []
        for score in self.scores:
            told = asdict(score)
            scores.append(told | {"chosen": None if np.isnan(score.chosen) else score.chosen})
        names = ("task", "error", "unit", "without_label")
        return {name: getattr(self, name) for name in names} | {
            "best": list(self.transfers[0].sources),
            "scores": scores,
            "probe": dict(self.probe),
            "images": {part: list(held) for part, held in self.images.items()},
            "failed": list(self.failed),
            "bank": str(self.bank),
        }


def score_networks(
    sets: Sequence[tuple[str, ...]],
    chosen: Mapping[str, NDArray[np.float32]],
    losses: Mapping[str, NDArray[np.float32]],
    errors: Mapping[str, NDArray[np.float32]],
    *,
    groups: Sequence[str],
    plan: LearnPlan,
) -> tuple[Score, ...]:
    """Score transfers and controls; transfers come first, by their losses on other images.

    Args:
        sets: sources of the transfers.
        chosen: transfer -> losses of the images that transfers are chosen on.
        losses: network -> losses of the measured images, of the best constant too.
        errors: network -> errors of the measured images.
        groups: of the measured images.
        plan: draws, level and seed.
    """
    weights = draws(groups, plan.resamples, plan.seed)
    ends = (1 - plan.level) / 2, (1 + plan.level) / 2
    constant = losses[CONSTANT]

    def interval(values: NDArray[np.float64]) -> Interval:
        low, high = np.quantile(weights @ values / weights.sum(1), ends).tolist()
        return low, high

    scores = []
    named = {transfer_name(one): one for one in sets}
    for name, own in losses.items():
        wins = (own < constant) + 0.5 * (own == constant)
        error = errors[name].astype(np.float64)
        scores.append(
            Score(
                name=name,
                sources=named.get(name, ()),
                chosen=float(chosen[name].mean()) if name in chosen else float("nan"),
                loss=float(own.mean(dtype=np.float64)),
                error=float(error.mean()),
                error_interval=interval(error),
                wins=float(wins.mean()),
                wins_interval=interval(wins.astype(np.float64)),
            )
        )
    controls = [score for score in scores if not score.sources]
    transfers = [score for score in scores if score.sources]
    return (*sorted(transfers, key=lambda score: score.chosen), *controls)


def write_results(learned: Learned, out: Path) -> None:
    """Write the ranking, the numbers of every measured image, and the report.

    Raises:
        OutputError: a file cannot be written.
    """
    rows = [["sources", "order", "chosen_loss", "loss", "error", "error_low", "error_high", "beats_constant",
             "beats_constant_low", "beats_constant_high"]]  # fmt: skip
    for score in learned.scores:
        numbers = (score.chosen, score.loss, score.error, *score.error_interval, score.wins,
                   *score.wins_interval)  # fmt: skip
        cells = ["" if np.isnan(number) else f"{number:.6g}" for number in numbers]
        rows.append([score.name, str(len(score.sources) or ""), *cells])
    _write_table(out / RANKING, rows)
    names = list(learned.errors)
    measured = learned.images["measured"]
    rows = [["file", "group", *names]]
    for place, (image, group) in enumerate(zip(measured, learned.groups, strict=True)):
        rows.append(
            [safe_path(image), safe_text(group), *(f"{learned.errors[name][place]:.6g}" for name in names)]
        )
    _write_table(out / IMAGES, rows)
    text = json.dumps(learned.to_dict(), indent=1) + "\n"
    write_whole(out / REPORT, lambda file: file.write(text.encode()))


def _write_table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    write_whole(path, lambda file: file.write(to_csv(rows)))
