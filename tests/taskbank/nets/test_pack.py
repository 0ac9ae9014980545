from __future__ import annotations

import copy
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from taskbank.nets import pack
from taskbank.nets.initialise import initialise
from taskbank.nets.pack import PackedConvolution, pack_convolutions


def _network() -> nn.Sequential:
    """A large convolution with everything but groups, a large one with groups, and a small one."""
    network = nn.Sequential(
        nn.Conv2d(64, 256, 3, stride=2, padding=1, dilation=2),
        nn.Conv2d(256, 1024, 3, padding=1, groups=2, bias=False),
        nn.Conv2d(1024, 2, 1),
    )
    initialise(network, seed=0)
    return network.eval()


def _packed(network: nn.Sequential) -> nn.Sequential:
    packed = copy.deepcopy(network)
    pack_convolutions(packed)
    return packed


def test_packed_convolutions_give_the_same_numbers_for_every_shape_in_turn() -> None:
    network = _network()
    packed = _packed(network)
    with torch.inference_mode():
        for batch, size in ((4, 16), (1, 16), (1, 24), (4, 16)):
            x = torch.rand((batch, 64, size, size), generator=torch.Generator().manual_seed(size))
            x = x.contiguous(memory_format=torch.channels_last)
            assert torch.allclose(packed(x), network(x), atol=1e-5)


def test_only_large_convolutions_are_packed() -> None:
    if not pack.can_pack():
        pytest.skip("this build of torch has no oneDNN")
    kinds = [type(layer) for layer in _packed(_network())]
    assert kinds == [PackedConvolution, PackedConvolution, nn.Conv2d]


def test_convolutions_that_reflect_at_borders_stay() -> None:
    network = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1, padding_mode="reflect"))
    assert type(_packed(network)[0]) is nn.Conv2d


def test_without_the_operators_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert all(type(layer) is nn.Conv2d for layer in _packed(_network()))


def test_weights_are_held_once() -> None:
    network = _network()
    layers = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    plain = [weakref.ref(layer.weight) for layer in layers[:2]]
    del layers
    pack_convolutions(network)
    with torch.inference_mode():
        network(torch.zeros(1, 64, 16, 16))
    assert [weight() for weight in plain] == [None, None]


def test_threads_share_packed_convolutions() -> None:
    """Each shows another shape, so weights are packed anew all the time, and threads change often."""
    network, often = _network(), sys.getswitchinterval()
    shapes = [(1, 16), (2, 8)] * 4
    batches = [torch.full((batch, 64, size, size), 0.5) for batch, size in shapes]
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(10):
            packed = _packed(network)
            with ThreadPoolExecutor(2) as pool:
                found = list(pool.map(partial(_without_gradients, packed), batches))
    finally:
        sys.setswitchinterval(often)
    for batch, output in zip(batches, found, strict=True):
        assert torch.allclose(output, _without_gradients(network, batch), atol=1e-5)


def _without_gradients(network: nn.Module, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        output: Tensor = network(batch)
    return output
