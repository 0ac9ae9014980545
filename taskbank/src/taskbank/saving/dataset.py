"""Export of predictions in the dataset's own files and codes, as labels for photographs.

    OUT/BUILDING.csv                                        photograph of each point
    OUT/BUILDING/rgb/point_P_view_0_domain_rgb.png          the middle square of photograph P, 512 px
    OUT/BUILDING/DOMAIN/point_P_view_0_domain_DOMAIN.png    its labels, `taskbank.labels.codes`
    OUT/BUILDING/point_info/...json                         facts about the camera, without its pose

Every file of a photograph shows its middle square, scaled to the 512 px of the dataset, so that labels match
the pixels of `rgb`. If networks saw the whole photograph, the middle of the maps is used. Maps are enlarged
before they are decoded. The position of the camera cannot be known from one photograph, so it is not written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from taskbank.atomic_files import write_whole
from taskbank.csv_tables import safe_path, to_csv
from taskbank.errors import InvalidInputError
from taskbank.images.framing import view_of
from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import as_square_photo
from taskbank.inference.results import Prediction
from taskbank.labels.codes import DOMAINS, encode
from taskbank.labels.files import CLASSES, POINT_INFO, label_name, save_classes, save_facts, save_label
from taskbank.labels.segment_numbers import number_segments
from taskbank.options import Fit
from taskbank.paths import allowed_name
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import find_task, is_task

SIDE = 512
"""Side of every picture in px, as in the dataset."""

_VIEW = 0
_FOLDERS = {"curvature": "principal_curvature"}  # other tasks have the name of their folder
_NUMBERS = ("room_layout", "vanishing_point")


def folder_of(task: str) -> str | None:
    """Return the dataset's folder for predictions of a task; None if there is none.

    Predicted colours have no folder (the label of autoencoding, denoising, in-painting and colorization is
    `rgb`), nor have orders of tiles and tasks of several images.

    Args:
        task: canonical name.
    """
    if task in _NUMBERS:
        return POINT_INFO
    folder = _FOLDERS.get(task, task)
    return folder if folder in DOMAINS or folder in CLASSES else None


def without_folder(tasks: Iterable[str]) -> list[str]:
    """Return the tasks that have no files in the dataset, by canonical name; users' own targets have none."""
    names = [find_task(task).name if is_task(task) else task for task in tasks]
    return [name for name in names if folder_of(name) is None]


def check_exportable(tasks: Sequence[str], fit: Fit) -> None:
    """Check that tasks and fit can be exported in the dataset's form.

    Raises:
        InvalidInputError: none of the tasks has files in the dataset, or photographs are padded or squeezed.
    """
    if len(without_folder(tasks)) == len(tasks):
        raise InvalidInputError(
            f"the dataset has no files for {', '.join(tasks)}: name a task with labels of single images, or "
            "save as npy and json"
        )
    if fit not in {Fit.WHOLE, Fit.CROP}:
        raise InvalidInputError(
            "the dataset's pictures are square crops, so --save dataset goes with --fit whole or crop, not "
            f"{fit}"
        )


def building_name(inputs: Sequence[Path], wanted: str | None = None) -> str:
    """Return the building name under which photographs are exported together.

    Args:
        inputs: photographs.
        wanted: a name; None for the name of the first photograph's folder.

    Raises:
        InvalidInputError: the name is not a valid name of a folder.
    """
    if wanted is None:
        name = re.sub(r"[^\w.-]+", "_", inputs[0].absolute().parent.name).strip("._")
        return allowed_name(name or "photographs")
    if not re.fullmatch(r"\w[\w.-]*", wanted) or allowed_name(wanted) != wanted:
        raise InvalidInputError(
            f"building {wanted!r} must be letters, digits, '_', '-' and '.' only, 200 bytes at most"
        )
    return wanted


def exported_names(folder: Path, points: int, tasks: Iterable[str]) -> Iterator[tuple[Path, list[str]]]:
    """Yield all exported files of photographs: a folder, and the names in it.

    Args:
        folder: of the building.
        points: number of photographs.
        tasks: canonical names.
    """
    used = {folder_of(task) for task in tasks} | {"rgb", POINT_INFO}
    for name in sorted(filter(None, used)):
        yield folder / name, [label_name(name, point, _VIEW) for point in range(points)]


def has_exported(folder: Path, point: int, tasks: Iterable[str]) -> bool:
    """Return True if all exported files of one photograph exist, see `exported_names`."""
    used = {folder_of(task) for task in tasks} | {"rgb", POINT_INFO}
    return all(_path(folder, domain, point).is_file() for domain in used if domain)


def manifest_path(folder: Path) -> Path:
    """Return the path of the table of a building's photographs."""
    return folder.with_name(f"{folder.name}.csv")


def save_manifest(folder: Path, inputs: Sequence[Path]) -> None:
    """Write the table of a building's photographs: columns point, view, photograph.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = ((point, _VIEW, safe_path(str(path))) for point, path in enumerate(inputs))
    content = to_csv([("point", "view", "photograph"), *rows])
    write_whole(manifest_path(folder), lambda file: file.write(content))


def export_outcome(
    outcome: Outcome, tasks: Iterable[str], folder: Path, point: int, *, fov: float | None = None
) -> None:
    """Write the files of one photograph.

    Args:
        outcome: of one photograph with the fit `whole` or `crop`, without error.
        tasks: canonical names; those without a folder in the dataset are skipped.
        folder: of the building.
        point: number of the photograph.
        fov: horizontal field of view of the photograph in degrees; None if unknown.

    Raises:
        OutputError: a file cannot be written.
    """
    square = replace(outcome, inputs=(as_square_photo(outcome.inputs[0], SIDE),))
    save_label(_path(folder, "rgb", point), "rgb", square.inputs[0].photo.as_bytes())
    view = outcome.inputs[0].view
    box = view_of(view.width, view.height, Fit.CROP, SIDE).box
    facts: dict[str, Any] = {
        "point_uuid": str(point),
        "view_id": _VIEW,
        "resolution": SIDE,
        "photograph": outcome.sources[0],
        "crop_box": [box.left, box.top, box.right, box.bottom],
        "predicted_by": {"bank": outcome.bank.name, "sha256": outcome.bank.digest},
    }
    if fov is not None:
        share = (box.right - box.left) / view.width
        facts["field_of_view_rads"] = 2 * math.atan(share * math.tan(math.radians(fov) / 2))
    for task in tasks:
        domain = folder_of(task)
        if domain is None:
            continue
        prediction = square.prediction(task)
        if domain == POINT_INFO:
            facts |= _room_facts(prediction)
        elif domain in CLASSES:
            save_classes(_path(folder, domain, point), domain, prediction.array)
        else:
            values = torch.from_numpy(np.array(prediction.array))
            if prediction.kind is OutputKind.EMBEDDING:
                codes = number_segments(values.permute(2, 0, 1), prediction.views[0]).numpy()
            else:
                codes = encode(domain, values).numpy()
            save_label(_path(folder, domain, point), domain, codes)
    save_facts(_path(folder, POINT_INFO, point), facts)


def _path(folder: Path, domain: str, point: int) -> Path:
    return folder / domain / label_name(domain, point, _VIEW)


def _room_facts(prediction: Prediction) -> dict[str, Any]:
    """Return the facts about a room or its directions, in the camera's frame.

    The dataset's boxes are in world coordinates, which are unknown for a photograph, so the box in the
    camera's frame has another name. Of the four turns of the directions about z, the dataset's is chosen: x
    points towards the camera.
    """
    if prediction.kind is OutputKind.LAYOUT:
        centre, angles, edges = prediction.array.reshape(3, 3).tolist()
        box = {"centre": centre, "angles": angles, "edges": edges, "convention": prediction.convention}
        return {"room_in_camera_frame": box}
    x, y, z = prediction.array
    turns = [(x, y), (y, -x), (-x, -y), (-y, x)]
    ahead, beside = max(turns, key=lambda turn: float(turn[0][2]))
    directions = {"x": ahead.tolist(), "y": beside.tolist(), "z": z.tolist()}
    return {"vanishing_points_gaussian_sphere": directions}
