"""Division of images into training and held-out images by whole groups, and bootstrap draws of groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from taskbank.errors import InvalidInputError

FEWEST = 4
"""Least number of groups for a division: two on each side."""


def held_out(groups: Sequence[str], share: float, seed: int) -> NDArray[np.bool_]:
    """Choose whole groups at random until their images reach a share of all images.

    Args:
        groups: of each image.
        share: of the images, in (0, 1).
        seed: of the order.

    Returns:
        bool (images,), true for held-out images.

    Raises:
        InvalidInputError: there are fewer than four groups, or the share is not in (0, 1).
    """
    if not 0 < share < 1:
        raise InvalidInputError(f"held out {share:g} is not a share: choose one between 0 and 1")
    names, number = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    if len(names) < FEWEST:
        raise InvalidInputError(
            f"the images are of {len(names)} group(s): {FEWEST} at least are needed, two to learn from and "
            "two to compare on"
        )
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.bincount(number)[order].cumsum()
    count = int(np.abs(sizes - share * len(number)).argmin()) + 1
    chosen = order[: min(max(count, 2), len(names) - 2)]
    return np.isin(number, chosen)


def draws(groups: Sequence[str], resamples: int, seed: int) -> NDArray[np.float64]:
    """Draw groups with replacement (Efron's bootstrap, 1979).

    Args:
        groups: of each image.
        resamples: number of draws.
        seed: of the draws.

    Returns:
        float64 (resamples, images): number of times that each image is drawn.
    """
    _, number = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    count = int(number.max()) + 1
    drawn = np.random.default_rng([seed, count]).multinomial(count, np.full(count, 1 / count), resamples)
    return drawn[:, number].astype(np.float64)
