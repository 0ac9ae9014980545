"""The errors of taxsolver, named by their condition.

TaxSolverError
├── InvalidInputError      a parameter, a tensor or a table holds a value that is not allowed
│   └── UnknownTaskError   a name that is not a task of the tensor or table at hand
├── InfeasibleBudgetError  no plan fits the budget
├── TimeLimitError         the time limit passed before any plan was found
├── SolverError            HiGHS failed, or ended without an answer
├── FileFormatError        a file is damaged or not of the expected kind
├── OutputError            a result cannot be written
└── MissingExtraError      an optional dependency is not installed
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class TaxSolverError(Exception):
    """Base of every error that taxsolver raises on purpose."""


class InvalidInputError(TaxSolverError, ValueError):
    """A parameter, a tensor or a table holds a value that is not allowed."""


class UnknownTaskError(InvalidInputError):
    """A name that is not a task of the tensor or table at hand.

    Attributes:
        name: the unknown name.
        known: spellings that are accepted.
        where: the tensor or table that was searched.
        nearest: accepted names that are similar, best first; may be empty.
    """

    def __init__(self, name: str, known: Iterable[str], where: str) -> None:
        self.name = name
        self.where = where
        self.known = spellings = tuple(sorted(known))
        self.nearest = tuple(get_close_matches(name.casefold(), spellings, n=3, cutoff=0.5))
        hint = f"did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        hint = hint or f"known are {', '.join(spellings)}"
        super().__init__(f"unknown task {name!r} in {where}: {hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.known, self.where)


class InfeasibleBudgetError(TaxSolverError):
    """No plan fits the budget.

    Attributes:
        budget: the budget, in label-cost units.
        least: the smallest budget for which a plan exists; None where no budget suffices.
    """

    def __init__(self, message: str, budget: float, least: float | None) -> None:
        self.budget = budget
        self.least = least
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.budget, self.least)


class TimeLimitError(TaxSolverError, TimeoutError):
    """The time limit passed before any plan was found."""


class SolverError(TaxSolverError, RuntimeError):
    """HiGHS failed, or ended without an answer."""


class FileFormatError(TaxSolverError, ValueError):
    """A file is damaged or not of the expected kind."""


class OutputError(TaxSolverError, OSError):
    """A result cannot be written to its path."""


class MissingExtraError(TaxSolverError, ImportError):
    """An optional dependency is not installed.

    Args:
        module: the module that could not be imported.
        purpose: the feature that needs the module, as the subject of a sentence.
    """

    def __init__(self, module: str, purpose: str) -> None:
        self.module = module
        self.purpose = purpose
        super().__init__(
            f"{purpose} needs {module}, which is not installed: run  pip install './taxsolver[plot]'  "
            "in a checkout, or  pip install matplotlib scipy",
            name=module,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.module, self.purpose)
