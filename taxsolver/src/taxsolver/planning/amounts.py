"""Budgets and costs as people read them."""

from __future__ import annotations


def amount(value: float) -> str:
    """A budget or cost in full, with thousands apart: 1,000,000 and 24,691.33, and 2 for 2.0."""
    return f"{float(value):,}".removesuffix(".0")
