"""Presets: documents, sections, seeds and overrides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from training.errors import ConfigError
from training.runs.presets import FOLDER, Preset, preset_names, read_preset

STAGES = ("data", "networks")
DOCUMENT = """# toy: reproduces nothing.
#
#     python -m training run --preset toy.toml --out out

# not part of the opening comment
seed = 5

[networks]
steps = 10
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Networks:
    """A stage that draws."""

    steps: int = 1
    rate: float = 0.1
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Affinity:
    """A stage that does not."""

    clip: float = 0.1


def read(tmp_path: Path, *overrides: str, text: str = DOCUMENT) -> Preset:
    path = tmp_path / "toy.toml"
    path.write_text(text)
    return read_preset(str(path), STAGES, overrides)


def test_a_stage_gets_its_section_and_the_seed(tmp_path: Path) -> None:
    preset = read(tmp_path)
    assert preset.settings("networks", Networks) == Networks(steps=10, seed=5)
    assert preset.settings("data", Networks) == Networks(seed=5)
    assert preset.settings("data", Affinity) == Affinity()


def test_the_opening_comment_is_what_a_preset_is_about(tmp_path: Path) -> None:
    about = read(tmp_path).about
    assert about == "toy: reproduces nothing.\n\n    python -m training run --preset toy.toml --out out"


def test_overrides_stand_above_the_file(tmp_path: Path) -> None:
    preset = read(tmp_path, "networks.steps=20", "networks.rate = 1e-3", "seed=6", "networks.seed=7")
    assert preset.settings("networks", Networks) == Networks(steps=20, rate=1e-3, seed=7)
    assert preset.settings("data", Networks).seed == 6


def test_an_override_may_be_a_bare_word_a_list_or_deep(tmp_path: Path) -> None:
    preset = read(tmp_path, "data.kind=taskonomy", "data.sizes=[1, 2]", "data.net.width=3")
    assert preset.sections["data"] == {"kind": "taskonomy", "sizes": [1, 2], "net": {"width": 3}}


def test_an_override_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--set networks\.steps is given twice: keep one of the two"):
        read(tmp_path, "networks.steps=1", "networks.width=2", "networks . steps=3")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("networks.steps", r"cannot read --set 'networks\.steps': write section\.setting=value"),
        ("networks.=3", r"cannot read --set"),
        ("networks.steps.deep=3", r"cannot --set .*: steps is 10, not a section"),
        ("network.steps=3", r"preset .*toy\.toml has a section 'network': did you mean networks\?"),
        ("data=3", r"data = 3 must be a section"),
        ("seed=-1", r"seed = -1 must be a whole number, 0 or more"),
    ],
)
def test_overrides_that_fit_nowhere_are_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, override)


def test_an_unknown_setting_names_preset_section_and_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"preset toy \[networks\] has no setting 'step': did you mean steps\?"
    ):
        read(tmp_path, "networks.step=3").settings("networks", Networks)


def test_a_file_that_is_no_toml_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"preset .* is not TOML: .*line 2"):
        read(tmp_path, text="seed = 1\nsteps =\n")


def test_an_unknown_preset_offers_those_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"no preset 'smok' \(a file of your own ends with \.toml\): did you mean smoke\?"
    ):
        read_preset("smok", STAGES)
    with pytest.raises(ConfigError, match=r"no preset 'mine\.toml'"):
        read_preset("mine.toml", STAGES)


def test_every_preset_is_a_document_with_its_command() -> None:
    assert {"smoke", "rooms", "taskonomy"} <= set(preset_names())
    for name in preset_names():
        text = (FOLDER / f"{name}.toml").read_text()
        assert text.startswith("# ")
        assert f"--preset {name}" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# Möbel\n".encode("latin-1"), "is not UTF-8, as TOML is: .* Save it as UTF-8"),
        (b"\xff\xfea\0", "is not UTF-8"),
        (b"a = " + b"[" * 5000, "is not TOML"),
    ],
)
def test_a_file_in_another_encoding_is_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "toy.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_preset(str(tmp_path / "toy.toml"), STAGES)


def test_a_mark_of_utf_8_in_front_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "toy.toml").write_bytes(b"\xef\xbb\xbf" + DOCUMENT.encode())
    assert read_preset(str(tmp_path / "toy.toml"), STAGES).seed == 5
