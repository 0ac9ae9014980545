"""Writing files and folders whole: links, threads, killed processes, power cuts."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from taskbank.atomic_files import remove_leftovers, whole_file, whole_folder, write_whole
from taskbank.errors import OutputError

HALF = """
import sys, time
from pathlib import Path
from taskbank.atomic_files import whole_file, whole_folder
with whole_folder(Path(sys.argv[1], "shard")), whole_file(Path(sys.argv[1], "result")) as partial:
    partial.write_text("half")
    print("half", flush=True)
    time.sleep(600)
"""


def test_a_planted_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where somebody guessed the name, nothing is written through the link."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0" * 16)
    made = os.open

    def planted(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_EXCL:
            (tmp_path / f".{'0' * 16}.partial").symlink_to(victim)
        return made(path, flags, mode)

    monkeypatch.setattr(os, "open", planted)
    with pytest.raises(OutputError, match="cannot write .*result: .*File exists"):
        write_whole(tmp_path / "result", lambda file: file.write(b"whole"))
    assert victim.read_text() == "mine"


def test_names_of_partial_files_are_drawn_anew(tmp_path: Path) -> None:
    """Two at the same path are two files."""
    with whole_file(tmp_path / "result") as one, whole_file(tmp_path / "result") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "result").read_text() == "one"  # the outer block ends last
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_threads_that_write_one_path_never_show_half_a_file(tmp_path: Path) -> None:
    """Every read sees one writer's whole content."""
    path, stop, torn = tmp_path / "result", threading.Event(), []
    write_whole(path, lambda file: file.write(b"x" * 100_000))

    def write(letter: bytes) -> None:
        for _ in range(60):
            write_whole(path, lambda file: [file.write(letter * 1000) for _ in range(100)])

    def read() -> None:
        while not stop.is_set():
            content = path.read_bytes()
            if len(content) != 100_000 or len(set(content)) != 1:
                torn.append(content)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert not torn
    assert [one.name for one in tmp_path.iterdir()] == ["result"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_leftovers_of_killed_processes_are_removed_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    """As soon as they are dead, whatever their number was."""
    child = subprocess.Popen([sys.executable, "-c", HALF, tmp_path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "half\n"
    (tmp_path / ".mine.partial").touch()
    remove_leftovers(tmp_path)
    alive = {path.name for path in tmp_path.iterdir()}
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    remove_leftovers(tmp_path)
    assert len(alive) == 3
    assert {path.name for path in tmp_path.iterdir()} == {".mine.partial"}


def test_a_link_among_leftovers_is_removed_and_not_followed(tmp_path: Path) -> None:
    """A link named like a leftover."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    (tmp_path / f".{'0' * 16}.partial").symlink_to(tmp_path / "folder")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "mine").exists()


def test_content_reaches_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power cut could leave a name without content."""
    named, sizes = [], []

    def fsync(handle: int) -> None:
        named.append((tmp_path / "result").exists())
        sizes.append(os.fstat(handle).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(tmp_path / "result", lambda file: file.write(b"whole"))
    assert (named, sizes) == ([False], [5])


def test_folders_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    """`-o /dev/null` by root would take it from everybody."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder", "/dev/null"):
        with pytest.raises(OutputError, match="it is a folder, pipe or device, name a file"):
            write_whole(tmp_path / name, lambda file: file.write(b"whole"))
    assert (tmp_path / "pipe").is_fifo()


def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    """Others can read it, where the user's mask says so."""
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "result", lambda file: file.write(b"whole"))
    finally:
        os.umask(before)
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o640


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    """An error in the middle leaves nothing; a full folder is not replaced."""
    with pytest.raises(OutputError, match="cannot write"), whole_folder(tmp_path / "shard") as partial:
        (tmp_path / "missing").rename(partial / "a")
    assert not list(tmp_path.iterdir())
    with whole_folder(tmp_path / "shard") as partial:
        (partial / "a").touch()
    with pytest.raises(OutputError, match="cannot write"), whole_folder(tmp_path / "shard") as partial:
        (partial / "b").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["shard", "a"]
