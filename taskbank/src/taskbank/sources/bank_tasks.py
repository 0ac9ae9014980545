"""Encoders of a bank as sources."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from taskbank.bank.bank import Bank
from taskbank.encoders.source import Source, count_parameters
from taskbank.inference.preprocess import InputKind, as_input, encoder_input_kind
from taskbank.nets.backbone import takes_features
from taskbank.nets.encoder import CODE_CHANNELS
from taskbank.tasks.registry import find_task

_HALF = (0.5, 0.5, 0.5)  # encoders of banks take [-1, 1]


class SharedLevels(nn.Module):
    """First levels that several encoders share; they run once for the same tensor of pictures."""

    def __init__(self, levels: nn.Module) -> None:
        super().__init__()
        self.levels = levels
        self._seen: tuple[Tensor, Tensor] | None = None

    def forward(self, pictures: Tensor) -> Tensor:
        """Compute the levels' features: float (B, 3, S, S) in [-1, 1] -> (B, C, h, w)."""
        if self._seen is None or self._seen[0] is not pictures:
            self._seen = (pictures, self.levels(pictures))
        return self._seen[1]


class TaskEncoder(nn.Module):
    """The encoder of one task, after the levels that its bank shares.

    Args:
        encoder: of the task.
        shared: the shared levels; None if the encoder includes all levels.
        shown: kind of the encoder's input.
    """

    def __init__(self, encoder: nn.Module, shared: nn.Module | None, shown: InputKind) -> None:
        super().__init__()
        self.encoder = encoder
        self.shared = shared
        self.shown = shown
        first = next((layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)), None)
        self.channels = 3 if shared is not None or first is None else first.in_channels

    def forward(self, pictures: Tensor) -> Tensor:
        """Encode float (B, 3, S, S) in [-1, 1] as (B, 8, S / 16, S / 16), in the form that decoders read."""
        seen = as_input(pictures, self.shown, self.channels)
        codes: Tensor = self.encoder(seen if self.shared is None else self.shared(seen))
        return codes


def open_tasks(bank: Bank, tasks: Sequence[str], *, size: int | None = None) -> list[Source]:
    """Open the encoders of tasks as sources.

    Args:
        bank: that holds the encoders.
        tasks: any names, without repetition.
        size: side of the square in px, a multiple of 16; None for the size that the bank was trained on.

    Raises:
        UnknownTaskError: a name is none of the 26 tasks.
        MissingTaskError: the bank does not hold a task.
        BankFormatError: a file is missing or damaged.
    """
    side = size or bank.index.image_size
    levels = bank.load_shared()
    shared = None if levels is None else SharedLevels(levels)
    opened = []
    for task in tasks:
        entry = bank.entry(task)
        encoder = bank.load_encoder(entry.task, shared=False)
        before = shared if takes_features(encoder) else None
        network = TaskEncoder(encoder, before, encoder_input_kind(find_task(entry.task))).eval()
        opened.append(
            Source(
                name=entry.task,
                network=network,
                size=side,
                patch=16,
                channels=CODE_CHANNELS,
                mean=_HALF,
                std=_HALF,
                parameters=count_parameters(network),
                weights=f"{bank.name} {bank.digest[:12]}",
                licence=entry.licence or bank.index.licence,
                foreign=False,
                bank=bank,
                task=entry.task,
            )
        )
    return opened
