"""A test that fails, or that is killed, leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from processes import child_process, wait_while_computing

SUPPORT = Path(__file__).parent / "support"
WAITS = "import subprocess, sys, time\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\ntime.sleep(600)"


def ends(process: int) -> bool:
    """Tell whether a process ends within seconds; one that nobody has waited for has ended too."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_a_failed_assertion_ends_the_process_and_its_children() -> None:
    seen: list[int] = []

    def fail() -> None:
        with child_process([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            seen.extend([process.pid, int(process.stdout.readline())])
            raise AssertionError("wrong")

    with pytest.raises(AssertionError, match="wrong"):
        fail()
    assert all(ends(each) for each in seen)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process can ask to die with its parent")
def test_a_killed_test_takes_its_process_with_it() -> None:
    program = (
        "import sys, time\nfrom processes import child_process\n"
        "with child_process([sys.executable, '-c', 'import time; time.sleep(600)']) as child:\n"
        "    print(child.pid, flush=True)\n    time.sleep(600)"
    )
    told = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    with child_process(
        [sys.executable, "-c", program], env=told, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        child = int(killed.stdout.readline())
        killed.send_signal(signal.SIGKILL)
        assert ends(child)


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_waiting_ends_when_processes_have_come_far_enough_compute_no_more_or_too_much(tmp_path: Path) -> None:
    """Whatever the time on the clock: a process and its children may take minutes on a busy machine."""
    note = tmp_path / "note"
    waits = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'import sys; open(sys.argv[1], sys.argv[2])', sys.argv[1], 'w'])\n"
        "input()"
    )
    with child_process([sys.executable, "-c", waits, note], stdin=subprocess.PIPE) as process:
        wait_while_computing([process.pid], note.exists)
        with pytest.raises(AssertionError, match=r"have taken no CPU time for 0\.3 s"):
            wait_while_computing([process.pid], lambda: False, idle=0.3)
    with (
        child_process([sys.executable, "-c", "while True: pass"]) as process,
        pytest.raises(AssertionError, match=r"have taken 0\.1 s of CPU time"),
    ):
        wait_while_computing([process.pid], lambda: False, most=0.1)
