"""Convolutional decoders of the original networks: 15 layers to a full-size map, and colour distributions.

https://github.com/StanfordVL/taskonomy (15-layer decoder). The parameter names of `PixelDecoder` are those of
the `visualpriors` package, so that its published checkpoints load with `strict=True`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from taskbank.errors import InvalidInputError
from taskbank.nets.encoder import CODE_CHANNELS

# Name of each layer, and whether it doubles the size. The encoder's last layer counts as the first.
_PIXEL_LAYERS = (
    "conv2", "conv3", "conv4", "conv5", "conv6", "conv7", "deconv8", "conv9", "deconv10", "conv11",
    "deconv12", "conv13", "deconv14",
)  # fmt: skip
_COLOUR_LAYERS = (
    "conv2", "conv3", "conv4", "conv5", "conv6", "conv_extra", "conv7", "conv8", "conv9", "deconv10",
    "conv11", "deconv12",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderWidths:
    """Channels of the decoders' layers; the defaults are the original's.

    Attributes:
        pixel: one number for each of the 13 layers before the output of a `PixelDecoder`.
        colour: one number for each of the 12 layers before the output of a `ColorizationDecoder`.
    """

    pixel: tuple[int, ...] = (1024, 1024, 512, 256, 256, 128, 64, 64, 32, 32, 16, 32, 16)
    colour: tuple[int, ...] = (1024, 1024, 512, 512, 512, 512, 256, 256, 256, 256, 256, 256)

    def __post_init__(self) -> None:
        """Reject widths whose number is not that of the layers."""
        for name, widths, layers in (
            ("pixel", self.pixel, _PIXEL_LAYERS),
            ("colour", self.colour, _COLOUR_LAYERS),
        ):
            if len(widths) != len(layers) or min(widths) < 1:
                raise InvalidInputError(f"{name} {widths} must be {len(layers)} positive numbers")


class Deconvolution(nn.ConvTranspose2d):
    """Transposed 3 x 3 convolution that doubles the size exactly.

    TensorFlow pads such a layer on one side only; removing the last row and column of the full result is
    equivalent.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(in_channels, channels, 3, stride=2, bias=False)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Enlarge (B, in_channels, h, w) to (B, channels, 2h, 2w)."""
        full = super().forward(x, output_size)
        return full[..., : 2 * x.shape[-2], : 2 * x.shape[-1]]


class PixelDecoder(nn.Module):
    """Decoder from a representation to a map of the input's size, 16 times that of the representation.

    Args:
        out_channels: channels of the map.
        in_channels: 8, or 16 after a transfer network.
        bounded: whether a tanh ends the network. The original weights of all pixel tasks were trained with
            it, even for targets that exceed its range (it limits the greatest probability of 17 semantic
            classes to 0.32, and whitened curvature to one standard deviation). `visualpriors` omits it for
            semantic segmentation, which gives the same classes and a wider range of probabilities.
        widths: channels of the layers.
    """

    def __init__(
        self,
        out_channels: int,
        in_channels: int = CODE_CHANNELS,
        *,
        bounded: bool = True,
        widths: DecoderWidths | None = None,
    ) -> None:
        super().__init__()
        channels = (widths or DecoderWidths()).pixel
        self.layers = _PIXEL_LAYERS
        _add_layers(self, self.layers, (in_channels, *channels))
        output = nn.Conv2d(channels[-1], out_channels, 3, padding=1)
        self.decoder_output = nn.Sequential(output, nn.Tanh() if bounded else nn.Identity())

    def forward(self, codes: Tensor) -> Tensor:
        """Decode float (B, in_channels, h, w) to (B, out_channels, 16h, 16w), in [-1, 1] if bounded."""
        for name in self.layers:
            codes = self.get_submodule(name)(codes)
        decoded: Tensor = self.decoder_output(codes)
        return decoded


class ColorizationDecoder(nn.Module):
    """Decoder from a representation to logits of colour bins, at four times the size.

    Args:
        out_channels: colour bins, 313 in the original (Zhang et al., ECCV 2016).
        in_channels: 8, or 16 after a transfer network.
        widths: channels of the layers.
    """

    def __init__(
        self, out_channels: int, in_channels: int = CODE_CHANNELS, *, widths: DecoderWidths | None = None
    ) -> None:
        super().__init__()
        channels = (widths or DecoderWidths()).colour
        self.layers = _COLOUR_LAYERS
        _add_layers(self, self.layers, (in_channels, *channels))
        self.decoder_output = nn.Conv2d(channels[-1], out_channels, 1)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode float (B, in_channels, h, w) to logits (B, out_channels, 4h, 4w)."""
        for name in self.layers:
            codes = self.get_submodule(name)(codes)
        decoded: Tensor = self.decoder_output(codes)
        return decoded


def _add_layers(module: nn.Module, names: Sequence[str], channels: Sequence[int]) -> None:
    """Add one layer per name to `module`, from channels[i] to channels[i + 1]."""
    for name, before, after in zip(names, channels[:-1], channels[1:], strict=True):
        norm, activation = nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)
        if name.startswith("deconv"):
            # Numbered as in the published checkpoints.
            numbered: dict[str, nn.Module] = {"1": Deconvolution(before, after), "3": norm, "4": activation}
            module.add_module(name, nn.Sequential(OrderedDict(numbered)))
        else:
            conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
            module.add_module(name, nn.Sequential(conv, norm, activation))
