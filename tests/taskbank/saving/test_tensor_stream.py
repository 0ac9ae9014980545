"""Rows that come one by one become a file that the safetensors package reads."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from taskbank.errors import OutputError
from taskbank.saving.tensor_stream import tensor_stream

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("count", [1, 5])
def test_rows_are_read_back(tmp_path: Path, dtype: type[np.floating], count: int) -> None:
    """Of several tensors of different shapes, with texts of any length."""
    given = {"a": RNG.random((count, 2, 3)).astype(dtype), "ü": RNG.random((count, 5)).astype(dtype)}
    path = tmp_path / "new" / "rows.safetensors"
    with tensor_stream(path) as stream:
        for number in range(count):
            stream.add({name: rows[number] for name, rows in given.items()})
        stream.metadata["images"] = "é" * count
    with safe_open(path, "np") as file:
        assert sorted(file.keys()) == ["a", "ü"]
        assert file.metadata() == {"images": "é" * count}
        for name, rows in given.items():
            assert file.get_tensor(name).dtype == dtype
            assert np.array_equal(file.get_tensor(name), rows)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    """Ten thousand images of a task: 80 MB on disk, little in memory."""
    row = RNG.random((8, 16, 16)).astype(np.float32)
    tracemalloc.start()
    try:
        with tensor_stream(tmp_path / "rows.safetensors") as stream:
            for _ in range(10_000):
                stream.add({"normal": row})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4_000_000
    assert (tmp_path / "rows.safetensors").stat().st_size > 80_000_000


def test_an_interrupted_stream_leaves_nothing(tmp_path: Path) -> None:
    """The old file stays."""
    path = tmp_path / "rows.safetensors"
    path.write_bytes(b"mine")

    def interrupted() -> None:
        with tensor_stream(path) as stream:
            stream.add({"a": np.zeros(3, np.float32)})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"mine"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_without_rows_there_is_no_file(tmp_path: Path) -> None:
    """An empty file would look like a result."""
    with tensor_stream(tmp_path / "rows.safetensors"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OutputError, match=r"cannot write .*rows.safetensors"),
        tensor_stream(tmp_path / "file" / "rows.safetensors"),
    ):
        pass
