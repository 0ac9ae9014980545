"""The `compact` encoder and pixel decoder: the interface of `resnet50` with under a million parameters.

With the default widths, for surface normals: 610 thousand weights in the encoder, 178 thousand in the
decoder, 318 and 141 million multiplications at 256 px; all 25 networks hold 19.9 million weights. Time with
batch norms folded, channels last, one thread of a shared cloud CPU, torch 2.15, least of eight calls: 12 ms
at 256 px (encoder 7.5), 11 ms per image in batches of eight, 43 ms at 512 px. Four encoders were compared on
the idle machine (256 px, one thread, channels last): inverted residuals with squeeze-and-excitation 8.8 ms
for 846 thousand weights, residual blocks throughout 6.6 ms for 483 thousand, wide blocks throughout 5.9 ms
for 515 thousand, this mixture 7.2 ms. Of the decoders, pixel shuffles took 4.3 ms, bilinear doubling with
full-size convolutions 11.9 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.errors import InvalidInputError
from taskbank.nets.encoder import CODE_CHANNELS

_WIDE_OUTPUT = 4  # maps of more channels are computed at half size, as they would dominate the cost


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactWidths:
    """The numbers of `compact` networks.

    Attributes:
        stem: channels at half the image's size.
        stages: channels at a quarter, an eighth and a sixteenth.
        blocks: blocks at these sizes; kernels have `kernel` cells along a side at a sixteenth, and three
            elsewhere.
        kernel: side of the depthwise kernels, odd.
        expansion: inner channels of a `WideBlock` over its outer ones.
        dense: whether the encoder's blocks at a sixteenth are dense residual ones instead of wide ones.
        code: channels of the representation.
        code_activation: activation after the encoder's last norm: "none", or "relu", as in banks whose index
            does not name it. A ReLU can die if targets give little gradient at first: the norm's bias drifts
            below zero, every representation becomes zero, and no gradient reaches the encoder again.
        decoder: channels of the pixel decoder at a sixteenth, an eighth, a quarter and half of the size.
        decoder_blocks: blocks at a sixteenth, an eighth and a quarter.
        head: channels, then numbers per encoding, then hidden numbers of the heads.
    """

    stem: int = 16
    stages: tuple[int, ...] = (32, 64, 112)
    blocks: tuple[int, ...] = (1, 1, 5)
    kernel: int = 7
    expansion: int = 3
    dense: bool = False
    code: int = CODE_CHANNELS
    code_activation: Literal["none", "relu"] = "none"
    decoder: tuple[int, ...] = (96, 48, 24, 16)
    decoder_blocks: tuple[int, ...] = (3, 1, 1)
    head: tuple[int, ...] = (64, 96, 128)

    def __post_init__(self) -> None:
        """Refuse numbers that do not fit each other."""
        _check_counts(stages=(self.stages, 3), blocks=(self.blocks, 3))
        _check_counts(decoder=(self.decoder, 4), decoder_blocks=(self.decoder_blocks, 3), head=(self.head, 3))
        if self.kernel % 2 == 0 or min(self.stem, self.kernel, self.expansion, self.code) < 1:
            raise InvalidInputError(
                f"kernel {self.kernel} must be odd, stem {self.stem}, expansion {self.expansion} and code "
                f"{self.code} positive"
            )
        if self.code_activation not in {"none", "relu"}:
            raise InvalidInputError(f'code_activation {self.code_activation!r} must be "none" or "relu"')


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadoutWidths:
    """The numbers of decoders and heads of `backbone` networks; see `CompactWidths`.

    Attributes:
        kernel: side of the depthwise kernels, odd.
        decoder: channels of the pixel decoder at a sixteenth, an eighth, a quarter and half of the size.
        decoder_blocks: blocks at a sixteenth, an eighth and a quarter.
        head: channels, then numbers per encoding, then hidden numbers of the heads.
        full_size: channels at full size, before a last convolution that smooths the grid of cells of the half
            size; 0 for maps that are computed from the half size directly.
    """

    kernel: int = 7
    decoder: tuple[int, ...] = (96, 48, 24, 16)
    decoder_blocks: tuple[int, ...] = (3, 1, 1)
    head: tuple[int, ...] = (64, 96, 128)
    full_size: int = 8

    def __post_init__(self) -> None:
        """Refuse numbers that do not fit each other."""
        _check_counts(decoder=(self.decoder, 4), decoder_blocks=(self.decoder_blocks, 3), head=(self.head, 3))
        if self.kernel % 2 == 0 or self.kernel < 1 or self.full_size < 0:
            raise InvalidInputError(
                f"kernel {self.kernel} must be odd and positive, full_size {self.full_size} 0 or more"
            )


Widths: TypeAlias = CompactWidths | ReadoutWidths
"""The numbers of small decoders and heads."""


def _check_counts(**rows: tuple[tuple[int, ...], int]) -> None:
    """Reject rows that do not hold the expected number of positive numbers."""
    for name, (numbers, count) in rows.items():
        if len(numbers) != count or min(numbers) < 1:
            raise InvalidInputError(f"{name} {numbers} must be {count} positive numbers")


def convolved(in_channels: int, channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Make a convolution with batch norm and ReLU; the size is divided by the stride and rounded up."""
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two dense 3 x 3 convolutions with a shortcut: the fastest block for few channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolved(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block: (B, channels, h, w) -> the same shape, non-negative."""
        return functional.relu(x + self.norm(self.second(self.first(x))), inplace=True)


class WideBlock(nn.Module):
    """A wide depthwise kernel, then two dense 1 x 1 layers, with a shortcut.

    The order of layers is that of ConvNeXt (Liu et al., CVPR 2022, arXiv:2201.03545). There is no batch norm
    between the depthwise layer and the next: a bias there would have no gradient, and Adam would amplify
    noise in it.
    """

    def __init__(self, channels: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)
        self.widen = convolved(channels, channels * expansion, 1)
        self.narrow = nn.Conv2d(channels * expansion, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block: (B, channels, h, w) -> the same shape, non-negative."""
        inner = self.norm(self.narrow(self.widen(self.spatial(x))))
        return functional.relu(x + inner, inplace=True)


class GlobalContext(nn.Module):
    """Adds a linear function of the mean over all cells: global information about the scene."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Add the context: (B, channels, h, w) -> the same shape."""
        context: Tensor = self.mix(x.mean((2, 3), keepdim=True))
        return x + context


class CompactEncoder(nn.Module):
    """The `compact` encoder: image to representation."""

    def __init__(self, widths: CompactWidths | None = None) -> None:
        super().__init__()
        widths = widths or CompactWidths()
        quarter, eighth, sixteenth = widths.stages
        blocks = widths.blocks
        self.stem = convolved(3, widths.stem, stride=2)
        self.quarter_size = _residual_stage(widths.stem, quarter, blocks[0])
        self.eighth_size = _residual_stage(quarter, eighth, blocks[1])
        deep = [  # most of the weights
            ResidualBlock(sixteenth)
            if widths.dense
            else WideBlock(sixteenth, widths.kernel, widths.expansion)
            for _ in range(blocks[2])
        ]
        self.sixteenth_size = nn.Sequential(
            convolved(eighth, sixteenth, stride=2),
            *deep,
            GlobalContext(sixteenth),
        )
        self.compress = convolved(sixteenth, widths.code)
        if widths.code_activation == "none":
            del self.compress[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Compute representations of images.

        Args:
            images: float (B, 3, H, W) in [-1, 1]; weights are trained on 256 x 256.

        Returns:
            float (B, 8, H / 16, W / 16), rounded up; non-negative if `code_activation` is "relu".
        """
        x = self.eighth_size(self.quarter_size(self.stem(images)))
        codes: Tensor = self.compress(self.sixteenth_size(x))
        return codes


def _residual_stage(in_channels: int, channels: int, blocks: int) -> nn.Sequential:
    """Make a convolution that halves the size, then residual blocks."""
    return nn.Sequential(
        convolved(in_channels, channels, stride=2), *[ResidualBlock(channels) for _ in range(blocks)]
    )


class Enlarging(nn.Sequential):
    """Doubling of the size: a convolution to four times the channels, then a pixel shuffle."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__(convolution, nn.PixelShuffle(2))

    def start_as_repetition(self) -> None:
        """Give the four pixels of each cell the same weights, to avoid checkerboards in untrained maps."""
        convolution = next(module for module in self.modules() if isinstance(module, nn.Conv2d))
        with torch.no_grad():
            convolution.weight.copy_(convolution.weight[::4].repeat_interleave(4, dim=0))


def doubled(in_channels: int, channels: int) -> Enlarging:
    """Double the size by a pixel shuffle of four times the channels."""
    return Enlarging(convolved(in_channels, 4 * channels, 1))


def interpolated(in_channels: int, channels: int) -> nn.Sequential:
    """Double the size by interpolation, after a convolution at the small size."""
    larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(convolved(in_channels, channels, 1), larger)


class CompactTrunk(nn.Module):
    """Trunk of pixel and colour decoders: representation to features at four times its size.

    `compact` uses pixel shuffles. After other encoders, features are interpolated, so that maps show no grid
    of 16 px. Measured on depth, after 260 steps of 16 at 128 px: loss on held-out rooms 0.0600 with
    interpolation, 0.0627 with pixel shuffles; largest mean step between neighbouring pixels, over positions
    in a cell of the representation, relative to the mean of these steps: 1.2 against 2.0. A 3 x 3 layer
    before the pixel shuffle gave a loss of 0.0616, the sum of both methods 0.0666.
    """

    def __init__(self, in_channels: int, widths: Widths) -> None:
        super().__init__()
        channels, blocks = widths.decoder, widths.decoder_blocks
        enlarge = _enlarging(widths)
        self.sixteenth_size = nn.Sequential(
            convolved(in_channels, channels[0]), *_wide_blocks(channels[0], widths, blocks[0])
        )
        self.eighth_size = nn.Sequential(
            enlarge(channels[0], channels[1]), *_wide_blocks(channels[1], widths, blocks[1])
        )
        self.quarter_size = nn.Sequential(
            enlarge(channels[1], channels[2]), *_wide_blocks(channels[2], widths, blocks[2])
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Enlarge float (B, in_channels, h, w) to (B, channels at a quarter, 4h, 4w)."""
        features: Tensor = self.quarter_size(self.eighth_size(self.sixteenth_size(codes)))
        return features


def _enlarging(widths: Widths) -> Callable[[int, int], nn.Sequential]:
    """Return the layer that doubles the size in decoders of these widths."""
    return doubled if isinstance(widths, CompactWidths) else interpolated


def _wide_blocks(channels: int, widths: Widths, count: int) -> list[nn.Module]:
    """Make wide blocks of the decoder, with an expansion of only two, as maps are large here."""
    return [WideBlock(channels, widths.kernel, 2) for _ in range(count)]


class CompactPixelDecoder(nn.Module):
    """Decoder from a representation to a map of the input's size, 16 times that of the representation.

    Args:
        out_channels: channels of the map. Up to four are computed at full size; more at half size, and
            interpolated.
        in_channels: 8, or 16 after a transfer network.
        widths: the numbers of the network.
    """

    def __init__(
        self, out_channels: int, in_channels: int = CODE_CHANNELS, *, widths: Widths | None = None
    ) -> None:
        super().__init__()
        widths = widths or CompactWidths()
        quarter, half = widths.decoder[2:]
        self.trunk = CompactTrunk(in_channels, widths)
        self.half_size = nn.Sequential(_enlarging(widths)(quarter, half), convolved(half, half))
        full = 0 if isinstance(widths, CompactWidths) else widths.full_size
        self.output: nn.Sequential
        if out_channels > _WIDE_OUTPUT:
            # All channels are computed at half size.
            larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            self.output = nn.Sequential(nn.Conv2d(half, out_channels, 3, padding=1), larger)
        elif full:
            # Pixels from different cells differ, which shows as a grid; this layer smooths it.
            self.half_size.append(Enlarging(convolved(half, 4 * full)))
            self.output = nn.Sequential(nn.Conv2d(full, out_channels, 3, padding=1))
        else:
            # Four pixels are computed from each cell.
            self.output = Enlarging(nn.Conv2d(half, 4 * out_channels, 3, padding=1))

    def forward(self, codes: Tensor) -> Tensor:
        """Decode float (B, in_channels, h, w) to (B, out_channels, 16h, 16w), without bounds."""
        decoded: Tensor = self.output(self.half_size(self.trunk(codes)))
        return decoded


class CompactColourDecoder(nn.Module):
    """Decoder from a representation to logits of colour bins, at four times the size."""

    def __init__(
        self, out_channels: int, in_channels: int = CODE_CHANNELS, *, widths: Widths | None = None
    ) -> None:
        super().__init__()
        widths = widths or CompactWidths()
        self.trunk = CompactTrunk(in_channels, widths)
        self.output = nn.Conv2d(widths.decoder[2], out_channels, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode float (B, in_channels, h, w) to logits (B, out_channels, 4h, 4w)."""
        logits: Tensor = self.output(self.trunk(codes))
        return logits
