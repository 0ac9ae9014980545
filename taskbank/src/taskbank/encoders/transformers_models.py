"""Sources from models of transformers in Hub repositories and folders: one feature level, as a map."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from taskbank.bank.catalogue import Model
from taskbank.encoders.source import Colours, Source, count_parameters, reopening
from taskbank.errors import BankFormatError, InvalidInputError, first_line
from taskbank.foundation.files import Files, fetch, require
from taskbank.foundation.library import load_pretrained, load_processor, quiet
from taskbank.nets.backbone import LARGEST_TRUNK

# Models with a head whose first part is the encoder, for types without a headless model.
_HEADS = (
    "AutoModel", "AutoModelForDepthEstimation", "AutoModelForSemanticSegmentation",
    "AutoModelForNormalEstimation", "AutoBackbone",
)  # fmt: skip
_UNUSED = re.compile(r"(^|\.)(pooler|head|classifier|text_model|logit_scale|logit_bias|layernorm_pool)\b")
_LICENCE = re.compile(r"^license:\s*[\"']?([\w.-]+)", re.MULTILINE)
_GREY = (0.2989, 0.587, 0.114)  # of red, green and blue, as processors of matchers weigh them
_SMALLEST, _LARGEST = 16, 4096  # px of a side


class Grey(nn.Module):
    """Encoder of a matcher that reads grey pictures, in the form of other encoders.

    Args:
        network: grey pictures float (B, 1, h, w) -> a list of maps, finest first.
        config: of the whole model.
    """

    weights: Tensor

    def __init__(self, network: nn.Module, config: Any) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.register_buffer("weights", torch.tensor(_GREY).reshape(3, 1, 1), persistent=False)

    def forward(self, pixel_values: Tensor, **_: bool) -> Any:
        """Compute the maps of pictures float (B, 3, h, w)."""
        return SimpleNamespace(feature_maps=self.network((pixel_values * self.weights).sum(1, keepdim=True)))


class Level(nn.Module):
    """One feature level of a model of transformers.

    Args:
        network: the vision part of the model.
        number: of the level, counted from 0; None for the last, after the model's own final norm.
        grid: rows and columns of maps that are output as sequences of tokens; None if unknown.
    """

    def __init__(self, network: nn.Module, number: int | None, grid: int | None) -> None:
        super().__init__()
        self.network = network
        self.number = number
        self.grid = grid
        self.options = options_of(network) | ({} if number is None else {"output_hidden_states": True})

    def forward(self, pictures: Tensor) -> Tensor:
        """Compute features: normalised pictures float (B, 3, S, S) -> (B, channels, h, w)."""
        given: Any = self.network(pixel_values=pictures, **self.options)
        maps = getattr(given, "feature_maps", None)
        if self.number is None:
            found = given.last_hidden_state if maps is None else maps[-1]
        else:
            # The first of the hidden states is the patch embedding, before any layer.
            found = levels_of(given)[self.number]
        return self.as_map(found)

    def as_map(self, found: Tensor) -> Tensor:
        """Convert tokens (B, T, C) to a map, without class and register tokens; maps are unchanged."""
        if found.ndim == 4:
            return found
        count = found.shape[1]
        side = self.grid if self.grid is not None and self.grid**2 <= count else math.isqrt(count)
        # The class token and registers are before the patches.
        patches = found[:, count - side * side :].transpose(1, 2)
        return patches.reshape(len(found), -1, side, side)


def options_of(network: nn.Module) -> dict[str, bool]:
    """Return the option that resizes position embeddings, for models that have it."""
    named = any(
        "interpolate_pos_encoding" in inspect.signature(part.forward).parameters for part in network.modules()
    )
    return {"interpolate_pos_encoding": True} if named else {}


def levels_of(given: Any) -> tuple[Tensor, ...]:
    """Return the feature levels in a model's outputs, first to last."""
    for name in ("reshaped_hidden_states", "hidden_states"):
        held = getattr(given, name, None)
        if held is not None and len(held) > 1:
            return tuple(held[1:])
    return tuple(getattr(given, "feature_maps", None) or ())


def open_transformers(
    repo: str, *, layer: int | None = None, revision: str | None = None, size: int | None = None, called: str
) -> Source:
    """Open one level of a model of transformers.

    Args:
        repo: `owner/name` on the Hub, or a folder with `config.json` and safetensors.
        layer: number of the level, counted from 0, or from the end if negative; None for the last one, to
            which the model's own final norm is applied.
        revision: branch, tag or commit of the repository.
        size: side of the square in px; None for the size of the model's own preprocessing. Position
            embeddings are resized.
        called: prefix of the source's name.

    Raises:
        InvalidInputError: the model gives no maps, has no such level, or does not support the size.
        BankFormatError: a file is missing or damaged, or weights are pickled.
        MissingPackageError: transformers is not installed.
        HubError: the files cannot be downloaded.
    """
    require("transformers")
    row = Model(name=called, tasks=(), loader="transformers", kind="", id=repo, revision=revision or "main")
    files = fetch(row)
    network = _load(row, files)
    processor = load_processor(row, files)
    processor = getattr(processor, "image_processor", processor)
    patch = _first_number(getattr(network.config, "patch_size", None))
    usual = _side(processor, network.config, called)
    if size is not None and not _SMALLEST <= size <= _LARGEST:
        raise InvalidInputError(f"{called}: size {size} px: choose {_SMALLEST} to {_LARGEST}")
    side = size or usual
    grid = None if patch is None else side // patch
    picture = torch.zeros(1, 3, side, side)
    try:
        with torch.inference_mode(), quiet():
            options = options_of(network)
            levels = len(levels_of(network(pixel_values=picture, output_hidden_states=True, **options)))
            number = levels - 1 if layer is None else layer + levels * (layer < 0)
            last = layer is None or number == levels - 1
            level = Level(network, None if last else min(max(number, 0), levels - 1), grid)
            features = level(picture)
    except Exception as error:  # models raise many types for wrong sizes
        raise InvalidInputError(f"{called} gives no maps of {side} px: {first_line(error)}") from error
    if layer is not None and not 0 <= number < levels:
        raise InvalidInputError(f"{called}: layer {layer}: choose 0 to {levels - 1}, or -1 for the last")
    if not bool(features.isfinite().all()):
        raise BankFormatError(f"{called} gives values that are not finite: its weights are faulty")
    mean, std = _colours(processor)
    card = files.folder / "README.md"
    stated = _LICENCE.search(card.read_text(errors="replace")) if card.is_file() else None
    return Source(
        name=f"{called}@{max(number, 0)}",
        network=level.eval().requires_grad_(False),
        size=side,
        patch=round(side / features.shape[-1]),
        channels=features.shape[1],
        mean=mean,
        std=std,
        parameters=count_parameters(network),
        weights=f"{repo if row.folder is None else row.folder.name} {files.revision}",
        licence="" if stated is None else stated[1],
        opens=reopening(
            f"hf:{repo if row.folder is None else row.folder.resolve()}@{max(number, 0)}",
            revision=files.revision if row.folder is None else None,
            size=str(side),
        ),
    )


def _load(row: Model, files: Files) -> Any:
    """Load the vision part of a model, with its weights."""
    import transformers

    size = sum(path.stat().st_size for path in files.weights)
    if size > 4 * LARGEST_TRUNK:
        raise InvalidInputError(f"{row.name} has {size} bytes of weights: {4 * LARGEST_TRUNK} at most")
    kind = str(files.config.get("model_type"))
    openers = [
        name
        for name in _HEADS
        if any(config.model_type == kind for config in getattr(transformers, name)._model_mapping)
    ]
    if not openers:
        raise InvalidInputError(
            f"{row.name}: transformers {transformers.__version__} has no encoder of pictures of type {kind!r}"
        )
    faults: list[BankFormatError] = []
    for opener in openers:
        try:
            whole, info = load_pretrained(
                getattr(transformers, opener), files, f"{row.name} cannot be loaded"
            )
        except BankFormatError as error:
            faults.append(error)
            continue
        # The encoder behind a head is called `model` in some classes.
        parts = ("vision_model", "backbone", *(["model"] if "ModelFor" in opener else []))
        part = next((part for part in parts if isinstance(getattr(whole, part, None), nn.Module)), "")
        lacking = sorted(name for name in info["missing_keys"] if name.startswith(f"{part}." if part else ""))
        missing = [name for name in lacking if not _UNUSED.search(name)]
        if not missing:
            network = getattr(whole, part) if part else whole
            network = network.float().eval()
            return network if hasattr(network, "config") else Grey(network, whole.config)
        # Some files with a head name weights so that only a class with that head finds them.
        faults.append(
            BankFormatError(
                f"{row.name} lacks {len(missing)} weight(s) of its encoder, such as {missing[0]}: "
                "it is another model"
            )
        )
    raise faults[0]


def _first_number(value: object) -> int | None:
    """Return a whole number, or the first of several; else None."""
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _side(processor: Any, config: Any, called: str) -> int:
    """Return the shorter side in px of the output of the model's own preprocessing."""
    for name in ("crop_size", "size"):
        if name == "crop_size" and not getattr(processor, "do_center_crop", False):
            continue
        stated = getattr(processor, name, None)
        held = dict(stated) if isinstance(stated, Mapping) else {}
        if not held and stated is not None:
            held = {key: getattr(stated, key, None) for key in ("height", "width", "shortest_edge")}
        sides = [side for side in map(_first_number, held.values()) if side]
        if sides:
            return min(sides)
    side = _first_number(getattr(config, "image_size", None))
    if side is None:
        raise InvalidInputError(f"{called} does not state the size of its pictures: add ?size=PX")
    return side


def _colours(processor: Any) -> tuple[Colours, Colours]:
    """Return mean and standard deviation of colours in [0, 1]; 0 and 1 for models without normalisation."""
    if not getattr(processor, "do_normalize", False):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    mean, std = ([float(value) for value in getattr(processor, name)] for name in ("image_mean", "image_std"))
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])
