"""Construction of networks by task and architecture, including the choice of the decoder's form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from taskbank.errors import InvalidInputError
from taskbank.nets.architecture import Architecture, Backbone, ResNet50
from taskbank.nets.backbone import BackboneEncoder, Classifier, create_trunk
from taskbank.nets.compact import CompactColourDecoder, CompactEncoder, CompactPixelDecoder
from taskbank.nets.compact_head import CompactHead
from taskbank.nets.decoders import ColorizationDecoder, PixelDecoder
from taskbank.nets.encoder import CODE_CHANNELS, CODE_SIZE, ResNetEncoder
from taskbank.nets.heads import FullyConnectedHead, ThreeImageHead
from taskbank.nets.transfer import TRANSFER_CHANNELS, Projections, TransferNetwork
from taskbank.tasks.registry import SCRATCH, DecoderForm, Task

_CLASSIFIED = "class_object"
"""The task whose decoder may be a backbone's own classifier."""


class TaskNetwork(nn.Module):
    """Encoder and decoder of one task."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, images: Tensor) -> Tensor:
        """Encode float (B, 3, H, W), or (B, P, 3, H, W), in [-1, 1] as (B, 8, h, w), or (B, P, 8, h, w)."""
        codes: Tensor = self.encoder(images.reshape(-1, *images.shape[-3:]))
        return codes.reshape(*images.shape[:-3], *codes.shape[1:])

    def forward(self, images: Tensor) -> Tensor:
        """Predict the task's output for images, or for tuples of P images or tiles; see the decoder."""
        decoded: Tensor
        if isinstance(self.decoder, Classifier) and isinstance(self.encoder, BackboneEncoder):
            # The model's own classifier reads its features, not the representation.
            decoded = self.decoder(self.encoder.features(images))
        else:
            decoded = self.decoder(self.encode(images))
        return decoded


class TransferReadout(nn.Module):
    """Transfer network and decoder, which read a target out from the representations of its sources.

    Attributes:
        sources: canonical names in the order of their channels.
        target: canonical name.
    """

    def __init__(
        self,
        sources: tuple[str, ...],
        target: str,
        transfer: TransferNetwork,
        decoder: nn.Module,
        projections: Projections | None = None,
    ) -> None:
        super().__init__()
        self.sources = sources
        self.target = target
        self.projections = projections
        self.transfer = transfer
        self.decoder = decoder

    def forward(self, codes: Tensor) -> Tensor:
        """Predict the target's output from representations, joined in the order of the sources.

        Args:
            codes: float (B, 8 * sources, h, w), or (B, P, 8 * sources, h, w); representations of third-party
                encoders have more channels.
        """
        codes = codes if self.projections is None else self.projections(codes)
        decoded: Tensor = self.decoder(self.transfer(codes))
        return decoded


class ScratchNetwork(TaskNetwork):
    """A target's whole network, trained on no more images than its transfers: their baseline.

    Attributes:
        sources: `scratch`, as it reads no other task's representation.
        target: canonical name.
    """

    def __init__(self, target: str, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__(encoder, decoder)
        self.sources = (SCRATCH,)
        self.target = target


Readout = TransferReadout | ScratchNetwork
"""Networks that a bank holds for a target in addition to the target's own network."""


def build_network(task: Task, architecture: Architecture) -> TaskNetwork:
    """Build the encoder and the decoder of a task.

    Raises:
        InvalidInputError: the task has no decoder (`random`).
    """
    return TaskNetwork(build_encoder(architecture), build_decoder(task, architecture))


def build_encoder(architecture: Architecture) -> nn.Module:
    """Build an encoder: float (B, 3, H, W) in [-1, 1] -> (B, 8, H / 16, W / 16)."""
    if isinstance(architecture, ResNet50):
        return ResNetEncoder(architecture.encoder)
    if isinstance(architecture, Backbone):
        trunk = create_trunk(architecture.model, architecture.options)
        return BackboneEncoder(trunk, architecture.level, architecture.shared)
    return CompactEncoder(architecture.widths)


def build_decoder(task: Task, architecture: Architecture, in_channels: int = CODE_CHANNELS) -> nn.Module:
    """Build the decoder of a task: representations to the task's output.

    Args:
        task: its form, channels, hidden layers and number of encodings are used.
        architecture: of the encoder whose representations are read.
        in_channels: 8, or 16 after a transfer network.

    Raises:
        InvalidInputError: the task has no decoder (`random`).
    """
    if task.decoder is DecoderForm.NONE:
        raise InvalidInputError(
            f"{task.name!r} has no decoder: it gives representations only, use its encoder"
        )
    if isinstance(architecture, ResNet50):
        return _resnet50_decoder(task, architecture, in_channels)
    widths = architecture.widths
    classified = task.name == _CLASSIFIED and in_channels == CODE_CHANNELS  # transfers output no features
    if classified and isinstance(architecture, Backbone) and architecture.classifier:
        return Classifier(create_trunk(architecture.model, architecture.options), architecture.level)
    if task.decoder is DecoderForm.PIXEL:
        return CompactPixelDecoder(task.channels, in_channels, widths=widths)
    if task.decoder is DecoderForm.COLORIZATION:
        return CompactColourDecoder(task.channels, in_channels, widths=widths)
    return CompactHead(task.channels, task.num_encodings, in_channels, widths=widths)


def _resnet50_decoder(task: Task, architecture: ResNet50, in_channels: int) -> nn.Module:
    """Build the decoder that a task has in the original."""
    if task.decoder is DecoderForm.PIXEL:
        bounded = task.name not in architecture.unbounded
        return PixelDecoder(task.channels, in_channels, bounded=bounded, widths=architecture.decoder)
    if task.decoder is DecoderForm.COLORIZATION:
        return ColorizationDecoder(task.channels, in_channels, widths=architecture.decoder)
    numbers = in_channels * CODE_SIZE * CODE_SIZE * task.num_encodings
    hidden = [min(width, architecture.max_hidden) for width in task.hidden]
    if task.decoder is DecoderForm.THREE_IMAGE:
        return ThreeImageHead(numbers, hidden, task.channels)
    return FullyConnectedHead(numbers, hidden, task.channels)


def build_readout(
    task: Task, architecture: Architecture, sources: Sequence[str], channels: Sequence[int] | None = None
) -> TransferReadout:
    """Build a transfer network, the same in all architectures, and the target's decoder after it.

    Args:
        task: the target.
        architecture: of the decoder.
        sources: names in the order of their channels.
        channels: of each source's representation; None for eight each. Others are projected to eight.

    Raises:
        InvalidInputError: the target has no decoder, or there is no source.
    """
    transfer = TransferNetwork(len(sources))
    decoder = build_decoder(task, architecture, in_channels=TRANSFER_CHANNELS)
    foreign = channels is not None and any(count != CODE_CHANNELS for count in channels)
    projections = Projections(channels) if channels is not None and foreign else None
    return TransferReadout(tuple(sources), task.name, transfer, decoder, projections)


def build_scratch(task: Task, architecture: Architecture) -> ScratchNetwork:
    """Build a whole network of a target, to be trained on the same samples as its transfers.

    Raises:
        InvalidInputError: the target has no decoder.
    """
    if isinstance(architecture, Backbone):
        architecture = replace(architecture, shared=0, classifier=False)  # all of its levels are trained
    return ScratchNetwork(task.name, build_encoder(architecture), build_decoder(task, architecture))
