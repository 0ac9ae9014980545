"""The `backbone` encoder: the first levels of any timm model, and a projection to the representation.

A timm model (https://github.com/huggingface/pytorch-image-models) is cut after one of its feature levels, and
a 3 x 3 convolution projects that level to the eight channels that decoders and transfers read. The first
`shared` levels are frozen and the same in all networks of a bank: they are stored once, and run once per
image for all tasks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.errors import InvalidInputError
from taskbank.nets.encoder import CODE_CHANNELS

PX_A_PLACE = 16
"""Pixels of the image, along rows and along columns, per cell of a representation."""

SHARED = "shared."
"""Prefix of the weights of shared levels in the state dict of an encoder."""

LARGEST_TRUNK = 1_200_000_000
"""Most weights of a timm model; few models have more."""

_RESIZABLE = ("timm.models.vision_transformer", "timm.models.eva")
"""Modules of timm whose models take images of any size only with an option of their constructor."""


class BackboneEncoder(nn.Module):
    """Encoder made of the first levels of a timm model: image to representation.

    Attributes:
        shared: the model's own normalisation of its input and the frozen levels. They stay in evaluation mode
            and have no gradients. `detach_shared` removes them.
        own: the other levels up to the one that is read.
        compress: the projection. It ends in a batch norm, so representations are centred; with a ReLU at the
            end, channels died in training.

    Args:
        trunk: the model that `create_trunk` returns, with or without trained weights; it is modified.
        level: index of the feature level that is read, among those that timm lists for the model.
        shared: number of the first levels that are frozen and shared.

    Raises:
        InvalidInputError: the model has no such level, or `shared` is some of the levels of a model that
            cannot be cut between them.
    """

    def __init__(self, trunk: nn.Module, level: int, shared: int) -> None:
        super().__init__()
        info = _info(trunk)
        if not 0 <= level < len(info):
            raise InvalidInputError(f"level {level}: choose 0 to {len(info) - 1}")
        if not 0 <= shared <= level + 1:
            raise InvalidInputError(f"shared {shared}: choose 0 to {level + 1}, the levels that are read")
        first = Preprocess(trunk, info[level]["reduction"])
        levels = cut(trunk)
        if levels is None:
            if 0 < shared <= level:
                raise InvalidInputError(
                    f"shared {shared}: this model cannot be cut between its levels, so share none of them "
                    f"or all {level + 1}"
                )
            levels, shared = [Intermediate(trunk, level)], min(shared, 1)
        self.shared: nn.Module = nn.Sequential(first, *levels[:shared])
        self.own = nn.Sequential(*levels[shared : level + 1])
        self.compress = nn.Sequential(
            nn.Conv2d(info[level]["num_chs"], CODE_CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(CODE_CHANNELS),
        )
        self.shared.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> BackboneEncoder:
        """Set the mode of all levels except the shared ones, which stay in evaluation mode."""
        super().train(mode)
        self.shared.eval()
        return self

    def detach_shared(self) -> nn.Module:
        """Remove and return the shared levels; the encoder's input is then their output instead of images."""
        shared, self.shared = self.shared, nn.Identity()
        return shared

    def features(self, images: Tensor) -> Tensor:
        """Compute the level that is read: float (B, 3, H, W) in [-1, 1] -> (B, channels, H / 16, W / 16)."""
        features: Tensor = self.own(self.shared(images))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Compute representations.

        Args:
            images: float (B, 3, H, W) in [-1, 1]; the output of the shared levels if these are detached.

        Returns:
            float (B, 8, H / 16, W / 16), rounded up.
        """
        codes: Tensor = self.compress(self.features(images))
        return codes


class Classifier(nn.Module):
    """The rest of a classification model, from the level that an encoder reads to its class logits.

    Args:
        trunk: the model; it is modified.
        level: index of the feature level that is read.

    Raises:
        InvalidInputError: the model cannot be cut at that level.
    """

    def __init__(self, trunk: nn.Module, level: int) -> None:
        super().__init__()
        levels = cut(trunk)
        if levels is None:
            raise InvalidInputError("this model cannot be cut between its levels: set classifier to false")
        self.rest = nn.Sequential(*levels[level + 1 :])

    def forward(self, features: Tensor) -> Tensor:
        """Compute logits (B, classes) from `BackboneEncoder.features`, float (B, channels, h, w)."""
        logits: Tensor = self.rest(features)
        return logits


def takes_features(network: nn.Module) -> bool:
    """True if a task network or encoder lacks the shared levels and takes their features as input."""
    encoder = getattr(network, "encoder", network)  # compiled networks forward attribute access
    return isinstance(getattr(encoder, "shared", None), nn.Identity)


class Preprocess(nn.Module):
    """Preprocessing for a timm model: images in [-1, 1] to its own range, at a size with one cell per 16 px.

    Args:
        trunk: the model, whose `pretrained_cfg` states mean and standard deviation of inputs in [0, 1].
        reduction: px of the model's input per cell of the level that is read.
    """

    def __init__(self, trunk: nn.Module, reduction: int) -> None:
        super().__init__()
        config = getattr(trunk, "pretrained_cfg", None) or {}
        half = (0.5, 0.5, 0.5)
        self.mean = tuple(2 * value - 1 for value in config.get("mean", half))
        self.std = tuple(2 * value for value in config.get("std", half))
        self.reduction = reduction

    def forward(self, images: Tensor) -> Tensor:
        """Resize and normalise images: float (B, 3, H, W) in [-1, 1] -> (B, 3, h, w)."""
        if self.reduction != PX_A_PLACE:
            # For patches of 14 px, 256 px become 224, so that cells have the same positions as in other
            # encoders.
            places = (-(-images.shape[-2] // PX_A_PLACE), -(-images.shape[-1] // PX_A_PLACE))
            size = (places[0] * self.reduction, places[1] * self.reduction)
            images = functional.interpolate(
                images, size, mode="bilinear", align_corners=False, antialias=self.reduction < PX_A_PLACE
            )
        if self.mean == (0.0, 0.0, 0.0) and self.std == (1.0, 1.0, 1.0):
            return images
        mean, std = (images.new_tensor(row).reshape(-1, 1, 1) for row in (self.mean, self.std))
        return (images - mean) / std


class Intermediate(nn.Module):
    """One feature level of a model that is not a plain sequence of modules, such as a vision transformer."""

    trunk: Any

    def __init__(self, trunk: Any, level: int) -> None:
        super().__init__()
        trunk.prune_intermediate_layers([level], prune_norm=False, prune_head=True)
        self.level = level
        self.trunk = trunk

    def forward(self, images: Tensor) -> Tensor:
        """Compute features: float (B, 3, h, w) -> (B, channels, rows, columns)."""
        features: Tensor = self.trunk.forward_intermediates(
            images, indices=[self.level], norm=True, output_fmt="NCHW", intermediates_only=True
        )[-1]
        return features


def check_model(model: str) -> None:
    """Check that timm has a model of this name, with or without a tag of weights.

    Raises:
        InvalidInputError: it has none; the message names similar models.
    """
    import timm

    if not timm.is_model(model):
        close = ", ".join(get_close_matches(model.partition(".")[0], timm.list_models(), n=3))
        remedy = f"choose another, such as {close}" if close else "timm.list_models() in Python lists all"
        raise InvalidInputError(f"timm has no model {model!r}: {remedy}")


def create_trunk(model: str, options: Mapping[str, Any]) -> nn.Module:
    """Create a timm model with random weights, or without weights within `torch.device("meta")`.

    Args:
        model: name in timm.
        options: further arguments of `timm.create_model`.

    Raises:
        InvalidInputError: timm has no such model, rejects the options, or lists no feature levels for it.
    """
    import timm

    check_model(model)
    given = dict(options)
    if timm.model_entrypoint(model).__module__ in _RESIZABLE:
        given.setdefault("dynamic_img_size", True)
    # First on the meta device, as options could ask for more memory than the machine has.
    outline = _outline(model, json.dumps(given, sort_keys=True))
    weights = sum(value.numel() for value in outline.parameters())
    if weights > LARGEST_TRUNK:
        raise InvalidInputError(
            f"{model!r} with the options {given} has {weights} weights: {LARGEST_TRUNK} at most"
        )
    if not hasattr(outline, "feature_info") or not hasattr(outline, "forward_intermediates"):
        raise InvalidInputError(f"{model!r} gives no feature levels: choose a model of timm that does")
    if torch.empty(0).device.type == "meta":
        return deepcopy(outline)
    return _made(model, given)


@lru_cache(maxsize=4)
def _outline(model: str, options: str) -> nn.Module:
    """Create a timm model on the meta device, once for all networks of a bank, which takes 0.2 s each.

    Args:
        model: name in timm.
        options: JSON of further arguments.
    """
    with torch.device("meta"):
        return _made(model, json.loads(options))


def _made(model: str, options: Mapping[str, Any]) -> nn.Module:
    """Create a timm model.

    Raises:
        InvalidInputError: timm rejects the options.
    """
    import timm

    try:
        made: nn.Module = timm.create_model(model, pretrained=False, **options)
    except Exception as error:  # options reach any code of timm, whose exceptions are not documented
        raise InvalidInputError(f"timm cannot make {model!r} with the options {options}: {error}") from error
    return made


def cut(trunk: nn.Module) -> list[nn.Module] | None:
    """Cut a model into one module for each of its feature levels, and one for the rest up to its logits.

    timm names the last module of each level. A model is a sequence of its children if it has no weights
    outside of them (position embeddings, class tokens) and keeps channels first throughout.

    Returns:
        the levels and the rest; None if the model is not such a sequence.
    """
    if list(trunk.parameters(recurse=False)) or getattr(trunk, "output_fmt", "NCHW") != "NCHW":
        return None
    ends = [row["module"] for row in _info(trunk)]
    parts: list[list[nn.Module]] = [[]]
    for name, child in trunk.named_children():
        # A level ends with a child of the model, or with a module in a child that is a sequence.
        inside = isinstance(child, nn.Sequential) and name not in ends
        for key, module in child.named_children() if inside else [(name, child)]:
            parts[-1].append(module)
            if len(parts) <= len(ends) and (f"{name}.{key}" if inside else name) == ends[len(parts) - 1]:
                parts.append([])
    if len(parts) != len(ends) + 1:
        return None
    return [nn.Sequential(*part) for part in parts]


def _info(trunk: nn.Module) -> list[dict[str, Any]]:
    """Return timm's table of a model's feature levels."""
    found: Any = trunk.feature_info
    return list(getattr(found, "info", found))
