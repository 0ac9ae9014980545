"""What can go wrong in training, as one family."""

from __future__ import annotations


class TrainingError(Exception):
    """Base of all errors that training raises on purpose."""


class DataError(TrainingError, ValueError):
    """Images or labels that cannot be used: missing, damaged, or of the wrong shape."""


class ConfigError(TrainingError, ValueError):
    """A preset, or a run that is resumed, that does not make sense."""


class DivergedError(TrainingError, ArithmeticError):
    """A loss that is no longer a finite number."""


class StorageError(TrainingError, OSError):
    """Something that cannot be written."""
