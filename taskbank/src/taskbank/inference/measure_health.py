"""Measure whether a bank's networks respond to images, for `taskbank info --measure` and for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from taskbank.bank.bank import Bank
from taskbank.bank.health import DEAD_CHANNELS, OUTPUT_VARIATION
from taskbank.errors import InvalidInputError
from taskbank.images.framing import for_squares
from taskbank.images.reading import ImageInput
from taskbank.inference.engine import Engine
from taskbank.inference.outcome import Item, Outcome
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.nets.liveness import OutputVariation, dead_channels

_LEAST = 2


def measure_health(
    bank: Bank,
    images: Sequence[ImageInput],
    *,
    tasks: Iterable[str] | None = None,
    transfers: bool = True,
    settings: Settings | None = None,
) -> dict[str, dict[str, float]]:
    """Measure how much outputs and representations of networks vary over different images.

    Args:
        bank: whose networks are run.
        images: of different scenes, at least two, better ten; tasks of pairs and triplets are run on
            consecutive images, as if these were views of one place.
        tasks: names of tasks; None for all tasks of the bank. Untrained encoders are left out.
        transfers: whether transfers are measured too.
        settings: how the networks are run.

    Returns:
        name of each network -> `dead_channels`, share of the representation's channels that are the same for
        all images, and `output_variation`, standard deviation of outputs over images relative to their size.
        Transfers have only `output_variation`.

    Raises:
        InvalidInputError: fewer than two images.
        ImageError: an image cannot be read.
        TaskBankError: the bank cannot be used.
    """
    if len(images) < _LEAST:
        raise InvalidInputError(
            f"{len(images)} image(s) do not tell whether networks look at them: give {_LEAST} or more, of "
            "different things"
        )
    settings = settings or Settings()
    # Outputs for photographs of different shapes cannot be compared pixel by pixel.
    settings = replace(settings, fit=for_squares(settings.fit))
    trained = [name for name, entry in bank.index.tasks.items() if entry.files]
    measured: dict[str, dict[str, float]] = {}
    for name in trained if tasks is None else tasks:
        entry = bank.entry(name)
        engine = Engine(bank, [entry.task], settings, encoders_only=entry.decoder is None)
        codes = list(_raw(engine.encode(images, normalize=False), entry.task))
        measured[entry.task] = {DEAD_CHANNELS: float(dead_channels(torch.stack(codes)).float().mean())}
        if entry.decoder is not None:
            outcomes = engine.run(_items(images, engine.num_images))
            measured[entry.task][OUTPUT_VARIATION] = _variation(outcomes, entry.task)
    for transfer in bank.index.transfers if transfers else ():
        reader = TransferEngine(bank, transfer.sources, [transfer.target], settings)
        outcomes = reader.run(_items(images, reader.num_images))
        measured[transfer.name] = {OUTPUT_VARIATION: _variation(outcomes, transfer.target)}
    return measured


def _items(images: Sequence[ImageInput], together: int) -> list[Item]:
    """Return images, or tuples of each image with those after it."""
    if together == 1:
        return list(images)
    count = len(images)
    return [tuple(images[(start + place) % count] for place in range(together)) for start in range(count)]


def _raw(outcomes: Iterable[Outcome], task: str) -> Iterator[Tensor]:
    """Collect the raw outputs of a network; an image that cannot be read is an error."""
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        yield outcome.raw[task]


def _variation(outcomes: Iterable[Outcome], task: str) -> float:
    """Measure how much outputs differ between items."""
    variation = OutputVariation()
    for raw in _raw(outcomes, task):
        variation.add(raw[None])
    return variation.value
