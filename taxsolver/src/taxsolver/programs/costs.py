"""Sums without rounding: numbers as the decimals that people write, costs as whole numbers of one unit."""

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
    """The shortest decimal that is read as this float: 0.1 for 0.1, which a float only approaches."""
    return Decimal(repr(float(value)))


def exact_sum(values: Iterable[float]) -> Decimal:
    """The sum of the decimals of finite floats, without rounding: 0.1 + 0.2 is 0.3."""
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, decimal(value))
    return total


def exact_decimal(value: Fraction) -> Decimal:
    """A fraction as a decimal, without rounding.

    Raises:
        decimal.Inexact: it has no end as a decimal; sums and products of decimals have one.
    """
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


def exact_products(values: FloatArray, factor: float) -> FloatArray:
    """float64: each value times the factor as decimals, rounded once: 0.1 * 3 is 0.3."""
    scale = decimal(factor)
    return np.array([float(_EXACT.multiply(decimal(value), scale)) for value in values.tolist()], dtype=float)


def written(value: float) -> str:
    """A number in full, as people write it: 24691.34, and 2 for 2.0."""
    return repr(float(value)).removesuffix(".0")


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs as whole numbers of their largest common unit, so that a sum of them is exact.

    Attributes:
        unit: the amount of cost that 1 stands for; a hundredth, say, where costs are written in cents.
        amounts: int64 (costs,), not negative; Python's integers (dtype object) where 64 bits do not hold
            their sum.
        fixed: what is spent whatever is chosen; part of every budget, and of no amount.
    """

    unit: Fraction
    amounts: NDArray[Any]
    fixed: Fraction = Fraction(0)

    @classmethod
    def of(cls, cost: NDArray[Any], fixed: Fraction = Fraction(0)) -> Costs:
        """The exact form of (costs,), finite and not negative: floats, or fractions (dtype object)."""
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
        """The largest amount; 0 without any."""
        return int(self.amounts.max()) if len(self.amounts) else 0

    def total(self, chosen: BoolArray) -> int:
        """The sum of the amounts of bool (costs,)."""
        return int(self.amounts[chosen].sum())

    def limit(self, budget: float | Fraction) -> int:
        """The largest total amount within a budget; never more than all amounts, below 0 where none is."""
        exact = budget if isinstance(budget, Fraction) else Fraction(decimal(budget))
        return min((exact - self.fixed) // self.unit, int(self.amounts.sum()))

    def exact(self, amount: int) -> Fraction:
        """The cost of an amount, with what is spent in any case."""
        return self.fixed + self.unit * amount

    def number(self, amount: int) -> float:
        """The cost of an amount, as the least float whose decimal is not below it."""
        exact = self.exact(amount)
        nearest = float(exact)
        return nearest if Fraction(decimal(nearest)) >= exact else math.nextafter(nearest, math.inf)
