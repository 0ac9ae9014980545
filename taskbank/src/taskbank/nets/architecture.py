"""Architectures as data: what a bank's index says about the shape of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from taskbank.errors import BankFormatError, InvalidInputError
from taskbank.nets.compact import CompactWidths, ReadoutWidths
from taskbank.nets.decoders import DecoderWidths
from taskbank.nets.encoder import ResNetWidths

_NO_OPTIONS = {
    "cache_dir", "checkpoint_path", "features_only", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay",
}  # fmt: skip
_LARGEST_OPTION = 4096

ORIGINAL_UNBOUNDED = ("segment_semantic",)
"""`ResNet50.unbounded` for the published checkpoints, as the `visualpriors` package has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNet50:
    """The original architecture.

    Attributes:
        encoder: numbers of the encoder.
        decoder: numbers of the convolutional decoders.
        unbounded: tasks whose pixel decoder ends without a tanh. By default those whose targets leave its
            range: logits, whitened curvature and blurred occlusion edges. Original weights were trained
            with a tanh there too, see `ORIGINAL_UNBOUNDED`.
        max_hidden: no hidden layer of a head is wider than that; the original's are 2048 at most.
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
    """Encoders that begin with the first levels of a timm model, and small decoders.

    Attributes:
        model: name of the model in timm.
        options: further arguments of `timm.create_model`, such as `{"channel_multiplier": 0.5}`.
        level: index of the feature level that is projected to the representation, counted from 0 in the list
            that timm keeps of the model (`model.feature_info`).
        shared: number of the first levels that are frozen, and the same in all networks of a bank.
        classifier: whether `class_object` is the model's own classifier on the level that is read; otherwise
            it has a small head as other tasks have.
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
        """Refuse options that would read files or the network, or make models that no machine holds."""
        for name, value in self.options.items():
            if name in _NO_OPTIONS or not isinstance(value, bool | int | float | str | list | tuple):
                raise InvalidInputError(f"option {name}={value!r} of {self.model!r} is not allowed")
            numbers = value if isinstance(value, list | tuple) else [value]
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

_UNNAMED_WIDTHS = {"code_activation": "relu"}  # of banks from before the field


def architecture_to_json(architecture: Architecture) -> dict[str, Any]:
    """All numbers of an architecture under their names, JSON-ready."""
    return {"name": architecture.name, **asdict(architecture)}


def architecture_from_json(written: Mapping[str, Any]) -> Architecture:
    """The architecture that `architecture_to_json` wrote.

    Raises:
        BankFormatError: an unknown architecture, a field that is missing or unknown, or numbers that do not
            fit each other.
    """
    name = written.get("name")
    if name not in _KINDS:
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
    """An instance of a configuration class from its fields; JSON's lists become tuples."""
    known = {item.name for item in fields(kind)}
    if not isinstance(written, Mapping) or set(written) != known:
        found = sorted(written) if isinstance(written, Mapping) else written
        raise BankFormatError(f"architecture {where} must state {sorted(known)}, not {found}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
    try:
        return kind(**values)
    except (InvalidInputError, TypeError) as error:
        raise BankFormatError(f"architecture {where}: {error}") from error
