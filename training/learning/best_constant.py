"""The best constant, of `taskbank.learning.best_constant`."""

from taskbank.learning.best_constant import CONSTANT_STEPS, best_constant

__all__ = ["CONSTANT_STEPS", "best_constant"]
