"""Choice of devices, and preparation of networks for fast inference on them."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, cast

import torch
from torch import nn

from taskbank.errors import InvalidInputError
from taskbank.nets.fold import fold_in_place
from taskbank.nets.fused_bottleneck import fuse_bottlenecks
from taskbank.nets.pack import pack_convolutions
from taskbank.nets.winograd import use_winograd
from taskbank.options import Precision

# Torch's thread pool does not survive a fork: a child process that uses more than one thread aborts or hangs.
# Workers of a DataLoader are such children, and need only one thread each.
if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))


_DTYPES = {Precision.FP32: torch.float32, Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16}


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of a name, or the fastest available one.

    Args:
        name: `auto` (CUDA, else MPS, else CPU), `cpu`, `cuda`, `cuda:1`, `mps`, ...

    Raises:
        InvalidInputError: the device is unknown or not available.
    """
    here = ["cuda"] if torch.cuda.is_available() else []  # fastest first
    if torch.backends.mps.is_available():
        here.append("mps")
    here.append("cpu")
    if name == "auto":
        return torch.device(here[0])
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InvalidInputError(f"unknown device {name!r}: choose auto, {', '.join(here)}") from error
    too_high = device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    if device.type not in here or too_high:
        raise InvalidInputError(f"there is no device {name!r} here: choose auto, {', '.join(here)}")
    return device


def prepare(
    network: nn.Module, device: torch.device, precision: Precision, *, compiled: bool = False
) -> nn.Module:
    """Optimise a network for inference, with the same outputs up to rounding. The given network is modified.

    Batch norms are folded into the layers before them, and weights are laid out channels last. In FP32 on a
    CPU, weights are also packed for its library, residual sums are fused into convolutions, and batches use
    Winograd's method: see `pack`, `fused_bottleneck` and `winograd` in `taskbank.nets`. Winograd's method
    begins with the third batch of eight; a `resnet50` network then takes half a GB more, and its outputs
    change by rounding.

    Args:
        network: in evaluation mode; it is modified, as a copy would take longer than the rest of the
            preparation.
        device: where it will run.
        precision: FP16 needs a GPU. BF16 also runs on CPUs, and is faster on those with instructions for it:
            with AVX512-BF16, `resnet50` took half the time of FP32 and `compact` two thirds.
        compiled: whether `torch.compile` is applied; the first call for each shape then takes long.

    Raises:
        InvalidInputError: FP16 on a CPU.
    """
    if precision is Precision.FP16 and device.type == "cpu":
        raise InvalidInputError(f"precision {precision} needs a GPU: choose fp32 or bf16 on {device}")
    fold_in_place(network)
    # Torch's type stubs lack `memory_format` here.
    moved = cast(Any, network).to(device, _DTYPES[precision], memory_format=torch.channels_last)
    if compiled:
        # The compiler packs weights itself.
        return cast(nn.Module, torch.compile(moved))
    if device.type == "cpu" and precision is Precision.FP32:
        fuse_bottlenecks(moved)
        use_winograd(moved)
        pack_convolutions(moved)
    return cast(nn.Module, moved)


def dtype_of(precision: Precision) -> torch.dtype:
    """Return torch's dtype of a precision."""
    return _DTYPES[precision]
