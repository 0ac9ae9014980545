"""Presets: documents with the settings of a run.

A preset is a TOML file. Its opening comment says what it reproduces, the command, the expected time and
scores; `seed` at the top is the seed of every stage; each section holds the settings of one stage, and what
it leaves out has the stage's default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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
        name: of the file, without suffix.
        about: its opening comment.
        seed: of every stage that does not state its own.
        sections: tables by the names of stages.
    """

    name: str
    about: str
    seed: int
    sections: Mapping[str, Mapping[str, Any]]

    def settings(self, section: str, kind: type[Settings]) -> Settings:
        """The settings of one stage.

        Args:
            section: name of the stage.
            kind: its dataclass.

        Raises:
            ConfigError: an unknown setting, or a value that is not allowed; the preset and section are named.
        """
        table = dict(self.sections.get(section, {}))
        if any(one.name == _SEED for one in fields(kind)):  # type: ignore[arg-type] # a dataclass
            table.setdefault(_SEED, self.seed)
        return settings_from(kind, table, f"preset {self.name} [{section}]")


def preset_names() -> tuple[str, ...]:
    """Names of the presets that come with training."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def read_preset(name: str, stages: Sequence[str], overrides: Sequence[str] = ()) -> Preset:
    """A preset by its name, or from a TOML file of one's own.

    Args:
        name: one of `preset_names()`, or a path that ends with `.toml`.
        stages: names of sections that there may be.
        overrides: settings that stand above the file's, as `section.setting=value`, the value in TOML; a bare
            word is a text.

    Raises:
        ConfigError: no such preset, no TOML, an unknown section, or an override that cannot be read or is
            given twice.
    """
    path = _path_of(name)
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
    return Preset(name=Path(name).stem, about=_opening_comment(text), seed=seed, sections=written)


def _path_of(name: str) -> Path:
    """The file of a preset.

    Raises:
        ConfigError: there is none.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        hint = nearest(name, preset_names())
        raise ConfigError(f"no preset {name!r} (a file of your own ends with .toml): {hint}")
    return path


def _put(written: dict[str, Any], override: str) -> tuple[str, ...]:
    """Put one override into a document, and return the name of its setting.

    Raises:
        ConfigError: it has no equals sign, or goes through something that is no section.
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
    table[name] = _toml_value(text.strip())
    return (*sections, name)


def _toml_value(text: str) -> Any:
    """A value as in a TOML file; a bare word is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text


def _opening_comment(text: str) -> str:
    """The comment that a document begins with."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").removeprefix(" "))
    return "\n".join(lines)
