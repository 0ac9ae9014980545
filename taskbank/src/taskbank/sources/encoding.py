"""Encoding of photographs by many sources: read once, fitted once per size, normalised once per kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from taskbank.encoders.source import Colours, Source
from taskbank.errors import BankFormatError, InvalidInputError, TaskBankError
from taskbank.images.framing import View, fill_square, for_squares
from taskbank.images.read_ahead import in_batches, read_ahead
from taskbank.images.reading import ImageInput, name_of, read_photo
from taskbank.inference.device import choose_device, dtype_of, prepare
from taskbank.inference.settings import Settings
from taskbank.options import Fit, Precision


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Feature maps of one image by all sources, or the error that prevented them.

    Attributes:
        image: its path, or its type.
        error: reason why the image could not be used; None if it could.
        maps: name of a source -> float32 (channels, h, w) on the CPU.
        view: the part of the image that sources saw, at the size of one of them.
    """

    image: str
    error: TaskBankError | None = None
    maps: Mapping[str, Tensor]
    view: View | None = None


def encode_images(
    sources: Sequence[Source], images: Iterable[ImageInput], settings: Settings | None = None
) -> Iterator[Features]:
    """Encode images by all sources, one result per image, in order.

    An image that cannot be read gives a result with its error, and does not stop the others. Memory does not
    grow with the number of images.

    Args:
        sources: made by `open_sources`; their networks are modified.
        images: single images, as for `taskbank.predict`.
        settings: device, precision, batch size, workers and fit. `size` is that of each source.

    Raises:
        InvalidInputError: settings that this machine does not support.
    """
    chosen = settings or Settings()
    device = choose_device(chosen.device)
    ready = [placed(source, device, chosen.precision) for source in sources]
    fit = for_squares(chosen.fit)
    sizes = sorted({source.size for source in sources})
    return _encoded(ready, images, chosen, device, partial(_read, fit=fit, sizes=sizes))


def placed(source: Source, device: torch.device, precision: Precision = Precision.FP32) -> Source:
    """Return a source on a device; the network of the given one must not be used afterwards.

    Raises:
        InvalidInputError: FP16 on a CPU.
    """
    if not source.foreign:
        return replace(source, network=prepare(source.network, device, precision))
    if precision is Precision.FP16 and device.type == "cpu":
        raise InvalidInputError(f"precision {precision} needs a GPU: choose fp32 or bf16 on {device}")
    return replace(source, network=source.network.to(device, dtype_of(precision)))


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """One image, fitted to each size: float32 (3, size, size) in [0, 1]."""

    name: str
    squares: Mapping[int, Tensor]
    view: View | None = None
    error: TaskBankError | None = None


def _read(image: ImageInput, *, fit: Fit, sizes: Sequence[int]) -> _Read:
    """Read one image and fit it to each size."""
    try:
        photo = read_photo(image)
        fitted = {size: fill_square(photo, fit, size) for size in sizes}
    except TaskBankError as error:
        return _Read(name_of(image), {}, error=error)
    squares = {size: (square + 1) / 2 for size, (square, _) in fitted.items()}
    return _Read(photo.name, squares, view=fitted[sizes[-1]][1])


def _encoded(
    sources: Sequence[Source],
    images: Iterable[ImageInput],
    settings: Settings,
    device: torch.device,
    read: partial[_Read],
) -> Iterator[Features]:
    """Encode batches by all sources in turn."""
    size, workers = settings.batch_size, settings.workers
    for batch in in_batches(read_ahead(images, read, workers=workers, ahead=size + workers), size):
        good = [one for one in batch if one.error is None]
        maps = _run(sources, good, device, settings.precision) if good else {}
        row = iter(range(len(good)))
        for one in batch:
            if one.error is not None:
                yield Features(image=one.name, error=one.error, maps={})
                continue
            number = next(row)
            own = {name: values[number].clone() for name, values in maps.items()}
            bad = [name for name, values in own.items() if not bool(values.isfinite().all())]
            if bad:
                error = BankFormatError(
                    f"{one.name}: {', '.join(bad)} gave values that are not finite: use fp32"
                )
                yield Features(image=one.name, error=error, maps={})
                continue
            yield Features(image=one.name, maps=own, view=one.view)


def _run(
    sources: Sequence[Source], batch: Sequence[_Read], device: torch.device, precision: Precision
) -> dict[str, Tensor]:
    """Compute feature maps float32 (B, channels, h, w) on the CPU, by name of the source.

    Sources with equal size, mean and std get the same tensor, so that levels which they share run once.
    """
    shown: dict[tuple[int, Colours, Colours], Tensor] = {}
    maps = {}
    with torch.inference_mode():
        for source in sources:
            key = (source.size, source.mean, source.std)
            if key not in shown:
                pictures = torch.stack([one.squares[source.size] for one in batch]).to(device)
                shown[key] = source.normalised(pictures).to(dtype_of(precision))
            maps[source.name] = source.network(shown[key]).float().cpu()
    return maps
