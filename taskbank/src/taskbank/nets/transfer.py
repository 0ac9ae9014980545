"""Transfer networks: from representations of source tasks to the input of a target's decoder.

Zamir et al., CVPR 2018, section 3.2; the layout is `transfer_two_stream_with_bn_ends_l2l0_no_image` of
https://github.com/StanfordVL/taskonomy. The target's decoder after it is trained together with it, from
scratch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from taskbank.errors import InvalidInputError
from taskbank.nets.encoder import CODE_CHANNELS

TRANSFER_CHANNELS = 16
"""Output channels of a transfer network: two streams of eight."""

_MOMENTUM = 0.2  # TensorFlow's decay of 0.8
_CLIP = 5.0  # standard deviations


class Projections(nn.Module):
    """Learned 1 x 1 projections of sources whose representations do not have eight channels.

    With them, every source costs a transfer network the same, and representations of eight channels pass
    unchanged.

    Args:
        channels: of each source's representation.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.layers = nn.ModuleDict(
            {
                str(place): nn.Sequential(
                    nn.BatchNorm2d(count, momentum=_MOMENTUM), nn.Conv2d(count, CODE_CHANNELS, 1)
                )
                for place, count in enumerate(self.channels)
                if count != CODE_CHANNELS
            }
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Project float (B, [P,] sum of channels, h, w) to (B, [P,] 8 * sources, h, w)."""
        flat = codes.reshape(-1, *codes.shape[-3:])
        parts = [
            self.layers[str(place)](part) if str(place) in self.layers else part
            for place, part in enumerate(torch.split(flat, list(self.channels), dim=1))
        ]
        joined = torch.cat(parts, dim=1)
        return joined.reshape(*codes.shape[:-3], *joined.shape[1:])


class TransferNetwork(nn.Module):
    """Two streams of two convolutions over the joined representations of all sources.

    Args:
        num_sources: representations that are joined on the channel axis (the order of the transfer).
        code_channels: channels of one representation.
        stream_channels: channels of each of the two streams.
    """

    def __init__(
        self,
        num_sources: int,
        code_channels: int = CODE_CHANNELS,
        stream_channels: int = TRANSFER_CHANNELS // 2,
    ) -> None:
        super().__init__()
        if num_sources < 1:
            raise InvalidInputError(f"num_sources is {num_sources}: a transfer needs one source at least")
        self.in_channels = num_sources * code_channels
        self.bn_in = nn.BatchNorm2d(self.in_channels, momentum=_MOMENTUM)
        self.stream1 = _stream(self.in_channels, stream_channels)
        self.stream2 = _stream(self.in_channels, stream_channels)
        self.bn_out = nn.BatchNorm2d(2 * stream_channels, momentum=_MOMENTUM)

    def forward(self, codes: Tensor) -> Tensor:
        """Map the sources' representations to one that the target's decoder reads.

        Args:
            codes: float (B, 8 * num_sources, h, w): the sources' representations in the transfer's order;
                (B, P, 8 * num_sources, h, w) for targets that take P images or tiles.

        Returns:
            float (B, 16, h, w), or (B, P, 16, h, w).

        Raises:
            InvalidInputError: the number of channels is not that of the sources.
        """
        if codes.shape[-3] != self.in_channels:
            raise InvalidInputError(
                f"representations of shape {tuple(codes.shape)} have {codes.shape[-3]} channels, "
                f"but this transfer network joins {self.in_channels}"
            )
        x = codes.reshape(-1, *codes.shape[-3:])
        x = self.bn_in(clip_outliers(x) if self.training else x)
        x = self.bn_out(torch.cat([self.stream1(x), self.stream2(x)], dim=1))
        given: Tensor = x.reshape(*codes.shape[:-3], *x.shape[1:])
        return given


def _stream(in_channels: int, channels: int) -> nn.Sequential:
    """Make two 3 x 3 convolutions, each with batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels, momentum=_MOMENTUM),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels, momentum=_MOMENTUM),
        nn.ReLU(inplace=True),
    )


def clip_outliers(x: Tensor) -> Tensor:
    """Clip every channel of a batch to its mean plus and minus five standard deviations.

    Args:
        x: float (B, C, h, w).
    """
    std, mean = torch.std_mean(x, dim=(0, 2, 3), keepdim=True, correction=0)
    return torch.clamp(x, mean - _CLIP * std, mean + _CLIP * std)
