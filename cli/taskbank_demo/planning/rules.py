"""Rules on tasks that are labelled together or apart, one per line."""

from __future__ import annotations

import re
from typing import Any

from taskbank_demo.planning.ask import Names
from taxsolver.errors import InvalidInputError

_RULE = re.compile(r"(?P<kind>together|apart|at most (?P<most>\d{1,4})):(?P<tasks>.*)", re.IGNORECASE)
_MOST_RULES = 50


def read_rules(given: str) -> dict[str, Any]:
    """Read rules as the parameters of `PlanAsk`.

    Args:
        given: lines such as `together: normals, reshading`, `apart: depth, curvature` and
            `at most 2: edges, keypoints2d, keypoints3d`; empty lines are ignored.

    Returns:
        `together`, `apart` and `at_most`.

    Raises:
        InvalidInputError: a line is not a rule; the names are checked with the rest of the request.

    Examples:
        >>> read_rules("apart: normals, reshading")["apart"]
        (('normals', 'reshading'),)
    """
    together: list[Names] = []
    apart: list[Names] = []
    at_most: list[tuple[int, Names]] = []
    lines = [line.strip() for line in (given or "").splitlines() if line.strip()]
    if len(lines) > _MOST_RULES:
        raise InvalidInputError(f"there are {len(lines)} rules, at most {_MOST_RULES} are taken")
    for line in lines:
        rule = _RULE.fullmatch(line)
        tasks = tuple(name.strip() for name in rule["tasks"].split(",") if name.strip()) if rule else ()
        if rule is None or not tasks:
            raise InvalidInputError(
                f"the rule {line[:60]!r} was not understood: write `together: a, b`, `apart: a, b` or "
                "`at most 2: a, b, c`, one a line"
            )
        if rule["most"] is not None:
            at_most.append((int(rule["most"]), tasks))
        elif rule["kind"].casefold() == "together":
            together.append(tasks)
        else:
            apart.append(tasks)
    return {"together": tuple(together), "apart": tuple(apart), "at_most": tuple(at_most)}
