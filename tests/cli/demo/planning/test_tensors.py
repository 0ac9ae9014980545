"""Affinity tensors that visitors of the demo upload."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from taskbank_demo.errors import MissingError, UploadError
from taskbank_demo.planning import tensors
from taskbank_demo.planning.tensors import TensorShelf, read_tensor, tensor_from_text
from taxsolver import (
    InvalidInputError,
    save_affinity,
)
from toys import TOY, toy


def test_a_csv_and_a_safetensors_file_are_read_as_taxsolver_reads_them(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(TOY)
    save_affinity(toy(), tmp_path / "mine.safetensors")
    for file in ("mine.csv", "mine.safetensors"):
        tensor = read_tensor(tmp_path / file)
        assert tensor.tasks == ("a", "b", "c", "s")
        np.testing.assert_array_equal(tensor.affinity, toy().affinity)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "mine.pkl",
            b"\x80\x04.",
            "mine.pkl is not an affinity tensor: upload a .csv or a .safetensors file",
        ),
        ("mine.csv", b"target,sources,affinity\na,b,7\n", "^mine.csv, line 2: affinity is 7"),
        ("mine.csv", b"\xff\xfe\x00", "mine.csv is not CSV text in UTF-8"),
        ("mine.csv", b"hello\n", "^mine.csv has the columns hello"),
        ("mine.safetensors", b"\x80\x04\x95", "^mine.safetensors is damaged or no safetensors file"),
        ("mine.safetensors", (2**40).to_bytes(8, "little") + b"{}", "^mine.safetensors is damaged"),
    ],
)
def test_what_is_no_tensor_is_refused_by_its_name_and_without_its_path(
    tmp_path: Path, file: str, content: bytes, message: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UploadError, match=message) as caught:
        read_tensor(tmp_path / file)
    assert str(tmp_path) not in str(caught.value)


def test_a_file_is_refused_by_its_size_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensors, "MOST_BYTES", 2**20)
    (tmp_path / "huge.csv").write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(UploadError, match="huge.csv is larger than 1 MiB"):
        read_tensor(tmp_path / "huge.csv")
    with pytest.raises(UploadError, match="the CSV is longer than 1 MiB"):
        tensor_from_text("a" * (2**20 + 1), name="huge")


def test_many_names_or_lines_are_refused_before_a_matrix_is_made_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tensors, "tensor_from_csv", lambda *_, **__: pytest.fail("was read"))
    many = "|".join(f"t{number}" for number in range(15_000))
    with pytest.raises(UploadError, match="more than 120 tasks or 20,000 transfers"):
        tensor_from_text(f"target,sources,affinity\na,{many},1\n", name="wide")
    with pytest.raises(UploadError, match="more than 120 tasks or 20,000 transfers"):
        tensor_from_text("target,sources,affinity\n" + "a,b,1\n" * 20_001, name="long")


def test_a_task_name_may_not_be_endless() -> None:
    with pytest.raises(UploadError, match="a task of 121 characters; 120 are allowed"):
        tensor_from_text(f"target,sources,affinity\n{'a' * 121},self,1\n", name="endless")


def test_uploaded_tensors_are_found_by_a_name_that_cannot_be_guessed_until_they_are_given_up() -> None:
    shelf = TensorShelf()
    tensor = toy()
    first = shelf.put(tensor, "mine.csv")
    assert shelf.get(first) is tensor
    assert shelf.called(first) == "mine.csv"
    assert len({shelf.put(tensor, "mine.csv") for _ in range(32)}) == 32
    with pytest.raises(MissingError, match="not kept any more: upload it again"):
        shelf.get(first)
    with pytest.raises(
        InvalidInputError, match="unknown affinity tensor '/etc/passwd': shipped are taskonomy-16k"
    ):
        shelf.get("/etc/passwd")
