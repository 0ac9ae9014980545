"""Labels of images: folders of maps, folders of classes, and CSV tables."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from taskbank.errors import ImageError, InvalidInputError
from taskbank.images.framing import View
from taskbank.images.reading import DEEP_MODES
from taskbank.labels.codes import DOMAINS, Coding, decode
from taskbank.labels.files import read_label
from taskbank.options import Kind
from taskbank.tasks.registry import find_task, is_task

FILE, GROUP = "file", "group"
_SUFFIXES = (".png", ".npy")
# Of a column without a name, as pandas writes it or calls it.
_NO_NAME = re.compile(r"(unnamed: ?\d+(_level_\d+)?)?", re.IGNORECASE)
_UNKNOWN = {"", "nan"}  # cells of images without a label, in lower case
_INDEX = {"index", "level_0"}  # columns that may only number the lines
_COMMA = re.compile(r"[+-]?\d*,\d+")  # a number with a decimal comma
_HEADER = 26  # bytes of a PNG file up to its bits and kind of colour
_MOST_CLASSES = 256
_MOST = 1e30  # largest number: squares and sums of larger ones overflow
_NAMED = 3  # most files that a message names


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels of one target.

    Attributes:
        target: its name; canonical for one of the 26 tasks.
        kind: numbers or classes.
        maps: image -> its file, if labels are maps; empty otherwise.
        values: image -> its numbers, or the index of its class, if labels are of whole images.
        classes: names of classes, if labels are classes of whole images.
        groups: image -> its group, if the table has groups.
        column: of the table, as it is written there; empty for other labels.
        by_folder: whether the folder of each image is its class.
    """

    target: str
    kind: Kind
    maps: Mapping[str, Path] = field(default_factory=dict)
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    column: str = ""
    by_folder: bool = False

    @property
    def images(self) -> Collection[str]:
        """Images that have a label, by their paths in the folder."""
        return (self.maps or self.values).keys()


def read_labels(
    path: Path, images: Sequence[str], *, folder: Path, name: str | None = None, kind: Kind = Kind.AUTO
) -> list[Labels]:
    """Read the labels at a path.

    A folder holds a PNG or NPY file for each image, at the image's path except for the suffix. For the folder
    of the images themselves, the folder of each image is its class. A CSV file has a column `file`,
    optionally a column `group`, and a column for each target; columns whose cells are all numbers are
    numbers, others classes. Images without a label, or with the label NaN, are left out.

    Args:
        path: of the folder or file.
        images: paths of the images in their folder, with forward slashes.
        folder: of the images.
        name: of the target; None for the name of the column or folder.
        kind: numbers or classes, to override the automatic choice; classes in maps are whole numbers.

    Raises:
        InvalidInputError: the path does not exist, a table lacks a column, or no image has a label.
    """
    if path.is_dir() and path.resolve() == folder.resolve():
        # The folder of each image is its class.
        beside = [image for image in images if "/" not in image]
        if beside:
            raise InvalidInputError(
                f"images stand outside of the folders of classes: {', '.join(beside[:_NAMED])}. Put each "
                "into the folder of its class, or give a CSV file"
            )
        classes = _as_classes(name or path.name, {image: image.split("/")[0] for image in images}, {})
        found = [replace(classes, by_folder=True)]
    elif path.is_dir():
        found = [_maps(path, images, name or path.name, kind)]
    elif path.is_file():
        found = _table(path, images, name, kind)
    else:
        raise InvalidInputError(f"--labels {path} is neither a folder nor a CSV file")
    return found


def check_classes(labels: Labels) -> None:
    """Check the number of classes that a read-out has to tell apart.

    Raises:
        InvalidInputError: classes of whole images are fewer than 2 or more than 256.
    """
    count = len(labels.classes)
    if labels.kind is Kind.CLASSES and labels.values and not 2 <= count <= _MOST_CLASSES:
        raise InvalidInputError(
            f"{labels.target} has {count} class(es), as {labels.classes[0]!r}: 2 to {_MOST_CLASSES} can be "
            "told apart" + (": if these are numbers, correct the other cells" if count > 1 else "")
        )


def place_values(labels: Labels, image: str, view: View, places: int) -> tuple[NDArray[np.float64], ...]:
    """Read the map of an image and average it over a coarse grid.

    Args:
        labels: labels with maps. Files of the dataset's tasks are decoded to their units, depths as
            logarithms; other files are read as plain numbers, with NaN and transparent pixels unknown.
        image: path in the folder of images.
        view: the part of the image that sources saw.
        places: rows and columns of the grid.

    Returns:
        values float64 (places, places, k), means over known pixels, or shares of the classes (k is then
        `_MOST_CLASSES`, most of them empty); and the share of known pixels (places, places).

    Raises:
        InvalidInputError: the file is damaged, has another size than its image, or holds no classes.
    """
    path, values = labels.maps[image], read_map(labels, image, view)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=-1))
    if labels.kind is Kind.CLASSES:
        numbers = values[known]
        if (
            values.shape[-1] != 1
            or (numbers % 1).any()
            or not ((numbers >= 0) & (numbers < _MOST_CLASSES)).all()
        ):
            raise InvalidInputError(
                f"the map {path} holds no classes: one channel of whole numbers from 0 to {_MOST_CLASSES - 1}"
            )
        values = np.eye(_MOST_CLASSES, dtype=np.float32)[np.where(known, values[..., 0], 0).astype(np.int64)]
    both = np.concatenate([np.where(known[..., None], values, 0), known[..., None]], axis=-1)
    planes = torch.from_numpy(both).float().permute(2, 0, 1)
    # Only the part that sources saw, whose padding is unknown.
    box = view.box
    left, top, right, bottom = (round(edge) for edge in (box.left, box.top, box.right, box.bottom))
    cut = planes[:, max(top, 0) : min(bottom, view.height), max(left, 0) : min(right, view.width)]
    padding = (max(-left, 0), max(right - view.width, 0), max(-top, 0), max(bottom - view.height, 0))
    planes = functional.pad(cut, padding)
    pooled = functional.adaptive_avg_pool2d(planes, places).double().permute(1, 2, 0).numpy()
    share = pooled[..., -1]
    return pooled[..., :-1] / np.maximum(share, 1e-9)[..., None], share


def read_map(labels: Labels, image: str, view: View) -> NDArray[np.float32]:
    """Read the map of an image, in the pixels of the image.

    Args:
        labels: labels with maps.
        image: path in the folder of images.
        view: the part of the image that sources saw.

    Returns:
        float32 (H, W, C); all channels of a pixel are NaN where any is unknown.

    Raises:
        InvalidInputError: the file is damaged, or has another size than its image.
    """
    path = labels.maps[image]
    values = _dataset_map(path, labels.target) if labels.target in DOMAINS else _own_map(path)
    if values.shape[:2] != (view.height, view.width):
        raise InvalidInputError(
            f"the map {path} is {values.shape[1]} x {values.shape[0]} px, its image {view.width} x "
            f"{view.height}: they must be of one size"
        )
    values[np.isnan(values).any(axis=-1)] = np.nan
    return values


def groups_of(labels: Labels, names: Sequence[str], groups: Mapping[str, str] | None = None) -> list[str]:
    """Return the group of each image, whose images are never divided.

    Args:
        labels: whose own groups have priority.
        names: of the images.
        groups: image -> its group; for other images, the folder is the group. An image outside of folders, or
            directly in the folder of its class, is a group alone.
    """
    known = {**(groups or {}), **labels.groups}

    def alone(name: str) -> str:
        folder = name.rpartition("/")[0]
        return f"/{name}" if not folder or (labels.by_folder and "/" not in folder) else folder

    return [known.get(name) or alone(name) for name in names]


def _dataset_map(path: Path, target: str) -> NDArray[np.float32]:
    """Read a file in the dataset's codes as values (H, W, C)."""
    if path.suffix.lower() == ".npy":
        return _own_map(path)
    coding = DOMAINS[target].coding
    try:
        codes = read_label(path, target)
    except ImageError as error:
        raise InvalidInputError(str(error)) from error
    values = decode(target, torch.from_numpy(codes.astype(np.int64))).float().numpy()
    if coding is Coding.DEPTH:
        values = np.log(np.where(values > 0, values, np.nan))
    if coding is Coding.NUMBER:
        values = np.where(values == 0, np.nan, values)
    return values if values.ndim == 3 else values[..., None]


def _own_map(path: Path) -> NDArray[np.float32]:
    """Read a user's map as values (H, W, C), NaN where unknown."""
    try:
        if path.suffix.lower() == ".npy":
            stored = np.load(path, allow_pickle=False)
            if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "biuf":
                raise InvalidInputError(f"the map {path} does not hold one array of real numbers")
        else:
            with path.open("rb") as file:
                header = file.read(_HEADER)
            with Image.open(path) as image:
                if (
                    image.format == "PNG" and header[-2] == 16 and header[-1] != 0
                ):  # Pillow drops half the bits
                    raise InvalidInputError(
                        f"the map {path} has 16 bits in colour or with transparency: save it as .npy"
                    )
                alpha = image.mode in {"LA", "RGBA"}
                if not alpha and image.mode not in {"1", "L", "RGB", "F", *DEEP_MODES}:
                    raise InvalidInputError(
                        f"the map {path} is of mode {image.mode}: save it in grey or as .npy"
                    )
                stored = np.asarray(image).astype(np.float32)
            if alpha:
                stored = np.where(stored[..., -1:] > 0, stored[..., :-1], np.nan)
    except (OSError, ValueError, TypeError, SyntaxError, EOFError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"the map {path} cannot be read: {error}") from error
    values = stored if stored.ndim == 3 else stored[..., None]
    if values.ndim != 3 or values.shape[-1] > 4 or 0 in values.shape:
        raise InvalidInputError(f"the map {path} has shape {stored.shape}: maps are (H, W) or (H, W, 1 to 4)")
    finite = np.isfinite(values)
    beyond = values[finite & ((values > _MOST) | (values < -_MOST))]
    if beyond.size:
        raise InvalidInputError(
            f"the map {path} holds {beyond[0]:g}: numbers up to {_MOST:g} can be read. Write NaN where a "
            "pixel is unknown, or choose a larger unit"
        )
    return np.where(finite, values, np.nan).astype(np.float32)


def _maps(path: Path, images: Sequence[str], name: str, kind: Kind) -> Labels:
    """Find the map of each image."""
    files: dict[str, Path] = {}
    for file in sorted(path.rglob("*")):
        if file.suffix.lower() in _SUFFIXES and file.is_file():
            stem = file.relative_to(path).with_suffix("").as_posix()
            if stem in files:
                raise InvalidInputError(f"{files[stem]} and {file} are maps of one image: keep one of them")
            files[stem] = file
    maps = {
        image: files[stem] for image in images if (stem := Path(image).with_suffix("").as_posix()) in files
    }
    if not maps:
        raise InvalidInputError(
            f"no image has a map in {path}: maps are PNG or NPY files called like the images, as {images[0]},"
            " but for the ending"
        )
    target = _target(name)
    numbered = target in DOMAINS and DOMAINS[target].coding is Coding.NUMBER
    chosen = (Kind.CLASSES if numbered else Kind.NUMBERS) if kind is Kind.AUTO else kind
    return Labels(target=target, kind=chosen, maps=maps)


def read_groups(path: Path, images: Sequence[str]) -> dict[str, str]:
    """Read the group of each image from a CSV file with the columns `file` and `group`.

    Raises:
        InvalidInputError: the file cannot be read, lacks a column, or names images that do not exist.
    """
    header, rows, _ = _rows(path, images, "--groups")
    if GROUP not in {cell.casefold() for cell in header}:
        raise InvalidInputError(f"{path} has the columns {', '.join(header)}: it needs `file` and `group`")
    return {row[FILE]: row[GROUP] for row in rows if row[GROUP]}


def _rows(path: Path, images: Sequence[str], option: str) -> tuple[list[str], list[dict[str, str]], str]:
    """Read a CSV file about images: its headings, its lines by lower-case heading, and its separator.

    Raises:
        InvalidInputError: the file cannot be read, its lines differ in length, or its column `file` does not
            match the images.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if text.startswith("sep="):  # a line for spreadsheets
            text = text.partition("\n")[2]
        head = text.partition("\n")[0]
        separator = max(",;\t", key=head.count)
        lines = [
            line for line in csv.reader(StringIO(text), delimiter=separator) if any(map(str.strip, line))
        ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{option} {path} cannot be read as CSV: {error}") from error
    header = [cell.strip() for cell in lines[0]] if lines else []
    lower = [cell.casefold() for cell in header]
    if lower.count(FILE) != 1 or len(set(lower)) < len(lower):
        raise InvalidInputError(
            f"{path} has the columns {', '.join(header) or '(none)'}: it needs `file`, and each column once"
        )
    for number, line in enumerate(lines, 1):
        if len(line) != len(header):
            raise InvalidInputError(
                f"line {number} of {path} has {len(line)} cells, the first has {len(header)}"
            )
    rows = [dict(zip(lower, (cell.strip() for cell in line), strict=True)) for line in lines[1:]]
    files = [row[FILE] for row in rows]
    twice = [file for file, times in Counter(files).items() if times > 1]
    if twice:
        raise InvalidInputError(f"{path} has more than one line for {', '.join(twice[:_NAMED])}")
    held = set(images)
    if unknown := [file for file in files if file not in held]:
        raise InvalidInputError(
            f"{path} names {len(unknown)} file(s) that are not among the images: "
            f"{', '.join(unknown[:_NAMED])}; images are called as in {images[0]}"
        )
    return header, rows, separator


def _table(path: Path, images: Sequence[str], name: str | None, kind: Kind) -> list[Labels]:
    """Read the label columns of a CSV file."""
    header, rows, separator = _rows(path, images, "--labels")
    columns = [cell for cell in header if cell.casefold() not in {FILE, GROUP}]
    columns = [cell for cell in columns if not _is_index(cell, [row[cell.casefold()] for row in rows], path)]
    if not columns:
        raise InvalidInputError(f"{path} has the columns {', '.join(header)}: it needs one of labels too")
    groups = {row[FILE]: row[GROUP] for row in rows if row.get(GROUP)}
    if name is not None and len(columns) > 1:
        raise InvalidInputError(
            f"{path} has {len(columns)} columns of labels, which have names: leave out {name}="
        )
    found = []
    for column in columns:
        cells = {row[FILE]: row[column.casefold()] for row in rows}
        cells = {file: cell for file, cell in cells.items() if cell.casefold() not in _UNKNOWN}
        if not cells:
            raise InvalidInputError(f"the column {column!r} of {path} holds no label")
        numbers = {file: _number(cell, separator) for file, cell in cells.items()}
        wrong = [file for file, value in numbers.items() if value is None]
        commas = separator == "," and wrong and all(_COMMA.fullmatch(cells[file]) for file in wrong)
        if commas and kind is not Kind.CLASSES:
            raise InvalidInputError(
                f"{column} of {wrong[0]} in {path} is {cells[wrong[0]]!r}: write a decimal point, or "
                "separate the cells with semicolons"
            )
        if kind is Kind.NUMBERS and wrong:
            raise InvalidInputError(
                f"{column} of {wrong[0]} in {path} is {cells[wrong[0]]!r}, which is not a number"
            )
        if kind is Kind.CLASSES or wrong:
            found.append(_as_classes(name or column, cells, groups))
            continue
        beyond = [file for file, value in numbers.items() if value is None or abs(value) > _MOST]
        if beyond:
            raise InvalidInputError(
                f"{column} of {beyond[0]} in {path} is {cells[beyond[0]]}: numbers up to {_MOST:g} can be "
                "read. Leave the cell empty if the number is unknown, or choose a larger unit"
            )
        values = {file: (value,) for file, value in numbers.items() if value is not None}
        found.append(
            Labels(
                target=_target(name or column), kind=Kind.NUMBERS, values=values, groups=groups, column=column
            )
        )
    return found


def _is_index(name: str, cells: Sequence[str], path: Path) -> bool:
    """Return True if a column without a name, or called `index`, is empty or only numbers the lines.

    Raises:
        InvalidInputError: it may be labels or not.
    """
    nameless = _NO_NAME.fullmatch(name) is not None
    if not nameless and name.casefold() not in _INDEX:
        return False
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    if (nameless and not any(cells)) or (
        len(numbers) == len(cells) and all(one < other for one, other in pairwise(numbers))
    ):
        return True
    if nameless or len(set(numbers)) == len(cells):
        shown = f"is called {name!r} and may only number the lines" if name else "has no name"
        raise InvalidInputError(f"a column of {path} {shown}: name it for what it holds, or delete it")
    return False


def _as_classes(name: str, cells: Mapping[str, str], groups: Mapping[str, str]) -> Labels:
    """Convert names of classes to their indexes."""
    classes = tuple(sorted(set(cells.values())))
    values = {file: (float(classes.index(cell)),) for file, cell in cells.items()}
    return Labels(target=_target(name), kind=Kind.CLASSES, values=values, classes=classes, groups=groups)


def _number(cell: str, separator: str) -> float | None:
    """Parse the number in a cell, or return None; a decimal comma is one if commas part no cells."""
    try:
        return float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        return None


def _target(name: str) -> str:
    """Return the canonical name of a task; other names are unchanged."""
    return find_task(name).name if is_task(name) else name
