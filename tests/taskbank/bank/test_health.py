"""Faulty networks of a bank: toys and thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

from taskbank.bank.bank import About, Bank
from taskbank.bank.health import Fault, faults_in_index, find_faults
from taskbank.errors import ImageError, InvalidInputError
from taskbank.inference.measure_health import measure_health
from taskbank.inference.settings import Settings

PHOTOS = [np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8) for seed in range(4)]
SMALL = Settings(device="cpu", size=32)


def faults(*given: object, **named: float) -> list[str]:
    """Kinds of what `find_faults` finds in a network called x."""
    return [str(finding.fault) for finding in find_faults("x", *given, **named)]  # type: ignore[arg-type] # passed on


def test_nothing_is_said_of_numbers_that_are_good_or_not_there() -> None:
    assert faults({}) == []
    assert faults({"dead_channels": 0.0, "output_variation": 0.02}, 0.56) == []


@pytest.mark.parametrize(
    ("metrics", "wins", "kinds"),
    [
        ({"dead_channels": 1.0, "output_variation": 0.0}, 0.5, ["dead", "constant", "weak"]),
        ({"dead_channels": 0.625}, None, ["dead"]),
        ({"dead_channels": 0.5}, None, ["partly dead"]),
        ({"dead_channels": 0.125}, None, ["partly dead"]),
        ({"output_variation": 9e-4}, None, ["constant"]),
        ({}, 0.54, ["weak"]),
        ({"held_out_loss": 0.3, "constant_loss": 0.3}, 0.9, ["weak"]),
        ({"held_out_loss": 0.3, "constant_loss": 0.2}, 0.1, ["weak"]),
    ],
)
def test_the_worst_fault_comes_first(metrics: dict[str, float], wins: float | None, kinds: list[str]) -> None:
    assert faults(metrics, wins) == kinds


def test_dead_and_constant_networks_are_useless_and_others_are_not() -> None:
    assert {fault for fault in Fault if fault.useless} == {Fault.DEAD, Fault.CONSTANT}


def test_a_finding_says_which_network_and_by_which_number() -> None:
    (dead,) = find_faults("jigsaw", {"dead_channels": 0.75})
    assert str(dead) == "jigsaw is dead: 75% of its channels are the same for all images"
    (weak,) = find_faults("class_scene", {}, 0.414)
    assert str(weak).startswith(
        "class_scene is weak: it beats the best constant on 41.4% of held-out samples"
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A live map, a dead pair, an encoder alone, and a transfer from each of the first two."""
    dead = toy_network("fixated_pose", TOY_COMPACT, 1)
    for values in (
        dead.encoder.get_parameter("compress.1.weight"),
        dead.decoder.get_parameter("direct.bias"),
    ):
        torch.nn.init.zeros_(values)
    return Bank.save(
        tmp_path_factory.mktemp("bank") / "toy",
        name="toy",
        architecture=TOY_COMPACT,
        networks={
            "normal": toy_network("normal"),
            "fixated_pose": dead,
            "denoising": toy_network("denoising").encoder,
        },
        transfers=(
            toy_readout(("fixated_pose",), "reshading"),
            toy_readout(("normal",), "reshading", seed=3),
        ),
    )


def test_networks_that_do_not_look_at_images_are_found(bank: Bank) -> None:
    measured = measure_health(bank, PHOTOS, settings=SMALL)
    assert list(measured) == [
        "denoising", "fixated_pose", "normal", "fixated_pose -> reshading", "normal -> reshading",
    ]  # fmt: skip
    assert measured["fixated_pose"] == {"dead_channels": 1.0, "output_variation": 0.0}
    assert measured["fixated_pose -> reshading"] == {"output_variation": 0.0}
    assert measured["normal"]["dead_channels"] == 0.0
    assert measured["normal"]["output_variation"] > 0.01
    assert list(measured["denoising"]) == ["dead_channels"]


def test_some_networks_can_be_asked_for(bank: Bank) -> None:
    measured = measure_health(bank, PHOTOS, tasks=["normals"], transfers=False, settings=SMALL)
    assert list(measured) == ["normal"]


def test_one_image_and_one_that_cannot_be_read_are_errors(bank: Bank, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"1 image\(s\) do not tell whether networks look at them"):
        measure_health(bank, PHOTOS[:1], settings=SMALL)
    with pytest.raises(ImageError, match="missing.png"):
        measure_health(bank, [tmp_path / "missing.png", PHOTOS[0]], tasks=["normal"], settings=SMALL)


def test_an_index_is_judged_by_its_metrics_and_win_rates(tmp_path: Path) -> None:
    bank = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={name: toy_network(name) for name in ("normal", "reshading", "jigsaw")},
        transfers=(toy_readout(("normal",), "reshading"), toy_readout(("normal", "reshading"), "reshading")),
        about={
            "jigsaw": About(training={"win_rates": {}, "held_out": {"beats_average": 0.5}}),
            "normal": About(metrics={"dead_channels": 0.75}, training={"win_rates": {"beats_average": 0.9}}),
            "reshading": About(training={"win_rates": {"beats_average": 0.5}}),
        },
        about_transfers={
            (("normal",), "reshading"): About(metrics={"output_variation": 0.0}),
            (("normal", "reshading"), "reshading"): About(training={"win_rates": {"beats_average": 0.4}}),
        },
    )
    found = [(finding.network, str(finding.fault)) for finding in faults_in_index(bank.index)]
    assert found == [
        ("jigsaw", "weak"), ("normal", "dead"), ("reshading", "weak"),
        ("normal -> reshading", "constant"), ("normal+reshading -> reshading", "weak"),
    ]  # fmt: skip
