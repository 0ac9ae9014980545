"""A toy bank with transfers and every baseline, for tests of the demo; its networks are seeded, not trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network, toy_readout, toy_scratch

from taskbank.bank.bank import About, Bank
from taskbank.inference.results import Prediction
from taskbank.options import Frame
from taskbank.tasks.kinds import OutputKind

RECORD = {"affinity": 0.25, "gain": 0.75, "quality": 0.5}
"""Facts in the bank about its transfer from edges to normals."""


def toy_transfer_bank(folder: Path, name: str = "toy") -> Bank:
    """A new bank.

    Normals are read from reshading, from edges, and from both, and have all baselines; depth is read from
    normals and lacks them, and has no network of its own; egomotion is read from normals.
    """
    both = ("reshading", "edge_texture")
    return Bank.save(
        folder,
        name=name,
        architecture=TOY_COMPACT,
        networks={
            "normal": toy_network("normal", seed=1),
            "reshading": toy_network("reshading", seed=2),
            "edge_texture": toy_network("edge_texture", seed=3),
            "random": toy_encoder(seed=4),
        },
        transfers=(
            toy_readout(both, "normal", seed=5),
            toy_readout(("reshading",), "normal", seed=6),
            toy_readout(("edge_texture",), "normal", seed=7),
            toy_readout(("random",), "normal", seed=8),
            toy_scratch("normal", seed=9),
            toy_readout(("normal",), "depth_zbuffer", seed=10),
            toy_readout(("normal",), "egomotion", seed=11),
        ),
        about_transfers={(("edge_texture",), "normal"): About(metrics=RECORD)},
    )


def said(kind: OutputKind, array: np.ndarray) -> Prediction:
    """A prediction with these values."""
    return Prediction(
        task="any", kind=kind, array=array, unit="m", value_range=None, convention="", frame=Frame.INPUT,
        views=(), sources=(), bank="", bank_digest="",
    )  # fmt: skip
