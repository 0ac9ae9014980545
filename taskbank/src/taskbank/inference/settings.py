"""Settings for running networks, as one checked object."""

from __future__ import annotations

from dataclasses import dataclass

from taskbank.errors import InvalidInputError
from taskbank.images.framing import check_size
from taskbank.options import Fit, Precision

_MOST = 65_536  # images of a batch, and threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings for running networks.

    Attributes:
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: form of the numbers in the networks; fp16 needs a GPU.
        compiled: whether `torch.compile` is applied.
        batch_size: number of items that are processed together, and most squares in one call of a network.
        workers: threads that read images.
        fit: how a photo fills a network's input. `whole` is the photo at its own aspect ratio, in overlapping
            squares whose maps are blended, see `images.framing`; networks that do not predict maps take its
            middle square.
        mirrored: whether the mirrored photo is predicted too, and maps and classes are averaged: a little
            better, at twice the time.
        accept_licence: ids of third-party models with licences that do not allow any use; the user confirms
            to have read these licences and to comply with them.
        size: side in px of the networks' square and shorter side of whole photos, a multiple of 16; None for
            the size that the bank's networks were trained on.

    Examples:
        >>> import taskbank
        >>> taskbank.Settings(device="cpu", fit="crop").batch_size
        8
    """

    device: str = "auto"
    precision: Precision = Precision.FP32
    compiled: bool = False
    batch_size: int = 8
    workers: int = 2
    fit: Fit = Fit.WHOLE
    size: int | None = None
    mirrored: bool = False
    accept_licence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values; convert fit and precision from text."""
        if not 1 <= min(self.batch_size, self.workers) <= max(self.batch_size, self.workers) <= _MOST:
            raise InvalidInputError(
                f"batch_size {self.batch_size} and workers {self.workers} must lie between 1 and {_MOST}"
            )
        if self.size is not None:
            check_size(self.size)
        given = self.accept_licence
        object.__setattr__(self, "accept_licence", (given,) if isinstance(given, str) else tuple(given))
        for name, kind in (("fit", Fit), ("precision", Precision)):
            value = getattr(self, name)
            if value not in set(kind):
                raise InvalidInputError(f"unknown {name} {value!r}: choose {', '.join(kind)}")
            object.__setattr__(self, name, kind(value))
