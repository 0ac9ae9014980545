"""Settings of a probe."""

from __future__ import annotations

from dataclasses import dataclass

from taskbank.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Settings for comparing sources.

    Attributes:
        places: rows and columns of the grid to which maps and features are pooled.
        share: share of held-out images, by whole groups.
        resamples: bootstrap draws of held-out groups.
        level: share of the draws within an interval.
        seed: of the division and the draws.
    """

    places: int = 8
    share: float = 0.4
    resamples: int = 500
    level: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidInputError: a value is not allowed; the message states the field, its value and the allowed
                ones.
        """
        if not 1 <= self.places <= 64:
            raise InvalidInputError(f"places {self.places}: choose 1 to 64")
        if not 0 < self.share < 1 or not 0 < self.level < 1:
            raise InvalidInputError(f"share {self.share} and level {self.level} must be between 0 and 1")
        if self.resamples < 10:
            raise InvalidInputError(f"resamples {self.resamples}: choose 10 at least")
