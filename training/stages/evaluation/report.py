"""Text report of the numbers of stage 7, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskbank.bank.health import find_faults
from training.stages.evaluation.sanity import SanityRow, sanity_text

_UNITS = {
    "mean": "deg", "median": "deg", "angle": "deg", "rotation": "deg", "rotation_median": "deg",
    "rmse": "m", "rmse_scaled": "m", "translation": "m", "translation_median": "m", "corners": "m",
    "edges": "m", "psnr": "dB",
}  # fmt: skip


def report_text(scores: Mapping[str, Any]) -> str:
    """Format the tables of `scores.json`; those of transfers are in the bank's index and on its card."""
    blocks = [
        "Test frames that nothing was learned from\n" + scores_text(scores["test"]),
        "Share of test samples, in %, on which the task's network beats the average estimator and the\n"
        "readout of a random encoder\n" + sanity_text([SanityRow(**row) for row in scores["sanity"]]),
    ]
    faults = [
        finding for name, found in scores.get("health", {}).items() for finding in find_faults(name, found)
    ]
    if faults:
        blocks.append(
            "Networks that are dead, or give the same for all images\n" + "\n".join(map(str, faults))
        )
    if "real" in scores:
        blocks += [
            f"{scores['real_frames']} real frames\n" + scores_text(scores["real"]),
            "The best constant of these very frames\n" + scores_text(scores["real_constant"]),
            "Spearman of affinity and of lower error on real frames, over all sources and over those that\n"
            "are not dead\n"
            + "\n".join(
                f"{one['target']:18} {_rho(one['spearman'])} {_rho(one.get('spearman_alive'))}"
                for one in scores["carry_over"]
            ),
        ]
    return "\n\n".join(blocks)


def scores_text(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Format scores with one or two lines per task."""
    lines = []
    for task, numbers in scores.items():
        words = [f"{name} {value:,.4g} {_UNITS.get(name) or ''}".rstrip() for name, value in numbers.items()]
        # Four numbers per line, the first line after the task's name.
        lines += [
            f"{'' if start else task:18} {', '.join(words[start : start + 4])}"
            for start in range(0, max(1, len(words)), 4)
        ]
    return "\n".join(lines)


def _rho(value: float | None) -> str:
    return f"{'-' if value is None else format(value, '.2f'):>8}"
