"""Squares of images, and their representations by the sources whose transfers are trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from taskbank.bank.entries import PX_A_PLACE
from taskbank.encoders.names import open_encoder
from taskbank.encoders.source import Source
from taskbank.encoders.square import SquareEncoder
from taskbank.errors import DivergedError, ImageError, InvalidInputError
from taskbank.images.framing import View
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import preprocess
from taskbank.options import Fit
from taskbank.sources.bank_tasks import open_tasks

_AT_ONCE = 16  # squares per batch


def common_size(sources: Sequence[Source], size: int | None) -> int:
    """Choose the side in px of the squares: as given, that of the bank, or that of the largest encoder."""
    if size is not None:
        return size
    banks = [source.bank.index.image_size for source in sources if source.bank is not None]
    largest = max(source.size for source in sources)
    return banks[0] if banks else max(round(largest / PX_A_PLACE), 1) * PX_A_PLACE


def read_squares(
    images: Mapping[str, Path], size: int, each: Callable[[], object]
) -> tuple[dict[str, View], NDArray[np.float16], list[str]]:
    """Read images as squares.

    Args:
        images: files by name.
        size: side of the squares in px.
        each: called after each image.

    Returns:
        the view of each image that can be read; its square, float16 (N, 3, size, size) in [-1, 1]; and
        reasons why the others cannot be read.

    Raises:
        InvalidInputError: no image can be read.
    """
    views, squares, failed = {}, [], []
    for name, path in images.items():
        try:
            seen = preprocess(read_photo(path), Fit.CROP, size)
        except ImageError as error:
            failed.append(str(error))
            continue
        finally:
            each()
        views[name] = seen.view
        squares.append(seen.square.half().numpy())
    if not squares:
        raise InvalidInputError(f"none of {len(images)} image(s) could be read: {failed[0]}")
    return views, np.stack(squares), failed


@torch.inference_mode()
def encode_squares(source: Source, squares: NDArray[np.float16], device: torch.device) -> NDArray[np.float16]:
    """Encode squares by one source, in the form in which the saved bank encodes them.

    Args:
        source: is opened again, so that the given network may be modified.
        squares: float16 (N, 3, S, S) in [-1, 1].
        device: that the encoder runs on.

    Returns:
        float16 (N, channels, S / 16, S / 16).

    Raises:
        DivergedError: a representation is not finite in 16 bits.
    """
    network: nn.Module
    if source.bank is not None:
        (opened,) = open_tasks(source.bank, [source.task])
        network = opened.network
    else:
        network = SquareEncoder(open_encoder(source.opens, seed=source.seed))
    network = network.to(device)
    found = [
        network(torch.from_numpy(squares[start : start + _AT_ONCE]).to(device).float()).half().cpu().numpy()
        for start in range(0, len(squares), _AT_ONCE)
    ]
    codes: NDArray[np.float16] = np.concatenate(found)
    if not np.isfinite(codes).all():
        raise DivergedError(f"{source.name} gives representations beyond what 16 bits hold: leave it out")
    return codes
