"""Folding of batch norms into the convolutions before them, for faster inference."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from taskbank.errors import InvalidInputError

Network = TypeVar("Network", bound=nn.Module)
Layer: TypeAlias = nn.ConvTranspose2d | nn.Conv2d | nn.Linear


def fold_batch_norms(network: Network) -> Network:
    """Copy a network for inference, with batch norms folded into the layers before them.

    A batch norm follows a layer if it is registered next and their channels match; every network of this
    package registers its layers in the order in which it runs them.

    Args:
        network: in evaluation mode.

    Returns:
        a copy without those batch norms, equal up to rounding. Batch norms that follow no convolution or
        linear layer (at the ends of a transfer network) stay.

    Raises:
        InvalidInputError: the network is in training mode, in which batch norms have no fixed statistics.
    """
    folded = deepcopy(network)
    fold_in_place(folded)
    return folded


def fold_in_place(network: nn.Module) -> None:
    """Fold batch norms as `fold_batch_norms` does, but in place, as copying modules is slow.

    Raises:
        InvalidInputError: the network is in training mode.
    """
    if network.training:
        raise InvalidInputError("a network in training mode cannot be folded: call .eval() first")
    for module in network.modules():
        children = list(module.named_children())  # those of one module only, not theirs
        for (_, layer), (norm_name, norm) in pairwise(children):
            if type(layer).__module__.startswith("timm.") and type(layer).__name__ != "Conv2dSame":
                continue  # the forward pass of such layers changes their weights first
            if isinstance(layer, nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
                layer.weight, layer.bias = fuse_conv_bn_weights(*_numbers(layer, norm), transpose=True)
            elif isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                layer.weight, layer.bias = fuse_conv_bn_weights(*_numbers(layer, norm))
            elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                layer.weight, layer.bias = fuse_linear_bn_weights(*_numbers(layer, norm))
            else:
                continue
            # Norms of timm include the activation after them.
            setattr(module, norm_name, getattr(norm, "act", None) or nn.Identity())


def _numbers(
    layer: Layer, norm: nn.BatchNorm1d | nn.BatchNorm2d
) -> tuple[Any, Any, Any, Any, float, Any, Any]:
    """Return the arguments of torch's fusing functions, in order; Any, as its stubs are too narrow."""
    return layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
