"""Class weights of the loss, taken out of logits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from training.stages.evaluation.calibrate import network_class_weights, take_out_class_weights

from taskbank.nets.architecture import Backbone, Compact, ResNet50
from taskbank.nets.build import build_network
from taskbank.tasks.registry import find_task

SEMANTIC = find_task("segment_semantic")
FREQUENCY = torch.tensor([0.8, *[0.2 / 16] * 16])
WEIGHTS = [0.5, *[3.0] * 16]


def last_convolution(network: torch.nn.Module) -> torch.nn.Conv2d:
    return [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)][-1]


@pytest.mark.parametrize("architecture", [Compact(), Backbone(), ResNet50()])
def test_the_best_constant_for_weighted_losses_becomes_the_frequencies(
    architecture: Compact | Backbone | ResNet50,
) -> None:
    network = build_network(SEMANTIC, architecture).eval()
    output = last_convolution(network)
    with torch.no_grad():
        output.weight.zero_()
        assert output.bias is not None
        # The weighted cross-entropy of a constant is least at p w / sum(p w).
        output.bias.copy_((FREQUENCY * torch.tensor(WEIGHTS)).log())
        take_out_class_weights(network, WEIGHTS, 1.0)
        shares = network(torch.zeros(1, 3, 64, 64)).softmax(1)
    torch.testing.assert_close(shares[0, :, 32, 32], FREQUENCY)


def test_a_share_of_the_weights_is_taken_out_and_without_weights_nothing() -> None:
    network = build_network(SEMANTIC, Compact())
    bias = last_convolution(network).bias
    assert bias is not None
    before = bias.detach().clone()
    take_out_class_weights(network, None, 1.0)
    take_out_class_weights(network, WEIGHTS, 0.0)
    assert torch.equal(bias, before)
    take_out_class_weights(network, WEIGHTS, 0.5)
    torch.testing.assert_close(before - bias, torch.tensor(WEIGHTS).log() / 2)


def test_a_layer_without_a_bias_for_each_class_is_refused() -> None:
    with pytest.raises(ValueError, match="no bias for each of 2 classes"):
        take_out_class_weights(build_network(SEMANTIC, Compact()), [1.0, 2.0], 1.0)


def test_weights_are_those_that_stage_1_wrote(tmp_path: Path) -> None:
    path = tmp_path / "segment_semantic.json"
    path.write_text(json.dumps({"class_weights": WEIGHTS}))
    assert network_class_weights(tmp_path, SEMANTIC) == WEIGHTS
    path.write_text("{}")
    assert network_class_weights(tmp_path, SEMANTIC) is None
