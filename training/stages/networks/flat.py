"""A network's weights side by side in memory, so that an update of all of them is one operation.

Networks here are small, and have hundreds of tensors: stepping, clipping and averaging them one by one takes
as long as computing their gradients. Gradients are gathered after the backward pass, not accumulated into one
memory, which would be an operation for each tensor again.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FlatNetwork:
    """The numbers of a network in three flat tensors, which its parameters and buffers become views of.

    Args:
        network: on its device. Its state may be loaded afterwards, but it may not be moved.

    Attributes:
        network: as given.
        wide: weights of two and more axes, (n,).
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
        """Before a backward pass."""
        for parameter in (*self.weights, *self.network.parameters()):
            parameter.grad = None

    def gather_gradients(self) -> None:
        """After a backward pass: the gradients of `weights`; 0 where a parameter took no part."""
        for flat, part in zip(self.weights, self._parts, strict=True):
            flat.grad = _gathered([torch.zeros_like(one) if one.grad is None else one.grad for one in part])

    @torch.no_grad()
    def follow(self, other: FlatNetwork, share: float) -> None:
        """Move towards another network of the same form, by a share of the way, norms too."""
        self.wide.lerp_(other.wide, share)
        self.narrow.lerp_(other.narrow, share)
        self.measured.lerp_(other.measured, share)


def _gathered(tensors: Sequence[Tensor]) -> Tensor:
    """All numbers in a row."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors]) if tensors else torch.empty(0)


def _share(flat: Tensor, tensors: Sequence[Tensor]) -> None:
    """Let tensors lie in the row of their numbers."""
    start = 0
    for tensor in tensors:
        stop = start + tensor.numel()
        tensor.data = flat[start:stop].view(tensor.shape)
        start = stop
