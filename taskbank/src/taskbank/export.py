"""Predictions as files: pictures, raw arrays, and facts beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from taskbank.errors import InvalidInputError, OutputError
from taskbank.geometry import DEFAULT_FOV
from taskbank.inputs import Sight
from taskbank.render import picture
from taskbank.results import Prediction
from taskbank.task_kinds import OutputKind
from taskbank.tasks import TASKS
from taskbank.whole_files import write_whole

SHEET = "all_tasks.png"
"""Name of the picture of all tasks."""

_UNKNOWN_DEPTH = 65535  # as on disk in the dataset
_STEPS_PER_METRE = 512


class Form(StrEnum):
    """A form in which predictions are saved."""

    PNG = "png"
    NPY = "npy"
    JSON = "json"


def parse_forms(words: Iterable[str] | None) -> tuple[Form, ...]:
    """Forms by their names, each once.

    Raises:
        InvalidInputError: an unknown word, or none.
    """
    wanted = tuple(dict.fromkeys(words or ()))
    unknown = [word for word in wanted if word not in set(Form)]
    if unknown or not wanted:
        given = f"cannot save as {unknown[0]!r}" if unknown else "nothing would be saved"
        raise InvalidInputError(f"{given}: choose from {', '.join(Form)}")
    return tuple(map(Form, wanted))


def file_names(task: str, forms: Iterable[Form]) -> list[str]:
    """Names of the files of one prediction.

    Depth has two pictures: in colours, and `TASK_16bit.png` in the dataset's code, 1/512 m with 65535 where
    nothing is known.

    Args:
        task: canonical name.
        forms: those that are saved.
    """
    names = [f"{task}.{form}" for form in forms]
    if Form.PNG in forms and TASKS[task].output is OutputKind.DEPTH:
        names.append(_deep_name(task))
    return names


def _deep_name(task: str) -> str:
    """Name of the 16-bit picture of a depth task."""
    return f"{task}_16bit.png"


def refuse_existing(paths: Iterable[Path]) -> None:
    """Stop before anything is computed, if a result is there already.

    Raises:
        OutputError: a path exists; the first few are named.
    """
    there = [path for path in paths if path.exists()]
    if there:
        named = ", ".join(map(str, there[:3])) + (", ..." if len(there) > 3 else "")
        raise OutputError(
            f"{len(there)} result(s) exist already ({named}): choose another --out, or allow --overwrite"
        )


def save_prediction(
    prediction: Prediction,
    sights: tuple[Sight, ...],
    folder: Path,
    forms: Iterable[Form],
    *,
    fov: float = DEFAULT_FOV,
) -> Image.Image | None:
    """Write the files of one prediction, each whole or not at all.

    Args:
        prediction: of any task.
        sights: what its network was shown.
        folder: is made; files of those names are replaced.
        forms: what to write.
        fov: field of view in degrees, for rooms and vanishing points.

    Returns:
        the picture, where one was made.

    Raises:
        OutputError: a file cannot be written.
    """
    drawn = None
    wanted = set(forms)
    if Form.PNG in wanted:
        drawn = picture(prediction, sights, fov=fov)
        save_image(drawn, folder / f"{prediction.task}.png")
        if prediction.kind is OutputKind.DEPTH:
            save_image(Image.fromarray(depth_code(prediction)), folder / _deep_name(prediction.task))
    if Form.NPY in wanted:
        write_whole(folder / f"{prediction.task}.npy", lambda file: np.save(file, prediction.array))
    if Form.JSON in wanted:
        text = json.dumps(prediction.facts(), indent=1, allow_nan=False) + "\n"
        write_whole(folder / f"{prediction.task}.json", lambda file: file.write(text.encode()))
    return drawn


def save_image(image: Image.Image, path: Path) -> None:
    """Write a PNG file, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """

    def write(file: BinaryIO) -> None:
        # Level 1 is four times as fast as the default, and pictures are a few per cent larger.
        image.save(file, format="PNG", compress_level=1)

    write_whole(path, write)


def depth_code(prediction: Prediction) -> NDArray[np.uint16]:
    """Depth in the dataset's own code.

    Args:
        prediction: of a depth task.

    Returns:
        uint16 (H, W): 1/512 m, at most 65534; 65535 where nothing is known.
    """
    steps = np.clip(np.nan_to_num(prediction.array) * _STEPS_PER_METRE + 0.5, 0, _UNKNOWN_DEPTH - 1)
    code: NDArray[np.uint16] = steps.astype(np.uint16)
    code[np.isnan(prediction.array)] = _UNKNOWN_DEPTH
    return code
