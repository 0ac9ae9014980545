"""Ordinal normalisation of Taskonomy: affinities from per-image losses.

Source: Zamir et al., CVPR 2018, section 3.3 (https://arxiv.org/abs/1804.08328), an Analytic Hierarchy
Process (R. W. Saaty, Journal of Mathematical Modelling 9, 1987) over pairwise wins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxsolver.arguments import name_tuple
from taxsolver.errors import InvalidInputError

FloatArray = NDArray[np.float64]

CLIP = (0.001, 0.999)
_CHUNK = 1 << 20  # comparisons computed at once, so that they fit into the processor's cache


def ahp(losses: ArrayLike, names: Sequence[str] | None = None) -> FloatArray:
    """Compute the affinities of the transfers of one target.

    Win rates, clipped to [0.001, 0.999], are divided elementwise by their transpose; the affinities are the
    principal eigenvector of that matrix, normalised to sum to one.

    Args:
        losses: float (images, transfers); the loss of each transfer on each test image, lower is better,
            any unit. At least one image and two transfers.
        names: names of the transfers, for messages.

    Returns:
        float64 (transfers,) in (0, 1), summing to 1; higher is better.

    Raises:
        InvalidInputError: not a matrix of numbers, too few images or transfers, or a loss that is not finite.

    Examples:
        >>> import taxsolver
        >>> losses = [[0.1, 0.2, 0.3], [0.1, 0.3, 0.2]]  # two images, three transfers
        >>> taxsolver.ahp(losses).round(3).tolist()
        [0.998, 0.001, 0.001]
    """
    return principal_eigenvector(preference_ratios(win_rates(losses, names)))


def win_rates(losses: ArrayLike, names: Sequence[str] | None = None) -> FloatArray:
    """Compute the share of images on which one transfer has a lower loss than another; a tie counts half.

    Args:
        losses: float (images, transfers), as for `ahp`.
        names: as for `ahp`.

    Returns:
        float64 (transfers, transfers) in [0, 1]; entry (i, j) is the share on which i beats j, so that
        entries (i, j) and (j, i) sum to 1, and the diagonal is 0.5.

    Raises:
        InvalidInputError: as for `ahp`.

    Examples:
        >>> import taxsolver
        >>> losses = [[0.1, 0.2], [0.3, 0.2], [0.1, 0.4]]  # three images, two transfers
        >>> taxsolver.win_rates(losses).round(2).tolist()
        [[0.5, 0.67], [0.33, 0.5]]
    """
    try:
        table = np.asarray(losses, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"losses are not a matrix of numbers: {error}") from error
    if table.ndim != 2:
        raise InvalidInputError(f"losses have shape {table.shape}, expected (images, transfers)")
    images, transfers = table.shape
    if transfers < 2:
        raise InvalidInputError(f"losses hold {transfers} transfer: at least two are needed to compare")
    if images == 0:
        raise InvalidInputError("losses hold no image: at least one is needed")
    names = None if names is None else name_tuple(names, "names")
    if names is not None and len(names) != transfers:
        raise InvalidInputError(f"{len(names)} names for {transfers} transfers: give one for each column")
    bad = ~np.isfinite(table)
    if bad.any():
        image, transfer = np.argwhere(bad)[0]
        column = f"transfer {names[transfer]!r}" if names is not None else f"transfer {transfer}"
        raise InvalidInputError(
            f"{int(bad.sum())} losses are not finite; the first is {table[image, transfer]} of {column} on "
            f"image {image}: drop such images for all transfers"
        )
    # The losses of each image are replaced by dense ranks, as small integers are compared faster.
    order = np.argsort(table, axis=1)
    ordered = np.take_along_axis(table, order, axis=1)
    rises = np.ones(table.shape, dtype=np.int32)
    rises[:, 0] = 0
    rises[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    wide = np.empty(table.shape, dtype=np.int32)
    np.put_along_axis(wide, order, np.cumsum(rises, axis=1, dtype=np.int32), axis=1)
    ranks: NDArray[np.integer] = wide.astype(np.uint8 if table.shape[1] <= 256 else np.int32)
    wins = np.zeros((transfers, transfers))
    step = max(1, _CHUNK // (transfers * transfers))
    for start in range(0, images, step):
        block = ranks[start : start + step]
        wins += (block[:, :, None] < block[:, None, :]).sum(axis=0, dtype=np.int32)
    ties = images - wins - wins.T
    rates: FloatArray = (wins + ties / 2) / images
    return rates


def preference_ratios(wins: FloatArray) -> FloatArray:
    """Return preference ratios, how many times better i is than j: clipped win rates over their transpose.

    Args:
        wins: float64 (transfers, transfers) in [0, 1], as from `win_rates`.

    Returns:
        float64 (transfers, transfers) in [1/999, 999]; entries (i, j) and (j, i) are reciprocal.
    """
    clipped: FloatArray = np.clip(wins, *CLIP)
    return clipped / clipped.T


def principal_eigenvector(ratios: FloatArray) -> FloatArray:
    """Compute the eigenvector of the largest eigenvalue of a positive matrix, scaled to sum to one.

    Args:
        ratios: float64 (n, n), every entry positive, so that the vector is unique and positive (Perron).

    Returns:
        float64 (n,) in (0, 1).
    """
    values, vectors = np.linalg.eig(ratios)
    principal = np.abs(vectors[:, np.argmax(values.real)].real)
    return np.asarray(principal / principal.sum(), dtype=np.float64)
