"""Answers of the integer programs: sources and transfers, their value, and what is proven of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from taxsolver.programs.instance import BoolArray, IntArray

OPTIMAL, TIME_LIMIT, UNPROVEN = "optimal", "time_limit", "unproven"

TIE = 1e-9  # objectives closer than this share of the largest weight are ties, broken towards the cheaper set
SCALE = 1e3  # the largest weight in the program: HiGHS's least tolerance of 1e-10 is then far below a tie
ROUNDS = 100  # proposals of one search that may turn out to be less than HiGHS took them for


@dataclass(frozen=True, eq=False)
class Choice:
    """The best plan found for one budget.

    Attributes:
        chosen: bool (tasks,); required sources and those that a chosen transfer reads.
        transfers: int (targets,); rows of the instance.
        value: sum of the weights of the transfers, as decimals, rounded once.
        bound: proven upper bound of the value of any plan.
        status: `optimal` where the bound proves the value, `time_limit` where the time limit cut in before,
            `unproven` where HiGHS ended without a proof.
    """

    chosen: BoolArray
    transfers: IntArray
    value: float
    bound: float
    status: str

    def proven(self) -> Choice:
        """Return this choice as one that no other is better than."""
        return replace(self, bound=self.value, status=OPTIMAL)
