"""Presets: TOML files with the settings of a run.

The opening comment of a preset states its purpose, the command, and
the expected time and scores; `seed` at the top is the seed of every stage; each section holds the settings of
one stage, and omitted settings have the stage's defaults.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from training.errors import ConfigError
from training.runs.settings import nearest, settings_from

Settings = TypeVar("Settings")

FOLDER = Path(__file__).parents[1] / "presets"
"""Folder of the named presets."""

_SEED = "seed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """The content of a preset.

    Attributes:
        name: name of the file, without suffix.
        about: opening comment.
        seed: seed of every stage without a seed of its own.
        sections: tables by the names of stages.
    """

    name: str
    about: str
    seed: int
    sections: Mapping[str, Mapping[str, Any]]

    def settings(self, section: str, kind: type[Settings]) -> Settings:
        """Construct the settings of one stage.

        Args:
            section: name of the stage.
            kind: dataclass of its settings.

        Raises:
            ConfigError: a setting is not known or a value is not allowed; the message names preset and
                section.
        """
        table = dict(self.sections.get(section, {}))
        if any(one.name == _SEED for one in fields(kind)):  # type: ignore[arg-type] # a dataclass
            table.setdefault(_SEED, self.seed)
        return settings_from(kind, table, f"preset {self.name} [{section}]")


def preset_names() -> tuple[str, ...]:
    """List the names of the presets that come with training."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def read_preset(name: str, stages: Sequence[str], overrides: Sequence[str] = ()) -> Preset:
    """Read a preset by its name, or from a user's TOML file.

    Args:
        name: one of `preset_names()`, or a path that ends with `.toml`.
        stages: names of allowed sections.
        overrides: settings that override the file's, as `section.setting=value`, with the value in TOML; a
            bare word is a string.

    Raises:
        ConfigError: the preset does not exist or is not TOML, a section is not known, or an override cannot
            be read or is given twice.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        hint = nearest(name, preset_names())
        raise ConfigError(f"no preset {name!r} (a file of your own ends with .toml): {hint}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        written = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"preset {name} is not UTF-8, as TOML is: {error}. Save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"preset {name} cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ConfigError(f"preset {name} is not TOML: {error}") from error
    named: set[tuple[str, ...]] = set()
    for override in overrides:
        dotted = _put(written, override)
        if dotted in named:
            raise ConfigError(f"--set {'.'.join(dotted)} is given twice: keep one of the two")
        named.add(dotted)
    seed = written.pop(_SEED, 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ConfigError(f"preset {name} seed = {seed!r} must be a whole number, 0 or more")
    for section, table in written.items():
        if section not in stages:
            raise ConfigError(f"preset {name} has a section {section!r}: {nearest(section, stages)}")
        if not isinstance(table, Mapping):
            raise ConfigError(f"preset {name} {section} = {table!r} must be a section")
    comment = takewhile(lambda line: line.startswith("#"), text.splitlines())  # at the start of the file
    about = "\n".join(line.removeprefix("#").removeprefix(" ") for line in comment)
    return Preset(name=Path(name).stem, about=about, seed=seed, sections=written)


def _put(written: dict[str, Any], override: str) -> tuple[str, ...]:
    """Put one override into a document, and return the name of its setting.

    Raises:
        ConfigError: the override has no equals sign, or its path is not made of sections.
    """
    dotted, equals, text = override.partition("=")
    *sections, name = (part.strip() for part in dotted.split("."))
    if not equals or not all((*sections, name)):
        raise ConfigError(f"cannot read --set {override!r}: write section.setting=value")
    table = written
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"cannot --set {override!r}: {section} is {table!r}, not a section")
    try:
        table[name] = tomllib.loads(f"value = {text.strip()}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        table[name] = text.strip()  # a bare word is a string
    return (*sections, name)
