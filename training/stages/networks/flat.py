"""Flat storage of a network's weights, so that an update of all of them is one operation.

Networks here are small, but have hundreds of tensors: stepping, clipping and averaging them one by one takes
as long as computing their gradients. Gradients are gathered after the backward pass, because accumulating
them into flat memory would be one operation per tensor again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FlatNetwork:
    """Network whose parameters and buffers are views of three flat tensors.

    Args:
        network: network on its device. Its state may be loaded afterwards, but it must not be moved.

    Attributes:
        network: the given network.
        wide: weights with at least two axes, (n,).
        narrow: biases, and scales and shifts of norms, (n,).
        measured: means and variances of norms, (n,).
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        parameters = list(network.parameters())
        self._parts = [
            [parameter for parameter in parameters if parameter.ndim > 1],
            [parameter for parameter in parameters if parameter.ndim <= 1],
        ]
        buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        self.wide, self.narrow = (nn.Parameter(_gathered([one.data for one in part])) for part in self._parts)
        self.measured = _gathered(buffers)
        for flat, part in zip((self.wide, self.narrow), self._parts, strict=True):
            _share(flat.data, part)
        _share(self.measured, buffers)

    @property
    def weights(self) -> list[nn.Parameter]:
        """Return the parameters for the optimiser."""
        return [self.wide, self.narrow]

    def forget_gradients(self) -> None:
        """Clear gradients before a backward pass."""
        for parameter in (*self.weights, *self.network.parameters()):
            parameter.grad = None

    def gather_gradients(self) -> None:
        """Gather the gradients of `weights` after a backward pass; 0 for unused parameters."""
        for flat, part in zip(self.weights, self._parts, strict=True):
            flat.grad = _gathered([torch.zeros_like(one) if one.grad is None else one.grad for one in part])

    @torch.no_grad()
    def follow(self, other: FlatNetwork, share: float) -> None:
        """Move towards another network of the same form by a share of the difference, including norms."""
        self.wide.lerp_(other.wide, share)
        self.narrow.lerp_(other.narrow, share)
        self.measured.lerp_(other.measured, share)


def _gathered(tensors: Sequence[Tensor]) -> Tensor:
    """Concatenate all numbers."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors]) if tensors else torch.empty(0)


def _share(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    """Make tensors views of the flat tensor."""
    start = 0
    for tensor in tensors:
        stop = start + tensor.numel()
        tensor.data = flat[start:stop].view(tensor.shape)
        start = stop
