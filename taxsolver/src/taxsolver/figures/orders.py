"""Colours of transfer orders, the same in every picture and export."""

from __future__ import annotations

from taxsolver.figures.style import BLUE, GREEN, ORANGE, RED, SKY

# Paul Tol's wine in place of the house's purple, which colour-blind eyes take for the green
# (https://sronpersonalpages.nl/~pault/).
_WINE = "#882255"
_COLOURS = (BLUE, ORANGE, GREEN, _WINE, RED, SKY)


def order_colour(order: int) -> str:
    """Colour of transfers of an order (at least 1); orders beyond the colours share the last one."""
    return _COLOURS[min(order, len(_COLOURS)) - 1]
