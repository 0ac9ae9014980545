"""Comparison of exported files with this package: largest difference of outputs for the same pictures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from taskbank.bank.bank import Bank
from taskbank.errors import ExportError, InvalidInputError
from taskbank.exporting.files import jit
from taskbank.exporting.graph import ExportedTask
from taskbank.inference.decode import Reading, decode
from taskbank.inference.engine import Engine
from taskbank.inference.outcome import Outcome
from taskbank.inference.settings import Settings
from taskbank.options import Fit, Format, Frame
from taskbank.tasks.kinds import MAPS, OutputKind, Task

BATCHES = (1, 8)
_TOLERANCE = 2e-3  # relative to the largest value, or to 1 if that value is less
_LABELS = 1e-3  # share of pixels whose label may differ: ties of two classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One comparison.

    Attributes:
        batch: number of items in one call.
        size: side of the pictures in px.
        largest: largest absolute difference in the output's unit; for labels, the share of pixels that
            differ.
    """

    batch: int
    size: int
    largest: float


def runner(path: Path, form: Format, threads: int | None = None) -> Callable[[NDArray[np.float32]], Any]:
    """Open an exported file on the CPU; return a function from an input array to its outputs.

    Raises:
        ExportError: the file cannot be run.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if form is Format.TORCHSCRIPT:
                module = jit.load(str(path))
                return lambda images: module(torch.from_numpy(images)).numpy()
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            options.intra_op_num_threads = threads or torch.get_num_threads()
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ExportError(f"{path} cannot be run: {error}") from error
    return lambda images: session.run(None, {"images": images})[0]


def verify(
    graph: ExportedTask,
    path: Path,
    form: Format,
    *,
    bank: Bank,
    task: Task,
    pictures: Sequence[Path],
    dynamic: bool,
) -> list[Difference]:
    """Compare an exported file's outputs with this package's predictions.

    Args:
        graph: the exported graph.
        path: of the file.
        form: of the file.
        bank: that the network is from.
        task: which one.
        pictures: image files, repeated if a batch needs more of them.
        dynamic: whether batches of 1 and 8 and a second size are tried, too.

    Returns:
        one entry for each batch and size.

    Raises:
        ExportError: a difference is larger than rounding explains.
        ImageError: a picture cannot be read.
    """
    if not pictures:
        raise InvalidInputError("no picture to verify with: name some with --images")
    endless, images = cycle(pictures), task.num_images
    items = [next(endless) if images == 1 else tuple(islice(endless, images)) for _ in range(max(BATCHES))]
    run = runner(path, form)
    # Original networks with fully connected heads accept one size only.
    sizes = [graph.form.size]
    if dynamic and graph.form.any_size:
        sizes.append(graph.form.size + 2 * graph.form.step)
    found = []
    for size in sizes:
        engine = Engine(bank, [task.name], Settings(device="cpu", fit=Fit.CROP, size=size))
        outcomes = list(engine.run(items))
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        shown = [_shown(outcome, task) for outcome in outcomes]
        wanted = [_ours(outcome, task) for outcome in outcomes]
        for batch in BATCHES if dynamic else BATCHES[:1]:
            given: list[NDArray[Any]] = []
            for start in range(0, len(shown), batch):
                given += list(run(np.stack(shown[start : start + batch])))
            pairs = zip(given, wanted, strict=True)
            largest = max(_difference(one, other, task) for one, other in pairs)
            found.append(Difference(batch=batch, size=size, largest=largest))
            limit = (
                _LABELS
                if task.output is OutputKind.SEMANTIC_MAP
                else _TOLERANCE * max(1.0, *(float(np.abs(one).max()) for one in wanted))
            )
            if not largest <= limit:
                raise ExportError(
                    f"{task.name} as {form} differs by up to {largest:g} from this package ({batch} at once, "
                    f"{size} px): {limit:g} at most can be rounding"
                )
    return found


def _shown(outcome: Outcome, task: Task) -> NDArray[np.float32]:
    """Return the graph's input: pictures or tiles in [0, 1]."""
    inputs = outcome.inputs
    if task.num_tiles > 1:
        signed = inputs[0].tiles
        assert signed is not None  # noqa: S101 - the engine made the tiles for this task
    else:
        signed = inputs[0].square if task.num_images == 1 else torch.stack([one.square for one in inputs])
    return ((signed + 1) / 2).numpy()


def _ours(outcome: Outcome, task: Task) -> NDArray[Any]:
    """Return this package's prediction in the network's frame."""
    raw = outcome.raw[task.name]
    if task.output is OutputKind.PERMUTATION:
        return raw.softmax(0).numpy()
    said = decode(task, raw, outcome.inputs, Reading(frame=Frame.NETWORK)).array
    # The third pose of three images is composed of the others.
    return said[:2] if task.num_images == 3 else said


def _difference(given: NDArray[Any], ours: NDArray[Any], task: Task) -> float:
    """Return the largest difference of one item of the file's output; NaN differs from all but NaN."""
    theirs = given
    if task.output in MAPS and given.ndim == 3:  # our maps have channels last, or no axis of channels
        theirs = np.moveaxis(given, 0, -1)
        theirs = theirs[..., 0] if theirs.shape[-1] == 1 else theirs
    elif task.output is OutputKind.POSE and task.num_images == 2:
        theirs = given[0]
    if theirs.shape != ours.shape:
        raise ExportError(f"{task.name} gives an array {theirs.shape}, this package {ours.shape}")
    if task.output is OutputKind.SEMANTIC_MAP:
        return float((theirs != ours).mean())
    if not (np.isnan(theirs) == np.isnan(ours)).all():
        return float("inf")
    return float(np.nanmax(np.abs(theirs.astype(np.float64) - ours)))
