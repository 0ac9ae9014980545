"""Packing of the weights of large convolutions in the memory layout of the CPU library.

oneDNN uses a blocked layout, and torch converts weights to it at every call: for the deep layers of
`resnet50` that takes a quarter of the time. The operators used here are those with which `torch.compile`
replaces convolutions; if a build of torch lacks them, nothing changes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LARGE = 1 << 17  # weights; for fewer, the cost of the conversion is not measurable


class PackedConvolution(nn.Module):
    """A convolution for inference on a CPU. It packs its weights at the first batch of each shape.

    Args:
        layer: with zeros as padding.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self._held: tuple[Tensor, tuple[int, ...] | None] = (layer.weight, None)  # and their batch shape
        self.bias = layer.bias
        self._padding = [int(side) for side in layer.padding]
        self._stride = list(layer.stride)
        self._dilation = list(layer.dilation)
        self._groups = layer.groups

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, in, H, W) to (B, out, h, w)."""
        convolved: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, self._weight_for(x), self.bias, self._padding, self._stride, self._dilation, self._groups,
            "none", [], "",
        )  # fmt: skip
        return convolved

    def add_and_rectify(self, x: Tensor, other: Tensor) -> Tensor:
        """Compute ReLU(convolved x + other) in one step, into `other`: channels last, (B, out, h, w)."""
        rectified: Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(
            other, x, self._weight_for(x), self.bias, self._padding, self._stride, self._dilation,
            self._groups, "add", 1.0, "relu", [], "",
        )  # fmt: skip
        return rectified

    def plain_weight(self) -> Tensor:
        """Return the weights in torch's layout, (out, in / groups, h, w)."""
        weight, shape = self._held
        return weight if shape is None else weight.to_dense()

    def _weight_for(self, x: Tensor) -> Tensor:
        """Return the weights packed for batches of this shape, as the best layout depends on the whole shape.

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
    """Replace a network's large convolutions in place, if this build of torch supports it.

    Args:
        network: on the CPU, in evaluation mode; afterwards it cannot be trained.
    """
    if not can_pack():
        return
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is nn.Conv2d and layer.weight.numel() >= _LARGE and pads_with_zeros(layer):
                setattr(module, name, PackedConvolution(layer))


def pads_with_zeros(layer: nn.Conv2d) -> bool:
    """Return True if the oneDNN operator supports the layer's padding."""
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def can_pack() -> bool:
    """Return True if this build of torch has oneDNN and its operators."""
    has_library: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return has_library and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")
