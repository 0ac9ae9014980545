"""How networks are run, as one checked object."""

from __future__ import annotations

from dataclasses import dataclass

from taskbank.errors import InvalidInputError
from taskbank.images.framing import Fit, check_size
from taskbank.inference.device import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How networks are run.

    Attributes:
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: form of the numbers in the networks; fp16 needs a GPU.
        compiled: whether `torch.compile` is applied.
        batch_size: items that are in work together, and squares that a network is given at once.
        workers: threads that read images.
        fit: how a photo fills a network's input. `whole` is the photo at its own aspect, in overlapping
            squares whose maps are blended, see `images.framing`; networks that give no maps see its middle
            square.
        size: side of the networks' square in px, which whole photos have for their shorter side, a multiple
            of 16; None for what the bank's networks were trained on.
    """

    device: str = "auto"
    precision: Precision = Precision.FP32
    compiled: bool = False
    batch_size: int = 8
    workers: int = 2
    fit: Fit = Fit.WHOLE
    size: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be; take the words for fit and precision as well."""
        if min(self.batch_size, self.workers) < 1:
            raise InvalidInputError(
                f"batch_size {self.batch_size} and workers {self.workers} must be 1 at least"
            )
        if self.size is not None:
            check_size(self.size)
        for name, kind in (("fit", Fit), ("precision", Precision)):
            value = getattr(self, name)
            if value not in set(kind):
                raise InvalidInputError(f"unknown {name} {value!r}: choose {', '.join(kind)}")
            object.__setattr__(self, name, kind(value))
