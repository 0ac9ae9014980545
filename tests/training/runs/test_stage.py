"""Stages: what is skipped, what goes on, and what is refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from training.errors import ConfigError, DataError, StorageError
from training.runs.markers import BEGUN, MARKER, digest_of, read_marker
from training.runs.stage import run_stage

from disks import files_no_larger_than


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A section in the settings."""

    start: float = 0.1
    end: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """A stage's settings; where it runs changes nothing."""

    steps: int = 3
    seed: int = 7
    rate: Rate = field(default_factory=Rate)
    device: str = field(default="cpu", compare=False)


class Work:
    """A body that counts how often it ran, and writes a file."""

    def __init__(self, text: str = "made") -> None:
        self.runs = 0
        self.text = text

    def __call__(self, folder: Path) -> None:
        """Write the file."""
        self.runs += 1
        (folder / "result.txt").write_text(self.text)


def run(
    folder: Path,
    body: Callable[[Path], None],
    config: Settings | None = None,
    *inputs: Path,
    overwrite: bool = False,
) -> Path:
    return run_stage(
        folder, name="networks", config=config or Settings(), inputs=inputs, body=body, overwrite=overwrite
    )


def test_a_finished_stage_is_not_run_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    caplog.set_level(logging.INFO)
    run(tmp_path / "n", work)
    run(tmp_path / "n", work)
    assert work.runs == 1
    begun, done, skipped = caplog.messages
    assert begun == f"networks: begins in {tmp_path / 'n'}"
    assert done.startswith("networks: done in 0.")
    assert skipped == f"networks: done before, skipped ({tmp_path / 'n'})"


def test_the_marker_says_what_the_outputs_came_from(tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text("input")
    folder = run(tmp_path / "n", Work(), Settings(device="cuda"), given)
    marker = read_marker(folder)
    assert marker["stage"] == "networks"
    assert marker["settings"] == {
        "steps": 3,
        "seed": 7,
        "rate": {"start": 0.1, "end": 0.0},
        "device": "cuda",
    }
    assert marker["seed"] == 7
    assert marker["inputs"] == [{"path": str(given), "digest": digest_of(given)}]
    assert set(marker["code"]) == {"commit", "dirty"}
    assert {"python", "torch", "numpy", "taskbank", "taxsolver"} <= set(marker["packages"])
    assert marker["outputs"]["files"] == {"result.txt": 4}
    assert not (folder / BEGUN).exists()


def test_settings_that_change_no_result_may_change(tmp_path: Path) -> None:
    work = Work()
    run(tmp_path / "n", work, Settings(device="cpu"))
    run(tmp_path / "n", work, Settings(device="cuda"))
    assert work.runs == 1


@pytest.mark.parametrize("finished", [True, False])
def test_another_setting_is_refused_with_both_values(tmp_path: Path, finished: bool) -> None:
    def interrupted(folder: Path) -> None:
        Work()(folder)
        raise KeyboardInterrupt

    if finished:
        run(tmp_path / "n", Work())
    else:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "n", interrupted)
    with pytest.raises(ConfigError) as caught:
        run(tmp_path / "n", Work(), Settings(rate=Rate(start=0.2), steps=3))
    assert str(caught.value) == (
        f"{tmp_path / 'n'} was made with rate.start = 0.1, and now rate.start = 0.2: choose another --out, or "
        "--overwrite to delete it and begin again"
    )
    assert (tmp_path / "n" / "result.txt").read_text() == "made"


def test_another_setting_with_overwrite_begins_in_an_empty_folder(tmp_path: Path) -> None:
    run(tmp_path / "n", lambda folder: (folder / "old.txt").touch())
    run(tmp_path / "n", Work("anew"), Settings(steps=4), overwrite=True)
    assert read_marker(tmp_path / "n")["outputs"]["files"] == {"result.txt": 4}
    assert not (tmp_path / "n" / "old.txt").exists()


def test_overwrite_keeps_what_was_made_with_the_same_settings(tmp_path: Path) -> None:
    work = Work()
    run(tmp_path / "n", work)
    run(tmp_path / "n", work, overwrite=True)
    assert work.runs == 1


def test_half_done_work_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def first(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        (folder / ".late.npy.77.partial").write_text("torn")
        raise KeyboardInterrupt

    def second(folder: Path) -> None:
        assert not (folder / ".late.npy.77.partial").exists()
        (folder / "whole.txt").write_text((folder / "half.txt").read_text() + " and half")

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "n", first)
    caplog.set_level(logging.INFO)
    run(tmp_path / "n", second)
    assert (tmp_path / "n" / "whole.txt").read_text() == "half and half"
    assert caplog.messages[0] == f"networks: continues in {tmp_path / 'n'}"


def test_an_input_that_changed_since_is_named(tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text("one")
    run(tmp_path / "n", Work(), Settings(), given)
    given.write_text("two")
    with pytest.raises(
        ConfigError, match=r"other content of .*given\.txt, which changed since \(was 7692c3a"
    ):
        run(tmp_path / "n", Work(), Settings(), given)


def test_an_input_that_was_added_is_noticed(tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text("one")
    run(tmp_path / "n", Work())
    with pytest.raises(ConfigError, match=r"made with 0 input\(s\), and now 1"):
        run(tmp_path / "n", Work(), Settings(), given)


def test_a_whole_run_may_move_to_another_folder(tmp_path: Path) -> None:
    work = Work()
    first = run(tmp_path / "out" / "frames", Work())
    run(tmp_path / "out" / "n", work, Settings(), first)
    (tmp_path / "out").rename(tmp_path / "moved")
    run(tmp_path / "moved" / "n", work, Settings(), tmp_path / "moved" / "frames")
    assert work.runs == 1


def test_an_earlier_stage_counts_by_its_outputs(tmp_path: Path) -> None:
    first = run(tmp_path / "a", Work("same"), Settings(steps=1))
    second = run(tmp_path / "b", Work("same"), Settings(steps=2))
    third = run(tmp_path / "c", Work("other"), Settings(steps=1))
    assert digest_of(first) == digest_of(second) != digest_of(third)


def test_a_folder_inside_a_stage_counts_as_the_stage(tmp_path: Path) -> None:
    folder = run(tmp_path / "frames", lambda folder: (folder / "train").mkdir())
    assert digest_of(folder / "train") == digest_of(folder)


def test_a_stage_that_did_not_finish_is_no_input(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "frames", fail)
    with pytest.raises(DataError, match=r"frames is half done: finish its stage first"):
        run(tmp_path / "n", Work(), Settings(), tmp_path / "frames")


def test_an_input_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist: run the stage that makes it"):
        run(tmp_path / "n", Work(), Settings(), tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["{", "[1]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_marker_is_refused_and_can_be_overwritten(tmp_path: Path, text: str) -> None:
    work = Work()
    run(tmp_path / "n", work)
    (tmp_path / "n" / MARKER).write_text(text)
    with pytest.raises(ConfigError, match=r"stage\.json is damaged: .*--overwrite to make the stage again"):
        run(tmp_path / "n", work)
    run(tmp_path / "n", work, overwrite=True)
    assert work.runs == 2


def test_reading_the_marker_of_an_unfinished_or_damaged_stage_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not finished: stage\.json is missing"):
        read_marker(tmp_path)
    (tmp_path / MARKER).write_text("{")
    with pytest.raises(DataError, match=r"stage\.json is damaged"):
        read_marker(tmp_path)


@pytest.mark.parametrize("text", [None, "cut"])
def test_outputs_that_were_lost_are_made_again(
    tmp_path: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work()
    result = run(tmp_path / "n", work) / "result.txt"
    result.unlink() if text is None else result.write_text(text)
    run(tmp_path / "n", work)
    assert work.runs == 2
    assert result.read_text() == "made"
    assert f"networks: {result} is gone or cut short, so the stage runs again" in caplog.messages


def test_files_of_unknown_origin_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds 'thesis\.txt', which no stage has written"):
        run(tmp_path, Work(), overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".stage.lock"),
        pytest.raises(ConfigError, match=r"networks: another process is at work in .*: wait for it"),
    ):
        run(tmp_path, Work())


def test_a_full_disk_stops_the_stage_and_it_goes_on_later(tmp_path: Path) -> None:
    def write_all(folder: Path) -> None:
        for name, count in (("small.npy", 10), ("large.npy", 1_000_000)):
            if not (folder / name).exists():
                with (folder / f".{name}.1.partial").open("wb") as file:
                    np.save(file, np.arange(count))
                (folder / f".{name}.1.partial").replace(folder / name)

    with files_no_larger_than(2_000_000), pytest.raises(StorageError) as caught:
        run(tmp_path / "n", write_all)
    assert str(caught.value).startswith("networks: ")
    assert "run the same command again, and it continues" in str(caught.value)
    written = (tmp_path / "n" / "small.npy").stat().st_mtime_ns  # reading for the digest moves the atime
    run(tmp_path / "n", write_all)
    assert (tmp_path / "n" / "small.npy").stat().st_mtime_ns == written
    assert len(np.load(tmp_path / "n" / "large.npy")) == 1_000_000


def test_no_space_left_names_the_path(tmp_path: Path) -> None:
    def write_to_full_device(folder: Path) -> None:
        (folder / "result.bin").symlink_to("/dev/full")
        try:
            (folder / "result.bin").write_bytes(b"x")
        except OSError as error:
            error.filename = str(folder / "result.bin")
            raise

    with pytest.raises(
        StorageError, match=r"networks: No space left on device: .*result\.bin\. Complete files were kept"
    ):
        run(tmp_path / "n", write_to_full_device)


def test_other_errors_of_a_stage_pass_as_they_are(tmp_path: Path) -> None:
    def read_nothing(folder: Path) -> None:
        (folder / "missing.txt").read_text()

    with pytest.raises(FileNotFoundError):
        run(tmp_path / "n", read_nothing)


def test_a_configuration_that_is_no_dataclass_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a stage's configuration is a dataclass, this is dict"):
        run_stage(tmp_path, name="n", config={"steps": 3}, inputs=[], body=Work())


def test_markers_hold_the_order_of_what_happened(tmp_path: Path) -> None:
    def look(folder: Path) -> None:
        assert "outputs" not in json.loads((folder / BEGUN).read_text())
        assert not (folder / MARKER).exists()

    run(tmp_path / "n", look)
    assert (tmp_path / "n" / MARKER).exists()
