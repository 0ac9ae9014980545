"""Whole files or none."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import IO, Any

import pytest

from taxsolver import OutputError, TaxSolverError
from taxsolver.files.output import check_writable, write_file


def test_text_is_written_as_utf_8_and_bytes_as_they_are(tmp_path: Path) -> None:
    assert write_file(tmp_path / "text", "größe\n").read_bytes() == "größe\n".encode()
    assert write_file(str(tmp_path / "bytes"), b"\x00\xff\r\n").read_bytes() == b"\x00\xff\r\n"
    assert write_file(tmp_path / "empty", "").read_bytes() == b""


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "result"
    path.write_text("old and longer")
    write_file(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_relative_path_lands_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_file("result", "here")
    assert (tmp_path / "result").read_text() == "here"


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "result"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        real_open = Path.open

        def open_full(self: Path, *args: Any, **options: Any) -> IO[Any]:
            stream: IO[Any] = real_open(self, *args, **options)
            stream.close()
            return stream_that_is_full(stream)

        def stream_that_is_full(stream: IO[Any]) -> IO[Any]:
            class Full:
                def __enter__(self) -> Full:
                    return self

                def __exit__(self, *_: object) -> None:
                    stream.close()

                write = full

            return Full()  # type: ignore[return-value]

        monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(OutputError, match="cannot write .*result: No space left on device"):
        write_file(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "result"
    path.write_text("old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_a_folder_and_a_file_for_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="the folder .*nowhere does not exist; create it first"):
        write_file(tmp_path / "nowhere" / "result", "x")
    with pytest.raises(OutputError, match="cannot write .*: it is a folder; give a file name"):
        write_file(tmp_path, "x")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write .*result: .*file is not a folder"):
        write_file(tmp_path / "file" / "result", "x")


def test_a_folder_that_is_not_writable_is_named_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="cannot write .*result: the folder .* is not writable"):
        check_writable(tmp_path / "result")


def test_a_folder_that_may_not_be_entered_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def guarded(path: Any, *args: Any, **options: Any) -> os.stat_result:
        if str(path).endswith("result"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(os, "stat", guarded)
    with pytest.raises(OutputError, match="cannot write .*result: Permission denied"):
        write_file(tmp_path / "result", "x")


def test_check_writable_creates_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "result")
    check_writable(str(tmp_path / "result"))
    assert list(tmp_path.iterdir()) == []


def test_an_output_error_is_an_os_error_too() -> None:
    assert issubclass(OutputError, OSError)
    assert issubclass(OutputError, TaxSolverError)


def test_a_device_is_written_to_even_where_its_folder_is_not_writable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "/dev" and real(path, mode))
    write_file(os.devnull, "nothing")
    assert Path(os.devnull).is_char_device()


def test_a_full_device_says_so() -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left on device"):
        write_file("/dev/full", "x")


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, "through")
    reader.join()
    assert received == [b"through"]
    assert pipe.is_fifo()


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "run5.json").write_text("old")
    (tmp_path / "latest.json").symlink_to("run5.json")
    write_file(tmp_path / "latest.json", "new")
    assert (tmp_path / "latest.json").is_symlink()
    assert (tmp_path / "run5.json").read_text() == "new"


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path: Path) -> None:
    assert write_file(tmp_path / ("x" * 255), "long").read_text() == "long"
    with pytest.raises(OutputError, match="File name too long"):
        write_file(tmp_path / ("x" * 256), "longer")


def test_a_leftover_of_a_killed_run_is_removed_after_a_day(tmp_path: Path) -> None:
    old, young, other = (tmp_path / name for name in (f".{'a' * 16}.part", f".{'b' * 16}.part", ".mine.part"))
    for path in (old, young, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, 0))
    write_file(tmp_path / "result", "whole")
    assert (tmp_path / "result").read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([young.name, other.name, "result"])


def test_what_is_written_reaches_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append((tmp_path / "result").exists()))
    write_file(tmp_path / "result", "whole")
    assert seen == [False]


def test_a_path_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_file(tmp_path / "a\0b", "x")
