"""Catalogues: TOML files that list third-party models for tasks of this package. Imports nothing heavy."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.paths import home_path, read_regular
from taskbank.tasks.registry import find_task

FORMAT = "taskbank models 1"
FOUNDATION = "foundation"
"""Name of the catalogue that comes with the package."""

LOADERS = ("transformers", "timm")
METRES, INVERSE = "metres", "relative, inverse"
CLASS_TABLES = ("ade20k_150", "coco_80")
"""Tables in `taskbank.constants` that map the classes of a data set to those of `segment_semantic`."""

FREE_LICENCES = frozenset(
    {"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "isc", "unlicense"}
)
"""Licences, in lower case, that allow any use; models under others run only after the user accepts them."""

_DIRECTIONS = {
    "right": (0, 1),
    "left": (0, -1),
    "down": (1, 1),
    "up": (1, -1),
    "forward": (2, 1),
    "backward": (2, -1),
}
_NEEDED = {"depth_zbuffer": "depth", "normal": "axes", "segment_semantic": "classes"}
_LOADABLE = {
    "transformers": frozenset(
        {"depth_zbuffer", "normal", "segment_semantic", "class_scene", "point_matching"}
    ),
    "timm": frozenset({"class_object"}),
}
_KEYS = {
    "name", "tasks", "loader", "class", "id", "revision", "licence", "megabytes", "depth", "axes", "classes",
    "prompt", "source", "unverified",
}  # fmt: skip
_REPO = re.compile(r"\w[\w.-]*/[\w.-]+", re.ASCII)
_LARGEST = 1 << 20  # bytes of a catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One third-party model.

    Attributes:
        name: short name for users.
        tasks: canonical names of the tasks that it serves.
        loader: library that loads it: `transformers` or `timm`.
        kind: class of transformers, or architecture of timm.
        id: `owner/name` on the Hub, or a folder.
        revision: branch, tag or commit of the repository; not read for a folder.
        licence: as its owner states it; empty where nothing is stated.
        megabytes: approximate size of the download.
        depth: form of predicted depth: `metres`, or `relative, inverse`.
        axes: directions of the model's x, y and z axes, for predicted normals, such as `right, up, backward`.
        classes: class table for semantic segmentation: one of `CLASS_TABLES`.
        prompt: sentence for zero-shot scene classification, with `{}` for the scene's name.
        source: page that states these facts.
        unverified: facts that could not be checked.
    """

    name: str
    tasks: tuple[str, ...]
    loader: str
    kind: str
    id: str
    revision: str = "main"
    licence: str = ""
    megabytes: float = 0
    depth: str = ""
    axes: str = ""
    classes: str = ""
    prompt: str = "a photo of a {}."
    source: str = ""
    unverified: str = ""

    @property
    def free(self) -> bool:
        """True if the licence allows any use."""
        return self.licence.lower() in FREE_LICENCES

    @property
    def folder(self) -> Path | None:
        """The folder that `id` names; None for a repository of the Hub."""
        path = home_path(self.id)
        return None if _REPO.fullmatch(self.id) and not path.is_dir() else path

    def gives(self, task: str) -> str:
        """Describe the model's output for one of its tasks."""
        return {
            "depth_zbuffer": self.depth,
            "normal": "unit vectors",
            "segment_semantic": self.classes,
            "class_object": "1000 classes",
            "class_scene": "63 classes, zero-shot",
            "point_matching": "matches",
        }[task]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Third-party models by the tasks that they serve.

    Attributes:
        name: of the bank made from the catalogue.
        models: in the order of the file; if two models serve one task, the first is used.
        digest: sha256 of the file.
        where: name or path of the file.
    """

    name: str
    models: tuple[Model, ...]
    digest: str
    where: str

    @property
    def by_task(self) -> dict[str, Model]:
        """The model of each task."""
        chosen: dict[str, Model] = {}
        for model in self.models:
            for task in model.tasks:
                chosen.setdefault(task, model)
        return chosen

    def chosen(self, names: Iterable[str]) -> Catalogue:
        """Return a catalogue of the named models only, in the given order.

        Raises:
            InvalidInputError: it has no such model.
        """
        held = {model.name: model for model in self.models}
        wanted = list(dict.fromkeys(names))
        if unknown := [name for name in wanted if name not in held]:
            raise InvalidInputError(
                f"{self.where} has no model {', '.join(map(repr, unknown))}: choose from {', '.join(held)}"
            )
        return replace(self, models=tuple(held[name] for name in wanted))


def names_models(source: object) -> bool:
    """Return True if a bank's name means third-party models, alone or together with other banks."""
    return isinstance(source, str | Path) and any(map(names_catalogue, str(source).split(",")))


def names_catalogue(source: object) -> bool:
    """Return True if a bank's name means a catalogue: `foundation`, or a file that ends in .toml."""
    return source == FOUNDATION or str(source).endswith(".toml")


def open_catalogue(source: str | Path = FOUNDATION) -> Catalogue:
    """Read a catalogue.

    Args:
        source: `foundation`, which comes with the package, or a TOML file of the same form.

    Raises:
        BankFormatError: the file cannot be read, or a key is missing, unknown or of the wrong kind.
    """
    bundled = Path(__file__).parents[1] / "banks" / f"{FOUNDATION}.toml"
    path = bundled if source == FOUNDATION else home_path(source)
    where = FOUNDATION if source == FOUNDATION else str(path)
    try:
        content = read_regular(path, at_most=_LARGEST + 1)
        if content is None:
            raise BankFormatError(f"the catalogue {where} is a pipe or a device: save it as a file")
        written = tomllib.loads(content.decode())
    except (OSError, ValueError, RecursionError) as error:
        raise BankFormatError(f"cannot read the catalogue {where}: {error}") from error
    if len(content) > _LARGEST:
        raise BankFormatError(f"the catalogue {where} has more than {_LARGEST} bytes: it is something else")
    if written.get("format") != FORMAT:
        raise BankFormatError(
            f'{where} is not a catalogue of models: it must say  format = "{FORMAT}". '
            "`taskbank models --out FILE` writes one"
        )
    rows = written.get("models")
    if not isinstance(rows, list) or not rows:
        raise BankFormatError(f"{where} names no model: add a table  [[models]]")
    models = tuple(_model(row, path.parent, f"{where}: model {number}") for number, row in enumerate(rows, 1))
    names = [model.name for model in models]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BankFormatError(f"{where}: two models are called {', '.join(twice)}: rename one")
    name = written.get("name")
    if not isinstance(name, str) or not name:
        raise BankFormatError(f'{where} has no name: add  name = "mine"')
    return Catalogue(name=name, models=models, digest=hashlib.sha256(content).hexdigest(), where=where)


def axis_signs(axes: str) -> tuple[tuple[int, int], ...]:
    """Parse the directions of a model's axes.

    Args:
        axes: such as `right, up, backward`.

    Returns:
        for each of the model's axes, the index of the parallel axis of this package (OpenCV's: right, down,
        forward) and a sign.

    Raises:
        ValueError: `axes` are not three directions along different lines.
    """
    found = [_DIRECTIONS.get(word.strip()) for word in axes.split(",")]
    known = [one for one in found if one is not None]
    if len(known) != len(found) or sorted(number for number, _ in known) != [0, 1, 2]:
        raise ValueError(
            f'axes {axes!r} must be three directions, such as "right, down, forward" (OpenCV) or '
            '"right, up, backward" (OpenGL)'
        )
    return tuple(known)


def catalogue_to_toml(catalogue: Catalogue) -> str:
    """Write a catalogue in the form that `open_catalogue` reads."""
    lines = [f"format = {_quoted(FORMAT)}", f"name = {_quoted(catalogue.name)}"]
    for model in catalogue.models:
        lines += ["", "[[models]]"]
        for key, value in asdict(model).items():
            if value in ("", 0) and key != "licence":
                continue
            said = "class" if key == "kind" else key
            if isinstance(value, tuple):
                lines.append(f"{said} = [{', '.join(map(_quoted, value))}]")
            else:
                lines.append(
                    f"{said} = {value:g}" if isinstance(value, int | float) else f"{said} = {_quoted(value)}"
                )
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write text as a basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'


def _model(row: object, folder: Path, where: str) -> Model:
    """Read one `[[models]]` table of the file.

    Raises:
        BankFormatError: a key is missing, unknown or of the wrong kind.
    """
    if not isinstance(row, dict):
        raise BankFormatError(f"{where} is not a table")
    if unknown := sorted(row.keys() - _KEYS):
        raise BankFormatError(
            f"{where}: unknown key {', '.join(unknown)}: known are {', '.join(sorted(_KEYS))}"
        )
    try:
        texts = {key: _text(row, key) for key in ("name", "loader", "class", "id", "licence")}
        tasks = _tasks(row)
        extra = {key: _text(row, key) for key in ("revision", "depth", "axes", "classes", "prompt", "source",
                                                   "unverified") if key in row}  # fmt: skip
        model = Model(
            kind=texts.pop("class"),
            tasks=tasks,
            megabytes=_number(row.get("megabytes", 0)),
            **texts,
            **extra,
        )
        _check(model)
    except KeyError as error:
        raise BankFormatError(f"{where} lacks the key {error}") from error
    except ValueError as error:
        raise BankFormatError(f"{where}: {error}") from error
    if _REPO.fullmatch(model.id) or home_path(model.id).is_absolute():
        return model
    path = str(folder / home_path(model.id))
    # With the dot a folder that is missing is not taken for a repository.
    return replace(model, id=f"./{path}" if _REPO.fullmatch(path) else path)


def _check(model: Model) -> None:
    """Reject a model that no adapter can serve.

    Raises:
        ValueError: naming what is allowed.
    """
    if model.loader not in LOADERS:
        raise ValueError(f"unknown loader {model.loader!r}: choose {' or '.join(LOADERS)}")
    able = _LOADABLE[model.loader]
    if unserved := [task for task in model.tasks if task not in able]:
        raise ValueError(
            f"models of {model.loader} serve {', '.join(sorted(able))}, not {', '.join(unserved)}"
        )
    for task in model.tasks:
        key = _NEEDED.get(task)
        if key and not getattr(model, key):
            raise ValueError(f"{task} needs the key {key!r}")
    if model.depth and model.depth not in (METRES, INVERSE):
        raise ValueError(f"depth {model.depth!r} must be {METRES!r} or {INVERSE!r}")
    if model.classes and model.classes not in CLASS_TABLES:
        raise ValueError(f"classes {model.classes!r} must be {' or '.join(CLASS_TABLES)}")
    if model.axes:
        axis_signs(model.axes)
    if model.prompt.count("{}") != 1 or model.prompt.count("{") != 1 or model.prompt.count("}") != 1:
        raise ValueError(
            f"prompt {model.prompt!r} must hold {{}} once, for the scene's name, and no other brackets"
        )


def _text(row: Mapping[str, Any], key: str) -> str:
    """Read a text; only the licence may be empty, if its owner states none."""
    value = row[key]
    if not isinstance(value, str) or (not value and key not in ("licence", "source", "unverified")):
        raise ValueError(f"{key} {value!r} must be text")
    return value


def _number(value: object) -> float:
    """Read a size in megabytes, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise ValueError(f"megabytes {value!r} must be a number, 0 or more")
    return value


def _tasks(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Read canonical names of tasks, without repetition."""
    names = row["tasks"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"tasks {names!r} must be a list of names")
    return tuple(dict.fromkeys(find_task(name).name for name in names))


def accepted(models: Sequence[Model], ids: Iterable[str]) -> None:
    """Check that the user accepted the licences that do not allow any use.

    Args:
        models: those that are about to run.
        ids: `id` or `name` of models whose licence was accepted.

    Raises:
        InvalidInputError: the licence of a model does not allow any use, or is not stated, and was not
            accepted.
    """
    said = set(ids)
    waiting = [model for model in models if not model.free and not said & {model.id, model.name}]
    if waiting:
        listed = "; ".join(
            f"{model.id} ({f'licence {model.licence!r}' if model.licence else 'no licence is stated'})"
            for model in waiting
        )
        options = " ".join(f"--accept-licence {model.id}" for model in waiting)
        raise InvalidInputError(
            f"these licences do not allow any use: {listed}. Read them where the models are, then accept "
            f"them: {options} (in Python accept_licence=...), or take other models"
        )
