"""Readable budgets and costs."""

from __future__ import annotations


def amount(value: float) -> str:
    """Write a budget or cost in full, with a thousands separator: 1,000,000 and 24,691.33, and 2 for 2.0."""
    return f"{float(value):,}".removesuffix(".0")
