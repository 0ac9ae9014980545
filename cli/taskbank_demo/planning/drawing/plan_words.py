"""Descriptions of a plan as text, for tooltips, screen readers and captions."""

from __future__ import annotations

import math

from taskbank_demo.planning.drawing.cards import label_of, labels_of
from taxsolver.planning.solve import OneMore
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import Transfer


def measure(value: float, digits: int = 2) -> str:
    """Write a share in [0, 1], or a dash if it was not measured."""
    return "\N{EN DASH}" if math.isnan(value) else f"{value:.{digits}f}"


def node_lines(taxonomy: Taxonomy, task: str) -> list[str]:
    """Return a task's name, and a few lines about its role in the plan."""
    own = next((one for one in taxonomy.transfers if one.target == task), None)
    name = label_of(task)
    lines = [name if name == task else f"{name} ({task})"]
    if task in taxonomy.sources:
        if task in taxonomy.problem.affinity.untrained:
            role = "untrained, needs no labels"
        elif own is not None and own.full_supervision:
            role = "labelled in full, served by its own network"
        else:
            role = "labelled in full only for others to read" if own is None else "labelled in full"
        lines.append(role)
        served = [
            one.target for one in taxonomy.transfers if task in one.sources and not one.full_supervision
        ]
        if served:
            lines.append(f"read for {_listed([label_of(one) for one in served])}")
    if own is not None and not own.full_supervision:
        lines.append(f"read out from {labels_of(own.sources)}")
    if own is not None:
        affinity = "\N{EN DASH}" if math.isnan(own.affinity) else f"{own.affinity:.3g}"
        lines.append(f"order {own.order}, affinity {affinity}")
        lines.append(f"gain {measure(own.gain)}, quality {measure(own.quality)}")
    return lines


def spoken_node(taxonomy: Taxonomy, task: str) -> str:
    """Return a task's name and role in the plan as one sentence for screen readers."""
    name, *facts = node_lines(taxonomy, task)
    return f"{name}: {'; '.join(facts)}"


def spoken_plan(taxonomy: Taxonomy) -> str:
    """Describe the picture in a sentence."""
    sources = _listed([label_of(task) for task in taxonomy.sources]) or "nothing"
    return f"Taxonomy of {len(taxonomy.transfers)} targets. Label in full: {sources}."


def proof(taxonomy: Taxonomy) -> str:
    """Describe the proof of the objective: optimal, or else its bound and gap."""
    if taxonomy.status == "optimal":
        return "proven optimal"
    why = ", time ran out" if taxonomy.status == "time_limit" else ""
    return f"not proven{why}: at most {taxonomy.bound:.4g} (gap {taxonomy.gap:.1%})"


def one_more_words(more: OneMore | None) -> str:
    """Describe the best plan with one more unit of budget."""
    if more is None:
        return "not found out"
    if not more.increase > 0 or not more.added:
        return "no plan gets better by it"
    added = _listed([label_of(task) for task in more.added])
    dropped = f" in place of {_listed([label_of(task) for task in more.dropped])}" if more.dropped else ""
    return f"by labelling {added}{dropped}"


def served_from(transfer: Transfer) -> str:
    """Name the sources of a transfer, or the target's own labels."""
    return "its own labels" if transfer.full_supervision else labels_of(transfer.sources)


def _listed(names: list[str]) -> str:
    """Join names as in `A, B and C`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
