"""A problem as JSON, with everything that is needed to solve it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from taxsolver.errors import FileFormatError, InvalidInputError
from taxsolver.files.csv_text import read_file
from taxsolver.files.output import check_path
from taxsolver.planning.objective import Objective
from taxsolver.planning.problem import Problem
from taxsolver.planning.task_costs import TaskCost
from taxsolver.tensors.affinity import AffinityTensor
from taxsolver.tensors.store import AffinityInput, load_affinity


def problem_to_dict(problem: Problem) -> dict[str, Any]:
    """Convert to plain values for JSON; the tensor is given by name, SHA-256 and source files."""
    return {
        "affinity": _about(problem.affinity),
        "larger": None if problem.larger is None else _about(problem.larger),
        "targets": list(problem.targets),
        "budget": None if problem.budget is None else plain_number(problem.budget),
        "max_order": problem.max_order,
        "objective": problem.objective.value,
        "importance": {task: plain_number(value) for task, value in problem.importance.items()},
        "label_cost": {task: plain_number(value) for task, value in problem.label_cost.items()},
        "sources": list(problem.sources),
        "exclude": list(problem.exclude),
        "require": list(problem.require),
        "supervise_targets": None if problem.supervised_targets is None else list(problem.supervised_targets),
        "images_full": problem.images_full,
        "images_transfer": problem.images_transfer,
        "unit": problem.unit,
        "costs": {task: cost.to_dict() for task, cost in problem.costs.items()},
        "together": [list(group) for group in problem.together],
        "at_most": [[most, list(group)] for most, group in problem.at_most],
        "min_gain": problem.min_gain,
        "min_quality": problem.min_quality,
    }


def load_problem(path: str | PathLike[str], affinity: AffinityInput | None = None) -> Problem:
    """Load the problem of a plan that was saved as JSON, for `solve_problem`.

    Args:
        path: a .json file of `save_taxonomy`, or one that holds the text of `Taxonomy.to_json`.
        affinity: the tensor, or what `load_affinity` takes; None for the files that the plan names.

    Raises:
        FileFormatError: the file cannot be read, or is not a saved plan.
        InvalidInputError: the tensor cannot be found, or is not the one that the plan was made with.

    Examples:
        >>> import taxsolver
        >>> plan = taxsolver.solve("taskonomy-16k", targets="normals,depth", budget=1)
        >>> taxsolver.save_taxonomy(plan, "plan.json")
        PosixPath('plan.json')
        >>> taxsolver.load_problem("plan.json").targets
        ('normal', 'depth_zbuffer')
    """
    place = check_path(path)
    try:
        asked = json.loads(read_file(place).decode())["problem"]
        tensor = _tensor(asked["affinity"], place, affinity)
        supervised = asked["supervise_targets"]
        fields: dict[str, Any] = {
            "targets": tuple(asked["targets"]),
            "budget": asked["budget"],
            "max_order": asked["max_order"],
            "objective": Objective.named(asked["objective"]),
            "importance": dict(asked["importance"]),
            "label_cost": dict(asked["label_cost"]),
            "sources": tuple(asked["sources"]),
            "exclude": tuple(asked["exclude"]),
            "require": tuple(asked["require"]),
            "supervised_targets": None if supervised is None else tuple(supervised),
            "images_full": asked["images_full"],
            "images_transfer": asked["images_transfer"],
            # Plans of earlier versions lack these keys.
            "larger": _tensor(asked["larger"], place, None) if asked.get("larger") else None,
            "unit": asked.get("unit"),
            "costs": {task: TaskCost(**cost) for task, cost in asked.get("costs", {}).items()},
            "together": tuple(tuple(group) for group in asked.get("together", [])),
            "at_most": tuple((most, tuple(group)) for most, group in asked.get("at_most", [])),
            "min_gain": asked.get("min_gain"),
            "min_quality": asked.get("min_quality"),
        }
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FileFormatError(
            f"{place} is not a plan that taxsolver saved as JSON ({type(error).__name__}: {error}): save one "
            "with  taxsolver --save plan.json"
        ) from error
    named = [
        fields[what]
        for what in ("targets", "sources", "exclude", "require", "importance", "label_cost", "costs")
    ]
    named += [*fields["together"], *(group for _, group in fields["at_most"])]
    unknown = [task for names in named for task in names if task not in tensor.tasks]
    if unknown:
        raise FileFormatError(f"{place} names {unknown[0]!r}, which is not a task of {tensor.name!r}")
    return Problem(affinity=tensor, **fields)


def load_k_best(path: str | PathLike[str]) -> int:
    """Read the number of plans that were asked for from a saved plan; 1 if the file does not state it.

    Raises:
        FileFormatError: the file cannot be read, or is not a saved plan.
    """
    place = check_path(path)
    try:
        count = json.loads(read_file(place).decode()).get("k_best", 1)
    except (AttributeError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FileFormatError(f"{place} is not a plan that taxsolver saved as JSON ({error})") from error
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise FileFormatError(f"{place} asks for {count!r} plans, expected a whole number of at least 1")
    return count


def plain_number(value: float) -> int | float:
    """Return a number as int or float for JSON; an int stays an int."""
    return value if isinstance(value, int | float) else float(value)


def _about(tensor: AffinityTensor) -> dict[str, Any]:
    return {"name": tensor.name, "sha256": tensor.digest, "files": list(tensor.origin)}


def _tensor(about: Mapping[str, Any], place: Path, affinity: AffinityInput | None) -> AffinityTensor:
    """The tensor that a plan was made with."""
    name, digest, files = about["name"], about["sha256"], [str(file) for file in about["files"]]
    if affinity is None:
        if not files:
            raise InvalidInputError(
                f"{place} was made with the tensor {name!r}, which was in no file: give it as affinity"
            )
        # Paths are relative to the working directory, or else to the folder of the plan.
        beside = [place.parent / file for file in files]
        found = [
            str(by) if by.is_file() and not Path(file).exists() else file
            for by, file in zip(beside, files, strict=True)
        ]
        affinity = found[0] if len(found) == 1 else found
    tensor = load_affinity(affinity)
    if tensor.digest != digest:
        raise InvalidInputError(
            f"the tensor {tensor.name!r} holds other transfers than {name!r}, which {place} was made with: "
            "plan again, or give that tensor"
        )
    return tensor
