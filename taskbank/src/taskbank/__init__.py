"""Twenty-five vision tasks behind one API: networks, banks and predictions.

Names are imported on first use, so that `import taskbank` and the command's help stay free of torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from taskbank.bank import Bank
    from taskbank.engine import Engine
    from taskbank.errors import ImageError, TaskBankError, UnknownTaskError, VideoError
    from taskbank.hub import Hub
    from taskbank.predictor import Predictor, TransferPredictor, load, load_transfer, predict
    from taskbank.results import Prediction
    from taskbank.tasks import TASKS, Task, find_task
    from taskbank.video_predictor import predict_video

# Where each public name lives.
_HOMES = {
    "Bank": "taskbank.bank",
    "Hub": "taskbank.hub",
    "Engine": "taskbank.engine",
    "ImageError": "taskbank.errors",
    "Prediction": "taskbank.results",
    "Predictor": "taskbank.predictor",
    "TASKS": "taskbank.tasks",
    "Task": "taskbank.tasks",
    "TaskBankError": "taskbank.errors",
    "UnknownTaskError": "taskbank.errors",
    "find_task": "taskbank.tasks",
    "TransferPredictor": "taskbank.predictor",
    "VideoError": "taskbank.errors",
    "load": "taskbank.predictor",
    "load_transfer": "taskbank.predictor",
    "predict": "taskbank.predictor",
    "predict_video": "taskbank.video_predictor",
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
