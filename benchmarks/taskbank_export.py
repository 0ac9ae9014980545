"""Benchmark exported networks on this CPU: ours, ONNX in onnxruntime, and TorchScript, turn by turn.

Run from a checkout: `python -m benchmarks.taskbank_export --task normals --threads 2`. All take the same
pictures and give the same values; figures are medians. Other work on the CPU spoils them.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from training.arguments import ScriptParser

from taskbank.bank.bank import Bank
from taskbank.exporting.graph import ExportedTask
from taskbank.exporting.run import export_task
from taskbank.exporting.verify import runner
from taskbank.inference.device import prepare
from taskbank.options import Format, Precision
from taskbank.tasks.registry import find_task

Run = Callable[[NDArray[np.float32]], Any]
_WARM_UP = 4  # calls: weights are evaluated for Winograd's method in the third large batch


def runs_of(bank: Bank, task: str, folder: Path, threads: int) -> dict[str, Run]:
    """Every way to run the task's network, by its name in the table."""
    network = prepare(bank.load(task), torch.device("cpu"), Precision.FP32)

    def ours(images: NDArray[np.float32]) -> Any:
        signed = torch.from_numpy(images).contiguous(memory_format=torch.channels_last) * 2 - 1
        return network(signed)

    found: dict[str, Run] = {"taskbank": ours}
    for form, suffix in ((Format.ONNX, "onnx"), (Format.TORCHSCRIPT, "pt")):
        done = export_task(bank, task, folder / f"task.{suffix}", form, dynamic=True)
        found[form.value] = runner(done.path, form, threads)
    return found


def milliseconds(runs: Mapping[str, Run], images: NDArray[np.float32], rounds: int) -> dict[str, float]:
    """Median milliseconds per image of each way, called in turn after some calls to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        for _ in range(_WARM_UP + rounds):
            for name, run in runs.items():
                start = time.perf_counter()
                run(images)
                seconds[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(taken[_WARM_UP:]) / len(images) for name, taken in seconds.items()}


def main() -> None:
    """Print one table."""
    parser = ScriptParser(description=__doc__)
    parser.add_argument("--task", default="normals", help="of the bundled bank, for single images")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--rounds", type=int, default=15, help="measured calls of each")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    bank, task = Bank.open("rooms"), find_task(options.task)
    example = ExportedTask(bank, task).form.example
    with tempfile.TemporaryDirectory() as folder:
        runs = runs_of(bank, task.name, Path(folder), options.threads)
        print(f"ms per image of {bank.index.image_size} px, {task.name}, {options.threads} threads")
        print(f"{'batch':>5}  {'taskbank':>12}  {'onnx':>12}  {'torchscript':>12}  {'onnx / taskbank':>15}")
        for batch in (1, 8):
            taken = milliseconds(runs, example(batch).numpy(), options.rounds)
            cells = "  ".join(f"{taken[name]:12.2f}" for name in runs)
            print(f"{batch:5}  {cells}  {taken['onnx'] / taken['taskbank']:15.2f}")


if __name__ == "__main__":
    main()
