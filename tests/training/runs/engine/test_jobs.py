"""Jobs: named functions, done ones, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from training.errors import ConfigError
from training.runs.engine import Job
from training.runs.engine.jobs import perform, unfinished

from toy_jobs import divide, fit_line


def test_a_function_can_be_given_by_name_or_itself(tmp_path: Path) -> None:
    for name, function in (("a", "toy_jobs:fit_line"), ("b", fit_line)):
        job = Job(key=name, function=function, arguments={"seed": 1}, output=tmp_path / name)
        assert perform(job) is None
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_job_whose_output_is_there_is_done(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("earlier")
    job = Job(key="a", function="toy_jobs:diverge", output=tmp_path / "a")
    assert perform(job) is None
    assert unfinished([job]) == []


@pytest.mark.parametrize("name", ["toy_jobs:nothing", "no_such_module:f", "toy_jobs", ""])
def test_an_unknown_function_is_named(tmp_path: Path, name: str) -> None:
    reason = perform(Job(key="a", function=name, output=tmp_path / "a"))
    assert reason is not None
    assert reason.startswith(f"ConfigError: no function {name!r}")


def test_an_error_in_a_job_is_told_with_its_place(tmp_path: Path) -> None:
    reason = perform(Job(key="a", function=divide, output=tmp_path / "a"))
    assert reason is not None
    assert reason.startswith("ZeroDivisionError: division by zero (toy_jobs.py, line ")


@pytest.mark.parametrize(("what", "keys", "names"), [("key", "aa", "xy"), ("output", "ab", "xx")])
def test_jobs_must_differ(tmp_path: Path, what: str, keys: str, names: str) -> None:
    jobs = [
        Job(key=key, function=divide, output=tmp_path / name) for key, name in zip(keys, names, strict=True)
    ]
    with pytest.raises(ConfigError, match=rf"jobs must differ in their {what}: '.*' is there 2 times"):
        unfinished(jobs)
