"""Multi-task network: one encoder, and one decoder per task."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from taskbank.nets.architecture import Architecture
from taskbank.nets.build import build_decoder, build_encoder
from taskbank.nets.initialise import initialise
from taskbank.tasks.registry import find_task


class MultiTaskNetwork(nn.Module):
    """Network that predicts all tasks of a set from one representation.

    The gradient that reaches the encoder is divided by the root of the number of tasks, as in the original.

    Args:
        tasks: canonical names.
        architecture: architecture of encoder and decoders.
        seed: seed of the initial weights.
    """

    def __init__(self, tasks: tuple[str, ...], architecture: Architecture, seed: int) -> None:
        super().__init__()
        self.encoder = build_encoder(architecture)
        self.decoders = nn.ModuleDict({name: build_decoder(find_task(name), architecture) for name in tasks})
        initialise(self, seed)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images, float (B, 3, H, W) in [-1, 1], to the output of each task's decoder."""
        codes = _Damped.apply(self.encoder(images), 1 / math.sqrt(len(self.decoders)))
        return {name: decoder(codes) for name, decoder in self.decoders.items()}


class _Damped(torch.autograd.Function):
    """Identity in the forward pass; scales the gradient in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, share: float) -> Tensor:
        """Return the input."""
        ctx.share = share
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Scale the gradient by `share`."""
        return gradients[0] * ctx.share, None


@contextmanager
def kept_statistics(network: nn.Module) -> Iterator[None]:
    """Restore the running statistics of norms when the block ends."""
    before = {name: value.clone() for name, value in network.named_buffers()}
    try:
        yield
    finally:
        _put(dict(network.named_buffers()), before)


@contextmanager
def moved(parameters: Mapping[str, Tensor], steps: Mapping[str, Tensor]) -> Iterator[None]:
    """Add steps to parameters within the block."""
    before = {name: value.detach().clone() for name, value in parameters.items()}
    try:
        with torch.no_grad():
            for name, step in steps.items():
                parameters[name].add_(step)
        yield
    finally:
        _put(parameters, before)


@torch.no_grad()
def _put(tensors: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    """Copy values into tensors of the same names."""
    for name, value in values.items():
        tensors[name].copy_(value)
