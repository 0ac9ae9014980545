"""Points of a face, for materials to be looked at."""

from __future__ import annotations

import torch
from training.rooms.surfaces.patterns import Spots


def spots(side: int = 96, extent: float = 1.0, seed: int = 5, **changes: float) -> Spots:
    """A square face of 2 `extent` metres with a raster of points."""
    steps = (torch.arange(side) + 0.5) / side * 2 * extent - extent
    count = side * side
    values = {"wide": extent, "high": extent, "footprint": 2 * extent / side, "scale": 0.2, "strength": 0.8}
    colours = torch.tensor([[0.6, 0.4, 0.3], [0.2, 0.15, 0.1], [0.8, 0.8, 0.7]])
    return Spots(
        u=steps.repeat(side),
        v=steps.repeat_interleave(side),
        seed=torch.full((count,), seed, dtype=torch.int32),
        face=torch.zeros(count, dtype=torch.int32),
        colours=colours.expand(count, 3, 3),
        **{name: torch.full((count,), value) for name, value in (values | changes).items()},
    )
