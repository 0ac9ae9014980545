"""Training of a target's networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tests.training.stages.transfers.toy_run import toy_config

from taskbank.learning.parts import Batch, Part, Rows
from taskbank.learning.target import Target
from taskbank.learning.train import train_readouts
from taskbank.tasks.registry import TASKS

_SIZE = 32


class ToyPart(Part):
    """Six samples of reshading; sources have as many channels as their names say."""

    def __len__(self) -> int:
        return 6

    @property
    def rooms(self) -> NDArray[np.int32]:
        """One room."""
        return np.zeros(6, dtype=np.int32)

    def target(self, rows: Rows, turn: int = 0) -> Target:
        """Return random maps."""
        return Target(values=torch.rand(6, 1, _SIZE, _SIZE, generator=_generator(0))[rows])

    def codes(self, sets: Sequence[Sequence[str]], rows: Rows) -> torch.Tensor:
        """Return random representations."""
        joined = [torch.cat([_codes(source)[rows] for source in sources], 1) for sources in sets]
        return torch.stack(joined)

    def picture_batch(self, rows: Rows, turn: int = 0, size: int | None = None) -> Batch:
        """Not used."""
        raise NotImplementedError


def _codes(source: str) -> torch.Tensor:
    channels = int(source)
    return torch.randn(6, channels, 2, 2, generator=_generator(channels))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_transfers_from_any_number_of_channels_start_from_the_same_weights() -> None:
    """Else a source could win by the luck of its weights."""
    config = toy_config(steps=1, batch=4, learning_rate=1e-12)
    part = ToyPart(TASKS["reshading"], config, torch.device("cpu"))
    usual, wide = (
        train_readouts(part, [(str(channels),)], config, size=_SIZE, channels=[channels]).state(0)
        for channels in (8, 20)
    )
    assert {name for name in wide if name not in usual} == {
        f"projections.layers.0.{name}"
        for name in (
            "0.weight", "0.bias", "0.running_mean", "0.running_var", "0.num_batches_tracked", "1.weight",
            "1.bias",
        )
    }  # fmt: skip
    assert wide["projections.layers.0.1.weight"].shape == (8, 20, 1, 1)
    for name in usual:
        if name.endswith("weight"):
            torch.testing.assert_close(wide[name], usual[name])


def test_projections_are_learned_with_the_read_out() -> None:
    config = toy_config(steps=1, batch=4, learning_rate=1e-12)
    part = ToyPart(TASKS["reshading"], config, torch.device("cpu"))
    start = train_readouts(part, [("20",)], config, size=_SIZE, channels=[20]).state(0)
    longer = toy_config(steps=3, batch=4, learning_rate=1e-2)
    learned = train_readouts(part, [("20",)], longer, size=_SIZE, channels=[20]).state(0)
    name = "projections.layers.0.1.weight"
    assert float((learned[name] - start[name]).abs().max()) > 1e-3
