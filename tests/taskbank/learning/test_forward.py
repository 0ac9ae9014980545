"""Forward passes in training: the same numbers in any layout, and the precision that is asked for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from taskbank.learning.forward import channels_last, run
from taskbank.options import Precision


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 3, 3, 8, 8)])
def test_layouts_change_no_numbers_and_no_shapes(shape: tuple[int, ...]) -> None:
    inputs = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    assert torch.equal(channels_last(inputs), inputs)
    assert channels_last(inputs).flatten(0, -4).is_contiguous(memory_format=torch.channels_last)


def test_what_is_no_image_has_no_layout() -> None:
    nothing = torch.empty(4, 0)
    assert channels_last(nothing) is nothing


def test_layers_compute_in_bf16_with_weights_in_fp32() -> None:
    layer = nn.Conv2d(3, 4, 3)
    inputs = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    half, full = (run(layer, inputs, precision) for precision in (Precision.BF16, Precision.FP32))
    assert (half.dtype, full.dtype, layer.weight.dtype) == (torch.bfloat16, torch.float32, torch.float32)
    assert torch.allclose(half.float(), full, atol=0.02)
