"""The folder of temporary files, its settings for gradio, and the deletion of old files.

gradio reads its folder from environment variables of the process. So all servers of a process share a folder,
and the last one to stop deletes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread

_PREFIX = "taskbank-demo-"


class _Workspace:
    """The folder, which exists as long as a server uses it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._folder: Path | None = None
        self._before: dict[str, str | None] = {}

    def take(self) -> Path:
        """Use the folder, which is created if it does not exist."""
        with self._lock:
            self._users += 1
            if self._folder is None:
                _delete_orphans(Path(tempfile.gettempdir()))
                self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()
                # gradio's folders, and no analytics, sharing or telemetry.
                wanted = {
                    "GRADIO_TEMP_DIR": str(self._folder),
                    "GRADIO_EXAMPLES_CACHE": str(self._folder / "examples"),
                    "GRADIO_ALLOWED_PATHS": "",
                    "GRADIO_ANALYTICS_ENABLED": "False",
                    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),  # of an unused summary after every event
                    "GRADIO_SHARE": "False",
                    "HF_HUB_DISABLE_TELEMETRY": "1",
                }
                self._before = {name: os.environ.get(name) for name in wanted}
                os.environ.update(wanted)
            return self._folder

    def give_back(self) -> None:
        """Release the folder; the last user deletes it."""
        with self._lock:
            self._users -= 1
            if self._users or self._folder is None:
                return
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            for name, value in self._before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


_shared = _Workspace()


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield the folder, readable for this user only, while a server runs."""
    folder = _shared.take()
    try:
        yield folder
    finally:
        _shared.give_back()


def _delete_orphans(place: Path) -> None:
    """Delete the folders of killed servers, with their visitors' files."""
    if os.name != "posix":  # the check for live processes works on POSIX only
        return
    for folder in place.glob(f"{_PREFIX}*-*"):
        number = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(folder, ignore_errors=True)  # folders of other users stay


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # a process of another user, or an invalid number: keep the folder
    return True


def folder_size(folder: Path) -> int:
    """Return the bytes of all files in a folder; files that are deleted meanwhile are ignored."""
    total = 0
    for root, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += Path(root, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def sweep(folder: Path, seconds: float) -> None:
    """Delete files older than a time, and folders that have been empty for that time.

    Args:
        folder: of all temporary files, which is not deleted.
        seconds: age at which files are deleted.
    """
    limit = time.time() - seconds
    for root, _folders, names in os.walk(folder, topdown=False):
        here = Path(root)
        young = here.stat().st_mtime >= limit  # before files are deleted, which changes the time
        for name in names:
            path = here / name
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < limit:
                    path.unlink()
        if here != folder and not young:
            with suppress(OSError):  # not empty
                here.rmdir()


class Sweeper:
    """A thread that deletes old files, until it is stopped.

    Args:
        folder: of all temporary files.
        seconds: age at which files are deleted.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self._stop = Event()
        self._thread = Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = min(30.0, self._seconds / 4)
        while not self._stop.wait(pause):
            sweep(self._folder, self._seconds)
