"""The `backbone` encoder: the first levels of any timm model, and a projection to the representation.

A timm model (https://github.com/huggingface/pytorch-image-models) is cut behind one of its feature levels,
and a 3 x 3 convolution takes that level to the eight channels that decoders and transfers read. The first
`shared` levels are frozen and the same in all networks of a bank: they are stored once, and run once for each
image, however many tasks look at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from taskbank.errors import InvalidInputError
from taskbank.nets.encoder import CODE_CHANNELS

PX_A_PLACE = 16
"""Rows and columns of an image that one place of a representation stands for."""

SHARED = "shared."
"""Begins the names of the weights of shared levels in the state of an encoder."""

LARGEST_TRUNK = 1_200_000_000
"""Weights that a timm model may have; few of its models have more."""

_RESIZABLE = ("timm.models.vision_transformer", "timm.models.eva")
"""Modules of timm whose models take images of any size only if they are told to when they are made."""


class BackboneEncoder(nn.Module):
    """Image to representation, by the first levels of a timm model.

    Attributes:
        shared: the frozen levels behind the model's own normalisation of its input. They stay in evaluation
            mode and have no gradients. `detach_shared` takes them out.
        own: the other levels up to the one that is read.
        compress: the projection. It ends in a batch norm, so representations are centred: a ReLU there can
            die, and did.

    Args:
        trunk: the model, as `create_trunk` gives it, with or without trained weights; it is used up.
        level: index of the feature level that is read, among those that timm lists for the model.
        shared: number of the first levels that are frozen and shared.

    Raises:
        InvalidInputError: the model has no such level, or `shared` asks for some of the levels of a model
            that cannot be cut between them.
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
        """Set the mode of all but the shared levels, whose norms never change."""
        super().train(mode)
        self.shared.eval()
        return self

    def detach_shared(self) -> nn.Module:
        """Take the shared levels out: from now on the encoder takes what they give instead of images."""
        shared, self.shared = self.shared, nn.Identity()
        return shared

    def features(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [-1, 1] -> the level that is read, (B, channels, H / 16, W / 16)."""
        features: Tensor = self.own(self.shared(images))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Compute representations.

        Args:
            images: float (B, 3, H, W) in [-1, 1]; what the shared levels give, where these are detached.

        Returns:
            float (B, 8, H / 16, W / 16), rounded up.
        """
        codes: Tensor = self.compress(self.features(images))
        return codes


class Classifier(nn.Module):
    """The rest of a classification model, from the level that an encoder reads to its class logits.

    Args:
        trunk: the model; it is used up.
        level: index of the feature level that is read.

    Raises:
        InvalidInputError: the model cannot be cut there.
    """

    def __init__(self, trunk: nn.Module, level: int) -> None:
        super().__init__()
        levels = cut(trunk)
        if levels is None:
            raise InvalidInputError("this model cannot be cut between its levels: set classifier to false")
        self.rest = nn.Sequential(*levels[level + 1 :])

    def forward(self, features: Tensor) -> Tensor:
        """Float (B, channels, h, w), `BackboneEncoder.features` -> logits (B, classes)."""
        logits: Tensor = self.rest(features)
        return logits


def takes_features(network: nn.Module) -> bool:
    """True if a task network or encoder lacks the shared levels and takes their features as input."""
    encoder = getattr(network, "encoder", network)  # compiled networks hand on what they are asked for
    return isinstance(getattr(encoder, "shared", None), nn.Identity)


class Preprocess(nn.Module):
    """Preprocessing for a timm model: images in [-1, 1] to its own range, at a size with one place per 16 px.

    Args:
        trunk: the model, whose `pretrained_cfg` states mean and standard deviation of inputs in [0, 1].
        reduction: px of the model's input for one place of the level that is read.
    """

    def __init__(self, trunk: nn.Module, reduction: int) -> None:
        super().__init__()
        config = getattr(trunk, "pretrained_cfg", None) or {}
        half = (0.5, 0.5, 0.5)
        self.mean = tuple(2 * value - 1 for value in config.get("mean", half))
        self.std = tuple(2 * value for value in config.get("std", half))
        self.reduction = reduction

    def forward(self, images: Tensor) -> Tensor:
        """Float (B, 3, H, W) in [-1, 1] -> (B, 3, h, w), normalised."""
        if self.reduction != PX_A_PLACE:
            # 14 px patches see 256 px as 224, so that places lie where those of other encoders do.
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
        """Float (B, 3, h, w) -> features (B, channels, rows, columns)."""
        features: Tensor = self.trunk.forward_intermediates(
            images, indices=[self.level], norm=True, output_fmt="NCHW", intermediates_only=True
        )[-1]
        return features


def create_trunk(model: str, options: Mapping[str, Any]) -> nn.Module:
    """Create a timm model with random weights.

    Args:
        model: name in timm.
        options: further arguments of `timm.create_model`.

    Raises:
        InvalidInputError: timm has no such model, refuses the options, or lists no feature levels for it.
    """
    import timm

    if not timm.is_model(model):
        close = ", ".join(get_close_matches(model, timm.list_models(), n=3)) or "see timm.list_models()"
        raise InvalidInputError(f"timm has no model {model!r}: choose another, such as {close}")
    given = dict(options)
    if timm.model_entrypoint(model).__module__ in _RESIZABLE:
        given.setdefault("dynamic_img_size", True)
    try:
        # Without memory first, where options could ask for more than any machine has.
        with torch.device("meta"):
            weights = sum(value.numel() for value in timm.create_model(model, **given).parameters())
        made = timm.create_model(model, pretrained=False, **given) if weights <= LARGEST_TRUNK else None
    except Exception as error:  # options lead anywhere into timm, which does not say what it raises
        raise InvalidInputError(f"timm cannot make {model!r} with the options {given}: {error}") from error
    if made is None:
        raise InvalidInputError(
            f"{model!r} with the options {given} has {weights} weights: {LARGEST_TRUNK} at most"
        )
    trunk: nn.Module = made
    if not hasattr(trunk, "feature_info") or not hasattr(trunk, "forward_intermediates"):
        raise InvalidInputError(f"{model!r} gives no feature levels: choose a model of timm that does")
    return trunk


def cut(trunk: nn.Module) -> list[nn.Module] | None:
    """Cut a model into one module for each of its feature levels, and one for the rest up to its logits.

    timm names the module that ends each level. A model is a sequence of its children where it has no weights
    of its own beside them (position embeddings, class tokens) and keeps channels first throughout.

    Returns:
        the levels and the rest; None where the model is no such sequence.
    """
    if list(trunk.parameters(recurse=False)) or getattr(trunk, "output_fmt", "NCHW") != "NCHW":
        return None
    ends = [row["module"] for row in _info(trunk)]
    parts: list[list[nn.Module]] = [[]]
    for name, child in trunk.named_children():
        # A level ends with a child of the model, or with one within a sequence of it.
        inside = isinstance(child, nn.Sequential) and name not in ends
        for key, module in child.named_children() if inside else [(name, child)]:
            parts[-1].append(module)
            if len(parts) <= len(ends) and (f"{name}.{key}" if inside else name) == ends[len(parts) - 1]:
                parts.append([])
    if len(parts) != len(ends) + 1:
        return None
    return [nn.Sequential(*part) for part in parts]


def _info(trunk: nn.Module) -> list[dict[str, Any]]:
    """Rows of timm's table of a model's feature levels."""
    found: Any = trunk.feature_info
    return list(getattr(found, "info", found))
