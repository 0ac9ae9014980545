"""Division of the store of transfers into training frames and held-out frames for ranking sources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.frames import FrameStore
from training.errors import DataError
from training.stages.transfers.config import TransfersConfig


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Division of the frames of one store, by rooms.

    Attributes:
        learned: bool (frames,), training frames.
        held_out: bool (frames,), frames of the rooms for ranking sources.
    """

    learned: NDArray[np.bool_]
    held_out: NDArray[np.bool_]


def divide(store: FrameStore, config: TransfersConfig) -> Division:
    """Hold out a share of the rooms, and draw the training frames from the others.

    Raises:
        DataError: there is only one room.
    """
    cameras = store.cameras
    rooms = np.unique(cameras["room"])
    if len(rooms) < 2:
        raise DataError(
            f"{store.root} has {len(rooms)} room: transfers need two at least, one of them to rank sources on"
        )
    draw = np.random.default_rng([config.seed, len(rooms)])
    count = min(max(1, round(config.held_out * len(rooms))), len(rooms) - 1)
    held_out = np.isin(cameras["room"], draw.permutation(rooms)[:count])
    learned = ~held_out
    if config.images is not None and config.images < learned.sum():
        # Draw frames by whole fixated points, so that pairs stay together.
        frames = np.flatnonzero(learned)
        _, point = np.unique(cameras[frames][["room", "point"]], return_inverse=True)
        turn = draw.permutation(point.max() + 1)[point]
        learned = np.zeros_like(learned)
        learned[frames[np.argsort(turn, kind="stable")[: config.images]]] = True
    return Division(learned=learned, held_out=held_out)
