"""Architectures as data, as a bank's index describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import prod
from typing import Any, ClassVar

from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.nets.compact import CompactWidths, ReadoutWidths
from taskbank.nets.decoders import DecoderWidths
from taskbank.nets.encoder import CODE_CHANNELS, ResNetWidths

_NO_OPTIONS = {
    "cache_dir", "checkpoint_path", "features_only", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay",
}  # fmt: skip
_LARGEST_OPTION = 4096
_LONGEST_OPTION = 64  # values in a list, or characters
_TIMM_NAME = re.compile(r"\w{1,100}(\.\w{1,100})?", re.ASCII)

# Limits of the numbers in a bank of unknown origin: several times those of the original networks.
_WIDEST = 4096
_LONGEST_ROW = 32
_LIMITS = {
    "blocks": 128, "decoder_blocks": 128, "expansion": 16, "kernel": 31, "level": 64, "max_hidden": 65_536,
    "shared": 64, "strides": 4,
}  # fmt: skip

ORIGINAL_UNBOUNDED = ("segment_semantic",)
"""`ResNet50.unbounded` for the published checkpoints, as in the `visualpriors` package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNet50:
    """The original architecture.

    Attributes:
        encoder: numbers of the encoder.
        decoder: numbers of the convolutional decoders.
        unbounded: tasks whose pixel decoder ends without a tanh. By default those whose targets exceed its
            range: logits, whitened curvature and blurred occlusion edges. The original weights were trained
            with a tanh for these tasks too, see `ORIGINAL_UNBOUNDED`.
        max_hidden: largest width of a head's hidden layers; the original's are at most 2048.
    """

    name: ClassVar[str] = "resnet50"
    encoder: ResNetWidths = field(default_factory=ResNetWidths)
    decoder: DecoderWidths = field(default_factory=DecoderWidths)
    unbounded: tuple[str, ...] = ("segment_semantic", "curvature", "edge_occlusion")
    max_hidden: int = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """The small architecture of the bundled bank.

    Attributes:
        widths: numbers of encoder, decoders and heads.
    """

    name: ClassVar[str] = "compact"
    widths: CompactWidths = field(default_factory=CompactWidths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """Encoders made of the first levels of a timm model, and small decoders.

    Attributes:
        model: name of the model in timm.
        options: further arguments of `timm.create_model`, such as `{"channel_multiplier": 0.5}`.
        level: index of the feature level that is projected to the representation, counted from 0 in the list
            that timm keeps of the model (`model.feature_info`).
        shared: number of the first levels that are frozen, and the same in all networks of a bank.
        classifier: whether the decoder of `class_object` is the model's own classifier on the level that is
            read; otherwise it is a small head, as for other tasks.
        widths: numbers of decoders and heads.
    """

    name: ClassVar[str] = "backbone"
    model: str = "tf_efficientnet_lite0"
    options: Mapping[str, Any] = field(default_factory=dict)
    level: int = 3
    shared: int = 2
    classifier: bool = False
    widths: ReadoutWidths = field(default_factory=ReadoutWidths)

    def __post_init__(self) -> None:
        """Reject options that would read files, access the network, or make models larger than any memory."""
        if not _TIMM_NAME.fullmatch(self.model):
            raise InvalidInputError(f"timm has no model {self.model!r}: names are letters, digits and '_'")
        if not isinstance(self.options, Mapping):
            raise InvalidInputError(f"options {self.options!r} must be a mapping")
        for name, value in self.options.items():
            if name in _NO_OPTIONS or not isinstance(value, bool | int | float | str | list | tuple):
                raise InvalidInputError(f"option {name}={value!r} of {self.model!r} is not allowed")
            if not isinstance(value, int | float) and len(value) > _LONGEST_OPTION:
                raise InvalidInputError(
                    f"option {name} of {self.model!r} has {len(value)} values or characters: "
                    f"{_LONGEST_OPTION} at most"
                )
            numbers = value if isinstance(value, list | tuple) else [value]
            if any(isinstance(one, list | tuple | Mapping) for one in numbers):
                raise InvalidInputError(
                    f"option {name}={value!r} of {self.model!r}: lists hold numbers and words"
                )
            if any(isinstance(one, int | float) and not abs(one) <= _LARGEST_OPTION for one in numbers):
                raise InvalidInputError(
                    f"option {name}={value!r} of {self.model!r}: numbers go up to {_LARGEST_OPTION}"
                )


Architecture = ResNet50 | Compact | Backbone

_KINDS: dict[str, type[Architecture]] = {kind.name: kind for kind in (ResNet50, Compact, Backbone)}
_PARTS: dict[str, dict[str, type[Any]]] = {
    ResNet50.name: {"encoder": ResNetWidths, "decoder": DecoderWidths},
    Compact.name: {"widths": CompactWidths},
    Backbone.name: {"widths": ReadoutWidths},
}

_UNNAMED_WIDTHS = {"code_activation": "relu"}  # for banks written before the field existed


def architecture_to_json(architecture: Architecture) -> dict[str, Any]:
    """Return all fields of an architecture by name, JSON-ready."""
    return {"name": architecture.name, **asdict(architecture)}


def architecture_from_json(written: Mapping[str, Any]) -> Architecture:
    """Read the architecture that `architecture_to_json` wrote.

    Raises:
        BankFormatError: an unknown architecture, a field that is missing or unknown, or inconsistent numbers.
    """
    name = written.get("name")
    if not isinstance(name, str) or name not in _KINDS:
        raise BankFormatError(f"unknown architecture {name!r}: known are {', '.join(_KINDS)}")
    parts: dict[str, Any] = {key: value for key, value in written.items() if key != "name"}
    if name == Compact.name and isinstance(parts.get("widths"), Mapping):
        parts["widths"] = {**_UNNAMED_WIDTHS, **parts["widths"]}
    for key, kind in _PARTS[name].items():
        if key in parts:
            parts[key] = _filled(kind, parts[key], f"{name}.{key}")
    made: Architecture = _filled(_KINDS[name], parts, name)
    return made


def _filled(kind: type[Any], written: object, where: str) -> Any:
    """Make a configuration class from its fields; lists of JSON become tuples."""
    known = {item.name for item in fields(kind)}
    if not isinstance(written, Mapping) or set(written) != known:
        found = sorted(written) if isinstance(written, Mapping) else written
        raise BankFormatError(f"architecture {where} must state {sorted(known)}, not {found}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
    usual = kind()
    try:
        for key, value in values.items():
            _check_number(key, value, getattr(usual, key))
        made = kind(**values)
    except (InvalidInputError, TypeError, ValueError) as error:
        raise BankFormatError(f"architecture {where}: {error}") from error
    # Decoders and transfers need eight channels and a sixteenth of the image's size.
    if getattr(made, "code", CODE_CHANNELS) != CODE_CHANNELS or prod(getattr(made, "strides", (4,))) != 4:
        raise BankFormatError(
            f"architecture {where}: representations have {CODE_CHANNELS} channels and a sixteenth of the size"
        )
    return made


def _check_number(name: str, value: object, usual: object) -> None:
    """Reject values of another type than the default ones, and numbers that make networks too large.

    Raises:
        TypeError: a value is of another type.
        InvalidInputError: a number exceeds its limit.
    """
    if isinstance(usual, tuple):
        if not isinstance(value, tuple) or len(value) > _LONGEST_ROW:
            raise TypeError(f"{name} {value!r} must be a list of {_LONGEST_ROW} values at most")
        for one in value:
            _check_number(name, one, usual[0])
    elif isinstance(usual, bool | int | str):
        if type(value) is not type(usual):
            raise TypeError(f"{name} {value!r} must be of type {type(usual).__name__}")
        most = _LIMITS.get(name, _WIDEST)
        if isinstance(value, int) and not 0 <= value <= most:
            raise InvalidInputError(f"{name} {value} must be 0 to {most}")
