"""Stored weights come back as what they were, within the stated error."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from taskbank.bank.quantise import SCALE_SUFFIX, Storage, pack, unpack
from taskbank.errors import BankFormatError, InvalidInputError


def network(seed: int = 0) -> nn.Sequential:
    """A convolution with batch norm and a transposed one."""
    generator = torch.Generator().manual_seed(seed)
    layers = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ConvTranspose2d(5, 2, 2), nn.Linear(2, 7)
    )
    with torch.no_grad():
        for values in layers.parameters():
            values.copy_(torch.randn(values.shape, generator=generator))
    return layers


@pytest.mark.parametrize("storage", list(Storage))
def test_packed_weights_load_strictly_after_unpacking(storage: Storage) -> None:
    """No key is lost, though counters are not stored."""
    weights = network().state_dict()
    packed = pack(weights, storage)
    assert not any(name.endswith("num_batches_tracked") for name in packed)
    network(seed=1).load_state_dict(unpack(packed), strict=True)


def test_fp32_is_exact_and_fp16_has_eleven_bits() -> None:
    """The two floating-point forms."""
    weights = network().state_dict()
    assert torch.equal(unpack(pack(weights, Storage.FP32))["0.weight"], weights["0.weight"])
    half = unpack(pack(weights, Storage.FP16))["0.weight"]
    assert ((half - weights["0.weight"]).abs() <= weights["0.weight"].abs() * 2**-11).all()


@given(seed=st.integers(0, 2**31 - 1), size=st.floats(1e-4, 1e4))
@settings(max_examples=50, deadline=None)
def test_int8_errs_by_half_a_scale_at_most(seed: int, size: float) -> None:
    """For weights of any size, channel by channel."""
    weight = torch.randn((6, 4, 3, 3), generator=torch.Generator().manual_seed(seed)) * size
    weight *= torch.logspace(-3, 1, 6)[:, None, None, None]
    back = unpack(pack({"weight": weight}, Storage.INT8))["weight"]
    greatest = weight.flatten(1).abs().amax(1)
    worst = (back - weight).flatten(1).abs().amax(1)
    assert (worst <= greatest / 254 * 1.0001).all()
    assert back.dtype == torch.float32


def test_int8_keeps_zero_and_each_channels_greatest_weight() -> None:
    """The ends of the scale are exact; a channel of zeros stays one."""
    weight = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.0, -127.0]])
    packed = pack({"weight": weight}, Storage.INT8)
    assert packed["weight"].tolist() == [[0, 0, 0], [0, 0, -127]]
    assert unpack(packed)["weight"].tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, -127.0]]


def test_int8_takes_a_byte_for_each_weight_and_leaves_vectors_at_16_bits() -> None:
    """The size of a bank is estimated from these types."""
    packed = pack(network().state_dict(), Storage.INT8)
    assert packed["0.weight"].dtype == torch.int8
    assert packed["0.weight" + SCALE_SUFFIX].shape == (5,)
    assert packed["0.bias"].dtype == torch.float16
    assert packed["1.running_var"].dtype == torch.float16


@pytest.mark.parametrize("storage", list(Storage))
def test_values_that_are_not_finite_are_refused(storage: Storage) -> None:
    """A diverged network is not published by accident."""
    with pytest.raises(InvalidInputError, match="'w' holds values that are not finite"):
        pack({"w": torch.tensor([[1.0, float("nan")]])}, storage)


@pytest.mark.parametrize("storage", [Storage.FP16, Storage.INT8])
def test_a_value_too_large_for_16_bits_is_refused(storage: Storage) -> None:
    """Rather than stored as infinity."""
    with pytest.raises(InvalidInputError, match="'b' holds 100000, too large for 16 bits"):
        pack({"b": torch.tensor([1e5])}, storage)


def test_missing_or_wrong_scales_are_a_format_error() -> None:
    """Three ways to be incomplete."""
    packed = pack({"w": torch.ones(2, 3)}, Storage.INT8)
    with pytest.raises(BankFormatError, match="its scales are none"):
        unpack({"w": packed["w"]})
    with pytest.raises(BankFormatError, match="2 channels but its scales are \\(3,\\)"):
        unpack({"w": packed["w"], "w:scale": torch.ones(3)})
    with pytest.raises(BankFormatError, match="no tensor that it scales"):
        unpack({"w:scale": torch.ones(3)})
