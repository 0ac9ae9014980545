"""Tensors as files: the same bytes each time, names, and files that are damaged or foreign."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from taxsolver import (
    AffinityTensor,
    FileFormatError,
    InvalidInputError,
    OutputError,
    TaxSolverError,
    available_affinities,
    load_affinity,
    save_affinity,
)
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import toy

ARRAYS = ("sources", "target", "affinity", "gain", "quality", "full_supervision")
SHIPPED = ("taskonomy-16k", "rooms", "taskonomy-1k", "taskonomy-main")
WORDS = {
    "aliases": {"First": "a", "größe": "b"},
    "untrained": ("s",),
    "images_full": 120,
    "images_transfer": 16,
    "about": {"dataset": "made up", "licence": "MIT", "note": "Größe | 深度\n"},
}


@pytest.fixture
def blob(tmp_path: Path) -> bytes:
    return save_affinity(toy(**WORDS), tmp_path / "whole.safetensors").read_bytes()


def header_of(blob: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(blob[:8], "little")
    return json.loads(blob[8 : 8 + length]), blob[8 + length :]


def edited(blob: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The same file with another header."""
    header, rest = header_of(blob)
    change(header)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + rest


def equal(one: AffinityTensor, other: AffinityTensor) -> bool:
    words = ("name", "tasks", "targets", "untrained", "images_full", "images_transfer", "aliases", "about")
    return all(getattr(one, word) == getattr(other, word) for word in words) and all(
        np.array_equal(getattr(one, field), getattr(other, field), equal_nan=field in ARRAYS[2:5])
        for field in ARRAYS
    )


def test_the_default_comes_first_and_all_shipped_ones_load() -> None:
    assert available_affinities() == SHIPPED
    assert load_affinity().name == "taskonomy-16k"
    for name in available_affinities():
        assert load_affinity(name).name == name


@pytest.mark.parametrize("name", ["Taskonomy-16k", "taskonomy_16k", "taskonomy 16K", " taskonomy.16k "])
def test_a_shipped_name_may_be_spelt_in_other_ways(name: str) -> None:
    assert load_affinity(name).name == "taskonomy-16k"


def test_a_tensor_comes_back_whole(tmp_path: Path) -> None:
    tensor = toy(**WORDS)
    for path in (tmp_path / "toy.safetensors", str(tmp_path / "TOY.SAFETENSORS")):
        assert save_affinity(tensor, path) == Path(path)
        assert equal(load_affinity(path), tensor)


def test_arrays_have_the_dtypes_of_the_format(tmp_path: Path) -> None:
    arrays = load_file(save_affinity(toy(), tmp_path / "toy.safetensors"))
    assert {name: str(array.dtype) for name, array in arrays.items()} == {
        "sources": "bool",
        "target": "int32",
        "affinity": "float64",
        "gain": "float64",
        "quality": "float64",
        "full_supervision": "bool",
    }


def test_a_csv_comes_back_with_its_rows(tmp_path: Path) -> None:
    loaded = load_affinity(save_affinity(toy(), tmp_path / "toy.CSV"))
    assert loaded.name == "toy"
    np.testing.assert_array_equal(loaded.affinity, toy().affinity)


def test_the_same_tensor_gives_the_same_bytes_in_another_process(tmp_path: Path, blob: bytes) -> None:
    (tmp_path / "copy.safetensors").write_bytes(blob)
    program = (
        "import sys, hashlib, pathlib, taxsolver\n"
        "path = taxsolver.save_affinity(taxsolver.load_affinity(sys.argv[1]), sys.argv[2])\n"
        "print(hashlib.sha256(path.read_bytes()).hexdigest())"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path / "copy.safetensors", tmp_path / "again.safetensors"],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        )
        assert done.stdout.strip() == hashlib.sha256(blob).hexdigest()


def test_another_safetensors_reader_finds_the_arrays_at_an_aligned_place(blob: bytes) -> None:
    header, _ = header_of(blob)
    assert int.from_bytes(blob[:8], "little") % 8 == 0
    assert list(header["__metadata__"]) == sorted(header["__metadata__"])
    assert header["__metadata__"]["format"] == "taxsolver-affinity"
    assert json.loads(header["__metadata__"]["tasks"]) == ["a", "b", "c", "s"]


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.001, 0.01, 0.3, 0.6, 0.99, 0.9999])
def test_a_truncated_file_is_damaged(tmp_path: Path, blob: bytes, share: float) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(blob[: int(len(blob) * share)])
    with pytest.raises(FileFormatError, match=r"cut\.safetensors is damaged or no safetensors file: ."):
        load_affinity(path)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_changed_bytes_give_a_named_error_or_a_valid_tensor(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = bytearray(save_affinity(toy(**WORDS), folder / "fuzz.safetensors").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "fuzzed.safetensors"
    path.write_bytes(whole)
    with suppress(TaxSolverError):  # any other exception is a fault of ours
        load_affinity(path)


def test_foreign_files_are_told_apart(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file({"weight": np.zeros(3)}, weights)
    with pytest.raises(
        FileFormatError, match="is a safetensors file, but not an affinity tensor of taxsolver"
    ):
        load_affinity(weights)
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(FileFormatError, match=r"picture\.png is damaged or no safetensors file"):
        load_affinity(picture)


def test_number_kinds_that_numpy_lacks_are_foreign_too(tmp_path: Path) -> None:
    for kind in ("BF16", "F8_E4M3"):
        text = json.dumps(
            {"w": {"dtype": kind, "shape": [8], "data_offsets": [0, 16 if kind == "BF16" else 8]}}
        )
        path = tmp_path / "bank.safetensors"
        path.write_bytes(len(text).to_bytes(8, "little") + text.encode() + bytes(16 if kind == "BF16" else 8))
        with pytest.raises(FileFormatError, match=r"bank\.safetensors is "):
            load_affinity(path)


def _words(**words: str) -> Callable[[dict[str, Any]], object]:
    return lambda header: header["__metadata__"].update(words)


def _array_becomes_word(header: dict[str, Any]) -> None:
    header["other"] = header.pop("target")
    header["__metadata__"]["target"] = "a word"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.pop("__metadata__"), "not an affinity tensor of taxsolver"),
        (lambda header: header.update(__metadata__=None), "not an affinity tensor of taxsolver"),
        (_words(format="other"), "not an affinity tensor of taxsolver"),
        (_words(format_version="2"), "has format version '2', this taxsolver reads version 1: update taxsolver"),
        (lambda header: header["__metadata__"].pop("name"), "lacks name: it was not written by taxsolver"),
        (lambda header: header.update(other=header.pop("gain")), "lacks gain: it was not written by taxsolver"),
        (_array_becomes_word, "lacks target: it was not written by taxsolver"),
        (_words(tasks="[1, 2"), "has a header that cannot be read: "),
        (_words(tasks="5"), "has a header that cannot be read: "),
        (_words(tasks="null"), "has a header that cannot be read: "),
        (_words(tasks='"abcs"'), "has a header that cannot be read: "),
        (_words(tasks="[1, 2, 3, 4]", targets="[1, 2, 3]"), "has a header that cannot be read: "),
        (_words(tasks='[["a"], ["b"], ["c"], ["s"]]'), "has a header that cannot be read: "),
        (_words(aliases='{"x": 5}'), "has a header that cannot be read: "),
        (_words(aliases='["ab"]'), "has a header that cannot be read: "),
        (_words(tasks="[" * 100_000), "has a header that cannot be read: "),
        (_words(images_full="many"), "has a header that cannot be read: .*'many'"),
    ],
)  # fmt: skip
def test_a_header_that_is_wrong_says_in_what(
    tmp_path: Path, blob: bytes, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(edited(blob, change))
    with pytest.raises(FileFormatError, match=rf"wrong\.safetensors .*{message}"):
        load_affinity(path)


def test_a_file_whose_tensor_is_not_valid_lists_the_faults(tmp_path: Path, blob: bytes) -> None:
    path = tmp_path / "invalid.safetensors"
    path.write_bytes(edited(blob, _words(targets='["a", "b"]', images_full="0")))
    with pytest.raises(InvalidInputError, match="images_full is 0"):
        load_affinity(path)


@pytest.mark.parametrize(
    "name", ["taskonomy-17k", "nowhere/mine.safetensors", "mine.csv", "taskonomy-16k.safetensors"]
)
def test_a_name_that_is_no_tensor_lists_the_shipped_ones(name: str) -> None:
    shipped = f"shipped are {', '.join(SHIPPED)}, or give the path of a .safetensors"
    with pytest.raises(InvalidInputError, match=f"no affinity tensor '{name}': {shipped}"):
        load_affinity(name)


def test_a_path_below_a_file_is_no_tensor(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match="no affinity tensor"):
        load_affinity(tmp_path / "file" / "x.csv")


def test_a_folder_and_an_unreadable_file_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match=r"there is no \.safetensors or \.csv file in "):
        load_affinity(tmp_path)
    with pytest.raises(InvalidInputError, match=r"there is no \.safetensors or \.csv file in .*x\*'"):
        load_affinity(tmp_path / "x*")
    path = save_affinity(toy(), tmp_path / "toy.safetensors")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(FileFormatError, match=r"cannot read .*toy\.safetensors: Permission denied"):
        load_affinity(path)


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_names_that_are_no_path_are_refused_in_words(name: str) -> None:
    with pytest.raises(TaxSolverError):
        load_affinity(name)


def test_a_folder_called_like_a_shipped_tensor_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taskonomy-16k").mkdir()
    assert len(load_affinity("taskonomy-16k")) == 1762


@pytest.mark.parametrize("name", ["toy.npz", "toy", ".csv", "toy.csv.gz"])
def test_an_ending_that_is_no_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        InvalidInputError, match=r"cannot tell the format of .*: end it in \.safetensors or \.csv"
    ):
        save_affinity(toy(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write .*: the folder .*nowhere does not exist"):
        save_affinity(toy(), tmp_path / "nowhere" / "toy.csv")


@pytest.mark.parametrize("word", ["format", "name", "aliases", "images_full", "images_transfer"])
def test_words_of_the_format_are_reserved(tmp_path: Path, word: str) -> None:
    with pytest.raises(InvalidInputError, match=f"about holds the reserved word '{word}': use another one"):
        save_affinity(toy(about={word: "something"}), tmp_path / "toy.safetensors")


def test_words_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="about"):
        save_affinity(toy(about={"year": 2018}), tmp_path / "toy.safetensors")


def test_several_files_are_one_tensor(tmp_path: Path) -> None:
    whole = toy()
    parts = [whole.select(targets=task) for task in whole.targets]
    parts = [replace(part, name=part.targets[0], images_transfer=7) for part in parts]
    save_affinity(parts[0], tmp_path / "a.safetensors")
    paths = [tmp_path / "a.safetensors", *(tmp_path / f"{part.name}.csv" for part in parts[1:])]
    for part, path in zip(parts[1:], paths[1:], strict=True):
        save_affinity(part, path)
    for named in (paths, parts, [str(path) for path in paths], tmp_path, f"{tmp_path}/*"):
        tensor = load_affinity(named)
        found = {(one.target, one.sources): one for one in map(tensor.transfer, range(len(tensor)))}
        expected = {(one.target, one.sources): one for one in map(whole.transfer, range(len(whole)))}
        assert found == expected
        assert tensor.targets == whole.targets
    assert load_affinity(parts).images_transfer == 7
    assert load_affinity(paths).images_transfer is None
    assert load_affinity(tmp_path).name == tmp_path.name


def test_tensors_that_hold_a_transfer_twice_or_spell_a_task_in_two_ways_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="'toy' and 'toy' both have the transfer .* leave it out of one"
    ):
        load_affinity([toy(), toy()])
    other = tensor_from_csv("target,sources,affinity\nA,z,.5\n", name="other")
    with pytest.raises(InvalidInputError, match="'A' of 'other' is spelt 'a' in 'toy': spell it in one way"):
        load_affinity([toy(), other])


def test_tables_of_pandas_are_read_as_transfers_or_as_a_matrix() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas comes with gradio, in the extra [dev]")
    rows = pandas.DataFrame({"target": ["a", "b"], "sources": ["b", "a"], "gain": [0.25, 1 / 3]})
    assert load_affinity(rows).gain.tolist() == [0.25, 1 / 3]
    matrix = pandas.DataFrame([[0.9, 0.2], [0.1, 0.8]], index=["a", "b"], columns=["a", "b"])
    tensor = load_affinity(matrix)
    assert tensor.full_supervision.tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    "value", [None, 3, 0.5, True, [], (), {}, {"a": 1}, b"x", np.eye(2), object(), [None], [[]], "", " "]
)
def test_what_is_no_tensor_is_refused_with_what_is_expected(value: object) -> None:
    with pytest.raises(InvalidInputError, match="affinity is .*, expected a name"):
        load_affinity(value)  # type: ignore[arg-type] # as people who do not check types call it
