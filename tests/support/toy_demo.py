"""A toy bank with all that the demo shows: maps, classes, layouts, comparisons, transfers and their baselines."""

from __future__ import annotations

from pathlib import Path

from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network, toy_readout, toy_scratch

from taskbank.bank.bank import Bank

SINGLE = ("depth_zbuffer", "normal", "reshading", "class_scene", "room_layout", "edge_texture")
"""Tasks on one photograph."""

TOGETHER = ("point_matching", "egomotion")
"""Tasks on two photographs, and on three."""


def toy_demo_bank(folder: Path) -> Bank:
    """A new bank. Normals are read from reshading, from edges, and from both, beside two baselines."""
    networks = {name: toy_network(name, seed=seed) for seed, name in enumerate(SINGLE + TOGETHER)}
    return Bank.save(
        folder,
        name="toy",
        architecture=TOY_COMPACT,
        networks={**networks, "random": toy_encoder(seed=20)},
        transfers=(
            toy_readout(("reshading", "edge_texture"), "normal", seed=21),
            toy_readout(("reshading",), "normal", seed=22),
            toy_readout(("edge_texture",), "normal", seed=23),
            toy_readout(("random",), "normal", seed=24),
            toy_scratch("normal", seed=25),
        ),
    )
