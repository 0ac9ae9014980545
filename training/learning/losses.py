"""Losses of outputs, of `taskbank.learning.losses`."""

from taskbank.learning.losses import losses

__all__ = ["losses"]
