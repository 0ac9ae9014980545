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
    OWN = "user's own"  # not in the paper's tree


class OutputKind(StrEnum):
    """Kind of a task's prediction."""

    IMAGE = "image"
    DEPTH = "depth"
    INVERSE_DEPTH = "relative inverse depth"  # of third-party models
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
    MAP = "map"  # of a user's own target, like NUMBERS
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
"""Kinds of predictions with a value at every pixel."""


class Loss(StrEnum):
    """The training loss of the original task networks; the names omit the conditional GAN loss."""

    L1 = "L1"
    L2 = "L2"
    CROSS_ENTROPY = "cross-entropy"
    METRIC = "pairwise metric"
    POSE_NORM = "Euclidean norm"
    CYCLE = "pose cycle"
    NONE = "none"


class DecoderForm(StrEnum):
    """Form of the network that decodes representations to the task's output."""

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
        label: name in the paper's figures.
        group: group in the tree of similar tasks.
        aliases: other spellings, normalised (see `taskbank.tasks.registry.normalise`).
        output: kind of a prediction.
        channels: numbers that the network outputs per pixel, or in total for outputs that are not maps.
        unit: unit of a decoded prediction; "1" if it has none.
        value_range: least and greatest decoded value, in `unit`; None without bounds.
        network_range: least and greatest target value that the network learns; None without bounds.
        loss: training loss of the original network.
        decoder: form of the decoder.
        hidden: widths of the hidden layers of the original fully connected heads.
        num_images: images that one prediction takes.
        num_tiles: number of tiles into which an image is cut before it is encoded.
        whitening: for numbers of a user's own target: means and standard deviations, one per channel, with
            which outputs are decoded. None for other tasks, see `taskbank.inference.whitening`.
        source_only: True if the task is not a target of transfers, as its labels are of no interest in
            themselves.

    Examples:
        >>> import taskbank
        >>> task = taskbank.find_task("surface normals")
        >>> task.name, task.channels, task.num_images
        ('normal', 3, 1)
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
        """Number of representations that the decoder takes for one prediction."""
        return self.num_images * self.num_tiles
