"""The `resnet50` encoder: a ResNet-50 that keeps 16 x 16 cells and ends in eight channels.

Zamir et al., CVPR 2018, section 3 and supplementary material; the layout is that of
https://github.com/StanfordVL/taskonomy (`resnet_v1_50_16x16`), the parameter names are those of the
`visualpriors` package, so that its published checkpoints load with `strict=True`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from taskbank.errors import InvalidInputError

CODE_CHANNELS = 8
"""Channels of a representation."""

CODE_SIZE = 16
"""Rows and columns of the representation of a 256 px image."""

_EXPANSION = 4  # output channels of a bottleneck per inner channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNetWidths:
    """The numbers of a `resnet50` encoder; the defaults are the original's.

    Attributes:
        stem: channels of the first convolution.
        planes: inner channels of the bottlenecks, one number per stage.
        blocks: bottlenecks per stage, one number per stage.
        strides: stride of the last bottleneck of each stage.
        code: channels of the representation.
    """

    stem: int = 64
    planes: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    strides: tuple[int, ...] = (2, 2, 1, 1)
    code: int = CODE_CHANNELS

    def __post_init__(self) -> None:
        """Reject inconsistent numbers of the stages."""
        stages = {len(self.planes), len(self.blocks), len(self.strides)}
        if stages != {4} or min(self.stem, self.code, *self.planes, *self.strides, *self.blocks) < 1:
            raise InvalidInputError(
                f"planes {self.planes}, blocks {self.blocks} and strides {self.strides} must be four "
                f"positive numbers each, stem {self.stem} and code {self.code} positive"
            )


class Bottleneck(nn.Module):
    """Three convolutions with a shortcut, version 1: the last ReLU follows the sum."""

    def __init__(self, in_channels: int, planes: int, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * _EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * _EXPANSION)
        self.downsample = self._shortcut(in_channels, planes * _EXPANSION, stride, project)

    @staticmethod
    def _shortcut(in_channels: int, channels: int, stride: int, project: bool) -> nn.Module:
        """Make a shortcut: a projection if channels change, every `stride`-th pixel if only the size does."""
        if project:
            conv = nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(channels))
        return nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 planes, ceil(H / stride), ceil(W / stride)), non-negative."""
        inner = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        inner = functional.relu(self.bn2(self.conv2(inner)), inplace=True)
        inner = self.bn3(self.conv3(inner))
        return functional.relu(inner + self.downsample(x), inplace=True)


class ResNetEncoder(nn.Module):
    """The encoder of the original task networks: image to representation.

    The stride of a stage is in its last bottleneck, and the first pooling rounds up, both as in TensorFlow's
    slim, in which the weights were trained.

    Args:
        widths: the numbers of the network.
        in_channels: 3, or 1 for the original colorization network, whose input is lightness only.
    """

    def __init__(self, widths: ResNetWidths | None = None, in_channels: int = 3) -> None:
        super().__init__()
        widths = widths or ResNetWidths()
        self.conv1 = nn.Conv2d(in_channels, widths.stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(widths.stem)
        self.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels = widths.stem
        for number, (planes, blocks, stride) in enumerate(
            zip(widths.planes, widths.blocks, widths.strides, strict=True), start=1
        ):
            # The first bottleneck projects to the new width, the last one has the stride.
            width = planes * _EXPANSION
            layers = [
                Bottleneck(
                    channels if block == 0 else width,
                    planes,
                    stride=stride if block == blocks - 1 else 1,
                    project=block == 0 and channels != width,
                )
                for block in range(blocks)
            ]
            self.add_module(f"layer{number}", nn.Sequential(*layers))
            channels = width
        self.compress1 = nn.Conv2d(channels, widths.code, 3, padding=1, bias=False)
        self.compress_bn = nn.BatchNorm2d(widths.code)

    def forward(self, images: Tensor) -> Tensor:
        """Compute representations of images.

        Args:
            images: float (B, 3, H, W) in [-1, 1]; weights are trained on 256 x 256.

        Returns:
            float (B, 8, H / 16, W / 16), non-negative: the form that decoders read. If a side is not a
            multiple of 16, the pooling rounds up or down.
        """
        x = functional.relu(self.bn1(self.conv1(images)), inplace=True)
        x = self.maxpool(x)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
        return functional.relu(self.compress_bn(self.compress1(x)), inplace=True)


def normalise_representation(code: Tensor) -> Tensor:
    """Scale every channel of every image to mean 0 and variance 1, for use as features elsewhere.

    This is the representation of `visualpriors` (Sax et al., 2018, arXiv:1812.11971); decoders read the
    unscaled one.

    Args:
        code: float (B, C, h, w).

    Returns:
        float (B, C, h, w).
    """
    return functional.group_norm(code, code.shape[1], eps=1e-5)
