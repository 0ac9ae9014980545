"""Short texts about a plan for figures and terminals: its headline and its budget."""

from __future__ import annotations

from taxsolver.figures.text import readable
from taxsolver.planning.amounts import amount
from taxsolver.planning.problem import Problem
from taxsolver.planning.task_costs import IMAGES
from taxsolver.planning.taxonomy import Taxonomy


def headline(taxonomy: Taxonomy) -> tuple[str, str]:
    """Describe a plan in two parts: its transfers, and the number of labels they need, if known."""
    labels = _labels_needed(taxonomy)
    if taxonomy.problem.unit not in {None, IMAGES}:
        labels = f"{taxonomy.problem.written(taxonomy.cost)}: {labels}"
    return _who_serves(taxonomy), labels


def budget_words(problem: Problem) -> str:
    """Name the budget of a problem, or the goal of its cheapest plan."""
    if problem.budget is not None:
        least = "" if problem.min_quality is None else f", quality from {amount(problem.min_quality)}"
        return f"budget {problem.written(problem.budget)}{least}"
    goals = (("mean gain", problem.min_gain), ("quality", problem.min_quality))
    named = " and ".join(f"{what} from {amount(goal)}" for what, goal in goals if goal is not None)
    return f"least cost for a {named}"


def _who_serves(taxonomy: Taxonomy) -> str:
    targets = len(taxonomy.transfers)
    untrained = taxonomy.problem.affinity.untrained
    labelled = [task for task in taxonomy.sources if task not in untrained]
    extra = [task for task in labelled if task not in taxonomy.problem.targets]
    served = f"all {targets}" if targets > 1 else readable(taxonomy.transfers[0].target)
    verb = "serves" if len(labelled) == 1 else "serve"
    if not labelled:
        return f"no task labelled in full serves {served}"
    if extra or targets == 1:
        noun = "task" if len(labelled) == 1 else "tasks"
        which = "not" if len(labelled) == 1 else "none of them" if len(extra) == len(labelled) else ""
        which = which or f"{len(extra)} of them not"
        beyond = f", {which} among the targets," if extra else ""
        served = f"{targets} targets" if targets > 1 else served
        return f"{len(labelled)} {noun} labelled{beyond} {verb} {served}"
    return f"{len(labelled)} of {targets} tasks labelled {verb} {served}"


def _labels_needed(taxonomy: Taxonomy) -> str:
    labels, in_full, saved = taxonomy.labels, taxonomy.labels_in_full, taxonomy.labels_saved
    if labels is None or in_full is None or saved is None:
        return ""
    if labels == in_full:
        return f"{labels:,} labelled images, as many as labelling every target in full"
    share = f"{abs(saved):.0%}".replace("%", " %") if abs(saved) >= 0.005 else "less than 1 %"
    if saved > 0:
        return f"{labels:,} labelled images instead of {in_full:,} ({share} saved)"
    return f"{labels:,} labelled images, {share} more than the {in_full:,} of labelling every target in full"
