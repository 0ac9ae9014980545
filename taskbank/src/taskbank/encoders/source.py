"""A source: any network that turns a batch of pictures into a feature map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import torch
from torch import Tensor, nn

from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError

Colours = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """An encoder with the size and normalisation of its input.

    Attributes:
        name: a task such as `normal`, or `timm:MODEL@LAYER`, followed by `#` and the weights and size if they
            are not the default ones: `timm:test_vit@5#random#224px`.
        network: normalised pictures float (B, 3, size, size) -> features float (B, channels, h, w), without
            class and register tokens.
        size: side in px of the square input.
        patch: side in px of one cell of the feature map in the input, rounded.
        channels: of the feature map.
        mean: of red, green and blue in [0, 1], subtracted from pictures.
        std: standard deviation by which the differences are divided.
        parameters: number of weights that are needed for the features.
        weights: origin of the weights, as text.
        licence: of the weights; empty if their owner states none.
        foreign: whether it is a third-party model, which runs unchanged. Encoders of banks are optimised, see
            `taskbank.inference.device.prepare`.
        opens: name that opens the same third-party network again, see `taskbank.encoders.names.open_encoder`;
            empty for encoders of banks.
        seed: of random weights.
        bank: that holds the encoder; None for third-party models.
        task: canonical name in that bank; empty for third-party models.
    """

    name: str
    network: nn.Module
    size: int
    patch: int
    channels: int
    mean: Colours
    std: Colours
    parameters: int
    weights: str
    licence: str = ""
    foreign: bool = True
    opens: str = ""
    seed: int = 0
    bank: Bank | None = None
    task: str = ""

    def normalised(self, pictures: Tensor) -> Tensor:
        """Normalise pictures float (B, 3, size, size) in [0, 1] for the network."""
        mean, std = (pictures.new_tensor(row).reshape(3, 1, 1) for row in (self.mean, self.std))
        return (pictures - mean) / std

    def encode(self, pictures: Tensor) -> Tensor:
        """Compute features of pictures.

        Args:
            pictures: float (B, 3, size, size), sRGB in [0, 1], on the network's device.

        Returns:
            float (B, channels, h, w).

        Raises:
            InvalidInputError: the pictures have another size.
        """
        if pictures.shape[1:] != (3, self.size, self.size):
            raise InvalidInputError(
                f"{self.name} takes pictures (B, 3, {self.size}, {self.size}), not {tuple(pictures.shape)}"
            )
        with torch.inference_mode():
            features: Tensor = self.network(self.normalised(pictures))
        return features

    def facts(self) -> dict[str, Any]:
        """Return all attributes except the network, JSON-ready."""
        return {
            "name": self.name,
            "size": self.size,
            "patch": self.patch,
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
            "parameters": self.parameters,
            "weights": self.weights,
            "licence": self.licence,
        }


def reopening(called: str, **options: str | None) -> str:
    """Write the name that opens an encoder again, `CALLED?OPTION=VALUE&..`, without options that are None."""
    given = {name: value for name, value in options.items() if value is not None}
    return f"{called}?{urlencode(given, safe='/')}" if given else called


def count_parameters(network: nn.Module) -> int:
    """Count the weights, without running statistics of norms."""
    return sum(value.numel() for value in network.parameters())
