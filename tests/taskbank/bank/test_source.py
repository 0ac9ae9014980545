"""Names of banks, and the default where no bank is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.taskbank.test_public_api import modules_after
from tests.taskbank.toy import TOY_COMPACT, toy_encoder

from taskbank.bank import source as bank_source
from taskbank.bank.bank import Bank
from taskbank.bank.source import BANK_VARIABLE, DEFAULT_BANK, find_files
from taskbank.errors import BankFormatError, MissingBankError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A toy bank's."""
    path = tmp_path / "rooms"
    Bank.save(path, name="toy", architecture=TOY_COMPACT, networks={"random": toy_encoder()})
    return path


def test_the_variable_names_the_default_bank(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one counts as none."""
    monkeypatch.setenv(BANK_VARIABLE, str(folder))
    assert Bank.open().name == "toy"
    assert Bank.open(folder).where == str(folder)
    monkeypatch.setenv(BANK_VARIABLE, "")
    assert bank_source.default_source() == DEFAULT_BANK


def test_the_bundled_bank_is_the_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder lies inside the package."""
    monkeypatch.delenv(BANK_VARIABLE, raising=False)
    monkeypatch.setattr(bank_source, "_BUNDLED_FOLDER", folder.parent)
    assert Bank.open().where == str(folder)
    assert Bank.open("rooms").where == str(folder)


def test_without_bundled_weights_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All ways to name another bank, and one to make it."""
    monkeypatch.delenv(BANK_VARIABLE, raising=False)
    monkeypatch.setattr(bank_source, "_BUNDLED_FOLDER", tmp_path)
    with pytest.raises(MissingBankError, match="'rooms' is not bundled with this version") as caught:
        Bank.open()
    for way in ("folder", "hf://owner/name", "--bank", BANK_VARIABLE, "taskbank convert visualpriors"):
        assert way in str(caught.value)


def test_a_folder_called_like_the_bundled_bank_can_be_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a path that is more than the name, or as a path."""
    monkeypatch.chdir(folder.parent)
    assert Bank.open(f".{os.sep}rooms").name == "toy"
    assert Bank.open(Path("rooms")).name == "toy"


def test_what_is_no_bank_is_told_with_the_forms_that_are(tmp_path: Path) -> None:
    """A repository without its prefix, say."""
    with pytest.raises(BankFormatError, match=r"no bank at someone/toy: .* written hf://owner/name"):
        Bank.open("someone/toy")


def test_finding_a_folder_imports_nothing_heavy() -> None:
    """Nor does naming a repository."""
    loaded = modules_after("from taskbank.bank.source import find_files; find_files('x')")
    assert not loaded & {"torch", "numpy", "huggingface_hub", "safetensors"}
    assert find_files("x").where == "x"
