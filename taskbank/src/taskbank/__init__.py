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
    from taskbank.errors import ImageError, TaskBankError, UnknownTaskError, VideoError
    from taskbank.inference.engine import Engine
    from taskbank.inference.predictor import Predictor, TransferPredictor, load, load_transfer, predict
    from taskbank.inference.results import Prediction
    from taskbank.tasks.registry import TASKS, Task, find_task
    from taskbank.video.predictor import predict_video

# Where each public name lives.
_HOMES = {
    "Bank": "taskbank.bank.bank",
    "Hub": "taskbank.bank.hub",
    "Engine": "taskbank.inference.engine",
    "ImageError": "taskbank.errors",
    "Prediction": "taskbank.inference.results",
    "Predictor": "taskbank.inference.predictor",
    "TASKS": "taskbank.tasks.registry",
    "Task": "taskbank.tasks.registry",
    "TaskBankError": "taskbank.errors",
    "UnknownTaskError": "taskbank.errors",
    "find_task": "taskbank.tasks.registry",
    "TransferPredictor": "taskbank.inference.predictor",
    "VideoError": "taskbank.errors",
    "load": "taskbank.inference.predictor",
    "load_transfer": "taskbank.inference.predictor",
    "predict": "taskbank.inference.predictor",
    "predict_video": "taskbank.video.predictor",
}

__all__ = [
    "TASKS",
    "Bank",
    "Engine",
    "Hub",
    "ImageError",
    "Prediction",
    "Predictor",
    "Task",
    "TaskBankError",
    "TransferPredictor",
    "UnknownTaskError",
    "VideoError",
    "__version__",
    "find_task",
    "load",
    "load_transfer",
    "predict",
    "predict_video",
]


def __getattr__(name: str) -> object:
    """Import the home of a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'taskbank' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Every public name, also those not imported yet."""
    return list(__all__)
