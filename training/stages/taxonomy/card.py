"""Section of the model card about stage 4."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from taskbank.bank.index import FOREIGN
from training.stages.taxonomy.novel_table import RIVALS, NovelRow, mean_wins

if TYPE_CHECKING:
    from taxsolver import Taxonomy
    from training.stages.taxonomy.stage import Findings

_SHOWN = ("scratch", "autoencoding", "random", "full_supervision")


def card_text(findings: Findings) -> str:
    """Return Markdown on the plan, novel tasks, agreement with the published tensors, and the method."""
    parts = [plan_text(findings.plan), _novel(findings.novel)]
    agreements = [
        f"- `{one.second}`: {one.mean:.2f} on average over targets, {one.overall:.2f} over all "
        f"{one.transfers} shared transfers"
        for one in findings.agreements
    ]
    if agreements:
        heading = "### Agreement with the published affinities (Spearman)"
        parts.append("\n".join([heading, "", *agreements]))
    # The tensor's header tells of controls and splits.
    kept = ("splits", "scratch", "full_supervision", "random", "average", "intervals")
    about = findings.tensor.about
    method = [f"- **{word.replace('_', ' ')}**: {about[word]}" for word in kept if word in about]
    if method:
        parts.append("\n".join(["### How it was measured", "", *method]))
    return "\n\n".join(part for part in parts if part) + "\n"


def plan_text(plan: Taxonomy) -> str:
    """Describe the plan of the headline's budget."""
    saved = "" if plan.labels_saved is None else f" and {plan.labels_saved:.0%} of their labels saved"
    foreign = [source for source in plan.sources if source.startswith(FOREIGN)]
    labelled = [source for source in plan.sources if source not in foreign]
    listed = (
        f"{len(labelled)} tasks labelled in full ({_names(labelled)})"
        if labelled
        else "no task labelled in full"
    )
    others = f", the third-party encoders {_names(foreign)}," if foreign else ""
    return (
        f"## Taxonomy\n\nWith {listed}{others} and transfers of order "
        f"{plan.problem.max_order} at most, {len(plan.problem.targets)} tasks are "
        f"served{saved}. They beat training from scratch on {plan.gain:.0%} "
        f"of the test samples, and their own fully supervised networks on {plan.quality:.0%} (half: parity)."
    )


def _names(sources: Iterable[str]) -> str:
    return ", ".join(f"`{source}`" for source in sources)


def _novel(rows: tuple[NovelRow, ...]) -> str:
    """Format the table of novel tasks."""
    head = ["task", "read out from", "loss", *(f"beats {rival.replace('_', ' ')}" for rival in _SHOWN)]
    lines = [
        "### As if each task were new",
        "",
        "Its own network is neither source nor answer; shares are of test samples.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for row in rows:
        shares = [_percent(row.wins[rival]) for rival in _SHOWN]
        cells = [f"`{row.target}`", ", ".join(row.sources), f"{row.loss:.4g}", *shares]
        lines.append(f"| {' | '.join(cells)} |")
    means = {rival: mean_wins(rows, rival) for rival in RIVALS}
    lines.append(f"| mean | | | {' | '.join(_percent(means[rival]) for rival in _SHOWN)} |")
    return "\n".join(lines)


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0%}"
