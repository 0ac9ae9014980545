"""Errors of training, with a common base class."""

from __future__ import annotations

from collections.abc import Mapping

from taskbank.errors import DivergedError

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DeadNetworkError",
    "DivergedError",
    "JobsFailedError",
    "StorageError",
    "TrainingError",
]


class TrainingError(Exception):
    """Base of all errors that training raises on purpose."""


class DataError(TrainingError, ValueError):
    """Images or labels are missing, damaged, or of the wrong shape."""


class ConfigError(TrainingError, ValueError):
    """A preset or a resumed run has wrong or contradicting settings."""


class DeadNetworkError(TrainingError, RuntimeError):
    """A network that learned nothing: its representation, or its output, is the same for all images.

    Attributes:
        tasks: tasks of these networks.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.tasks = tuple(faults)
        listed = "\n".join(f"  {task}: {measured}" for task, measured in faults.items())
        super().__init__(
            f"{len(faults)} task network(s) are dead:\n{listed}\n"
            "Delete their files and train them again with other settings (a lower learning_rate, a `start` "
            'from a network that learned; compact networks without code_activation = "relu"), or continue '
            "with them as they are: --set networks.refuse_dead=false"
        )


class StorageError(TrainingError, OSError):
    """A file or folder cannot be written."""


class CheckpointError(TrainingError, ValueError):
    """A checkpoint cannot be read, or does not fit the network or trainer that loads it."""


class JobsFailedError(TrainingError, RuntimeError):
    """Some jobs failed; raised after all other jobs are finished.

    Attributes:
        reasons: key of the job -> reason.
    """

    def __init__(self, reasons: Mapping[str, str], jobs: int) -> None:
        self.reasons = dict(reasons)
        listed = "\n".join(f"  {key}: {reason}" for key, reason in self.reasons.items())
        super().__init__(
            f"{len(self.reasons)} of {jobs} jobs failed, the others are done:\n{listed}\n"
            "fix the cause and run the same command again: finished jobs are skipped"
        )
