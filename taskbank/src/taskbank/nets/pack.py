"""Weights of large convolutions in the order in which the CPU library wants them.

oneDNN computes in blocks of its own, and torch lays weights out anew at every call: for the deep layers of
`resnet50` that takes a quarter of the time. The operators used here are those that `torch.compile` puts in
place of convolutions; where a build of torch has none, nothing changes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LARGE = 1 << 17  # weights; below, laying out costs nothing that can be measured


class PackedConvolution(nn.Module):
    """A convolution for inference on a CPU. It packs its weights when it first sees a batch.

    Args:
        layer: with zeros as padding.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self._held: tuple[Tensor, tuple[int, ...] | None] = (layer.weight, None)  # packed for which batches
        self.bias = layer.bias
        self._padding = [int(side) for side in layer.padding]
        self._stride = list(layer.stride)
        self._dilation = list(layer.dilation)
        self._groups = layer.groups

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, h, w)."""
        convolved: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self._weight_for(x), self.bias, self._padding, self._stride, self._dilation, self._groups,
            "none", [], "",
        )  # fmt: skip
        return convolved

    def add_and_rectify(self, x: Tensor, other: Tensor) -> Tensor:
        """ReLU(convolved x + other) in one step, written to `other`: channels last, (B, out, h, w)."""
        rectified: Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(
            other, x, self._weight_for(x), self.bias, self._padding, self._stride, self._dilation,
            self._groups, "add", 1.0, "relu", [], "",
        )  # fmt: skip
        return rectified

    def plain_weight(self) -> Tensor:
        """The weights in torch's order, (out, in / groups, h, w)."""
        weight, shape = self._held
        return weight if shape is None else weight.to_dense()

    def _weight_for(self, x: Tensor) -> Tensor:
        """The weights, packed for batches of this shape: the order that is best depends on all of it.

        Networks may be shared by threads, so weights and shape are read and replaced together.
        """
        weight, shape = self._held
        if shape != x.shape:
            weight = torch.ops.mkldnn._reorder_convolution_weight(
                self.plain_weight(), self._padding, self._stride, self._dilation, self._groups, list(x.shape)
            )
            self._held = (weight, tuple(x.shape))
        return weight


def pack_convolutions(network: nn.Module) -> None:
    """Replace a network's large convolutions in place, where this build of torch can.

    Args:
        network: on the CPU, in evaluation mode; it can only predict afterwards.
    """
    if not can_pack():
        return
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is nn.Conv2d and layer.weight.numel() >= _LARGE and pads_with_zeros(layer):
                setattr(module, name, PackedConvolution(layer))


def pads_with_zeros(layer: nn.Conv2d) -> bool:
    """Tell whether the oneDNN operator can pad as the layer does."""
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def can_pack() -> bool:
    """Tell whether this build of torch has oneDNN and its operators."""
    has_library: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_library and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")
