"""Storage of weights: as 32-bit floats, 16-bit floats, or 8-bit integers with one scale per channel.

Files hold the packed form; `unpack` returns float32 to networks. Only weights of two or more
axes become integers: scales, biases and running statistics are few and need their precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor

from taskbank.errors import BankFormatError, InvalidInputError

SCALE_SUFFIX = ":scale"
"""Suffix that the name of an int8 tensor gets for the tensor of its scales."""

COUNTER = "num_batches_tracked"
"""Ending of the names of tensors that are not stored; batch norm starts this counter at 0 if it is absent."""

_LEVELS = 127  # symmetric: -128 is not used


class Storage(StrEnum):
    """Type in which a file stores its floating-point tensors."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


def pack(weights: Mapping[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """Convert weights to the form in which a file stores them.

    Args:
        weights: a network's state dict.
        storage: the form. INT8: axis 0 of each weight has one scale, the error is half a scale at most,
            that is 1/254 of the channel's greatest weight. Other tensors, and all tensors with FP16, have 11
            significant bits.

    Returns:
        contiguous tensors on the CPU; counters of batch norms are left out.

    Raises:
        InvalidInputError: a value is not finite, or too large for 16 bits.
    """
    packed: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name.endswith(COUNTER):
            continue
        values = tensor.detach().cpu().contiguous()
        if values.is_floating_point() and not bool(values.isfinite().all()):
            raise InvalidInputError(
                f"{name!r} holds values that are not finite: train again, or leave it out"
            )
        if not values.is_floating_point():
            packed[name] = values
        elif storage is Storage.FP32:
            packed[name] = values.float()
        elif storage is Storage.INT8 and values.dim() > 1:
            rows = values.float().flatten(1)
            greatest = rows.abs().amax(dim=1)
            scales = torch.where(greatest > 0, greatest / _LEVELS, torch.ones_like(greatest))  # (channels,)
            levels = torch.round(rows / scales[:, None]).clamp(-_LEVELS, _LEVELS)
            packed[name] = levels.to(torch.int8).reshape(values.shape)
            packed[name + SCALE_SUFFIX] = scales
        else:
            packed[name] = values.half()
            if not bool(packed[name].isfinite().all()):
                largest = values.abs().max().item()
                raise InvalidInputError(f"{name!r} holds {largest:g}, too large for 16 bits: store as fp32")
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert stored tensors back to a state dict: floating point as float32, integers multiplied by scales.

    Raises:
        BankFormatError: integers without scales, scales without integers, or numbers of channels that differ.
    """
    weights: dict[str, Tensor] = {}
    for name, stored in packed.items():
        if name.endswith(SCALE_SUFFIX):
            if name.removesuffix(SCALE_SUFFIX) not in packed:
                raise BankFormatError(f"{name!r} has no tensor that it scales: the file is incomplete")
        elif stored.dtype == torch.int8:
            scales = packed.get(name + SCALE_SUFFIX)
            if scales is None or scales.shape != stored.shape[:1] or not scales.is_floating_point():
                kind = "" if scales is None or scales.is_floating_point() else f", {scales.dtype}"
                found = "none" if scales is None else f"{tuple(scales.shape)}{kind}"
                raise BankFormatError(
                    f"{name!r} is stored as int8 with {stored.shape[0]} channels but its scales are {found}: "
                    "the file is incomplete or damaged"
                )
            column = scales.float().reshape(-1, *[1] * (stored.dim() - 1))
            # NumPy, because torch starts all its threads for each of hundreds of tensors; on a busy processor
            # that takes longer than the multiplication itself.
            product = np.multiply(stored.numpy(), column.numpy(), dtype=np.float32)
            weights[name] = torch.from_numpy(product)
        else:
            weights[name] = stored.float() if stored.is_floating_point() else stored
    return weights
