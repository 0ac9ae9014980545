"""Predictions: arrays with their unit, axes, frame and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.errors import InvalidInputError
from taskbank.images.colour_maps import SEMANTIC_PALETTE
from taskbank.images.framing import Box, View
from taskbank.options import Frame
from taskbank.tasks.kinds import OutputKind

DEPTH_STEP = 1 / 512  # metres per step of 16-bit depth
_FEW = 18  # most numbers that the facts include: those of three poses


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Decoded values and their meaning; the rest of a prediction is the same for all tasks.

    Attributes:
        array: see the table of `taskbank.inference.decode`.
        convention: meaning of values and axes, in words.
        value_range: least and greatest possible value, or None.
        frame: INPUT or NETWORK, whose pixels are the rows and columns.
        details: further facts, JSON-ready.
    """

    array: NDArray[Any]
    convention: str
    value_range: tuple[float, float] | None
    frame: Frame = Frame.NETWORK
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Prediction of one network for one image, or for one tuple of images.

    Attributes:
        task: canonical name, or that of a user's own target.
        kind: kind of the prediction.
        array: read-only; maps are (rows, columns) or (rows, columns, channels), see `inference.decode` for
            each kind. Float maps are NaN, and labels 0, for pixels that the network did not see.
        unit: of the values; "1" for values without unit.
        value_range: least and greatest possible value; None without bounds.
        convention: meaning of values and axes, in words.
        frame: INPUT or NETWORK, whose pixels are the rows and columns; NETWORK for predictions other than
            maps.
        views: the part of each input that the network saw.
        sources: name of each input: its path, or its type.
        bank: name of the bank.
        bank_digest: sha256 of the bank's index.
        read_from: tasks whose representations a transfer network read, in its order; empty if the task's
            own network predicted.
        classes: names of classes, or of the numbers of a user's own target; None without names.
        details: further facts of this kind of task, JSON-ready.

    Examples:
        >>> import taskbank
        >>> depth = taskbank.predict("photo.jpg", "depth")["depth_zbuffer"]
        >>> depth.kind.value, depth.unit, depth.frame.value
        ('depth', 'm', 'input')
    """

    task: str
    kind: OutputKind
    array: NDArray[Any]
    unit: str
    value_range: tuple[float, float] | None
    convention: str
    frame: Frame
    views: tuple[View, ...]
    sources: tuple[str, ...]
    bank: str
    bank_digest: str
    read_from: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the array read-only."""
        self.array.flags.writeable = False

    @property
    def box(self) -> Box:
        """The part of the (first) input that the network saw."""
        return self.views[0].box

    def top(self, count: int = 5) -> tuple[tuple[str, float], ...]:
        """Return the likeliest classes and their probabilities, likeliest first.

        Raises:
            InvalidInputError: the prediction is not a distribution over classes of whole images.
        """
        if self.kind is not OutputKind.CLASSES:
            raise InvalidInputError(f"{self.task!r} gives {self.kind}, so it has no likeliest classes")
        best = np.argsort(-self.array, kind="stable")[:count]
        names = self.classes or tuple(f"class {number}" for number in range(self.array.size))
        return tuple((names[number], float(self.array[number])) for number in best)

    def facts(self) -> dict[str, Any]:
        """Return facts about the prediction, JSON-ready: units, provenance, and the values if they are few.

        For a semantic map also the colours of its classes in pictures, in CSS notation. For depth also the
        encoding of `TASK_16bit.png`: metres per step, the largest value, and the value for unknown depth.
        """
        inputs: list[dict[str, Any]] = []
        for source, view in zip(self.sources, self.views, strict=True):
            box = view.box
            inputs.append(
                {
                    "source": source,
                    "width": view.width,
                    "height": view.height,
                    "crop_box": [box.left, box.top, box.right, box.bottom],
                    "fit": view.fit.value,
                    "network_size": list(view.size),
                    "unseen": round(view.unseen, 4),
                }
            )
            if view.left_out:
                left_out = f"the network saw the middle square: {view.left_out} are left out"
                inputs[-1]["left_out"] = left_out
        facts: dict[str, Any] = {
            "task": self.task,
            "kind": self.kind.value,
            "shape": list(self.array.shape),
            "dtype": str(self.array.dtype),
            "unit": self.unit,
            "range": self.value_range and list(self.value_range),
            "convention": self.convention,
            "frame": self.frame.value,
            "inputs": inputs,
            "bank": {"name": self.bank, "sha256": self.bank_digest},
            **self.details,
        }
        if self.read_from:
            facts["read_from"] = list(self.read_from)
        if self.kind is OutputKind.CLASSES:
            facts["top5"] = [{"name": name, "probability": share} for name, share in self.top()]
        elif self.kind is OutputKind.NUMBERS and self.classes:
            return facts | {"values": dict(zip(self.classes, self.array.tolist(), strict=True))}
        elif self.frame is Frame.NETWORK and self.array.size <= _FEW:
            facts["values"] = self.array.tolist()
        if self.classes is not None and self.kind is not OutputKind.CLASSES:
            facts["classes"] = list(self.classes)
        if self.kind is OutputKind.DEPTH:
            facts["code_16bit"] = {"metres": DEPTH_STEP, "largest": 65534, "unknown": 65535}
        if self.kind is OutputKind.SEMANTIC_MAP:
            facts["palette"] = list(SEMANTIC_PALETTE)
        return facts
