"""The texts of the documents: links lead somewhere, outputs are those of today, and no command is forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.documents.running import ALL_COMMANDS, COMMANDS, NOT_RUN
from typer.testing import CliRunner

from documented import DOCUMENTS, ROOT
from taxsolver_cli.app import app as taxsolver_app


def test_what_is_not_run_is_still_in_the_documents() -> None:
    words = [each.words for each in ALL_COMMANDS]
    for pattern in NOT_RUN:
        assert any(re.fullmatch(pattern, each) for each in words), pattern


def test_commands_are_found_in_every_kind_of_place() -> None:
    places = {each.place for each in ALL_COMMANDS}
    assert {"README.md", "taxsolver/README.md", "training/README.md", "taxsolver sweep --help"} <= places
    assert {"taskbank predict --help", "taskbank learn --help"} <= places
    assert len(COMMANDS) > 80


def test_the_output_in_the_readme_is_what_the_command_prints() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"```text\n(.*?)```", readme, flags=re.DOTALL)[0]
    done = CliRunner().invoke(taxsolver_app, ["--targets", "normals,depth,reshading", "--budget", "2"])

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
