"""Types of the task registry: groups, kinds of output, losses, decoders, and the task itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Group of a task in the paper's tree of similar tasks (Zamir et al., CVPR 2018, figure 13)."""

    TWO_D = "2D"
    THREE_D = "3D"
    SEMANTIC = "semantic"
    LOW_DIMENSIONAL = "low-dimensional"
    DENOISING = "denoising"
    OWN = "user's own"  # in no tree


class OutputKind(StrEnum):
    """Kind of a task's prediction."""

    IMAGE = "image"
    DEPTH = "depth"
    INVERSE_DEPTH = "relative inverse depth"  # of models of others
    NORMALS = "normals"
    CURVATURE = "curvature"
    HEAT_MAP = "heat map"
    EMBEDDING = "embedding"
    CLASSES = "classes"
    SEMANTIC_MAP = "semantic map"
    COLOUR_DISTRIBUTION = "colour distribution"
    LAYOUT = "layout"
    VANISHING_POINTS = "vanishing points"
    POSE = "pose"
    PERMUTATION = "permutation"
    MATCH = "match"
    REPRESENTATION = "representation"
    MAP = "map"  # of a user's own target, as are numbers
    NUMBERS = "numbers"


MAPS = frozenset(
    {
        OutputKind.IMAGE,
        OutputKind.COLOUR_DISTRIBUTION,
        OutputKind.DEPTH,
        OutputKind.INVERSE_DEPTH,
        OutputKind.NORMALS,
        OutputKind.CURVATURE,
        OutputKind.HEAT_MAP,
        OutputKind.SEMANTIC_MAP,
        OutputKind.EMBEDDING,
        OutputKind.MAP,
    }
)
"""Kinds of predictions with a value at every place."""


class Loss(StrEnum):
    """The training loss of the original task networks; the conditional GAN part is left out of the names."""

    L1 = "L1"
    L2 = "L2"
    CROSS_ENTROPY = "cross-entropy"
    METRIC = "pairwise metric"
    POSE_NORM = "Euclidean norm"
    CYCLE = "pose cycle"
    NONE = "none"


class DecoderForm(StrEnum):
    """The shape of the network that turns representations into the task's output."""

    PIXEL = "pixel"
    COLORIZATION = "colorization"
    FULLY_CONNECTED = "fully connected"
    SIAMESE = "siamese"
    THREE_IMAGE = "three images"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One vision task.

    Attributes:
        name: canonical name, that of the dataset's folder or of the `visualpriors` package.
        label: how the paper's figures call it.
        group: place in the tree of similar tasks.
        aliases: other spellings, normalised (see `taskbank.tasks.registry.normalise`).
        output: what a prediction is.
        channels: numbers that the network gives per pixel, or in all where the output is no map.
        unit: unit of a decoded prediction; "1" where it has none.
        value_range: least and greatest decoded value, in `unit`; None where there is no bound.
        network_range: least and greatest target value the network learns; None where there is no bound.
        loss: training loss of the original network.
        decoder: form of the decoder.
        hidden: widths of the hidden layers of the original fully connected heads.
        num_images: images that one prediction takes.
        num_tiles: pieces that an image is cut into before it is encoded.
        whitening: of numbers of a user's own target: means and standard deviations, one per channel, that
            they are read with. None elsewhere, see `taskbank.inference.whitening`.
        source_only: True where the task is no target of transfers: it has no labels of interest in itself.
    """

    name: str
    label: str
    group: Group
    aliases: tuple[str, ...]
    output: OutputKind
    channels: int
    unit: str = "1"
    value_range: tuple[float, float] | None = None
    network_range: tuple[float, float] | None = None
    loss: Loss
    decoder: DecoderForm
    hidden: tuple[int, ...] = ()
    num_images: int = 1
    num_tiles: int = 1
    whitening: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    source_only: bool = False

    @property
    def num_encodings(self) -> int:
        """Representations that the decoder takes for one prediction."""
        return self.num_images * self.num_tiles
