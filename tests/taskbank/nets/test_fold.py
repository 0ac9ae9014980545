"""Folded networks give the same numbers with fewer batch norms."""

from __future__ import annotations

import pytest
import torch
from tests.taskbank.toy import TOYS, toy_network, toy_readout
from torch import nn

from taskbank.errors import InvalidInputError
from taskbank.nets.architecture import Architecture
from taskbank.nets.fold import fold_batch_norms


def count_norms(network: nn.Module) -> int:
    """Batch norms left in a network."""
    return sum(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in network.modules())


def shake_norms(network: nn.Module, seed: int) -> None:
    """Batch norms as they are after training: no scale is 1, no mean 0."""
    generator = torch.Generator().manual_seed(seed)
    for name, values in network.state_dict().items():
        if name.endswith(("running_var", "running_mean")):
            values.copy_(torch.rand(values.shape, generator=generator) + 0.5)


@pytest.mark.parametrize("architecture", TOYS, ids=lambda made: made.name)
@pytest.mark.parametrize("task", ["normal", "segment_unsup2d", "class_scene", "colorization"])
def test_folded_networks_are_equal_and_hold_no_batch_norm(task: str, architecture: Architecture) -> None:
    """Pixel and colour decoders, heads, and both encoders; the network itself stays as it was."""
    network = toy_network(task, architecture)
    shake_norms(network, 1)
    before = count_norms(network)
    folded = fold_batch_norms(network)
    image = torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(2)) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(folded(image), network(image), rtol=1e-4, atol=1e-5)
    assert count_norms(folded) == 0
    assert count_norms(network) == before > 0


def test_a_transfer_keeps_its_two_outer_batch_norms() -> None:
    """They follow no layer that could take them in."""
    readout = toy_readout(("normal",), "reshading")
    shake_norms(readout, 1)
    folded = fold_batch_norms(readout)
    codes = torch.rand((1, 8, 16, 16), generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        assert torch.allclose(folded(codes), readout(codes), rtol=1e-4, atol=1e-5)
    assert count_norms(folded) == 2


def test_a_network_in_training_mode_is_refused() -> None:
    """Its batch norms have no fixed numbers."""
    with pytest.raises(InvalidInputError, match=r"call .eval\(\) first"):
        fold_batch_norms(toy_network("normal").train())
