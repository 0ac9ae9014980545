"""Forward passes in training, of `taskbank.learning.forward`."""

from taskbank.learning.forward import channels_last, run, through

__all__ = ["channels_last", "run", "through"]
