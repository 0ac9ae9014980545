"""Averages with the mirrored image: by hand, by their symmetry, and what has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network, toy_readout

from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError
from taskbank.inference.engine import Engine
from taskbank.inference.settings import Settings
from taskbank.inference.transfer_engine import TransferEngine
from taskbank.options import Fit

TASKS = ("normal", "depth_zbuffer", "segment_semantic", "class_scene", "inpainting", "segment_unsup2d")
PHOTO = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
FLIPPED = np.ascontiguousarray(PHOTO[:, ::-1])


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    networks: dict[str, Any] = {task: toy_network(task, seed=seed) for seed, task in enumerate(TASKS)}
    networks |= {"vanishing_point": toy_network("vanishing_point"), "random": toy_encoder(TOY_COMPACT, 9)}
    readout = toy_readout(("depth_zbuffer",), "normal", seed=3)
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks, transfers=(readout,))


def raw(engine: Engine | TransferEngine, photo: np.ndarray) -> dict[str, torch.Tensor]:
    (outcome,) = engine.run([photo])
    assert outcome.error is None
    return dict(outcome.raw)


def turned(task: str, values: torch.Tensor) -> torch.Tensor:
    """Return an output as a mirror shows it."""
    if values.dim() == 1:
        return values
    back = values.flip(-1)
    return back * torch.tensor([-1.0, 1, 1])[:, None, None] if task == "normal" else back


@pytest.mark.parametrize("fit", [Fit.WHOLE, Fit.CROP])
def test_outputs_are_means_of_both_images(bank: Bank, fit: Fit) -> None:
    plain = Engine(bank, TASKS, Settings(device="cpu", size=64, fit=fit))
    found = raw(Engine(bank, TASKS, Settings(device="cpu", size=64, fit=fit, mirrored=True)), PHOTO)
    one, other = raw(plain, PHOTO), raw(plain, FLIPPED)
    for task in TASKS[:5]:
        wanted = (one[task] + turned(task, other[task])) / 2
        if task != "inpainting":  # whose hole is not in the same place of the mirrored image
            torch.testing.assert_close(found[task], wanted, rtol=1e-4, atol=1e-5)
        assert (found[task] - one[task]).abs().max() > 1e-3
    assert torch.equal(found["segment_unsup2d"], one["segment_unsup2d"])


def test_the_mirrored_image_gives_the_mirrored_result(bank: Bank) -> None:
    """Also for photos that are seen in several squares, whose maps are blended."""
    wide = np.concatenate([PHOTO, FLIPPED, PHOTO[::-1]], axis=1)
    engine = Engine(bank, TASKS[:4], Settings(device="cpu", size=64, mirrored=True))
    one, other = raw(engine, wide), raw(engine, np.ascontiguousarray(wide[:, ::-1]))
    for task in TASKS[:4]:
        torch.testing.assert_close(one[task], turned(task, other[task]), rtol=1e-3, atol=1e-4)


def test_transfers_are_averaged_too(bank: Bank) -> None:
    settings = Settings(device="cpu", size=64, fit=Fit.CROP)
    plain = TransferEngine(bank, ["depth_zbuffer"], ["normal"], settings)
    both = TransferEngine(bank, ["depth_zbuffer"], ["normal"], replace(settings, mirrored=True))
    wanted = (raw(plain, PHOTO)["normal"] + turned("normal", raw(plain, FLIPPED)["normal"])) / 2
    torch.testing.assert_close(raw(both, PHOTO)["normal"], wanted, rtol=1e-4, atol=1e-5)


def test_tasks_that_a_mirror_changes_are_refused_alone(bank: Bank) -> None:
    mirrored = Settings(device="cpu", size=64, mirrored=True)
    with pytest.raises(
        InvalidInputError, match="there is none among vanishing_point, segment_unsup2d: leave"
    ):
        Engine(bank, ["vanishing_point", "segment_unsup2d"], mirrored)
    with pytest.raises(InvalidInputError, match="averages predictions, not representations"):
        Engine(bank, ["normal"], mirrored, encoders_only=True)
    engine = Engine(bank, ["vanishing_point", "normal"], mirrored)
    plain = Engine(bank, ["vanishing_point"], Settings(device="cpu", size=64))
    assert torch.equal(raw(engine, PHOTO)["vanishing_point"], raw(plain, PHOTO)["vanishing_point"])
