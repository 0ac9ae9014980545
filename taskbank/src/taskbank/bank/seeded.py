"""Untrained encoders, rebuilt from their seed, so that no bank has to store them."""

from __future__ import annotations

import torch
from torch import nn

from taskbank.bank.entries import SeededEncoder
from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.nets.architecture import Architecture
from taskbank.nets.build import build_encoder
from taskbank.nets.initialise import UNTRAINED_GAIN, initialise

_TOLERANCE = 1e-6  # of the sum of absolute weights: ten times the rounding error, far below other draws
_LARGEST = 200_000_000  # weights; the original's encoder has 25 million
_DIGITS = 9  # of the sums, so that the order of addition does not matter


def untrained_encoder(architecture: Architecture, seed: int) -> nn.Module:
    """Make the untrained encoder of a seed, on the CPU and in evaluation mode.

    Torch's global generator is not used. Batch norms have means 0 and variances 1, as before training.
    The same seed gives the same bits on one platform; elsewhere the last bits of weights may differ.

    Args:
        architecture: of the encoder.
        seed: of `taskbank.nets.initialise.initialise`.
    """
    with torch.random.fork_rng(devices=[]):  # layers draw initial weights, which are not used
        encoder = build_encoder(architecture)
    initialise(encoder, seed, gain=UNTRAINED_GAIN)
    return encoder.eval()


def describe_untrained(architecture: Architecture, seed: int) -> SeededEncoder:
    """Return the index entry of an untrained encoder, which replaces that of a file."""
    return _description(untrained_encoder(architecture, seed), seed)


def rebuild(entry: SeededEncoder, architecture: Architecture, where: str) -> nn.Module:
    """Rebuild the untrained encoder that an index describes.

    Args:
        entry: seed, and sums of the weights.
        architecture: of the bank.
        where: name or folder of the bank, for messages.

    Raises:
        BankFormatError: this version of torch or taskbank draws other numbers from that seed; the encoder has
            more than 200 million weights.
    """
    try:
        with torch.device("meta"):  # without memory
            numbers = sum(value.numel() for value in build_encoder(architecture).parameters())
    except InvalidInputError as error:
        raise BankFormatError(f"{where}: {error}") from error
    if numbers > _LARGEST:
        raise BankFormatError(
            f"{where}: an encoder of {numbers} weights without a file: {_LARGEST} at most. Get the bank again"
        )
    encoder = untrained_encoder(architecture, entry.seed)
    found = _description(encoder, entry.seed)
    if max(abs(found.total - entry.total), abs(found.size - entry.size)) > _TOLERANCE * found.size:
        raise BankFormatError(
            f"{where}: seed {entry.seed} gives weights with the sum {found.total:.6g}, but the index states "
            f"{entry.total:.6g}: this taskbank or torch {torch.__version__} draws other numbers, or the "
            "index was changed. Use the versions that the bank was made with, or get the bank again"
        )
    return encoder


def _description(encoder: nn.Module, seed: int) -> SeededEncoder:
    """Return the seed and both sums of the weights."""
    weights = torch.cat([value.detach().double().flatten() for value in encoder.parameters()])
    total, size = (float(f"{value.item():.{_DIGITS}g}") for value in (weights.sum(), weights.abs().sum()))
    return SeededEncoder(seed=seed, total=total, size=size)
