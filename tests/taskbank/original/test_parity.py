"""The `resnet50` networks give what the package `visualpriors` gives, from the same weights."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
import torch
from torch import nn

from taskbank.nets.decoders import PixelDecoder
from taskbank.nets.encoder import ResNetEncoder, normalise_representation
from taskbank.nets.heads import FullyConnectedHead
from taskbank.nets.initialise import initialise

theirs: Any = import_module("visualpriors.taskonomy_network")

TOLERANCE = 1e-5


def randomise(network: nn.Module, seed: int) -> None:
    """Random weights of a sane scale, running means and variances included."""
    initialise(network, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    for name, values in network.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            values.copy_(torch.randn(values.shape, generator=generator) * 0.1)
        elif name.endswith("running_var"):
            values.copy_(torch.rand(values.shape, generator=generator) + 0.5)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Float (2, 3, 256, 256) in [-1, 1]."""
    return torch.rand((2, 3, 256, 256), generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def encoder() -> ResNetEncoder:
    """Ours, at full width."""
    ours = ResNetEncoder()
    randomise(ours, 1)
    return ours.eval()


@pytest.fixture(scope="module")
def codes(encoder: ResNetEncoder, images: torch.Tensor) -> torch.Tensor:
    """Our representations of the images."""
    with torch.inference_mode():
        given: torch.Tensor = encoder(images)
    return given


@pytest.mark.parametrize("normalise", [False, True])
def test_representations_are_equal(
    encoder: ResNetEncoder, images: torch.Tensor, codes: torch.Tensor, normalise: bool
) -> None:
    """Both the form that decoders read and the normalised one; weights load with strict=True."""
    reference = theirs.TaskonomyEncoder(normalize_outputs=normalise)
    reference.load_state_dict(encoder.state_dict(), strict=True)
    encoder.load_state_dict(reference.state_dict(), strict=True)
    with torch.inference_mode():
        expected = reference(images)
        ours = normalise_representation(codes) if normalise else codes
    assert ours.shape == (2, 8, 16, 16)
    assert expected.abs().max() > 0.1
    assert (ours - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize(("channels", "bounded"), [(1, True), (3, True), (64, True), (17, False)])
def test_decoded_maps_are_equal(codes: torch.Tensor, channels: int, bounded: bool) -> None:
    """With and without the last tanh."""
    ours = PixelDecoder(channels, bounded=bounded).eval()
    randomise(ours, 2)
    reference = theirs.TaskonomyDecoder(out_channels=channels, apply_tanh=bounded)
    reference.load_state_dict(ours.state_dict(), strict=True)
    with torch.inference_mode():
        expected = reference(codes[:1])
        decoded = ours(codes[:1])
    assert decoded.shape == (1, channels, 256, 256)
    assert expected.std() > 0.01
    assert (decoded - expected).abs().max() < TOLERANCE


def test_class_logits_are_equal(codes: torch.Tensor) -> None:
    """The fully connected decoder of object classes."""
    ours = FullyConnectedHead(2048, (2048,), 1000).eval()
    randomise(ours, 3)
    reference = theirs.TaskonomyDecoder(out_channels=1000, is_decoder_mlp=True)
    reference.load_state_dict(ours.state_dict(), strict=True)
    with torch.inference_mode():
        assert (ours(codes) - reference(codes)).abs().max() < TOLERANCE


@pytest.mark.parametrize("size", [(64, 64), (224, 320), (250, 199)])
def test_other_sizes_give_equal_representations(encoder: ResNetEncoder, size: tuple[int, int]) -> None:
    """Fully convolutional, odd sizes too."""
    image = torch.rand((1, 3, *size), generator=torch.Generator().manual_seed(4)) * 2 - 1
    reference = theirs.TaskonomyEncoder(normalize_outputs=False)
    reference.load_state_dict(encoder.state_dict())
    with torch.inference_mode():
        assert (encoder(image) - reference(image)).abs().max() < TOLERANCE
