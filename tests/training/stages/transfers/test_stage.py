"""Stage 2 as a whole: from networks and frames to losses, skipped and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.stages.transfers.toy_run import save_network, toy_config, toy_places
from training.stages.transfers.config import CodesSettings, TransfersConfig
from training.stages.transfers.stage import run_transfers


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TransfersConfig]:
    root = tmp_path_factory.mktemp("run")
    toy_places(root)
    for number, name in enumerate(("denoising", "fixated_pose")):
        save_network(root / "networks", name, number)
    config = toy_config(steps=2, targets=("denoising", "fixated_pose"))
    start(root, config)
    return root, config


def start(root: Path, config: TransfersConfig) -> Path:
    stores = {split: root / "frames" / split for split in ("train", "val", "test")}
    return run_transfers(config, root / "networks", stores, root)


def test_denoising_has_codes_of_its_own(run: tuple[Path, TransfersConfig]) -> None:
    codes = run[0] / "codes" / "val"
    assert (codes / "normal.npy").read_bytes() != (codes / "noisy" / "normal.npy").read_bytes()


def test_what_is_done_is_not_done_again(run: tuple[Path, TransfersConfig]) -> None:
    root, config = run
    path = root / "transfers" / "denoising" / "order_2.losses.safetensors"
    before = path.stat().st_mtime_ns
    start(root, config)
    assert path.stat().st_mtime_ns == before


def test_a_run_that_lost_a_file_ends_with_the_same_bytes(run: tuple[Path, TransfersConfig]) -> None:
    root, config = run
    path = root / "transfers" / "fixated_pose" / "order_1.losses.safetensors"
    before = path.read_bytes()
    path.unlink()
    start(root, config)
    assert path.read_bytes() == before


def test_representations_depend_on_few_settings() -> None:
    assert CodesSettings.of(toy_config(steps=5)) == CodesSettings.of(toy_config(steps=9, held_out=0.5))
    assert CodesSettings.of(toy_config(seed=1)) != CodesSettings.of(toy_config(seed=2))


def test_another_way_to_begin_is_another_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    before = CodesSettings.of(toy_config())
    monkeypatch.setattr("taskbank.bank.seeded.UNTRAINED_GAIN", 1.5)
    assert CodesSettings.of(toy_config()) != before
