"""Fully connected heads of the original networks: classes, layouts, poses, matches and permutations.

https://github.com/StanfordVL/taskonomy (`encoder_multilayers_fc_bn`, `encoder_multilayers_fc`). Parameter
names are those of the class decoders of the `visualpriors` package: `fc0`, `bn0` and so on, `fc2` for the
last layer, also of a head with one hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.errors import InvalidInputError

_LAST = 2  # number in the name of the last layer; hidden layers are 0 and 1


class FullyConnectedHead(nn.Module):
    """Hidden layers with ReLU and dropout, then a linear layer, on one or several joined representations.

    Args:
        in_features: numbers of all representations of one prediction, 2048 for each in the original.
        hidden: widths of the hidden layers, two at most.
        outputs: number of outputs.
        batch_norm: whether hidden layers are batch-normalised (then they have no bias).
        dropout: share of hidden units dropped in training.
    """

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        outputs: int,
        *,
        batch_norm: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if len(hidden) > _LAST:
            raise InvalidInputError(f"hidden {tuple(hidden)} has more than {_LAST} layers")
        self.in_features = in_features
        self.hidden = tuple(hidden)
        self.dropout = dropout
        width = in_features
        for number, size in enumerate(hidden):
            self.add_module(f"fc{number}", nn.Linear(width, size, bias=not batch_norm))
            if batch_norm:
                self.add_module(f"bn{number}", nn.BatchNorm1d(size))
            width = size
        self.fc2 = nn.Linear(width, outputs)

    def forward(self, codes: Tensor) -> Tensor:
        """Compute numbers from representations.

        Args:
            codes: float (B, C, h, w), or (B, P, C, h, w) if P representations are joined.

        Returns:
            float (B, outputs): logits, or whitened numbers.

        Raises:
            InvalidInputError: C * h * w * P is not `in_features`; heads work at one image size only.
        """
        x = flatten_codes(codes)
        if x.shape[1] != self.in_features:
            raise InvalidInputError(
                f"representations of shape {tuple(codes.shape)} hold {x.shape[1]} numbers each, but this "
                f"head reads {self.in_features}: fully connected heads work at the size they were made for, "
                "256 px images in the original networks"
            )
        for number in range(len(self.hidden)):
            x = self.get_submodule(f"fc{number}")(x)
            if hasattr(self, f"bn{number}"):
                x = self.get_submodule(f"bn{number}")(x)
            x = functional.dropout(functional.relu(x), self.dropout, self.training)
        numbers: Tensor = self.fc2(x)
        return numbers


class ThreeImageHead(nn.Module):
    """Two heads on three joined representations: for the poses between images 1 and 2, and 2 and 3.

    The pose between 1 and 3 is not learned but composed of the two (the cycle loss of the original).

    Args:
        in_features: numbers of the three representations together, 6144 in the original.
        hidden: widths of the hidden layers of each head.
        outputs: numbers of both poses together.
    """

    def __init__(self, in_features: int, hidden: Sequence[int], outputs: int) -> None:
        super().__init__()
        # Without batch norm, as in the original.
        self.pose12 = FullyConnectedHead(in_features, hidden, outputs // 2, batch_norm=False)
        self.pose23 = FullyConnectedHead(in_features, hidden, outputs // 2, batch_norm=False)

    def forward(self, codes: Tensor) -> Tensor:
        """Compute whitened poses 1-2 and 2-3, six numbers each: float (B, 3, C, h, w) -> (B, 12)."""
        return torch.cat([self.pose12(codes), self.pose23(codes)], dim=1)


def flatten_codes(codes: Tensor) -> Tensor:
    """Flatten representations to one row per prediction, images one after another.

    The order within an image is row, column, channel: weights that were trained in TensorFlow need it.

    Args:
        codes: float (B, C, h, w) or (B, P, C, h, w).

    Returns:
        float (B, P * h * w * C).
    """
    return codes.movedim(-3, -1).flatten(1)
