"""timm models as sources; `forward_intermediates` works for every family of models.

Vision transformers with and without registers (DINOv2, DINOv3, SigLIP, CLIP, Perception Encoder, SAM),
ConvNeXt, Swin and ResNet all give maps (B, channels, h, w), without class and register tokens
(https://github.com/huggingface/pytorch-image-models).
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from taskbank.bank.hub import quiet_hub
from taskbank.encoders.source import Source, count_parameters, reopening
from taskbank.encoders.timm_weights import create_filled, read_state
from taskbank.errors import BankFormatError, HubError, InvalidInputError, first_line
from taskbank.nets.backbone import LARGEST_TRUNK, check_model
from taskbank.paths import home_path

RANDOM = "random"
"""Value of `weights` for untrained weights, drawn from a seed."""

_SMALLEST, _LARGEST = 16, 4096  # px of a side


class Layer(nn.Module):
    """A timm model, cut after one of its feature levels.

    Args:
        model: is modified.
        number: of the level, counted from 0.
        last: whether it is the last level, to which the model's own final norm is applied.
    """

    model: Any

    def __init__(self, model: Any, number: int, *, last: bool) -> None:
        super().__init__()
        model.prune_intermediate_layers([number], prune_norm=not last, prune_head=True)
        self.model = model
        self.number = number
        # Hierarchical models have no norm for maps; some raise an AssertionError.
        self.norm = last and "norm" in inspect.signature(model.forward_intermediates).parameters

    def forward(self, pictures: Tensor) -> Tensor:
        """Compute features: normalised pictures float (B, 3, H, W) -> (B, channels, h, w)."""
        options = {"indices": [self.number], "output_fmt": "NCHW", "intermediates_only": True}
        try:
            found = self.model.forward_intermediates(pictures, norm=self.norm, **options)
        except AssertionError:
            if not self.norm:
                raise
            self.norm = False
            found = self.model.forward_intermediates(pictures, norm=False, **options)
        features: Tensor = found[-1]
        return features


def open_timm(
    model: str,
    *,
    layer: int | None = None,
    weights: str | None = None,
    size: int | None = None,
    config: Mapping[str, Any] | None = None,
    called: str | None = None,
    seed: int = 0,
) -> Source:
    """Open one level of a timm model as a source.

    Args:
        model: name in timm, with or without a tag: `vit_small_patch14_dinov2.lvd142m`.
        layer: number of the feature level, counted from 0, or from the end if negative; None for the last.
        weights: a file; `random`; None for timm's own weights, from its cache or the Hub.
        size: side of the square in px; None for the size that the model was trained on. Position embeddings
            are resized.
        config: replaces fields of timm's `pretrained_cfg`, such as mean and std.
        called: prefix of the source's name; None for `timm:MODEL`.
        seed: of random weights.

    Raises:
        InvalidInputError: timm has no such model or level, the model has no levels, or does not support the
            size.
        BankFormatError: the file does not hold this model's weights.
        HubError: the weights cannot be downloaded.
    """
    called = called or f"timm:{model}"
    check_model(model)
    try:
        found = timm.get_pretrained_cfg(model, allow_unregistered=True)
    except RuntimeError as error:
        tags = ", ".join(name for name in timm.list_pretrained(f"{model.split('.', maxsplit=1)[0]}.*"))
        raise InvalidInputError(f"{called}: {error}. timm has {tags or 'no tag of it'}") from error
    known: dict[str, Any] = {} if found is None else asdict(found) | dict(config or {})
    side = int(known.get("input_size", (3, 224, 224))[-1])
    options: dict[str, Any] = dict(known.pop("model_args", None) or {})
    options.pop("num_classes", None)  # the classifier is left out
    if size is not None and not _SMALLEST <= size <= _LARGEST:
        raise InvalidInputError(f"{called}: size {size} px: choose {_SMALLEST} to {_LARGEST}")
    if size is not None and size != side and known.get("fixed_input_size"):
        options["img_size"] = size
    side = size or side

    made = _create(model, weights, options, known=known, called=called, seed=seed)
    if not hasattr(made, "feature_info") or not hasattr(made, "forward_intermediates"):
        raise InvalidInputError(f"{called} gives no feature levels: choose a model of timm that does")
    info: Any = made.feature_info
    levels = len(getattr(info, "info", info))
    number = levels - 1 if layer is None else layer + levels * (layer < 0)
    if not 0 <= number < levels:
        raise InvalidInputError(f"{called}: layer {layer}: choose 0 to {levels - 1}, or -1 for the last")
    network = Layer(made.eval().requires_grad_(False), number, last=number == levels - 1)
    # One run shows the size of the map, which timm's tables do not always state, and any faults.
    try:
        with torch.inference_mode():
            features = network(torch.zeros(1, 3, side, side))
    except Exception as error:  # models raise many types for wrong sizes
        raise InvalidInputError(f"{called} cannot take {side} px: {first_line(error)}") from error
    if not bool(features.isfinite().all()):
        raise BankFormatError(f"{called} gives values that are not finite: its weights are faulty")
    where = known.get("hf_hub_id") or known.get("url") or "timm"
    # Names of sources become names of tasks in tensors, in which `=` and commas are separators.
    marks = [re.sub(r"[^\w.-]", "_", Path(weights).stem)] if weights else []
    marks += [f"{size}px"] if size else []
    return Source(
        name="#".join([f"{called}@{number}", *marks]),
        network=network,
        size=side,
        patch=round(side / features.shape[-1]),
        channels=features.shape[1],
        mean=_colours(known.get("mean"), called),
        std=_colours(known.get("std"), called),
        parameters=count_parameters(network),
        weights=_said(weights) or str(where),
        opens=reopening(f"timm:{model}@{number}", weights=weights_path(weights), size=str(side)),
        seed=seed if weights == RANDOM else 0,
        licence="" if weights == RANDOM else str(known.get("license") or ""),
    )


def _create(
    model: str,
    weights: str | None,
    options: dict[str, Any],
    *,
    known: Mapping[str, Any],
    called: str,
    seed: int,
) -> nn.Module:
    """Create a timm model with the requested weights."""
    if weights is not None and weights != RANDOM:
        path = home_path(weights)
        return create_filled(model, read_state(path), options, str(path))
    try:
        with torch.device("meta"):  # no memory yet, as some models are larger than most machines
            numbers = count_parameters(timm.create_model(model, pretrained=False, **options))
    except Exception as error:  # timm raises many types of exceptions
        raise InvalidInputError(f"timm cannot make {model!r} ({options}): {first_line(error)}") from error
    if numbers > LARGEST_TRUNK:
        raise InvalidInputError(f"{called} has {numbers} weights: {LARGEST_TRUNK} at most")
    if weights == RANDOM:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made: nn.Module = timm.create_model(model, pretrained=False, **options)
        return made
    if not (known.get("hf_hub_id") or known.get("url")):
        tags = ", ".join(timm.list_pretrained(f"{model.split('.', maxsplit=1)[0]}.*")[:3])
        raise InvalidInputError(
            f"timm knows no trained weights of {model!r}: name a file, {called}?weights=FILE"
            + (f", or a tag: {tags}" if tags else "")
        )
    try:
        with quiet_hub():
            made = timm.create_model(model, pretrained=True, **options)
    except Exception as error:  # depends on the version of huggingface_hub and its transport
        raise HubError(
            f"{called}: the Hub does not give the weights {known.get('hf_hub_id') or known.get('url')} "
            f"({first_line(error)}): check the connection, or name a file, {called}?weights=FILE"
        ) from error
    return made


def weights_path(weights: str | None) -> str | None:
    """Return the absolute path of a file of weights; `random` and None are unchanged."""
    return weights if weights is None or weights == RANDOM else str(home_path(weights).resolve())


def _said(weights: str | None) -> str:
    """Describe the file of the weights: its name and the first digits of its sha256."""
    if weights is None or weights == RANDOM:
        return weights or ""
    path = home_path(weights)
    with path.open("rb") as file:
        return f"{path.name} sha256:{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def _colours(given: Any, called: str) -> tuple[float, float, float]:
    """Read the mean or standard deviation of the three colours from timm's configuration of the model.

    Raises:
        InvalidInputError: timm states none.
    """
    if not isinstance(given, tuple | list) or len(given) != 3:
        raise InvalidInputError(f"{called}: timm does not state which mean and std its pictures have")
    red, green, blue = (float(value) for value in given)
    return red, green, blue
