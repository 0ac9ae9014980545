"""The local engine: in this process and in several."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from training.errors import ConfigError, JobsFailedError
from training.runs.engine import Job, LocalEngine

from processes import child_process, is_alive, wait_while_computing
from toy_jobs import die, die_once, diverge, fit_line, warn, write_nothing

ROOT = Path(__file__).parents[4]


def lines(folder: Path, count: int) -> list[Job]:
    return [
        Job(key=f"line {seed}", function=fit_line, arguments={"seed": seed}, output=folder / f"{seed}.bin")
        for seed in range(count)
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    LocalEngine(threads=1).run(lines(tmp_path / "one", 4))
    LocalEngine(workers=2, threads=1).run(lines(tmp_path / "two", 4))
    assert len(contents(tmp_path / "one")) == 4
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_only_what_is_missing_is_done(tmp_path: Path) -> None:
    jobs = lines(tmp_path, 3)
    jobs[1].output.write_bytes(b"earlier")
    LocalEngine().run(jobs)
    assert jobs[1].output.read_bytes() == b"earlier"
    assert all(job.output.exists() for job in jobs)


def test_nothing_to_do_is_done() -> None:
    LocalEngine().run([])
    LocalEngine(workers=2).run([])


def test_failures_are_told_at_once_and_after_the_others_are_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = lines(tmp_path, 2)
    jobs = [
        Job(key="bad", function=diverge, output=tmp_path / "normal.bin"),
        good[0],
        Job(key="lazy", function=write_nothing, output=tmp_path / "lazy.bin"),
        good[1],
    ]
    with pytest.raises(JobsFailedError) as caught:
        LocalEngine().run(jobs)
    assert list(caught.value.reasons) == ["bad", "lazy"]
    text = str(caught.value)
    assert text.startswith(
        "2 of 4 jobs failed, the others are done:\n  bad: DivergedError: the loss of normal"
    )
    assert "lazy.bin was not written" in text
    assert text.endswith("run the same command again: finished jobs are skipped")
    assert all(job.output.exists() for job in good)
    assert "bad failed, others continue: DivergedError: the loss of normal" in caplog.messages[0]


@pytest.mark.slow
def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    flaky = Job(
        key="flaky",
        function=die_once,
        arguments={"scratch": tmp_path / "tried"},
        output=tmp_path / "flaky.bin",
    )
    LocalEngine(workers=2).run([*lines(tmp_path, 2), flaky])
    assert flaky.output.read_bytes() == b"second attempt"


@pytest.mark.slow
def test_a_process_that_is_always_killed_is_given_up(tmp_path: Path) -> None:
    doomed = Job(key="doomed", function=die, output=tmp_path / "doomed.bin")
    with pytest.raises(JobsFailedError, match=r"doomed: its process was lost 2 times"):
        LocalEngine(workers=2, retries=1).run([doomed])


def test_worker_processes_log_with_the_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    LocalEngine(workers=2).run([Job(key="a", function=warn, output=tmp_path / "normal.bin")])
    assert re.search(r"^\d\d:\d\d:\d\d normal is done$", capfd.readouterr().err, re.MULTILINE)


BUSY = """
import sys
from pathlib import Path
from training.runs.engine import Job, LocalEngine
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    outputs = [folder / name for name in ("a", "b")]
    jobs = [Job(key=out.name, function="toy_jobs:sleep_noted", output=out) for out in outputs]
    LocalEngine(workers=2).run(jobs)
"""


@pytest.mark.slow
def test_worker_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support"), os.environ.get("PYTHONPATH", "")])
    notes = [tmp_path / "a.pid", tmp_path / "b.pid"]
    with child_process([sys.executable, script, tmp_path], env={**os.environ, "PYTHONPATH": paths}) as parent:
        wait_while_computing([parent.pid], lambda: all(note.exists() and note.read_text() for note in notes))
        workers = [int(note.read_text()) for note in notes]
        parent.kill()
        parent.wait()
        wait_while_computing(workers, lambda: not any(map(is_alive, workers)))


def test_no_workers_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"workers 0 must be 1 or more"):
        LocalEngine(workers=0)
