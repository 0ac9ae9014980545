"""Benchmark the start of commands: whole processes, beside an empty Python and one that imports numpy.

python -m benchmarks.taxsolver_start [--rounds 7]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table
from training.arguments import ScriptParser

COMMAND = str(Path(sys.executable).with_name("taxsolver"))
PROGRAMS = {
    "python, empty": [sys.executable, "-c", ""],
    "python, import numpy": [sys.executable, "-c", "import numpy"],
    "taxsolver --help": [COMMAND, "--help"],
    "taxsolver, three targets": [COMMAND, "--targets", "normals,depth,reshading", "--budget", "5"],
    "taxsolver, 22 targets as JSON": [COMMAND, "--targets", "all", "--budget", "5", "--json"],
    "taxsolver sweep, 104 plans": [COMMAND, "sweep", "--json"],
}


def seconds(command: list[str]) -> float:
    """Wall-clock time of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the table; programs take turns, so that a busy moment hits all of them."""
    parser = ScriptParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="runs of each; the median counts")
    rounds = parser.parse_args().rounds
    runs: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds + 1):
        for name, command in PROGRAMS.items():
            runs[name].append(seconds(command))
    empty = median(runs["python, empty"][1:])
    table = Table(title=f"whole processes, median of {rounds} runs")
    for column in ("", "seconds", "times an empty Python"):
        table.add_column(column, justify="right" if column else "left")
    for name, times in runs.items():
        table.add_row(name, f"{median(times[1:]):.3f}", f"{median(times[1:]) / empty:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
