"""Starting weights from a seed, without touching torch's global generator."""

from __future__ import annotations

import torch
from torch import nn

HEAD_SIGMA = 0.01
"""Standard deviation of linear layers' starting weights, as in the original."""


def initialise(network: nn.Module, seed: int) -> None:
    """Fill a network's parameters in place: the same seed gives the same weights.

    Convolutions: normal with variance 2 / fan-in (He et al., 2015, arXiv:1502.01852). Linear layers: normal
    of `HEAD_SIGMA`, cut at two standard deviations. Scales 1, biases and means 0, variances 1.

    Args:
        network: any network of this package; modules on the meta device are not allowed.
        seed: of a generator of its own.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        _initialise_one(module, generator)


def _initialise_one(module: nn.Module, generator: torch.Generator) -> None:
    """The parameters of one layer, not of its children."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(
            module.weight, std=HEAD_SIGMA, a=-2 * HEAD_SIGMA, b=2 * HEAD_SIGMA, generator=generator
        )
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm):
        module.reset_parameters()
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
