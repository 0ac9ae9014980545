"""Control sources, which useful encoders should beat: raw pixels, and an untrained encoder."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from taskbank.bank.seeded import untrained_encoder
from taskbank.encoders.source import Source, count_parameters
from taskbank.nets.architecture import Compact
from taskbank.nets.encoder import CODE_CHANNELS

PIXELS, RANDOM = "pixels", "random"

_HALF = (0.5, 0.5, 0.5)
_PIXELS_SIZE, _BLOCK = 64, 4
_RANDOM_SIZE = 128


def pixels() -> Source:
    """Make the source of raw pixels: the picture at 64 px, each block of 4 x 4 px as 48 channels."""
    return Source(
        name=PIXELS,
        network=nn.PixelUnshuffle(_BLOCK),
        size=_PIXELS_SIZE,
        patch=_BLOCK,
        channels=3 * _BLOCK**2,
        mean=_HALF,
        std=_HALF,
        parameters=0,
        weights="none",
    )


def with_controls(sources: Sequence[Source], seed: int) -> tuple[list[Source], list[Source]]:
    """Split sources into those to compare and the controls, raw pixels first.

    The encoder `random` of a bank is a control too, and replaces the one made from the seed.
    """
    own = [source for source in sources if source.name in {PIXELS, RANDOM}]
    others = [source for source in sources if source not in own]
    return others, [pixels(), *(own or [random_encoder(seed)])]


def random_encoder(seed: int) -> Source:
    """Make the source of an untrained `compact` encoder, with weights from a seed."""
    network = untrained_encoder(Compact(), seed)
    return Source(
        name=RANDOM,
        network=network,
        size=_RANDOM_SIZE,
        patch=16,
        channels=CODE_CHANNELS,
        mean=_HALF,
        std=_HALF,
        parameters=count_parameters(network),
        weights=f"seed {seed}",
        foreign=False,
    )
