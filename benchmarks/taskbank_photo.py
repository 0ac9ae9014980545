"""Benchmark all single-image tasks on one photo: one process, and one per task as in the original tool.

Run from a checkout: `python -m benchmarks.taskbank_photo`. The bank holds `compact` networks of full size
with seeded weights, the photo is the 512 px astronaut of scikit-image. Whole processes are measured, from
the shell's command to its end, pictures written; then predictions in a process that has loaded everything.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from training.arguments import ScriptParser

TASKBANK = Path(sys.executable).parent / "taskbank"


def seeded_bank(folder: Path) -> Path:
    """A bank of all tasks in `compact` form."""
    from taskbank.bank.bank import Bank
    from taskbank.nets.architecture import Compact
    from taskbank.nets.build import TaskNetwork, build_decoder, build_encoder
    from taskbank.nets.initialise import UNTRAINED_GAIN, initialise
    from taskbank.tasks.registry import TASKS, Loss

    networks = {}
    for seed, task in enumerate(task for task in TASKS.values() if task.loss is not Loss.NONE):
        networks[task.name] = TaskNetwork(build_encoder(Compact()), build_decoder(task, Compact())).eval()
        initialise(networks[task.name], seed, gain=UNTRAINED_GAIN)
    Bank.save(folder, name="seeded", architecture=Compact(), networks=networks)
    return folder


def measured(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and MB at most of one process.

    Raises:
        RuntimeError: it failed.
    """
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed: {child.stderr.read() if child.stderr else status!r}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def warm_seconds(photo: Path, bank: Path, rounds: int) -> float:
    """Median seconds of a prediction of all tasks in this process, decoded but not drawn."""
    from taskbank.bank.bank import Bank
    from taskbank.inference.engine import Engine
    from taskbank.inference.predictor import choose_tasks

    opened = Bank.open(bank)
    engine = Engine(opened, choose_tasks(opened, "all"))
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        for outcome in engine.run([photo]):
            for task in engine.tasks:
                outcome.prediction(task.name)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def main() -> None:
    """Print one table."""
    parser = ScriptParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="predictions of the loaded process")
    options = parser.parse_args()
    from skimage import data

    from taskbank.tasks.registry import TASKS, Loss

    single = [task.name for task in TASKS.values() if task.num_images == 1 and task.loss is not Loss.NONE]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        photo, bank = root / "photo.png", seeded_bank(root / "bank")
        astronaut = data.astronaut()  # type: ignore[no-untyped-call] # nor has scikit-image
        Image.fromarray(astronaut).save(photo)
        common = [str(TASKBANK), "predict", str(photo), "--bank", str(bank)]
        together = measured([*common, "--tasks", "all", "--out", str(root / "together")])
        apart = [measured([*common, "--tasks", task, "--out", str(root / task)]) for task in single]
        warm = warm_seconds(photo, bank, options.rounds)
    seconds, memory = sum(taken for taken, _ in apart), max(peak for _, peak in apart)
    print(f"{len(single)} tasks on one photo of 512 px, {os.cpu_count()} CPU cores")
    print(f"{'':24} {'seconds':>9} {'images/s':>9} {'MB at most':>11}")
    print(f"{'one process for all':24} {together[0]:9.2f} {1 / together[0]:9.3f} {together[1]:11,.0f}")
    print(f"{'one process a task':24} {seconds:9.2f} {1 / seconds:9.3f} {memory:11,.0f}")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'loaded, decoded':24} {warm:9.2f} {1 / warm:9.3f} {own:11,.0f}")
    print(f"one process for all takes 1/{seconds / together[0]:.1f} of the time of one process a task")


if __name__ == "__main__":
    main()
