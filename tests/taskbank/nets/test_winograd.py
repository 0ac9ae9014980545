from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.inference.device import prepare
from taskbank.nets import winograd
from taskbank.nets.initialise import initialise
from taskbank.nets.pack import can_pack
from taskbank.nets.winograd import WinogradConvolution, use_winograd
from taskbank.options import Precision

pytestmark = pytest.mark.skipif(not can_pack(), reason="this build of torch has no oneDNN")


def _random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def _layer(inputs: int, outputs: int, padding: int | tuple[int, int] = 1, *, bias: bool = True) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=bias)
    initialise(layer, seed=0)
    return layer.eval()


def _exact(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """Float64, by torch's own convolution."""
    bias = None if layer.bias is None else layer.bias.double()
    return functional.conv2d(x.double(), layer.weight.double(), bias, padding=layer.padding)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are evaluated for the first batch, whatever its size."""
    monkeypatch.setattr(winograd, "_BLOCK", 1)
    monkeypatch.setattr(winograd, "_WORTH_IT", 0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("batch", "inputs", "outputs", "size", "padding"),
    [
        (1, 1, 1, (4, 4), 1),
        (2, 5, 3, (8, 12), 1),
        (3, 4, 7, (19, 1), 1),
        (1, 3, 2, (3, 3), 0),
        (2, 8, 8, (6, 7), 2),
        (1, 2, 3, (5, 9), (0, 3)),
        (11, 3, 4, (16, 17), 1),
        (1, 2, 2, (70, 50), 1),
    ],
)
def test_results_are_those_of_the_direct_convolution(
    batch: int, inputs: int, outputs: int, size: tuple[int, int], padding: int | tuple[int, int]
) -> None:
    layer = _layer(inputs, outputs, padding)
    nn.init.normal_(layer.bias, generator=torch.Generator().manual_seed(1))  # type: ignore[arg-type]
    x = _random(batch, inputs, *size)
    with torch.inference_mode():
        tried = WinogradConvolution(layer)
        got = tried(x)
        assert tried.evaluated is not None
        assert torch.allclose(got.double(), _exact(layer, x), atol=1e-5)


@pytest.mark.usefixtures("at_once")
def test_five_digits_are_right_with_many_channels() -> None:
    layer = _layer(512, 32, bias=False)
    x = _random(1, 512, 16, 16)
    with torch.inference_mode():
        exact = _exact(layer, x)
        wrong_by = WinogradConvolution(layer)(x) - exact
    assert wrong_by.square().mean().sqrt() < 5e-6 * exact.std()
    assert wrong_by.abs().max() < 2e-5 * exact.abs().max()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_layout_and_gaps_of_the_input_do_not_matter(layout: torch.memory_format) -> None:
    layer = _layer(4, 4)
    x = _random(2, 4, 9, 9).contiguous(memory_format=layout)[..., :8, 1:]
    with torch.inference_mode():
        got = WinogradConvolution(layer)(x)
        assert torch.allclose(got.double(), _exact(layer, x), atol=1e-5)
    assert got.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("batch", [2, 3, 4])
def test_blocks_are_filled_up(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight, twelve and sixteen tiles in blocks of eight."""
    monkeypatch.setattr(winograd, "_BLOCK", 8)
    monkeypatch.setattr(winograd, "_WORTH_IT", 0)
    layer, x = _layer(3, 5), _random(batch, 3, 8, 7)
    with torch.inference_mode():
        tried = WinogradConvolution(layer)
        assert torch.allclose(tried(x).double(), _exact(layer, x), atol=1e-5)
    assert tried.evaluated is not None


def test_weights_are_evaluated_in_the_third_large_batch_and_never_used_for_small_ones() -> None:
    layer = _layer(2, 2)
    tried = WinogradConvolution(layer)
    large, small = _random(8, 2, 16, 16), _random(7, 2, 16, 16)
    with torch.inference_mode():
        for x, evaluated in (*[(small, False)] * 20, *[(large, False)] * 2, (small, False), (large, True)):
            assert torch.allclose(tried(x).double(), _exact(layer, x), atol=1e-5)
            assert (tried.evaluated is not None) is evaluated
        assert torch.equal(tried(small), tried.direct(small))
        assert not torch.equal(tried(large), tried.direct(large))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(256, 256, 3, stride=2, padding=1),
        nn.Conv2d(256, 256, 3, dilation=2, padding=2),
        nn.Conv2d(256, 256, 3, padding=1, groups=2),
        nn.Conv2d(255, 256, 3, padding=1),
        nn.Conv2d(256, 255, 3, padding=1),
        nn.Conv2d(256, 256, 1),
        nn.Conv2d(256, 256, (3, 5), padding=1),
        nn.Conv2d(256, 256, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(256, 256, 3, padding="same"),
        nn.ConvTranspose2d(256, 256, 3, padding=1),
    ],
    ids=str,
)
def test_other_layers_are_left_alone(layer: nn.Module) -> None:
    network = nn.Sequential(layer)
    use_winograd(network)
    assert network[0] is layer


def test_other_machines_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name, value in (
        (torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT"),
        (winograd, "can_pack", lambda: False),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, value)
            network = nn.Sequential(_layer(256, 256))
            use_winograd(network)
            assert type(network[0]) is nn.Conv2d


def test_prepared_networks_give_what_unprepared_ones_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    network = nn.Sequential(
        _layer(3, 256, bias=False), nn.BatchNorm2d(256), nn.ReLU(), _layer(256, 270, bias=False)
    ).eval()
    fast = prepare(copy.deepcopy(network), torch.device("cpu"), Precision.FP32)
    x = _random(5, 3, 17, 30)  # 200 tiles
    with torch.inference_mode():
        wanted = network(x)
        for _ in range(4):
            assert torch.allclose(fast(x), wanted, atol=1e-5 * float(wanted.abs().max()))
    last = fast.get_submodule("3")
    assert isinstance(last, WinogradConvolution)
    assert last.evaluated is not None
