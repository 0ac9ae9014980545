from __future__ import annotations

from pathlib import Path

import pytest
from training.errors import ConfigError
from training.stages.grouping.config import GroupingConfig, NetworkPlan, Sets
from training.stages.networks.config import OwnSettings, TaskNetworksConfig

from taskbank.nets.architecture import Compact, ResNet50
from taskbank.nets.build import build_encoder

_THREE = ("normal", "depth_zbuffer", "edge_texture")


def test_all_sets_are_every_one_that_is_not_empty_after_the_half_size_ones() -> None:
    names = [plan.name for plan in GroupingConfig(tasks=_THREE).networks()]
    assert names == [
        "half:normal", "half:depth_zbuffer", "half:edge_texture",
        "normal", "depth_zbuffer", "edge_texture",
        "normal+depth_zbuffer", "normal+edge_texture", "depth_zbuffer+edge_texture",
        "normal+depth_zbuffer+edge_texture",
    ]  # fmt: skip


def test_the_original_has_thirty_six_networks_of_five_tasks() -> None:
    plans = list(GroupingConfig().networks())
    assert len(plans) == 36
    assert sum(plan.cost for plan in plans) == 33.5


def test_pairs_are_singles_pairs_and_all_together_each_once() -> None:
    counts = [len(plan.tasks) for plan in GroupingConfig(sets=Sets.PAIRS, half=False).networks()]
    assert counts == [1] * 5 + [2] * 10 + [5]
    of_two = [plan.name for plan in GroupingConfig(tasks=_THREE[:2], sets=Sets.PAIRS, half=False).networks()]
    assert of_two == ["normal", "depth_zbuffer", "normal+depth_zbuffer"]


def test_a_half_size_network_has_about_half_the_weights() -> None:
    full = Compact()
    half = NetworkPlan(tasks=("normal",), cost=0.5).architecture(full)
    assert isinstance(half, Compact)
    sizes = [sum(p.numel() for p in build_encoder(shape).parameters()) for shape in (half, full)]
    assert 0.45 < sizes[0] / sizes[1] < 0.6
    assert half.widths.code == full.widths.code


def test_only_compact_networks_can_be_halved() -> None:
    with pytest.raises(ConfigError, match="no half-size network of 'resnet50': set grouping.half = false"):
        NetworkPlan(tasks=("normal",), cost=0.5).architecture(ResNet50())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ("normal",)}, "grouping.tasks normal must be two different tasks or more"),
        ({"tasks": ("normal", "normals")}, "must be two different tasks or more"),
        ({"tasks": ("normal", "jigsaw")}, "'jigsaw' cannot share a network"),
        ({"tasks": ("normal", "colorization")}, "'colorization' cannot share a network"),
        ({"tasks": ("normal", "random")}, "'random' cannot share a network"),
        ({"early": 1.0}, "grouping.early 1.0 must lie between 0 and 1"),
        ({"tag_every": 0}, "grouping.tag_every 0 must be at least 1"),
        (
            {"learning": TaskNetworksConfig(photometric=False, start=Path("first"))},
            "grouping.learning takes no start, no before and no own",
        ),
        (
            {"learning": TaskNetworksConfig(photometric=False, own=(OwnSettings(tasks=("normal",)),))},
            "grouping.learning takes no start, no before and no own",
        ),
        ({"learning": TaskNetworksConfig()}, "grouping.learning must have photometric = false and zoom = 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GroupingConfig(**change)  # type: ignore[arg-type]
