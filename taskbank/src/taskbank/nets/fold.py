"""Batch norms folded into the convolutions before them: the same numbers with fewer steps."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from taskbank.errors import InvalidInputError

Network = TypeVar("Network", bound=nn.Module)


def fold_batch_norms(network: Network) -> Network:
    """A copy for inference: each convolution or linear layer takes in the batch norm that follows it.

    Two layers follow each other where they are neighbours in the order of registration and their channels
    match; every network of this package registers its layers in the order in which it runs them.

    Args:
        network: in evaluation mode.

    Returns:
        a copy without those batch norms, equal up to rounding. Batch norms that follow no such layer (at
        the ends of a transfer network) stay.

    Raises:
        InvalidInputError: the network is in training mode, where batch norms have no fixed numbers.
    """
    if network.training:
        raise InvalidInputError("a network in training mode cannot be folded: call .eval() first")
    folded = deepcopy(network)
    for module in folded.modules():
        _fold_children(module)
    return folded


def _fold_children(module: nn.Module) -> None:
    """Fold the pairs among the direct children of one module."""
    children = list(module.named_children())
    for (name, layer), (norm_name, norm) in pairwise(children):
        if isinstance(layer, nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
            fused: nn.Module = fuse_conv_bn_eval(layer, norm, transpose=True)
        elif isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            fused = fuse_conv_bn_eval(layer, norm)
        elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            fused = fuse_linear_bn_eval(layer, norm)
        else:
            continue
        setattr(module, name, fused)
        setattr(module, norm_name, nn.Identity())
