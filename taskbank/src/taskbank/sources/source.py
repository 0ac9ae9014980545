"""A source: any network that turns a batch of pictures into a feature map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from taskbank.errors import InvalidInputError
from taskbank.inference.device import dtype_of, prepare
from taskbank.options import Precision

Colours = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """An encoder with everything that is needed to feed it.

    Attributes:
        name: a task such as `normal`, or `timm:MODEL@LAYER`, and behind `#` the weights and
            size where they are not the usual ones: `timm:test_vit@5#random#224px`.
        network: normalised pictures float (B, 3, size, size) -> features float (B, channels, h, w), without
            class and register tokens.
        size: side in px of the square that it takes.
        patch: px a side that one place of the feature map stands for, to the nearest.
        channels: of the feature map.
        mean: of red, green and blue in [0, 1], taken from pictures before the network sees them.
        std: what they are then divided by.
        parameters: weights that are needed to get the features.
        weights: where the weights are from, in words.
        licence: of the weights, as far as their owner states it.
        foreign: whether it is somebody else's model, which runs as its library made it. Encoders of banks are
            prepared for speed, see `taskbank.inference.device.prepare`.
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

    def placed(self, device: torch.device, precision: Precision = Precision.FP32) -> Source:
        """Return the source on a device; the network of this one must not be used afterwards.

        Raises:
            InvalidInputError: FP16 on a CPU.
        """
        if not self.foreign:
            return replace(self, network=prepare(self.network, device, precision))
        if precision is Precision.FP16 and device.type == "cpu":
            raise InvalidInputError(f"precision {precision} needs a GPU: choose fp32 or bf16 on {device}")
        return replace(self, network=self.network.to(device, dtype_of(precision)))

    def normalised(self, pictures: Tensor) -> Tensor:
        """Bring pictures float (B, 3, size, size) in [0, 1] to what the network was trained on."""
        mean, std = (pictures.new_tensor(row).reshape(3, 1, 1) for row in (self.mean, self.std))
        return (pictures - mean) / std

    def encode(self, pictures: Tensor) -> Tensor:
        """Features of pictures.

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
        """Return all facts but the network, JSON-ready."""
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


def count_parameters(network: nn.Module) -> int:
    """Number of weights, norms' running statistics left out."""
    return sum(value.numel() for value in network.parameters())
