"""Twenty-five vision tasks behind one API: networks, banks and predictions.

Names are imported on first use, so that `import taskbank` and the command's help stay free of torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from taskbank.bank.bank import Bank
    from taskbank.bank.hub import Hub
    from taskbank.encoders.source import Source
    from taskbank.errors import (
        BankFormatError,
        ChecksumMismatchError,
        DivergedError,
        DownloadError,
        ExportError,
        HubAccessError,
        HubError,
        HubNotFoundError,
        HubUnreachableError,
        ImageError,
        InvalidInputError,
        MissingBankError,
        MissingPackageError,
        MissingTaskError,
        OutputError,
        TaskBankError,
        UnknownTaskError,
        VideoError,
    )
    from taskbank.exporting.run import export_task
    from taskbank.file_features import encode_files, encode_sources
    from taskbank.file_predictions import Saving, predict_files
    from taskbank.inference.decode import Reading
    from taskbank.inference.engine import Engine
    from taskbank.inference.predictor import Predictor, TransferPredictor, load, load_transfer, predict
    from taskbank.inference.results import Prediction
    from taskbank.inference.settings import Settings
    from taskbank.probing.run import run_probe
    from taskbank.saving.export import Form
    from taskbank.sources.names import open_sources
    from taskbank.tasks.registry import TASKS, Task, find_task
    from taskbank.video.predictor import predict_video

# Module that defines each public name.
_HOMES = {
    "Bank": "taskbank.bank.bank",
    "BankFormatError": "taskbank.errors",
    "ChecksumMismatchError": "taskbank.errors",
    "DivergedError": "taskbank.errors",
    "DownloadError": "taskbank.errors",
    "Engine": "taskbank.inference.engine",
    "ExportError": "taskbank.errors",
    "Form": "taskbank.saving.export",
    "Hub": "taskbank.bank.hub",
    "HubAccessError": "taskbank.errors",
    "HubError": "taskbank.errors",
    "HubNotFoundError": "taskbank.errors",
    "HubUnreachableError": "taskbank.errors",
    "ImageError": "taskbank.errors",
    "InvalidInputError": "taskbank.errors",
    "MissingBankError": "taskbank.errors",
    "MissingPackageError": "taskbank.errors",
    "MissingTaskError": "taskbank.errors",
    "OutputError": "taskbank.errors",
    "Prediction": "taskbank.inference.results",
    "Predictor": "taskbank.inference.predictor",
    "Reading": "taskbank.inference.decode",
    "Saving": "taskbank.file_predictions",
    "Settings": "taskbank.inference.settings",
    "Source": "taskbank.encoders.source",
    "TASKS": "taskbank.tasks.registry",
    "Task": "taskbank.tasks.registry",
    "TaskBankError": "taskbank.errors",
    "TransferPredictor": "taskbank.inference.predictor",
    "UnknownTaskError": "taskbank.errors",
    "VideoError": "taskbank.errors",
    "encode_files": "taskbank.file_features",
    "encode_sources": "taskbank.file_features",
    "export_task": "taskbank.exporting.run",
    "find_task": "taskbank.tasks.registry",
    "load": "taskbank.inference.predictor",
    "load_transfer": "taskbank.inference.predictor",
    "open_sources": "taskbank.sources.names",
    "predict": "taskbank.inference.predictor",
    "predict_files": "taskbank.file_predictions",
    "predict_video": "taskbank.video.predictor",
    "run_probe": "taskbank.probing.run",
}

__all__ = [
    "TASKS",
    "Bank",
    "BankFormatError",
    "ChecksumMismatchError",
    "DivergedError",
    "DownloadError",
    "Engine",
    "ExportError",
    "Form",
    "Hub",
    "HubAccessError",
    "HubError",
    "HubNotFoundError",
    "HubUnreachableError",
    "ImageError",
    "InvalidInputError",
    "MissingBankError",
    "MissingPackageError",
    "MissingTaskError",
    "OutputError",
    "Prediction",
    "Predictor",
    "Reading",
    "Saving",
    "Settings",
    "Source",
    "Task",
    "TaskBankError",
    "TransferPredictor",
    "UnknownTaskError",
    "VideoError",
    "__version__",
    "encode_files",
    "encode_sources",
    "export_task",
    "find_task",
    "load",
    "load_transfer",
    "open_sources",
    "predict",
    "predict_files",
    "predict_video",
    "run_probe",
]


def __getattr__(name: str) -> object:
    """Import the module of a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'taskbank' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List all public names, including those not imported yet."""
    return list(__all__)
