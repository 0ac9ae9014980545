"""A third-party encoder that reads the squares of a bank's networks."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.bank.entries import PX_A_PLACE, ForeignEntry
from taskbank.encoders.names import open_encoder
from taskbank.encoders.source import Source
from taskbank.errors import BankFormatError


class SquareEncoder(nn.Module):
    """A source in the form of a bank's encoders: squares in [-1, 1] to features on their grid.

    Args:
        source: the encoder; pictures of another size are resized to its own.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.network = source.network

    def forward(self, squares: Tensor) -> Tensor:
        """Encode float (B, 3, S, S) in [-1, 1] as float (B, channels, S / 16, S / 16)."""
        pictures = (squares.float() + 1) / 2
        if pictures.shape[-1] != self.source.size:
            side = (self.source.size, self.source.size)
            pictures = functional.interpolate(pictures, side, mode="bilinear", antialias=True)
        features: Tensor = self.network(self.source.normalised(pictures).to(squares.dtype))
        return at_grid(features, squares.shape[-1] // PX_A_PLACE)


def at_grid(features: Tensor, places: int) -> Tensor:
    """Bring features (B, C, h, w) to a grid: means of a finer map, interpolation of a coarser one."""
    if features.shape[-2:] == (places, places):
        return features
    if min(features.shape[-2:]) >= places:
        return functional.adaptive_avg_pool2d(features, places)
    return functional.interpolate(features, (places, places), mode="bilinear", align_corners=False)


def describe(source: Source) -> ForeignEntry:
    """Describe a third-party encoder for the index of a bank."""
    return ForeignEntry(
        name=source.name,
        opens=source.opens,
        seed=source.seed,
        size=source.size,
        channels=source.channels,
        parameters=source.parameters,
        sha256=fingerprint(source.network),
        weights=source.weights,
        licence=source.licence,
    )


def open_square(entry: ForeignEntry, where: str) -> SquareEncoder:
    """Open the third-party encoder that a bank names, and check that its weights have not changed.

    Args:
        entry: of the bank's index.
        where: name or folder of the bank, for messages.

    Raises:
        BankFormatError: the encoder has other weights or another shape than when the bank was made.
        TaskBankError: the encoder cannot be opened; the message names its file or repository.
    """
    source = open_encoder(entry.opens, seed=entry.seed)
    found = fingerprint(source.network)
    if (found, source.size, source.channels) != (entry.sha256, entry.size, entry.channels):
        raise BankFormatError(
            f"{where} reads {entry.name}, opened as {entry.opens}: its weights have sha256 {found[:12]}, but "
            f"those that the bank was made with have {entry.sha256[:12]}. Get these weights again, or train "
            "the transfers again"
        )
    return SquareEncoder(source)


def fingerprint(network: nn.Module) -> str:
    """Compute the sha256 of a network's weights: names, shapes and bytes."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
