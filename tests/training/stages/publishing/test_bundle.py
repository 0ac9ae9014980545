"""A bank's card within the project's, and the whole step on a toy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.training.stages.evaluation.toy_fit import save_fit_bank
from training.__main__ import app
from training.errors import DataError
from training.stages.publishing.bank_page import BEGIN as FIGURES
from training.stages.publishing.bank_page import END as FIGURES_END
from training.stages.publishing.bundle import BEGIN, CARD, END, PAGE, with_bank_card
from typer.testing import CliRunner

from taskbank.bank.bank import Bank
from taxsolver import load_affinity, save_affinity

PROJECT = f"# Model card\n\n{BEGIN}\n\nThe last one.\n\n{END}\n\n## Affinity tensors\n"
ROOT = Path(__file__).parents[4]


def test_the_last_card_is_replaced_and_the_rest_stays() -> None:
    card = (
        "---\nlicense: mit\n---\n\n# rooms\n\n## Start\n\n```sh\n# no heading\n```\n\n![x](pictures/a.jpg)\n"
    )
    expected = (
        f"# Model card\n\n{BEGIN}\n\n## rooms\n\n### Start\n\n```sh\n# no heading\n```\n\n"
        f"![x](banks/rooms/pictures/a.jpg)\n\n{END}\n\n## Affinity tensors\n"
    )
    assert with_bank_card(PROJECT, card, "banks/rooms") == expected
    assert with_bank_card(expected, card, "banks/rooms") == expected


@pytest.mark.parametrize("lacking", [BEGIN, END])
def test_a_card_without_a_place_for_it_is_refused(lacking: str) -> None:
    with pytest.raises(DataError, match="lacks .*bundled bank"):
        with_bank_card(PROJECT.replace(lacking, ""), "# rooms", "banks/rooms")


def test_the_projects_own_card_has_a_place_for_it() -> None:
    assert "# rooms" in with_bank_card((ROOT / CARD).read_text(), "# rooms", "banks/rooms")


def test_a_bank_that_is_fit_becomes_the_bundled_one(tmp_path: Path) -> None:
    fit_bank = save_fit_bank(tmp_path / "bank")
    checkout, published = tmp_path / "checkout", tmp_path / "published"
    place = checkout / "taskbank" / "src" / "taskbank" / "banks"
    for folder in (checkout / "docs", place / "toy", checkout / "taxsolver" / "src" / "taxsolver" / "data"):
        folder.mkdir(parents=True)
    (place / "toy" / "old").write_text("of the last version")
    (checkout / CARD).write_text(PROJECT)
    (checkout / PAGE).write_text(f"# Toys\n\n{FIGURES}\n\n{FIGURES_END}\n")
    shutil.copytree(fit_bank, published / "bank")
    shutil.copyfile(fit_bank / "README.md", published / CARD)
    save_affinity(load_affinity("rooms"), published / "affinity.safetensors")
    words = ["bundle", str(published), "--checkout", str(checkout)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert Bank.open(place / "toy").digest == Bank.open(fit_bank).digest
    assert not (place / "toy" / "old").exists()
    tensor = checkout / "taxsolver/src/taxsolver/data/toy.safetensors"
    assert tensor.read_bytes() == (published / "affinity.safetensors").read_bytes()
    assert "## toy" in (checkout / CARD).read_text()
    assert f"{FIGURES}\n\nThe bundled bank `toy` (" in (checkout / PAGE).read_text()
    save_affinity(load_affinity("rooms").select(targets=["normal"]), published / "affinity.safetensors")
    done = CliRunner().invoke(app, words)
    assert "was kept: it has 22 targets, the new tensor 1" in done.stdout
    assert len(load_affinity(tensor).targets) == 22
    (published / "bank" / "scores.json").unlink()
    assert CliRunner().invoke(app, words).exit_code == 1
