"""The documents: what they tell people to type works, and nothing in them leads astray."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from taxsolver import load_affinity, save_affinity
from taxsolver_cli.app import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("training/*/README.md")])
READMES = (ROOT / "README.md", ROOT / "taxsolver" / "README.md")


def _commands() -> list[str]:
    """Every `taxsolver ...` line or table cell of the READMEs."""
    found: list[str] = []
    for readme in READMES:
        text = readme.read_text(encoding="utf-8")
        found += re.findall(r"^(taxsolver .+)$", text, flags=re.MULTILINE)
        found += re.findall(r"\| `(taxsolver [^`]+)`", text)
    return list(dict.fromkeys(found))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the READMEs name."""
    monkeypatch.chdir(tmp_path)
    losses = np.random.default_rng(0).random((20, 2)).tolist()
    lines = ["normal,depth_zbuffer", *(",".join(map(repr, row)) for row in losses)]
    (tmp_path / "losses.csv").write_text("\n".join(lines) + "\n")
    save_affinity(load_affinity("taskonomy-1k"), tmp_path / "mine.csv")
    (tmp_path / "daylight").mkdir()
    save_affinity(load_affinity("taskonomy-16k"), tmp_path / "daylight" / "affinity.safetensors")
    return tmp_path


@pytest.mark.parametrize("command", _commands())
def test_every_command_of_the_readmes_runs(command: str, folder: Path) -> None:
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output


def test_the_output_in_the_readme_is_what_the_command_prints() -> None:
    readme = READMES[0].read_text(encoding="utf-8")
    shown = re.findall(r"```text\n(.*?)```", readme, flags=re.DOTALL)[0]
    done = CliRunner().invoke(app, ["--targets", "normals,depth,reshading", "--budget", "2"])

    def words(text: str) -> list[str]:
        return re.sub(r"\(\d+ ms\)", "", text).split()

    assert words(shown) == words(done.stdout)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_sends_people_to_another_authors_project(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert not re.search(r"pip install (-\S+ )*['\"]?taskbank\b(?!.*@ git)", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target
