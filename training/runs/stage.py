"""Execution of a training stage: beginning, skipping, resuming and finishing.

A stage owns a folder. `stage.begun.json` is written first, `stage.json` last; both state settings and inputs.
If `stage.json` is missing, the folder holds unfinished work, which the stage resumes.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from training.atomic_files import DISK_TROUBLES, write_json
from training.errors import ConfigError, StorageError, TrainingError
from training.runs.markers import BEGUN, MARKER, make_plan, read_matching
from training.runs.provenance import digest_outputs

log = logging.getLogger(__name__)

_LOCK = ".stage.lock"


@contextmanager
def stage_work(
    folder: Path, *, name: str, config: Any, inputs: Sequence[Path], overwrite: bool = False
) -> Iterator[bool]:
    """Begin or resume a stage; when the block ends without an error, the stage is finished.

    Args:
        folder: the stage's folder, which is created.
        name: name of the stage in the log.
        config: frozen dataclass. Fields made with `field(compare=False)` may change between runs.
        inputs: folders of earlier stages, other files, and other folders.
        overwrite: delete the outputs of an earlier run and start again if its settings or inputs differ or
            its marker is damaged.

    Yields:
        True if there is work; False if the stage was finished before. Existing files need not be made again.

    Raises:
        ConfigError: the folder was made with other settings or inputs, holds files that no stage made, or is
            in use by another process.
        DataError: an input is missing or not finished.
        StorageError: the disk is full or not writable; complete files are kept.
    """
    plan = make_plan(name, config, inputs)
    with _disk_troubles(name, folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(name, folder):
            written = _written_before(folder, plan, overwrite=overwrite)
            if written is not None and _is_whole(name, folder, written):
                log.info("%s: done before, skipped (%s)", name, folder)
                yield False
                return
            # Write the first marker, and remove temporary files of killed processes.
            write_json(folder / BEGUN, plan)
            (folder / MARKER).unlink(missing_ok=True)
            for path in sorted(folder.rglob(".*.partial")):
                _delete(path)
            log.info("%s: %s in %s", plan["stage"], "begins" if written is None else "continues", folder)
            started = time.monotonic()
            yield True
            seconds = time.monotonic() - started
            digest, sizes = digest_outputs(folder)
            done = {
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(seconds, 3),
                "outputs": {"digest": digest, "files": sizes},
            }
            write_json(folder / MARKER, {**plan, **done})  # must be last
            (folder / BEGUN).unlink(missing_ok=True)
            log.info("%s: done in %.1f s", plan["stage"], seconds)


def run_stage(
    folder: Path,
    *,
    name: str,
    config: Any,
    inputs: Sequence[Path],
    body: Callable[[Path], None],
    overwrite: bool = False,
) -> Path:
    """Run a stage, resume it, or skip it if it is finished, see `stage_work`.

    Args:
        folder: the stage's folder, which is created.
        name: as for `stage_work`.
        config: as for `stage_work`.
        inputs: as for `stage_work`.
        body: function that does the work in the folder; it makes missing files only.
        overwrite: as for `stage_work`.

    Returns:
        the folder.
    """
    with stage_work(folder, name=name, config=config, inputs=inputs, overwrite=overwrite) as left:
        if left:
            body(folder)
    return folder


def _written_before(folder: Path, plan: Mapping[str, Any], *, overwrite: bool) -> dict[str, Any] | None:
    """Read the marker of an earlier run of the same plan; None if the stage starts again.

    Raises:
        ConfigError: the folder holds other outputs and `overwrite` is False, or files that no stage made.
    """
    markers = [path for path in (folder / MARKER, folder / BEGUN) if path.exists()]
    if not markers:
        held = sorted(path.name for path in folder.iterdir() if path.name != _LOCK)
        if held:
            raise ConfigError(
                f"{folder} holds {held[0]!r}, which no stage has written: choose another --out, or empty "
                "that folder"
            )
        return None
    try:
        return read_matching(markers[0], plan)
    except ConfigError:
        if not overwrite:
            raise
    log.info("%s: deleting the content of %s", plan["stage"], folder)
    for path in folder.iterdir():
        if path.name != _LOCK:
            _delete(path)
    return None


def _is_whole(name: str, folder: Path, written: Mapping[str, Any]) -> bool:
    """Return True if an earlier run finished and its outputs still exist with their sizes."""
    if "outputs" not in written:
        return False
    for output, size in written["outputs"]["files"].items():
        path = folder / output
        if not path.is_file() or path.stat().st_size != size:
            log.warning("%s: %s is gone or cut short, so the stage runs again", name, path)
            return False
    return True


@contextmanager
def _alone(name: str, folder: Path) -> Iterator[None]:
    """Lock a stage's folder against other processes; the lock of a killed process has no effect.

    Raises:
        ConfigError: another process uses the folder.
    """
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConfigError(
            f"{name}: another process is at work in {folder}: wait for it, or choose another --out"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _disk_troubles(name: str, folder: Path) -> Iterator[None]:
    """Convert the system's errors about a full disk to StorageError.

    Raises:
        StorageError: the message names the stage and the path.
    """
    try:
        yield
    except OSError as error:
        # NumPy reports a short write without an error number.
        full = error.errno in DISK_TROUBLES or (error.errno is None and "written" in str(error))
        if isinstance(error, TrainingError) or not full:
            raise
        raise StorageError(
            f"{name}: {error.strerror or error}: {error.filename or folder}. Complete files were kept: fix "
            "the cause, run the same command again, and it continues"
        ) from error


def _delete(path: Path) -> None:
    """Delete a file, or a folder with its content."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
