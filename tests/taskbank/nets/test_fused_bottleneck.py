from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from taskbank.nets import fused_bottleneck
from taskbank.nets.encoder import Bottleneck, ResNetEncoder, ResNetWidths
from taskbank.nets.fold import fold_in_place
from taskbank.nets.fused_bottleneck import FusedBottleneck, fuse_bottlenecks
from taskbank.nets.initialise import initialise
from taskbank.nets.pack import can_pack

pytestmark = pytest.mark.skipif(not can_pack(), reason="this build of torch has no oneDNN")

TOY = ResNetWidths(stem=8, planes=(4, 4, 8, 8), blocks=(2, 1, 2, 1))


def _encoder() -> nn.Module:
    """Small, folded, channels last; shortcuts that project, that stride and that are the input."""
    encoder = ResNetEncoder(TOY).eval()
    initialise(encoder, seed=0)
    fold_in_place(encoder)
    return encoder.to(memory_format=torch.channels_last)


def _fused(encoder: nn.Module) -> nn.Module:
    fused = copy.deepcopy(encoder)
    fuse_bottlenecks(fused)
    return fused


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_fused_encoders_give_the_same_numbers_for_every_shape_in_turn(layout: torch.memory_format) -> None:
    encoder = _encoder()
    fused = _fused(encoder)
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        for shape in ((2, 3, 64, 64), (1, 3, 64, 64), (3, 3, 48, 65), (2, 3, 64, 64)):
            images = torch.rand(shape, generator=generator).contiguous(memory_format=layout)
            kept = images.clone()
            wanted = encoder(images)
            assert wanted.std() > 0
            assert torch.allclose(fused(images), wanted, atol=1e-5 * float(wanted.max()))
            assert torch.equal(images, kept)


def test_every_bottleneck_is_fused() -> None:
    modules = list(_fused(_encoder()).modules())
    assert sum(isinstance(module, FusedBottleneck) for module in modules) == sum(TOY.blocks)
    assert not any(isinstance(module, Bottleneck) for module in modules)


def test_without_the_operators_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_bottleneck, "can_pack", lambda: False)
    assert not any(isinstance(module, FusedBottleneck) for module in _fused(_encoder()).modules())
