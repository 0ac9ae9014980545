"""Benchmark the networks on this CPU: `resnet50`, the same of the package `visualpriors`, and `compact`.

Run from a checkout: `python -m benchmarks.taskbank_networks --threads 2`. Both `resnet50` networks hold the
same weights and see the same images, turn by turn; figures are medians. Other work on the CPU spoils them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from importlib import import_module

import torch
from torch import Tensor, nn
from training.arguments import ScriptParser

from taskbank.inference.device import dtype_of, prepare
from taskbank.nets.architecture import Architecture, Compact, ResNet50
from taskbank.nets.build import TaskNetwork, build_decoder, build_encoder
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise
from taskbank.options import Precision
from taskbank.tasks.registry import TASKS

TASK = "normal"
_WARM_UP = 4  # calls: weights are evaluated for Winograd's method in the third large batch


def network(architecture: Architecture) -> TaskNetwork:
    """A seeded network for surface normals, in evaluation mode."""
    made = TaskNetwork(build_encoder(architecture), build_decoder(TASKS[TASK], architecture))
    initialise(made, seed=0, gain=UNTRAINED_GAIN)
    made.eval()
    return made


def fast(slow: nn.Module, precision: Precision = Precision.FP32) -> Callable[[Tensor], Tensor]:
    """The form in which networks predict; a copy, as preparing uses a network up."""
    ready = prepare(deepcopy(slow), torch.device("cpu"), precision)
    dtype = dtype_of(precision)
    return lambda images: ready(images.to(dtype).contiguous(memory_format=torch.channels_last))


def reference(same: TaskNetwork) -> nn.Module:
    """The same network of `visualpriors`, with the same weights."""
    made: nn.Module = import_module("visualpriors.taskonomy_network").TaskonomyNetwork(out_channels=3)
    made.load_state_dict(same.state_dict(), strict=True)
    return made.eval()


def milliseconds(
    runs: Mapping[str, Callable[[Tensor], Tensor]], images: Tensor, rounds: int
) -> dict[str, float]:
    """Median milliseconds per image of each network, called in turn after some calls to warm up."""
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
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of torch")
    parser.add_argument("--rounds", type=int, default=7, help="measured calls of each network")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    original = network(ResNet50())
    runs: dict[str, Callable[[Tensor], Tensor]] = {
        "visualpriors": reference(original),
        "resnet50": fast(original),
        "in bf16": fast(original, Precision.BF16),
        "compact": fast(network(Compact())),
    }
    print(f"ms per image, {options.threads} threads, torch {torch.__version__}")
    print(
        f"{'px':>4} {'batch':>5} " + " ".join(f"{name:>12}" for name in runs) + "  times as fast: fp32   bf16"
    )
    for size in (256, 512):
        for batch in (1, 8):
            images = torch.rand((batch, 3, size, size), generator=torch.Generator().manual_seed(0)) * 2 - 1
            taken = milliseconds(runs, images, options.rounds)
            fp32, bf16 = (taken["visualpriors"] / taken[name] for name in ("resnet50", "in bf16"))
            cells = " ".join(f"{value:12.1f}" for value in taken.values())
            print(f"{size:4} {batch:5} {cells} {fp32:19.2f}x {bf16:5.2f}x", flush=True)


if __name__ == "__main__":
    main()
