"""The sets of sources that are tried."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from training.errors import ConfigError
from training.stages.transfers.choose import rank_sources, source_sets
from training.stages.transfers.config import SOURCES, TARGETS, TransfersConfig

RANKING = ("normal", "curvature", "reshading", "depth_euclidean", "edge_occlusion", "keypoints3d", "jigsaw")


def test_order_1_takes_every_source() -> None:
    sets = source_sets(1, SOURCES, TransfersConfig(), "normal")
    assert sets == tuple((source,) for source in SOURCES)
    assert len(sets) == 26
    assert len(TARGETS) == 22


@pytest.mark.parametrize(("order", "best", "count"), [(2, 5, 10), (3, 5, 10), (4, 6, 15)])
def test_orders_2_to_4_take_all_sets_over_the_best(order: int, best: int, count: int) -> None:
    sets = source_sets(order, RANKING, TransfersConfig(), "depth_zbuffer")
    assert sets == tuple(combinations(RANKING[:best], order))
    assert len(sets) == count


def test_longer_orders_take_the_best_together() -> None:
    config = TransfersConfig(longest=7)
    assert config.set_orders == (2, 3, 4, 5, 6, 7)
    assert source_sets(6, RANKING, config, "depth_zbuffer") == (RANKING[:6],)
    assert source_sets(8, RANKING, config, "depth_zbuffer") == ()


def test_random_pairs_join_a_good_source_and_another() -> None:
    config = TransfersConfig(random_pairs=4)
    drawn = source_sets(2, RANKING, config, "depth_zbuffer")[10:]
    assert len(set(drawn)) == 4
    assert all(one in RANKING[:5] and other in RANKING[5:] for one, other in drawn)
    assert drawn == source_sets(2, RANKING, config, "depth_zbuffer")[10:]


def test_sources_are_ranked_by_who_beats_whom() -> None:
    base = np.arange(10, dtype=np.float32)
    losses = {
        "normal": base + 1,
        "curvature": base,
        "reshading": base + 2,
        "random": base - 5,
        "jigsaw": base - 9,
    }
    assert rank_sources(losses, "jigsaw") == ("curvature", "normal", "reshading")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"orders": (2,)}, r"orders \(2,\) must be 1 and any of 2, 3 and 4"),
        ({"longest": 3}, "longest 3 must be 4"),
        ({"held_out": 1.0}, "held_out 1.0 must lie between 0 and 1"),
        ({"steps": 0}, "steps 0 must be positive"),
        ({"seed": -1}, "seed -1 must not be negative"),
        ({"size": 40}, "size 40 must be a multiple of 16"),
        ({"targets": ("jigsaw",)}, "targets jigsaw must be different names out of autoencoding"),
        ({"sources": ("normal", "normal")}, "sources normal, normal must be different names"),
        ({"sources": ()}, r"sources \(none\) must be different names"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TransfersConfig(**settings)  # type: ignore[arg-type] # wrong on purpose
