"""Networks of a bank that are continued."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.training.stages.networks.test_backbones import BACKBONES
from training.data.frames import FrameStore
from training.errors import DataError
from training.stages.networks.config import OwnSettings
from training.stages.networks.from_bank import is_bank, write_networks_of_bank
from training.stages.networks.stage import run_networks

from taskbank.bank.bank import Bank
from taskbank.bank.quantise import Storage
from taskbank.bank.writing import About
from taskbank.nets.build import build_network
from taskbank.tasks.registry import find_task

FACTS = {
    "image_size": 64,
    "steps": 7,
    "seconds": 3.0,
    "trained_beside": 0,
    "steps_before": 2,
    "seconds_before": 1.0,
}


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A bank of two networks whose training is known."""
    networks = {
        name: build_network(find_task(name), BACKBONES.architecture) for name in ("normal", "egomotion")
    }
    first = {
        key: v for key, v in networks["normal"].state_dict().items() if key.startswith("encoder.shared.")
    }
    networks["egomotion"].load_state_dict(first, strict=False)
    Bank.save(
        tmp_path / "bank", name="toy", architecture=BACKBONES.architecture, networks=networks,
        about={name: About(training=FACTS) for name in networks}, storage=Storage.FP32,
    )  # fmt: skip
    return tmp_path / "bank"


def test_networks_of_a_bank_are_copied_with_no_steps_and_continued_with_some(
    store: FrameStore, bank: Path, tmp_path: Path
) -> None:
    """Also as the donor of an encoder; the time of the first training is added."""
    own = (
        OwnSettings(tasks=("egomotion",), steps=2),
        OwnSettings(tasks=("fixated_pose",), encoder_of="normal"),
    )
    config = replace(BACKBONES, steps=0, start=bank, own=own, refuse_dead=False)
    out = run_networks(config, store.root, tmp_path / "networks", tasks=("normal", "egomotion"))
    kept = Bank.open(bank).load("normal").state_dict()
    written = load_file(out / "normal.safetensors")
    assert set(kept) - set(written) == {name for name in kept if name.endswith("num_batches_tracked")}
    for name, value in written.items():
        torch.testing.assert_close(
            value, kept[name], rtol=1e-5, atol=1e-6
        )  # units of outputs are multiplied in
    about = {name: json.loads((out / f"{name}.json").read_text()) for name in ("normal", "egomotion")}
    assert about["normal"]["before"] == about["egomotion"]["before"] == {"steps": 9, "seconds": 4.0}
    assert (about["normal"]["steps"], about["egomotion"]["steps"]) == (0, 2)

    config = replace(config, own=(replace(own[1], steps=2),))
    out = run_networks(config, store.root, tmp_path / "others", tasks=("fixated_pose",))
    begun = load_file(out / "fixated_pose.safetensors")
    shared = [name for name in begun if name.startswith("encoder.shared.")]
    assert shared
    assert all((begun[name] == kept[name]).all() for name in shared)


def test_a_bank_is_taken_apart_once(bank: Path, tmp_path: Path) -> None:
    out = write_networks_of_bank(bank, tmp_path / "out")
    written = (out / "normal.safetensors").stat().st_mtime_ns
    assert write_networks_of_bank(bank, out) == out
    assert (out / "normal.safetensors").stat().st_mtime_ns == written


def test_the_bundled_bank_and_folders_with_an_index_are_banks(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_bank(bank)
    assert is_bank(Path("rooms"))
    (tmp_path / "rooms").mkdir()
    assert not is_bank(Path("rooms"))
    assert not is_bank(tmp_path)


@pytest.mark.parametrize("damage", ["index", "weights", "facts"])
def test_a_damaged_bank_is_refused(bank: Path, tmp_path: Path, damage: str) -> None:
    index = json.loads((bank / "bank.json").read_text())
    if damage == "weights":
        (bank / "decoders" / "normal.safetensors").write_bytes(b"")
    else:
        part, key = ("training", "steps") if damage == "facts" else ("encoder", "path")
        del index["tasks"]["normal"][part][key]
        (bank / "bank.json").write_text(json.dumps(index))
    wanted = "does not say how 'normal' was trained" if damage == "facts" else "cannot start from the bank"
    with pytest.raises(DataError, match=wanted):
        write_networks_of_bank(bank, tmp_path / "out")
