"""Small networks with seeded weights, so that tests of banks take milliseconds."""

from __future__ import annotations

import torch
from torch import nn

from taskbank.nets.architecture import Architecture, Compact, ResNet50
from taskbank.nets.build import (
    ScratchNetwork,
    TaskNetwork,
    TransferReadout,
    build_decoder,
    build_encoder,
    build_readout,
    build_scratch,
)
from taskbank.nets.compact import CompactWidths
from taskbank.nets.decoders import DecoderWidths
from taskbank.nets.encoder import ResNetWidths
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise
from taskbank.tasks.registry import TASKS

TOY_RESNET = ResNet50(
    encoder=ResNetWidths(stem=4, planes=(2, 2, 4, 4), blocks=(2, 2, 2, 2)),
    decoder=DecoderWidths(pixel=(8,) * 13, colour=(8,) * 12),
    max_hidden=8,
)
TOY_COMPACT = Compact(
    widths=CompactWidths(
        stem=4,
        stages=(4, 6, 8),
        blocks=(1, 1, 1),
        kernel=3,
        expansion=2,
        decoder=(8, 4, 4, 4),
        decoder_blocks=(1, 1, 1),
        head=(8, 8, 8),
    )
)
TOYS: tuple[Architecture, ...] = (TOY_RESNET, TOY_COMPACT)


def _fill(network: nn.Module, seed: int) -> None:
    """Seeded weights; with biases, as few channels without would be zero at many places."""
    initialise(network, seed, gain=UNTRAINED_GAIN)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.2, generator=generator)


def toy_encoder(architecture: Architecture = TOY_COMPACT, seed: int = 0) -> nn.Module:
    """An encoder with seeded weights."""
    encoder = build_encoder(architecture)
    _fill(encoder, seed)
    return encoder.eval()


def toy_network(task: str, architecture: Architecture = TOY_COMPACT, seed: int = 0) -> TaskNetwork:
    """A task network with seeded weights."""
    network = TaskNetwork(build_encoder(architecture), build_decoder(TASKS[task], architecture))
    _fill(network, seed)
    network.eval()
    return network


def toy_readout(
    sources: tuple[str, ...], target: str, architecture: Architecture = TOY_COMPACT, seed: int = 0
) -> TransferReadout:
    """A transfer network and its decoder with seeded weights."""
    readout = build_readout(TASKS[target], architecture, sources)
    _fill(readout, seed)
    readout.eval()
    return readout


def toy_scratch(target: str, architecture: Architecture = TOY_COMPACT, seed: int = 0) -> ScratchNetwork:
    """A target's network from scratch with seeded weights."""
    network = build_scratch(TASKS[target], architecture)
    _fill(network, seed)
    network.eval()
    return network
