"""A task network with its preprocessing and decoding, as one module from tensors to tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn
from torch.nn import functional

from taskbank.bank.bank import Bank
from taskbank.bank.entries import FileEntry
from taskbank.constants import class_names, colour_bins
from taskbank.images.colour import lab_to_rgb, lightness
from taskbank.images.framing import STEP
from taskbank.inference.decode import NORMAL_AXES
from taskbank.inference.preprocess import InputKind, input_kind
from taskbank.inference.whitening import WHITENING
from taskbank.labels.codes import decode as decode_label
from taskbank.nets.architecture import ResNet50
from taskbank.nets.backbone import Classifier
from taskbank.nets.fold import fold_in_place
from taskbank.options import Axes
from taskbank.tasks.kinds import MAPS, OutputKind, Task

_WHOLE_STEP = 32  # px per cell of a whole classification model's last level
_SMALLEST = 1e-12  # length below which a vector has no direction
_CODES = (0.0, 254.0)  # range of the 8-bit codes of curvature on disk

SPOKEN = {
    OutputKind.IMAGE: "sRGB in [0, 1]",
    OutputKind.COLOUR_DISTRIBUTION: "sRGB in [0, 1]: lightness of the image, expected colours",
    OutputKind.DEPTH: "metres",
    OutputKind.NORMALS: f"unit vectors. {NORMAL_AXES[Axes.OPENCV]}",
    OutputKind.CURVATURE: "the two principal curvatures, 1/m",
    OutputKind.HEAT_MAP: "response, a share of the full scale on disk",
    OutputKind.SEMANTIC_MAP: "labels; label n is class n - 1 of the list, 0 is unknown and never given",
    OutputKind.EMBEDDING: "vectors; pixels of one segment have vectors close to each other",
    OutputKind.CLASSES: "probabilities of classes",
    OutputKind.MATCH: "probability that both images are fixed on one point",
    OutputKind.PERMUTATION: "probabilities of the orders of tiles in jigsaw_permutations.csv",
    OutputKind.LAYOUT: "room's centre (m), Euler angles (rad), edges (m)",
    OutputKind.VANISHING_POINTS: "unit vectors along the room's x, y and z, one per row",
    OutputKind.POSE: "static-axes Euler angles x, y, z (rad) and translation (m), one row per pair of images",
}
"""The meaning of the numbers of each kind of output, for the file's metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputShape:
    """Shape of a graph's input.

    Attributes:
        images: images that one prediction takes, 1 to 3, or 9 tiles.
        size: side in px that the network was trained on.
        any_size: whether other sides are possible.
        step: sides, in px, are multiples of this.
    """

    images: int
    size: int
    any_size: bool = True
    step: int = STEP

    def example(self, batch: int, size: tuple[int, int] | None = None) -> Tensor:
        """Make noise as an example input: float32 (batch, [images,] 3, rows, columns) in [0, 1]."""
        rows, columns = size or (self.size, self.size)
        several = () if self.images == 1 else (self.images,)
        return torch.rand(batch, *several, 3, rows, columns)


class ExportedTask(nn.Module):
    """A module that maps images to predictions with units.

    Args:
        bank: that holds the network.
        task: which one.

    Raises:
        MissingTaskError: the bank does not hold the task, or no decoder for it.
        BankFormatError: a file is missing or damaged.
    """

    bins: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, bank: Bank, task: Task) -> None:
        super().__init__()
        self.network = bank.load(task.name)
        fold_in_place(self.network)
        _pad_constantly(self.network)
        self.requires_grad_(False)
        self.eval()
        self.task = task.name
        self.kind = task.output
        self.shown = input_kind(task)
        self.highest = float((task.value_range or (0, 1))[1])
        fixed = isinstance(bank.architecture, ResNet50) and task.output not in MAPS
        whole = isinstance(getattr(self.network, "decoder", None), Classifier)
        self.form = InputShape(
            images=task.num_encodings,
            size=bank.index.size_of([task.name]),
            any_size=not fixed,
            step=_WHOLE_STEP if whole else STEP,
        )
        first = next(layer for layer in self.network.modules() if isinstance(layer, nn.Conv2d))
        self.channels = first.in_channels
        mean, std = WHITENING.get(task.name, ((0.0,), (1.0,)))
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("std", torch.tensor(std), persistent=False)
        bins = colour_bins() if task.output is OutputKind.COLOUR_DISTRIBUTION else np.zeros((1, 2))
        self.register_buffer("bins", torch.from_numpy(np.array(bins, dtype=np.float32)), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Predict.

        Args:
            images: float (B, 3, H, W), sRGB in [0, 1], or (B, N, 3, H, W) for tasks of several images or
                tiles; H and W are multiples of the input shape's step.

        Returns:
            maps (B, C, H, W), see `SPOKEN`, labels uint8 (B, H, W); numbers (B, C), poses (B, pairs, 6).
        """
        signed = images * 2 - 1
        if self.shown is InputKind.LIGHTNESS:
            signed = (lightness(images) / 50 - 1).expand(-1, self.channels, -1, -1)
        if self.shown is InputKind.HOLE:
            # Times 0 in the square that inpainting hides, see `preprocess.hole`, and 1 outside.
            rows, columns = images.shape[-2:]
            low, high = torch.arange(rows, device=images.device), torch.arange(columns, device=images.device)
            side = rows if rows <= columns else columns
            width = side - 2 * (side // 4)
            top, left = (rows - width) // 2, (columns - width) // 2
            down = (low >= top) & (low < top + width)
            across = (high >= left) & (high < left + width)
            signed = signed * (1 - (down[:, None] & across[None]).to(images.dtype))
        return self._valued(self.network(signed), images)

    def _valued(self, raw: Tensor, images: Tensor) -> Tensor:
        """Decode the network's raw output, as `taskbank.inference.decode` does."""
        values = raw
        match self.kind:
            case OutputKind.DEPTH:
                values = (torch.exp2(16 * raw.clamp(0, 1)) - 1) / 512
            case OutputKind.NORMALS:
                length = torch.sqrt((raw * raw).sum(1, keepdim=True))
                values = raw / torch.where(length < _SMALLEST, torch.nan, length)
            case OutputKind.CURVATURE:
                codes = raw * self.std[:, None, None] + self.mean[:, None, None]
                values = decode_label("principal_curvature", codes.clamp(*_CODES))
            case OutputKind.SEMANTIC_MAP:
                values = (raw.argmax(1) + 1).to(torch.uint8)
            case OutputKind.COLOUR_DISTRIBUTION:
                ab = torch.einsum("bchw,ck->bkhw", raw.softmax(1), self.bins)
                ab = functional.interpolate(ab, images.shape[-2:], mode="bilinear", align_corners=False)
                values = lab_to_rgb(torch.cat([lightness(images), ab], dim=1))
            case OutputKind.CLASSES | OutputKind.PERMUTATION:
                values = raw.softmax(1)
            case OutputKind.MATCH:
                values = raw.softmax(1)[:, 1]
            case OutputKind.LAYOUT:
                values = raw * self.std + self.mean
            case OutputKind.VANISHING_POINTS:
                values = functional.normalize(raw.reshape(-1, 3, 3), dim=2)
            case OutputKind.POSE:
                values = (raw * self.std + self.mean).reshape(-1, self.std.shape[0] // 6, 6)
            case OutputKind.IMAGE | OutputKind.HEAT_MAP:
                values = ((raw + 1) / 2).clamp(0, 1) * self.highest
        return values

    def facts(self, bank: Bank, task: Task, *, dynamic: bool) -> dict[str, Any]:
        """Return the metadata that a user of the file needs, JSON-ready."""
        entry = bank.entry(task.name)
        files = [file for file in (entry.encoder, entry.decoder) if isinstance(file, FileEntry)]
        side = str(self.form.size)
        rows, columns = ("height", "width") if dynamic and self.form.any_size else (side, side)
        shape = ["batch" if dynamic else "1", *([str(self.form.images)] if self.form.images > 1 else [])]
        shape += ["3", rows, columns]
        what = "tiles" if task.num_tiles > 1 else "images"
        multiples = f", sides multiples of {self.form.step}" if rows == "height" else ""
        facts: dict[str, Any] = {
            "task": task.name,
            "kind": self.kind.value,
            "unit": task.unit,
            "convention": SPOKEN[self.kind],
            "input": f"{what}: float32 ({', '.join(shape)}), sRGB in [0, 1]{multiples}",
            "trained_size": self.form.size,
            "licence": entry.licence or bank.index.licence,
            "bank": bank.name,
            "bank_sha256": bank.digest,
            "weights_sha256": [file.sha256 for file in files],
            "made_by": "taskbank export",
        }
        if task.num_images == 3:
            facts["convention"] += "; 1-2 and 2-3: 1-3 is composed of these, see taskbank.geometry.compose"
        classes = entry.classes or class_names(task.name)
        return facts | ({"classes": list(classes)} if classes else {})


def _pad_constantly(network: nn.Module) -> None:
    """Replace convolutions whose padding depends on the size of their input, as TensorFlow's models have.

    Sides are multiples of the step, so every such convolution gets sides that its stride divides, and pads
    all of them alike. The exporter nests one expression of free sides per layer otherwise, and takes hours.
    """
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if not isinstance(layer, Conv2dSame):
                continue
            down, across = (
                max(dilation * (kernel - 1) + 1 - stride, 0)
                for kernel, stride, dilation in zip(
                    layer.kernel_size, layer.stride, layer.dilation, strict=True
                )
            )
            edges = (across // 2, across - across // 2, down // 2, down - down // 2)
            plain = nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel_size,  # type: ignore[arg-type] # a pair, which the stubs call a tuple
                layer.stride,  # type: ignore[arg-type]
                dilation=layer.dilation,  # type: ignore[arg-type]
                groups=layer.groups,
                bias=layer.bias is not None,
            )
            plain.weight, plain.bias = layer.weight, layer.bias
            setattr(parent, name, nn.Sequential(nn.ZeroPad2d(edges), plain))
