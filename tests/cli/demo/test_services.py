"""Services that users of the demo share: networks that load once, the folder of temporary files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network, toy_readout

from processes import child_process
from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError, MissingTaskError, TaskBankError
from taskbank_demo.errors import MissingError, message_of
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings
from taskbank_demo.shelf import Shelf
from taskbank_demo.workspace import Sweeper, folder_size, sweep, workspace
from taxsolver.errors import TaxSolverError


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank of two tasks for one photograph, one for two, an encoder alone and a transfer."""
    networks = {task: toy_network(task) for task in ("normal", "depth_zbuffer", "point_matching")}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(
        folder,
        name="toy",
        architecture=TOY_COMPACT,
        networks={**networks, "reshading": toy_encoder()},
        transfers=(toy_readout(("normal",), "depth_zbuffer"),),
    ).where


@pytest.fixture
def services(bank: str, tmp_path: Path) -> Services:
    """Services of that bank."""
    return make_services(DemoSettings(bank=bank, device="cpu"), tmp_path)


def test_a_network_is_loaded_once_under_all_its_names(services: Services) -> None:
    """All users get the same engine."""
    networks = services.need_networks()
    assert networks.task("normals") is networks.task("normal")
    assert networks.transfer(("normals",), "depth") is networks.transfer(("normal",), "depth_zbuffer")


def test_tasks_are_listed_by_the_photographs_they_take(services: Services) -> None:
    """An encoder alone predicts nothing."""
    networks = services.need_networks()
    assert networks.predictable(1) == ("depth_zbuffer", "normal")
    assert networks.predictable(2) == ("point_matching",)
    assert networks.predictable(3) == ()


def test_warming_up_loads_every_network_and_survives_a_damaged_one(bank: str, tmp_path: Path) -> None:
    """Whoever asks for the damaged one is told."""
    copy = tmp_path / "copy"
    for path in Path(bank).rglob("*"):
        if path.is_file():
            (copy / path.relative_to(bank)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(bank)).write_bytes(path.read_bytes())
    (copy / "decoders" / "normal.safetensors").write_bytes(b"damaged")
    networks = make_services(DemoSettings(bank=str(copy), device="cpu"), tmp_path).need_networks()
    networks.warm_up(Event())
    assert networks.task("depth") is networks.task("depth")
    with pytest.raises(TaskBankError, match="the file is damaged"):
        networks.task("normal")


def test_warming_up_ends_early_when_the_server_stops(services: Services) -> None:
    """Nothing is loaded any more."""
    stop = Event()
    stop.set()
    started = time.monotonic()
    services.need_networks().warm_up(stop)
    assert time.monotonic() - started < 0.5


def test_without_a_bank_there_is_a_reason_and_no_networks(tmp_path: Path) -> None:
    """The page still works."""
    services = make_services(DemoSettings(bank=str(tmp_path / "none")), tmp_path)
    assert services.bank is None
    with pytest.raises(MissingError, match="none"):
        services.need_networks()


def test_a_device_that_is_not_there_is_refused_at_once(bank: str, tmp_path: Path) -> None:
    """Not when the first user comes."""
    with pytest.raises(InvalidInputError, match="cuda:99"):
        make_services(DemoSettings(bank=bank, device="cuda:99"), tmp_path)


def test_results_get_folders_that_cannot_be_guessed_and_only_this_user_reads(services: Services) -> None:
    """128 bits of a random name."""
    folders = {services.new_folder() for _ in range(50)}
    assert len(folders) == 50
    for folder in folders:
        assert folder.parent == services.folder
        assert len(folder.name) == len("result-") + 32
        assert folder.stat().st_mode & 0o077 == 0


def test_two_threads_that_want_one_thing_make_it_once() -> None:
    """The second waits for the first; other things are made meanwhile."""
    shelf: Shelf[object] = Shelf(4)
    made: list[str] = []
    start = Barrier(3)

    def make(key: str) -> object:
        made.append(key)
        time.sleep(0.05)
        return object()

    def take(key: str) -> None:
        start.wait(5)
        shelf.get(key, lambda: make(key))

    threads = [Thread(target=take, args=(key,)) for key in ("a", "a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["a", "b"]


def test_a_shelf_gives_up_what_was_unused_for_longest() -> None:
    """Asking for a thing counts as using it."""
    shelf: Shelf[str] = Shelf(2)
    for key in ("a", "b", "a", "c"):
        shelf.get(key, lambda key=key: f"first {key}")  # type: ignore[misc]
    assert len(shelf) == 2
    assert shelf.get("a", lambda: "second a") == "first a"
    assert shelf.get("b", lambda: "second b") == "second b"


def test_what_could_not_be_made_is_tried_again() -> None:
    """An error is not kept."""
    shelf: Shelf[str] = Shelf(2)

    def fail() -> str:
        raise MissingTaskError("normal", (), "there")

    with pytest.raises(MissingTaskError):
        shelf.get("a", fail)
    assert shelf.get("a", lambda: "made") == "made"


def test_the_folder_is_shared_while_servers_run_and_gone_after_the_last() -> None:
    """gradio's variables are as before, then."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    with workspace() as first:
        with workspace() as second:
            assert first == second
        assert first.is_dir()
        assert first.stat().st_mode & 0o077 == 0
        assert os.environ["GRADIO_TEMP_DIR"] == str(first)
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert not first.exists()
    assert os.environ.get("GRADIO_TEMP_DIR") == before


@pytest.mark.skipif(os.name != "posix", reason="only there can be asked whether a process is alive")
def test_what_a_killed_server_left_is_deleted_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a living one stays, and so does what only looks alike."""
    program = (
        "import time\nfrom taskbank_demo.workspace import workspace\n"
        "with workspace() as folder:\n    print(folder, flush=True)\n    time.sleep(600)\n"
    )
    told = {**os.environ, "TMPDIR": str(tmp_path)}
    options: dict[str, Any] = {"env": told, "stdout": subprocess.PIPE, "text": True}
    words = [sys.executable, "-c", program]
    with child_process(words, **options) as first, child_process(words, **options) as second:
        killed, alive = (Path(each.stdout.readline().strip()) for each in (first, second) if each.stdout)
        first.kill()
        first.communicate()
        (killed / "photo.jpg").write_bytes(b"x")
        alike = tmp_path / "taskbank-demo-notes-1"
        alike.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with workspace() as own:
            assert own.parent == tmp_path
            assert not killed.exists()
            assert alive.is_dir()
            assert alike.is_dir()


def age(path: Path, seconds: float) -> None:
    """Make a file or folder so old."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_sweeping_deletes_old_files_and_the_folders_they_leave(tmp_path: Path) -> None:
    """Young files stay, also in old folders; a young empty folder is about to be used."""
    old, mixed, young = (tmp_path / name for name in ("old", "mixed", "young"))
    for folder in (old, mixed, young):
        folder.mkdir()
    for path in (old / "a", mixed / "a", mixed / "b"):
        path.write_text("x", encoding="utf-8")
    for path in (old / "a", mixed / "a", old, mixed):
        age(path, 100)
    sweep(tmp_path, 50)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"mixed", "mixed/b", "young"}


def test_a_link_is_swept_itself_and_not_what_it_points_to(tmp_path: Path) -> None:
    """Nothing outside the folder is touched."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.write_text("x", encoding="utf-8")
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    sweep(inside, -10)
    assert not (inside / "link").is_symlink()
    assert outside.exists()


def test_the_sweeper_works_until_it_is_stopped(tmp_path: Path) -> None:
    """Files of sessions that are still open go too."""
    (tmp_path / "a").write_text("x", encoding="utf-8")
    sweeper = Sweeper(tmp_path, 0.1)
    deadline = time.monotonic() + 5
    while (tmp_path / "a").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    sweeper.stop()
    assert not (tmp_path / "a").exists()


def test_the_size_of_a_folder_counts_all_below(tmp_path: Path) -> None:
    """Hand-counted."""
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"4567")
    assert folder_size(tmp_path) == 7


def test_only_known_errors_speak_to_users() -> None:
    """Any other may tell of the inside of the server."""
    assert message_of(MissingError("not there")) == "not there"
    assert message_of(TaxSolverError("no plan")) == "no plan"
    assert message_of(MissingTaskError("normal", (), "there")).startswith("no task 'normal'")
    assert "/etc" not in message_of(FileNotFoundError("/etc/secret"))


def test_the_log_tells_what_users_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing of errors that they caused themselves."""
    message_of(MissingError("not there"))
    assert caplog.records == []
    message_of(FileNotFoundError("/etc/secret"))
    assert "/etc/secret" in caplog.text
