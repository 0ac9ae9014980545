"""Exact sums: numbers as decimals, costs as whole numbers of one unit."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_EXACT = Context(prec=2000, traps=[Inexact, InvalidOperation])
_MOST_IN_64_BITS = 1 << 62


def decimal(value: float) -> Decimal:
    """Return the shortest decimal that is read as this float: 0.1 for the float nearest to 0.1."""
    return Decimal(repr(float(value)))


def exact_sum(values: Iterable[float]) -> Decimal:
    """Sum the decimals of finite floats without rounding: 0.1 + 0.2 is 0.3."""
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, decimal(value))
    return total


def exact_decimal(value: Fraction) -> Decimal:
    """Convert a fraction to a decimal without rounding.

    Raises:
        decimal.Inexact: its decimal is not finite; sums and products of decimals are.
    """
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def exact_products(values: FloatArray, factor: float) -> FloatArray:
    """Multiply values by a factor as decimals, rounded once to float64: 0.1 * 3 is 0.3."""
    scale = decimal(factor)
    return np.array([float(_EXACT.multiply(decimal(value), scale)) for value in values.tolist()], dtype=float)


def written(value: float) -> str:
    """Write a number in full: 24691.34, and 2 for 2.0."""
    return repr(float(value)).removesuffix(".0")


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs as whole numbers of their largest common unit, so that a sum of them is exact.

    Attributes:
        unit: the cost that the amount 1 stands for; for example, 0.01 if costs have two decimals.
        amounts: int64 (costs,), not negative; Python's integers (dtype object) if 64 bits do not hold their
            sum.
        fixed: cost that every choice has; part of every budget, and not of the amounts.
    """

    unit: Fraction
    amounts: NDArray[Any]
    fixed: Fraction = Fraction(0)

    @classmethod
    def of(cls, cost: NDArray[Any], fixed: Fraction = Fraction(0)) -> Costs:
        """Convert (costs,), finite and not negative, exactly: floats, or fractions (dtype object)."""
        values, places = np.unique(cost, return_inverse=True)
        exact = [
            value if isinstance(value, Fraction) else Fraction(decimal(value)) for value in values.tolist()
        ]
        denominator = math.lcm(*(one.denominator for one in exact))
        numbers = [int(one * denominator) for one in exact]
        common = math.gcd(*numbers) or 1
        whole = [number // common for number in numbers]
        small = len(cost) * max(whole, default=0) < _MOST_IN_64_BITS
        amounts = np.array(whole, dtype=np.int64 if small else object)[places.ravel()]
        return cls(Fraction(common, denominator), amounts, fixed)

    @property
    def largest(self) -> int:
        """The largest amount; 0 if there is none."""
        return int(self.amounts.max()) if len(self.amounts) else 0

    def total(self, chosen: BoolArray) -> int:
        """Sum the amounts that are marked in bool (costs,)."""
        return int(self.amounts[chosen].sum())

    def limit(self, budget: float | Fraction) -> int:
        """Compute the largest total amount within a budget, at most the sum of all; below 0 if none fits."""
        exact = budget if isinstance(budget, Fraction) else Fraction(decimal(budget))
        return min((exact - self.fixed) // self.unit, int(self.amounts.sum()))

    def exact(self, amount: int) -> Fraction:
        """Return the cost of an amount, including `fixed`."""
        return self.fixed + self.unit * amount

    def number(self, amount: int) -> float:
        """Return the cost of an amount as the least float whose decimal is not below it."""
        exact = self.exact(amount)
        nearest = float(exact)
        return nearest if Fraction(decimal(nearest)) >= exact else math.nextafter(nearest, math.inf)
