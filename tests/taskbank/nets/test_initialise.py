"""Starting weights of networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from taskbank.nets.compact import CompactEncoder, GlobalContext, ResidualBlock, WideBlock, doubled
from taskbank.nets.compact_head import CompactHead
from taskbank.nets.initialise import TRAINED_GAIN, UNTRAINED_GAIN, initialise


@pytest.mark.parametrize("gain", [TRAINED_GAIN, UNTRAINED_GAIN])
def test_the_variance_of_a_convolution_is_the_gain_over_its_fan_in(gain: float) -> None:
    layer = nn.Conv2d(64, 128, 3)
    initialise(layer, 1, gain=gain)
    assert float(layer.weight.detach().var()) * 64 * 9 == pytest.approx(gain, rel=0.02)
    assert float(layer.bias.detach().abs().max()) == 0  # type: ignore[union-attr]


def test_layers_beside_a_shortcut_start_with_a_fifth_of_their_output() -> None:
    for block in (ResidualBlock(8), WideBlock(8, kernel=3, expansion=2)):
        initialise(block, 1)
        assert torch.equal(block.norm.weight, torch.full((8,), 0.2))


def test_the_mean_over_the_picture_starts_without_a_say() -> None:
    context = GlobalContext(4)
    initialise(context, 1)
    maps = torch.rand(2, 4, 5, 5)
    assert torch.equal(context(maps), maps)


def test_enlarging_starts_by_repeating_each_place_four_times() -> None:
    enlarge = doubled(6, 3)
    initialise(enlarge, 1)
    enlarged = enlarge.eval()(torch.randn(2, 6, 4, 5))
    assert enlarged.shape == (2, 3, 8, 10)
    repeated = enlarged[..., ::2, ::2].repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert torch.equal(enlarged, repeated)
    assert enlarged.std() > 0


def test_what_passes_an_untrained_encoder_keeps_its_spread() -> None:
    spreads = {}
    for gain in (TRAINED_GAIN, UNTRAINED_GAIN):
        encoder = CompactEncoder()
        initialise(encoder, 1, gain=gain)
        with torch.inference_mode():
            spreads[gain] = float(encoder.eval()(torch.rand(1, 3, 64, 64) * 2 - 1).std())
    assert spreads[UNTRAINED_GAIN] > 0.05
    assert spreads[TRAINED_GAIN] < 0.01


def test_a_head_starts_as_a_small_linear_function_of_what_is_where() -> None:
    head = CompactHead(200).eval()
    initialise(head, 1)
    codes = torch.randn(64, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    pooled = functional.adaptive_avg_pool2d(codes, 4)
    with torch.no_grad():
        numbers, linear = head(codes), head.direct(pooled.flatten(1))
    assert torch.allclose(numbers, linear, atol=1e-3)  # layers of `HEAD_SIGMA` give next to nothing
    assert float(linear.var()) == pytest.approx(0.01 * float(pooled.var()), rel=0.1)
