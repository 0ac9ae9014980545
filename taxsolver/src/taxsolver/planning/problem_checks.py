"""Checks of a planning problem; each raises InvalidInputError with the value and a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxsolver.arguments import check_count, check_number, check_type, shown
from taxsolver.errors import InvalidInputError
from taxsolver.planning.amounts import amount
from taxsolver.planning.objective import Objective
from taxsolver.planning.task_costs import IMAGES, LEAST_COST, TaskCost
from taxsolver.tensors.affinity import AffinityTensor

if TYPE_CHECKING:
    from taxsolver.planning.problem import Problem


def check_amounts(problem: Problem) -> None:
    """Check the unit, and the ranges of the budget, importances, label costs, images and the order."""
    if problem.unit is not None and not isinstance(problem.unit, str):
        raise InvalidInputError(
            f"unit is {shown(problem.unit)}, expected images, or the name of a currency, as in EUR"
        )
    if problem.budget is not None:
        check_number(problem.budget, "budget", zero=False, largest=problem.largest_budget)
    for task, value in problem.importance.items():
        check_number(value, f"the importance of {task}", zero=True)
    for task, value in problem.label_cost.items():
        check_number(value, f"the label cost of {task}", zero=True)
        if 0 < value < LEAST_COST:
            raise InvalidInputError(
                f"the label cost of {task} is {value!r}, expected 0 or a number from {LEAST_COST:g} on"
            )
    for what, number in (("images_full", problem.images_full), ("images_transfer", problem.images_transfer)):
        if number is not None:
            check_count(number, what)
    if problem.max_order is not None:
        check_count(problem.max_order, "max_order")


def check_costs(problem: Problem) -> None:
    """Check that every task that may be labelled has the price and images that the budget counts."""
    for cost in problem.costs.values():
        check_type(cost, TaskCost, "costs", "Problem.of takes files and dictionaries")
    if problem.unit is None:
        return
    if problem.label_cost:
        raise InvalidInputError(
            "label_cost counts labelled tasks, and the budget counts "
            f"{problem.unit or 'money'}: leave out label_cost, or costs and unit"
        )
    for task in problem.trained(dict.fromkeys([*problem.sources, *problem.targets])):
        cost = problem.cost_of(task)
        needed = {"price": problem.unit == IMAGES or cost.price is not None}
        needed["images_full"] = problem.images_to_label(task, full=True) is not None
        if task in problem.targets:
            needed["images_transfer"] = problem.images_to_label(task, full=False) is not None
        missing = [name for name, known in needed.items() if not known]
        if missing:
            option = "" if missing[0] == "price" else f", or give {missing[0]}"
            raise InvalidInputError(
                f"{missing[0]} of {task!r} is not known: add it to costs, where a row * stands for every "
                f"other task{option}"
            )
        if task in problem.targets and problem.full_cost(task) < problem.transfer_cost(task):
            raise InvalidInputError(
                f"images_transfer of {task!r} is more than its images_full: a transfer takes a part of "
                "the labels in full"
            )


def check_larger(problem: Problem) -> None:
    """Check that both tensors have the same tasks, and that their objectives and costs are comparable."""
    if problem.larger is None:
        return
    larger = check_type(problem.larger, AffinityTensor, "larger", "Problem.of takes names and paths")
    if larger.tasks != problem.affinity.tasks:
        other = sorted({*larger.tasks} ^ {*problem.affinity.tasks}) or ["their order"]
        raise InvalidInputError(
            f"{larger.name!r} has other tasks than {problem.affinity.name!r} ({other[0]} among them): give "
            "two tensors of the same tasks"
        )
    if problem.unit is None:
        raise InvalidInputError(
            "larger transfers cost more labels, and the budget counts tasks: give a unit, as in unit='images'"
        )
    if problem.objective not in {Objective.GAIN, Objective.QUALITY}:
        raise InvalidInputError(
            f"the objective is {problem.objective}, which is not comparable between tensors: choose gain or "
            "quality"
        )
    if larger.images_transfer is None:
        raise InvalidInputError(f"{larger.name!r} does not state the images of a transfer: give another one")
    for task in problem.targets:
        small = problem.cost_of(task).images_transfer or problem.images_transfer or 0
        full = problem.cost_of(task).images_full or problem.images_full or 0
        if not small <= larger.images_transfer <= full:
            raise InvalidInputError(
                f"larger transfers take {larger.images_transfer:,} images, and {task!r} takes {small:,} "
                f"for a small one and {full:,} in full: they must lie between"
            )


def check_groups(problem: Problem) -> None:
    """Check the groups of tasks, and that the required tasks do not violate them."""
    for group in (*problem.together, *(group for _, group in problem.at_most)):
        if len(set(group)) < max(2, len(group)):
            raise InvalidInputError(
                f"a group of together, apart or at_most is {', '.join(group) or 'empty'}: name at least "
                "two tasks, each once"
            )
    for most, _ in problem.at_most:
        check_count(most, "the number of at_most")
    required = problem.joined(problem.require)
    for most, group in problem.at_most:
        here = [task for task in group if task in required]
        if len(here) > most:
            raise InvalidInputError(
                f"{', '.join(here)} are required, and at most {most} of {', '.join(group)} is allowed: "
                "drop one of the two"
            )


def check_goals(problem: Problem) -> None:
    """Check that there is a budget or a goal, and that the goal has no conflicting options."""
    for what, goal in (("min_gain", problem.min_gain), ("min_quality", problem.min_quality)):
        if goal is not None:
            check_number(goal, what, zero=True, largest=1)
    if problem.budget is None and problem.min_gain is None and problem.min_quality is None:
        raise InvalidInputError(
            "budget is None: give a budget, or min_gain or min_quality for the cheapest plan"
        )
    if problem.min_gain is None:
        return
    if problem.budget is not None:
        raise InvalidInputError("min_gain asks for the cheapest plan: leave out the budget or min_gain")
    if problem.objective is not Objective.GAIN:
        raise InvalidInputError(
            f"min_gain asks for a gain, and the objective is {problem.objective}: leave it out"
        )
    if problem.importance:
        raise InvalidInputError("min_gain is a mean over all targets alike: leave out importance")


def check_sources(problem: Problem) -> None:
    """Check that required tasks may be supervised, and that every target can be served."""
    for task in problem.require:
        if task not in problem.sources:
            raise InvalidInputError(
                f"{task!r} is required but may not be supervised: it is not among sources, or "
                "supervise_targets leaves it out"
            )
    served = set(problem.column("target")[problem.transfers].tolist())
    for task in problem.targets:
        if problem.affinity.tasks.index(task) not in served:
            order = "any order" if problem.max_order is None else f"order at most {problem.max_order}"
            least = (
                ""
                if problem.min_quality is None
                else f" and a quality of at least {amount(problem.min_quality)}"
            )
            raise InvalidInputError(
                f"target {task!r} cannot be served: no transfer of {order} from the allowed sources has "
                f"a measured {problem.objective}{least}; allow more sources, a larger order or its "
                "supervision"
            )
