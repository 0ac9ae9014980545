"""Colours of transfer orders, shared by all figures and exports."""

from __future__ import annotations

from taxsolver.figures.style import BLUE, GREEN, ORANGE, RED, SKY

# Paul Tol's wine in place of the style's purple, which colour-blind readers confuse with the green
# (https://sronpersonalpages.nl/~pault/).
_WINE = "#882255"
_COLOURS = (BLUE, ORANGE, GREEN, _WINE, RED, SKY)


def order_colour(order: int) -> str:
    """Return the colour of transfers of an order (at least 1); high orders share the last colour."""
    return _COLOURS[min(order, len(_COLOURS)) - 1]
