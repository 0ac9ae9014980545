"""Solutions of the integer programs: sources and transfers, their value, and its proven bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

from taxsolver.programs.instance import BoolArray, IntArray

OPTIMAL, TIME_LIMIT, UNPROVEN = "optimal", "time_limit", "unproven"

TIE = 1e-9  # objectives closer than this share of the largest weight are ties, broken towards the cheaper set
SCALE = 1e3  # largest weight in the program, so that HiGHS's least tolerance of 1e-10 is far below a tie
ROUNDS = 100  # largest number of proposals in one search that are worse than HiGHS's value for them


@dataclass(frozen=True, eq=False)
class Choice:
    """The best plan found for one budget.

    Attributes:
        chosen: bool (tasks,); required sources and those that a chosen transfer reads.
        transfers: int (targets,); rows of the instance.
        value: sum of the weights of the transfers, as decimals, rounded once.
        bound: proven upper bound of the value of any plan.
        status: `optimal` if the bound proves the value, `time_limit` if the time limit passed before the
            proof, `unproven` if HiGHS ended without a proof.
    """

    chosen: BoolArray
    transfers: IntArray
    value: float
    bound: float
    status: str

    def proven(self) -> Choice:
        """Return this choice with its value as the bound."""
        return replace(self, bound=self.value, status=OPTIMAL)
