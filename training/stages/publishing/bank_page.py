"""Figures on the documentation page about the bundled bank, written from `scores.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskbank.bank.health import Fault, find_faults
from taskbank.bank.index import BankIndex
from training.errors import DataError
from training.stages.evaluation.agreement import dead_tasks
from training.stages.publishing.card import computing_hours

BEGIN = "<!-- how good the bundled bank is: written by `python -m training bundle` -->"
END = "<!-- end of how good it is -->"

_ROWS = (
    ("normals, mean error", "normal", "mean", "{:.1f}°"),
    ("depth, AbsRel", "depth_zbuffer", "abs_rel", "{:.2f}"),
    ("depth, AbsRel after one scale per image", "depth_zbuffer", "abs_rel_scaled", "{:.2f}"),
    ("depth, share within 1.25", "depth_zbuffer", "delta", "{:.2f}"),
    ("depth, share within 1.25 after one scale per image", "depth_zbuffer", "delta_scaled", "{:.2f}"),
    ("reshading, L1", "reshading", "l1", "{:.3f}"),
    ("occlusion edges, average precision", "edge_occlusion", "ap", "{:.2f}"),
    ("semantic labels, mean IoU", "segment_semantic", "miou", "{:.2f}"),
    ("semantic labels, accuracy", "segment_semantic", "accuracy", "{:.2f}"),
)
_LOWER_IS_BETTER = {"mean", "abs_rel", "abs_rel_scaled", "l1"}
_PARTS = {"test": "rendered, held out", "real": "real", "real_constant": "best constant, real"}


def figures_section(index: BankIndex, scores: Mapping[str, Any]) -> str:
    """Return a bank's metrics as Markdown: a table and a few sentences.

    Args:
        index: index of the bank.
        scores: scores of its evaluation; without real frames the table has one column.
    """
    counted = {"test": scores["frames"], "real": scores.get("real_frames")}
    columns = [part for part in _PARTS if part in scores]
    heads = [_PARTS[part] + (f" ({counted[part]} frames)" if part in counted else "") for part in columns]
    rows = [
        [
            words,
            *(
                form.format(scores[part][task][name]) if name in scores[part].get(task, {}) else "-"
                for part in columns
            ),
        ]
        for words, task, name, form in _ROWS
    ]
    table = [["", *heads], ["---"] * (1 + len(columns)), *rows]
    size = sum(file.size for file in index.files) / 1_000_000
    parts = [
        f"The bundled bank `{index.name}` ({size:.0f} MB, {index.licence}) was made by `training/`: task "
        f"networks in {computing_hours(index):.2g} hours of computing, on frames of {index.image_size} px.",
        "\n".join(f"| {' | '.join(row)} |" for row in table),
        _beside_constants(scores),
        *_dead(scores),
        _agreement(scores),
        " ".join(scores["origins"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _beside_constants(scores: Mapping[str, Any]) -> str:
    """List measures in which the best constant of the real frames beats the network, and win rates."""
    worse = []
    for words, task, name, form in _ROWS:
        own, constant = (scores.get(part, {}).get(task, {}).get(name) for part in ("real", "real_constant"))
        if own is None or constant is None:
            continue
        if own > constant if name in _LOWER_IS_BETTER else own < constant:
            worse.append(f"{words} ({form.format(own)} against {form.format(constant)})")
    said = [f"On real frames the best constant is better in: {', '.join(worse)}."] if worse else []
    if rates := [(row["beats_average"], row["beats_random"]) for row in scores["sanity"]]:
        average = sum(one for one, _ in rates) / len(rates)
        random = [other for _, other in rates if other is not None]
        beaten = sum(random) / max(1, len(random))
        said.append(
            f"On held-out rooms a network beats the best constant on {average:.0%} of the frames, and what "
            f"is read out of a random encoder on {beaten:.0%}, on average over {len(rates)} tasks."
        )
    return " ".join(said)


def _dead(scores: Mapping[str, Any]) -> list[str]:
    """Describe dead networks; empty if there are none."""
    found = [one for name, numbers in scores["health"].items() for one in find_faults(name, numbers)]
    dead = [one.network for one in found if one.fault is Fault.DEAD]
    constant = [one.network for one in found if one.fault is Fault.CONSTANT and "->" in one.network]
    if not dead:
        return []
    said = (
        f"**{len(dead)} networks are dead**: {', '.join(f'`{task}`' for task in dead)}. More than half of "
        "the channels of their representations are the same for all images"
    )
    if constant:
        said += f", and {len(constant)} transfers that read from them give a constant"
    return [f"{said}. `taskbank info` lists them."]


def _agreement(scores: Mapping[str, Any]) -> str:
    """Compare affinities with real frames and published tensors, with and without dead encoders."""
    dead = bool(dead_tasks(scores["health"]))
    carried = [
        f"{_rho(row['spearman_alive'], row['spearman'], dead)} for `{row['target']}`"
        for row in scores.get("carry_over", ())
    ]
    published = [
        f"{_rho(found['mean_alive'], found['mean'], dead)} with `{name}`"
        for name, found in scores["agreement"].items()
    ]
    brackets = ", with dead encoders in brackets" if dead else ""
    said = []
    if carried:
        said.append(
            "Whether a better source by its affinities is better on real frames (Spearman over sources"
            f"{brackets}): {', '.join(carried)}."
        )
    if published:
        said.append(
            "Agreement of its affinities with the published ones (Spearman, on average over targets"
            f"{brackets}): {', '.join(published)}."
        )
    return " ".join(said)


def _rho(alive: float | None, all_sources: float | None, dead: bool) -> str:
    """Format Spearman's rho without dead encoders, and with them if there are any."""
    words = ["-" if rho is None else f"{rho:.2f}" for rho in (alive, all_sources)]
    return f"{words[0]} ({words[1]})" if dead else words[0]


def with_section(page: str, section: str) -> str:
    """Replace the section of a page between its two comments.

    Raises:
        DataError: the page lacks the comments.
    """
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise DataError(f"the page lacks {END if begun else BEGIN!r}, where the bank's figures belong")
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"
