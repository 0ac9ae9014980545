"""Estimators: loaded third-party models that serve one or more of our tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from taskbank.bank.bank import Bank
from taskbank.bank.catalogue import Model, accepted
from taskbank.errors import BankFormatError, InvalidInputError, first_line
from taskbank.foundation.files import Files, fetch, require
from taskbank.images.framing import View
from taskbank.images.photo import Photo

Pictures: TypeAlias = Sequence[tuple[Tensor, ...]]
"""One tuple of pictures per prediction, uint8 (3, h, w) on the CPU, at the resolution of the photographs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Device and precision of models.

    Attributes:
        device: of the weights.
        dtype: of the weights.
        compiled: whether `torch.compile` is applied.
    """

    device: torch.device
    dtype: torch.dtype
    compiled: bool = False

    def put(self, network: Any) -> Any:
        """Return the network on this device, in this precision, in evaluation mode."""
        ready = network.eval().requires_grad_(False).to(self.device, self.dtype)
        return torch.compile(ready) if self.compiled else ready


class Adapter(Protocol):
    """Adapter of one class of models: maps pictures to raw outputs in the form of our own networks."""

    def predict(self, pictures: Pictures) -> Mapping[str, list[Tensor]]:
        """Predict raw outputs by task, one per tuple of pictures: float32 on the CPU, see `estimator.RAW`."""


RAW = """
| task | raw output of an adapter, as `taskbank.inference.decode` reads it |
|---|---|
| depth_zbuffer in metres | (1, h, w), log2(512 m + 1) / 16, as our own networks give it |
| depth_zbuffer, relative | (1, h, w) as the model gives it |
| normal | (3, h, w) in OpenCV's axes, of any length |
| segment_semantic | (17, h, w), logits of our classes |
| class_object, class_scene | (1000,), (63,), logits |
| point_matching | (2,), logits of `another point` and `the same point` |

Maps lie over all of the picture that was given.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimator:
    """A loaded model with the tasks that it serves.

    Attributes:
        model: the row of the catalogue.
        tasks: the requested ones of its tasks.
        files: files of the model.
        adapter: runs the model.
    """

    model: Model
    tasks: tuple[str, ...]
    files: Files
    adapter: Adapter

    def predict(self, pictures: Pictures) -> dict[str, list[Tensor]]:
        """Predict raw outputs of the requested tasks, see `RAW`.

        Raises:
            BankFormatError: the model fails on pictures of this size.
        """
        try:
            given = self.adapter.predict(pictures)
        except (RuntimeError, ValueError, AssertionError, IndexError) as error:
            raise BankFormatError(f"{self.model.id} fails on this image: {first_line(error)}") from error
        return {task: given[task] for task in self.tasks}

    def origin(self, task: str) -> dict[str, Any]:
        """Return facts about the model for results, JSON-ready."""
        model = self.model
        facts: dict[str, Any] = {
            "id": model.id,
            "revision": self.files.revision,
            "pinned": model.folder is not None or model.revision == self.files.revision,
            "licence": model.licence or "not stated",
            "class": model.kind,
            "loader": f"{model.loader} {version(model.loader)}",
            "gives": model.gives(task),
        }
        if task == "normal":
            facts["axes"] = model.axes
        if model.unverified:
            facts["unverified"] = model.unverified
        return {"model": facts}


def load_estimators(bank: Bank, tasks: Iterable[str], place: Place, accept: Sequence[str]) -> list[Estimator]:
    """Load the third-party models that serve the tasks, each once.

    Args:
        bank: that names the models; tasks that its own networks serve are skipped.
        tasks: canonical names.
        place: device and precision.
        accept: ids of models whose licence the user accepts.

    Raises:
        InvalidInputError: a licence was not accepted, or an accepted id is not a model of this bank.
        MissingPackageError: the library of a model is not installed.
        BankFormatError: a model is damaged, pickled, or not the one that the catalogue describes.
        HubError: a model cannot be downloaded.
    """
    wanted: dict[Model, list[str]] = {}
    for task in tasks:
        model = bank.entry(task).model
        if model is not None:
            wanted.setdefault(model, []).append(task)
    named = {
        name
        for entry in bank.index.tasks.values()
        if entry.model
        for name in (entry.model.id, entry.model.name)
    }
    if unknown := [name for name in accept if name not in named]:
        raise InvalidInputError(
            f"accept_licence {', '.join(unknown)}: the bank {bank.name} runs no such model: it runs "
            f"{', '.join(sorted(named)) or 'its own networks only'}"
        )
    accepted(list(wanted), accept)
    for model in wanted:  # before any download
        require(model.loader)
    estimators = []
    open_adapter: Callable[[Model, Files, Place], Adapter]
    for model, served in wanted.items():
        files = fetch(model)
        if model.loader == "timm":
            from taskbank.foundation.objects import open_objects as open_adapter
        elif "class_scene" in served:
            from taskbank.foundation.scenes import open_scenes as open_adapter
        elif "point_matching" in served:
            from taskbank.foundation.matching import open_matching as open_adapter
        else:
            from taskbank.foundation.dense import open_dense as open_adapter
        adapter = open_adapter(model, files, place)
        estimators.append(Estimator(model=model, tasks=tuple(served), files=files, adapter=adapter))
    return estimators


def cut_photo(photo: Photo, view: View) -> Tensor:
    """Cut out the part of a photo that networks see, at the photo's own resolution.

    Args:
        photo: of any size.
        view: of the photo; pixels outside the photo become mid-grey.

    Returns:
        uint8 (3, h, w).
    """
    rows, columns = photo.pixels.shape[-2:]
    across, down = columns / photo.width, rows / photo.height
    box = view.box
    left, right = round(box.left * across), round(box.right * across)
    top, bottom = round(box.top * down), round(box.bottom * down)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    pixels = photo.pixels
    if pixels.dtype != torch.uint8:
        pixels = (pixels * 255).round().to(torch.uint8)
    cut = pixels[:, max(top, 0) : min(bottom, rows), max(left, 0) : min(right, columns)]
    edges = (max(-left, 0), max(right - columns, 0), max(-top, 0), max(bottom - rows, 0))
    return functional.pad(cut, edges, value=127) if any(edges) else cut
