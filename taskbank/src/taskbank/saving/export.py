"""Writing of predictions to files: pictures, arrays, facts and point clouds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from taskbank.atomic_files import write_whole
from taskbank.drawing.render import picture, seen_pixels
from taskbank.errors import InvalidInputError, OutputError
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.labels.codes import encode
from taskbank.labels.files import save_facts, save_label
from taskbank.options import Axes
from taskbank.paths import plain_path
from taskbank.saving.point_cloud import save_point_cloud, square_fov
from taskbank.tasks.kinds import MAPS, OutputKind
from taskbank.tasks.registry import TASKS

SHEET = "all_tasks.png"
"""File name of the sheet with the pictures of all tasks."""


class Form(StrEnum):
    """A form in which predictions are saved.

    Examples:
        >>> import taskbank
        >>> [form.value for form in taskbank.Form]
        ['png', 'npy', 'json', 'ply', 'dataset']
    """

    PNG = "png"
    NPY = "npy"
    JSON = "json"
    PLY = "ply"
    DATASET = "dataset"


_DEPTHS = frozenset(task.name for task in TASKS.values() if task.output is OutputKind.DEPTH)
_OWN_FILES = (Form.PNG, Form.NPY, Form.JSON)  # forms with a file for every task


def parse_forms(words: Iterable[str] | None) -> tuple[Form, ...]:
    """Parse names of forms, without repetition.

    Raises:
        InvalidInputError: a name is unknown, or there is none.
    """
    wanted = tuple(dict.fromkeys(words or ()))
    unknown = [word for word in wanted if word not in set(Form)]
    if unknown or not wanted:
        given = f"cannot save as {unknown[0]!r}" if unknown else "nothing would be saved"
        raise InvalidInputError(f"{given}: choose from {', '.join(Form)}")
    return tuple(map(Form, wanted))


def file_names(task: str, forms: Iterable[Form], kind: OutputKind | None = None) -> list[str]:
    """List the file names of one prediction.

    Pictures of maps are transparent at pixels that the network did not see. Depth has two: in colours, and
    `TASK_16bit.png` in the dataset's code, 1/512 m with 65535 for unknown depth. Only depth has a point
    cloud. Files of the form `dataset` are in another folder, see `taskbank.saving.dataset`.

    Args:
        task: canonical name, or that of a user's own target.
        forms: the forms to save.
        kind: of its predictions, if it differs from the task's: relative depth has no 16-bit code.
    """
    wanted = tuple(forms)
    names = [f"{task}.{form}" for form in wanted if form in _OWN_FILES]
    if (task in _DEPTHS) if kind is None else kind is OutputKind.DEPTH:
        names += [deep_name(task)] * (Form.PNG in wanted) + [f"{task}.{Form.PLY}"] * (Form.PLY in wanted)
    return names


def deep_name(task: str) -> str:
    """Return the file name of the 16-bit picture of a depth task."""
    return f"{task}_16bit.png"


def refuse_existing(paths: Iterable[Path]) -> None:
    """Raise an error if a result exists already, before anything is computed.

    Raises:
        OutputError: a path exists; the first few are named.
    """
    there = [path for path in paths if os.path.lexists(path)]
    if there:
        named = ", ".join(map(str, there[:3])) + (", ..." if len(there) > 3 else "")
        raise OutputError(
            f"{len(there)} result(s) exist already ({named}): choose another --out, or allow --overwrite"
        )


def check_results(
    results: Iterable[tuple[Path, Sequence[str]]], inputs: Iterable[Path], *, overwrite: bool
) -> None:
    """Raise an error if a result exists already or would replace an input, before anything is computed.

    Only existing folders are checked, so that a hundred thousand new ones take no time.

    Args:
        results: folders, and names of files in each.
        inputs: files that are read.
        overwrite: whether existing results are replaced; inputs are never replaced, not even through links.

    Raises:
        OutputError: a path may not be written.
    """
    plain = ((plain_path(folder) if ".." in str(folder) else folder, names) for folder, names in results)
    held = [(folder, names) for folder, names in plain if os.path.isdir(folder)]  # noqa: PTH112 - faster
    if not overwrite:
        refuse_existing(folder / name for folder, names in held for name in names)
    elif held:
        read = set()
        real = cache(os.path.realpath)
        for path in map(plain_path, inputs):
            read.add(os.path.join(real(path.parent), path.name))  # noqa: PTH118 - is quick
            if path.is_symlink():
                read.add(real(path))
        for folder, names in held:
            for name in names:
                if os.path.join(real(folder), name) in read:  # noqa: PTH118 - is quick
                    raise OutputError(
                        f"a result would be written over the input {folder / name}: choose another --out"
                    )


def save_prediction(
    prediction: Prediction,
    inputs: tuple[Preprocessed, ...],
    folder: Path,
    forms: Iterable[Form],
    *,
    fov: float | None = None,
    normals: Prediction | None = None,
    axes: Axes = Axes.OPENCV,
) -> Image.Image | None:
    """Write the files of one prediction, each atomically.

    Args:
        prediction: of any task.
        inputs: the network's inputs.
        folder: is created; existing files are replaced.
        forms: the forms to write.
        fov: horizontal field of view of the photograph in degrees, for rooms, vanishing points and point
            clouds; None as for `taskbank.saving.point_cloud.focal_length`.
        normals: of the same image, for the points of a point cloud.
        axes: of the points of a point cloud.

    Returns:
        the picture, or None if none was made.

    Raises:
        OutputError: a file cannot be written.
    """
    drawn = None
    wanted = set(forms)
    if Form.PNG in wanted:
        drawn = picture(prediction, inputs, fov=square_fov(prediction.views[0], fov))
        shown = drawn
        if prediction.kind in MAPS and not (seen := seen_pixels(prediction)).all():
            shown = drawn.convert("RGBA")  # pixels that the network did not see are transparent
            shown.putalpha(Image.fromarray(seen.astype(np.uint8) * 255))
        save_image(shown, folder / f"{prediction.task}.png")
        if prediction.kind is OutputKind.DEPTH:
            save_label(folder / deep_name(prediction.task), prediction.task, depth_code(prediction))
    if Form.PLY in wanted and prediction.kind is OutputKind.DEPTH:
        path = folder / f"{prediction.task}.{Form.PLY}"
        save_point_cloud(path, prediction, inputs[0], fov=fov, normals=normals, axes=axes)
    if Form.NPY in wanted:
        write_whole(folder / f"{prediction.task}.npy", lambda file: np.save(file, prediction.array))
    if Form.JSON in wanted:
        save_facts(folder / f"{prediction.task}.json", prediction.facts())
    return drawn


def save_image(image: Image.Image, path: Path) -> None:
    """Write a PNG file atomically.

    Raises:
        OutputError: the file cannot be written.
    """

    def write(file: BinaryIO) -> None:
        # Level 1 is four times as fast as the default; files are a few per cent larger.
        image.save(file, format="PNG", compress_level=1)

    write_whole(path, write)


def depth_code(prediction: Prediction) -> NDArray[np.uint16]:
    """Encode depth in the dataset's own code.

    Args:
        prediction: of a depth task.

    Returns:
        uint16 (H, W): 1/512 m, at most 65534; 65535 for unknown depth.
    """
    codes = encode(prediction.task, torch.from_numpy(np.array(prediction.array)))
    return codes.numpy().astype(np.uint16)
