"""Cost of running a source: parameters, and milliseconds per picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from taskbank.atomic_files import write_whole
from taskbank.encoders.source import Source
from taskbank.inference.device import choose_device, dtype_of
from taskbank.inference.settings import Settings
from taskbank.sources.encoding import placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Cost of running one source.

    Attributes:
        source: its name.
        parameters: number of weights.
        milliseconds: median time for one picture, without reading it.
    """

    source: str
    parameters: int
    milliseconds: float


def measure_costs(
    sources: Sequence[Source], settings: Settings | None = None, *, repeats: int = 9
) -> list[Cost]:
    """Measure the time of each source, on single pictures of noise.

    The time of levels that encoders of a bank share is included for each of them.

    Args:
        sources: not placed on a device yet; their networks are modified.
        settings: device and precision.
        repeats: number of measured runs, after two warm-up runs; the result is their median.

    Raises:
        InvalidInputError: settings that this machine does not support.
    """
    chosen = settings or Settings()
    device = choose_device(chosen.device)
    costs = []
    for source in sources:
        ready = placed(source, device, chosen.precision)
        seconds = []
        with torch.inference_mode():
            for _ in range(repeats + 2):
                # A new picture each time, as shared levels cache the last one.
                picture = torch.rand(1, 3, source.size, source.size, device=device)
                picture = source.normalised(picture).to(dtype_of(chosen.precision))
                _wait(device)
                start = perf_counter()
                ready.network(picture)
                _wait(device)
                seconds.append(perf_counter() - start)
        costs.append(
            Cost(
                source=source.name,
                parameters=source.parameters,
                milliseconds=round(1000 * median(seconds[2:]), 3),
            )
        )
    return costs


def write_costs(costs: Sequence[Cost], path: Path) -> None:
    """Write costs as a CSV file for `taxsolver --costs FILE --unit ms`, with budgets in milliseconds.

    The cost of a source is its time in milliseconds; tasks without a row, such as users' own targets, are
    free.

    Raises:
        OutputError: the file cannot be written.
    """
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["task", "price", "images_full", "images_transfer"])
    for cost in costs:
        table.writerow([cost.source, f"{cost.milliseconds:.3f}", 1, 1])
    table.writerow(["*", 0, 1, 1])
    write_whole(path, lambda file: file.write(text.getvalue().encode()))


def _wait(device: torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
