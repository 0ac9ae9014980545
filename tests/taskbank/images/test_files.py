"""Folders: what is found, what is left alone, and what is passed over and said to be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from taskbank.errors import ImageError
from taskbank.images.files import STDIN, PassedOver, find_images


def touch(folder: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_hidden_folders_and_those_of_tools_are_left_alone(tmp_path: Path) -> None:
    """Thumbnails, trash and resource forks are nobody's photographs."""
    touch(tmp_path, "b.png", ".git/a.png", "__MACOSX/._b.png", "__MACOSX/c.png", "@eaDir/b.png", ".b.png")
    touch(tmp_path, "venv/pyvenv.cfg", "venv/share/x.png", "cache/CACHEDIR.TAG", "cache/y.png", "sub/a.png")
    passed_over = PassedOver()
    assert find_images([tmp_path], passed_over=passed_over) == [
        tmp_path / "b.png",
        tmp_path / "sub" / "a.png",
    ]
    assert passed_over.lines() == []
    assert find_images([tmp_path / ".git"]) == [tmp_path / ".git" / "a.png"]


def test_what_is_passed_over_is_counted_and_named_with_the_way_out(tmp_path: Path) -> None:
    """Links to folders, broken links, pipes, types that need a plugin, videos."""
    photos, other = tmp_path / "photos", tmp_path / "other"
    touch(photos, "a.png", "b.heic", "c.JXL", "d.jp2", "e.heif", "f.mp4")
    touch(other, "z.png")
    (photos / "link").symlink_to(other)
    (photos / "gone.png").symlink_to(tmp_path / "nowhere")
    (photos / "file.png").symlink_to(other / "z.png")
    os.mkfifo(photos / "pipe.png")
    passed_over = PassedOver()
    assert find_images([photos], passed_over=passed_over) == [photos / "a.png", photos / "file.png"]
    assert passed_over.lines() == [
        "passed over 4 image(s) of a type that needs a plugin (name them, or convert them to JPEG or PNG): "
        f"{photos / 'b.heic'}, {photos / 'c.JXL'}, {photos / 'd.jp2'}, ...",
        f"passed over 1 video(s) (name them to predict them): {photos / 'f.mp4'}",
        f"passed over 1 broken link(s): {photos / 'gone.png'}",
        f"passed over 1 link(s) to folders (name the folder itself): {photos / 'link'}",
        f"passed over 1 pipe(s), socket(s) or device(s) (save them as files): {photos / 'pipe.png'}",
    ]
    touch(tmp_path, "only/a.heic")
    with pytest.raises(ImageError, match=r"only holds no images .*passed over 1 image.s. of a type"):
        find_images([tmp_path / "only"])


def test_folders_that_cannot_be_read_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is named is an error, one within is passed over; also where it vanishes meanwhile."""
    touch(tmp_path, "a.png", "closed/b.png")
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    passed_over = PassedOver()
    assert find_images([tmp_path], passed_over=passed_over) == [tmp_path / "a.png"]
    closed = tmp_path / "closed"
    assert passed_over.lines() == [
        f"passed over 1 unreadable folder(s) or file(s) (check their permissions): {closed}"
    ]
    with pytest.raises(ImageError, match="cannot read the folder .*closed: Permission denied"):
        find_images([closed])


def test_names_that_no_file_can_have_are_themselves(tmp_path: Path) -> None:
    """Their own error names them when they are read."""
    names = ["x" * 5000, "a\0b"]
    assert find_images(names) == [Path(name) for name in names]
    os.mkfifo(tmp_path / "list.txt")
    with pytest.raises(ImageError, match="list.txt is a pipe, socket or device: save it as a file"):
        find_images([tmp_path / "list.txt"])
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9.png\n")
    with pytest.raises(ImageError, match="Save it as UTF-8"):
        find_images([tmp_path / "latin.txt"])


def test_progress_is_told_while_a_folder_is_read(tmp_path: Path) -> None:
    """Every thousand files."""
    touch(tmp_path, *(f"{number}.png" for number in range(2500)))
    seen: list[int] = []
    assert len(find_images([tmp_path], each=seen.append)) == 2500
    assert seen == [1000, 2000]


def test_names_without_images_do_not_end_a_run_of_others(tmp_path: Path) -> None:
    """Arguments and lines of lists; without a place for their errors, or without other images, they do."""
    touch(tmp_path, "a.png", "b.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9.png\n")
    (tmp_path / "list.txt").write_text("scan[1].png\nempty\nb.png\n")
    named = [tmp_path / name for name in ("a.png", "empty", "latin.txt", "*.gif", "list.txt")]
    refused: list[ImageError] = []
    assert find_images(named, refused=refused) == [tmp_path / "a.png", tmp_path / "b.png"]
    assert [str(error).split(str(tmp_path))[0] for error in refused] == [
        "",
        "cannot read the list ",
        "no file matches '",
        "no file matches '",
        "",
    ]
    with pytest.raises(ImageError, match="empty holds no images"):
        find_images([tmp_path / "empty", tmp_path / "*.gif"], refused=[])
    with pytest.raises(ImageError, match="empty holds no images"):
        find_images(named)


def test_a_file_called_like_standard_input_is_read_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./-` is the usual way to name it."""
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "-", "a.png")
    assert find_images(["./-", "-", "."]) == [tmp_path / "-", STDIN, Path("a.png")]
