"""Labels of single images for scoring: values of known pixels, and the best constant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.bank.bank import Bank
from taskbank.constants import class_names
from taskbank.errors import ImageError, InvalidInputError
from taskbank.inference.results import Prediction
from taskbank.labels.codes import DOMAINS, decode
from taskbank.labels.files import read_label
from taskbank.options import Kind
from taskbank.probing.labels import Labels
from taskbank.scoring import metrics
from taskbank.scoring.metrics import Array
from taskbank.tasks.kinds import MAPS, OutputKind
from taskbank.tasks.registry import TASKS, normalise

_LENGTH = 0.1  # length of unknown normals at most, and of the median length's deviation from 1
_MOST = 20_000  # most pixels of an image that are used for the best constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Labels of one of the 26 tasks.

    Attributes:
        task: canonical name.
        kind: kind of the task's output.
        maps: image -> file in the dataset's codes; empty for classes of whole images.
        numbers: image -> index of its class; empty for maps.
    """

    task: str
    kind: OutputKind
    maps: Mapping[str, Path]
    numbers: Mapping[str, int]

    @property
    def images(self) -> list[str]:
        """Images that have a label."""
        return list(self.maps or self.numbers)

    def values(self, image: str) -> NDArray[np.float64]:
        """Read the map of an image in its unit, (H, W, C), with NaN for unknown pixels.

        Label 0, depths of 0 and normals of length 0 are unknown.

        Raises:
            InvalidInputError: the file cannot be read, or its values are not those of the task.
        """
        path = self.maps[image]
        if path.suffix.lower() == ".npy":
            try:
                held = np.load(path, allow_pickle=False)
            except (OSError, ValueError, TypeError, EOFError) as error:
                raise InvalidInputError(f"the map {path} cannot be read: {error}") from error
            if not isinstance(held, np.ndarray) or held.dtype.kind not in "biuf":
                raise InvalidInputError(f"the map {path} cannot be read: it does not hold real numbers")
            stored = held.astype(np.float64)
        else:
            try:
                codes = read_label(path, self.task)
            except ImageError as error:
                raise InvalidInputError(str(error)) from error
            stored = decode(self.task, torch.from_numpy(codes.astype(np.int64))).double().numpy()
        values = stored if stored.ndim == 3 else stored[..., None]
        if values.ndim != 3 or 0 in values.shape:
            raise InvalidInputError(f"the map {path} has shape {stored.shape}: maps are (H, W) or (H, W, C)")
        if self.kind is OutputKind.SEMANTIC_MAP:
            labels = values[np.isfinite(values)]
            most = TASKS[self.task].channels
            if wrong := sorted({*labels[(labels < 0) | (labels > most) | (labels % 1 != 0)].tolist()}):
                raise InvalidInputError(
                    f"the map {path} holds {wrong[0]:g}: labels are whole numbers, 1 to {most}, or 0 where "
                    "unknown"
                )
            return np.where(np.isfinite(values) & (values > 0), values, np.nan)
        if self.kind is OutputKind.DEPTH:
            return np.where(values >= metrics.NEAREST, values, np.nan)
        if self.kind is OutputKind.NORMALS:
            length = np.linalg.norm(values, axis=-1, keepdims=True)
            known = np.isfinite(length) & (length > _LENGTH)  # codes of 8 bits have no 0
            middle = float(np.median(length[known])) if known.any() else 1.0
            if abs(middle - 1) > _LENGTH:
                raise InvalidInputError(
                    f"the map {path} holds vectors of length {middle:.3g}: normals are unit vectors, x "
                    "right, y down, z into the scene"
                )
            return np.where(known, values, np.nan)
        return np.where(np.isfinite(values), values, np.nan)


def make_truth(labels: Labels, bank: Bank) -> Truth:
    """Convert labels for the comparison with predictions.

    Args:
        labels: maps in the dataset's codes (PNG) or units (NPY), or classes of whole images, by name or
            number.
        bank: source of the names of classes.

    Raises:
        InvalidInputError: the target cannot be scored with these labels, or a class is unknown.
    """
    task = TASKS.get(labels.target)
    if task is None or task.num_images > 1:
        raise InvalidInputError(
            f"{labels.target} cannot be scored: name one of the tasks of single images, --labels normals=DIR"
        )
    if labels.maps:
        if task.output not in MAPS or task.name not in DOMAINS or task.output is OutputKind.EMBEDDING:
            raise InvalidInputError(f"{task.name} has no maps that predictions can be compared with")
        return Truth(task=task.name, kind=task.output, maps=labels.maps, numbers={})
    if task.output is not OutputKind.CLASSES:
        raise InvalidInputError(f"{task.name} needs a folder of maps, not a table or folders of classes")
    names = bank.entry(task.name).classes or class_names(task.name) or ()
    spelt: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        # ImageNet's names may list synonyms, the commonest first.
        for part in dict.fromkeys((name, name.split(",")[0])):
            spelt.setdefault(normalise(part), []).append(number)
    numbers = {}
    for image, (value,) in labels.values.items():
        said = labels.classes[int(value)] if labels.kind is Kind.CLASSES else f"{value:g}"
        found = spelt.get(normalise(said), [])
        if len(found) > 1:  # ImageNet's Cardigan is a dog, its cardigan is not
            found = [number for number in found if names[number] == said] or found
        if not found and said.isdecimal() and int(said) < len(names):
            found = [int(said)]
        if not found:
            raise InvalidInputError(
                f"{image}: {said!r} is not a class of {task.name}: name one, as "
                f"{', '.join(names[:3])}, or its number, 0 to {len(names) - 1}"
            )
        if len(found) > 1:
            raise InvalidInputError(
                f"{image}: {task.name} has {len(found)} classes called {said!r}: give the number, "
                f"{' or '.join(map(str, found))}"
            )
        numbers[image] = found[0]
    return Truth(task=task.name, kind=task.output, maps={}, numbers=numbers)


def measure(
    truth: Truth, image: str, prediction: Prediction
) -> tuple[dict[str, float], NDArray[np.int64] | None]:
    """Compare a prediction with the label of its image.

    Returns:
        metrics; and for semantic labels, the number of pixels by label and prediction, int64 (18, 18).

    Raises:
        InvalidInputError: the map has another size than the image, or shares no known pixel with it.
    """
    if truth.numbers:
        return metrics.class_metrics(prediction.array.astype(np.float64), truth.numbers[image]), None
    values = truth.values(image)
    array = prediction.array.astype(np.float64)
    given = array if array.ndim == 3 else array[..., None]
    if values.shape != given.shape:
        raise InvalidInputError(
            f"the map {truth.maps[image]} is {' x '.join(map(str, values.shape))}, the prediction "
            f"{' x '.join(map(str, given.shape))}: rows, columns and channels must be the same"
        )
    known = np.isfinite(values).all(-1) & np.isfinite(given).all(-1)
    if truth.kind is OutputKind.SEMANTIC_MAP:
        known &= given[..., 0] > 0
    if not known.any():
        raise InvalidInputError(f"the map {truth.maps[image]} has no known pixel where the network looked")
    return compare(truth.kind, prediction.kind, given[known], values[known])


def compare(
    kind: OutputKind, given_kind: OutputKind, given: Array, values: Array
) -> tuple[dict[str, float], NDArray[np.int64] | None]:
    """Compute metrics of known pixels (N, C); see `measure`."""
    if given_kind is OutputKind.INVERSE_DEPTH:
        return metrics.aligned_metrics(given[:, 0], values[:, 0]), None
    match kind:
        case OutputKind.DEPTH:
            return metrics.depth_metrics(given[:, 0], values[:, 0]), None
        case OutputKind.NORMALS:
            return metrics.normal_metrics(given, values), None
        case OutputKind.SEMANTIC_MAP:
            ours, theirs = given[:, 0].astype(np.int64), values[:, 0].astype(np.int64)
            size = TASKS["segment_semantic"].channels + 1
            confusion = np.bincount(theirs * size + ours, minlength=size * size).reshape(size, size)
            return metrics.label_metrics(ours, theirs), confusion
        case _:
            return metrics.value_metrics(given, values), None


def best_constant(truth: Truth) -> Array:
    """Compute the best constant prediction from the labels of the scored images.

    It is the median of depth and of other values, the mean direction of normals, the most common label; for
    classes the share of each.
    """
    if truth.numbers:
        counts = np.bincount(list(truth.numbers.values()), minlength=TASKS[truth.task].channels)
        shares: Array = counts / counts.sum()
        return shares
    some = []
    for image in truth.images:
        values = truth.values(image)
        known = values[np.isfinite(values).all(-1)]
        some.append(known[:: max(1, len(known) // _MOST)])
    rows = np.concatenate(some)
    if not len(rows):
        raise InvalidInputError(f"no label of {truth.task} has a known pixel")
    if truth.kind is OutputKind.NORMALS:
        mean = rows.mean(0)
        constant: Array = mean / max(float(np.linalg.norm(mean)), 1e-9)
    elif truth.kind is OutputKind.SEMANTIC_MAP:
        constant = np.array([float(np.bincount(rows[:, 0].astype(np.int64)).argmax())])
    else:
        constant = np.median(rows, axis=0)
    return constant


def measure_constant(
    truth: Truth, image: str, constant: Array
) -> tuple[dict[str, float], NDArray[np.int64] | None]:
    """Compare the best constant with the label of an image, as `measure` does."""
    if truth.numbers:
        return metrics.class_metrics(constant, truth.numbers[image]), None
    values = truth.values(image)
    rows = values[np.isfinite(values).all(-1)]
    if not len(rows):
        raise InvalidInputError(f"the map {truth.maps[image]} has no known pixel")
    return compare(truth.kind, truth.kind, np.broadcast_to(constant, rows.shape), rows)
