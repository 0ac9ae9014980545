"""Object classes by image classifiers of timm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from taskbank.bank.catalogue import Model
from taskbank.errors import BankFormatError, InvalidInputError, first_line
from taskbank.foundation.estimator import Pictures, Place
from taskbank.foundation.files import Files
from taskbank.tasks.registry import TASKS


class Objects:
    """A classifier of ImageNet's 1000 classes, in the order that timm and torchvision share.

    Args:
        network: the model of timm.
        transform: timm's own preprocessing: a PIL image -> float (3, S, S).
        place: device and precision.
    """

    def __init__(self, network: Any, transform: Any, place: Place) -> None:
        self.network = place.put(network)
        self.transform = transform
        self.place = place

    def predict(self, pictures: Pictures) -> Mapping[str, list[Tensor]]:
        """Predict logits of 1000 classes for each picture."""
        batch = torch.stack([self.transform(to_pil_image(one)) for (one,) in pictures])
        logits = self.network(batch.to(self.place.device, self.place.dtype))
        return {"class_object": list(logits.float().cpu())}


def open_objects(model: Model, files: Files, place: Place) -> Objects:
    """Open a classifier of timm.

    Raises:
        InvalidInputError: timm has no such architecture.
        BankFormatError: the files belong to another architecture, or have another number of classes.
    """
    import timm

    wanted = TASKS["class_object"].channels
    held = files.config.get("architecture")
    if held != model.kind:
        raise BankFormatError(
            f"{model.id} is of the architecture {held!r}, not {model.kind!r}: correct the catalogue"
        )
    if not timm.is_model(model.kind):
        raise InvalidInputError(
            f"{model.name}: timm {timm.__version__} has no model {model.kind!r}: update it"
        )
    stated = files.config.get("pretrained_cfg")
    facts: dict[str, Any] = dict(stated) if isinstance(stated, dict) else {}
    options = files.config.get("model_args")
    options = dict(options) if isinstance(options, dict) else {}
    classes = files.config.get("num_classes", facts.get("num_classes"))
    if classes != wanted:
        raise BankFormatError(f"{model.id} has {classes} classes: class_object has {wanted}")
    try:
        network = timm.create_model(model.kind, pretrained=False, **{**options, "num_classes": wanted})
        network.load_state_dict(load_file(files.weights[0]))
    except Exception as error:  # of many types
        raise BankFormatError(f"{model.id} cannot be loaded as {model.kind}: {first_line(error)}") from error
    known: Any = network.pretrained_cfg
    data: Any = timm.data
    settings = data.resolve_data_config({}, pretrained_cfg={**known, **facts})
    return Objects(network, data.create_transform(**settings, is_training=False), place)
