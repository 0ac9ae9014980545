"""A toy bank that may be shipped: all tasks, scores of its weights, a card, a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout, toy_scratch
from training.stages.evaluation.picture_page import write_jpeg
from training.stages.evaluation.weights import weights_of
from training.stages.publishing.card import measured_section

from taskbank.bank.bank import About, Bank, Untrained
from taskbank.bank.card import model_card
from taskbank.tasks.registry import TASKS

_DECODED = [name for name in TASKS if name != "random"]
_KEYS = ((("normal", "random"), "reshading"), (("scratch",), "normal"))

_COMPARED = {"win_rates": {"beats_average": 0.9}}


def write_card(bank: Bank, scores: dict[str, Any]) -> None:
    """The card as publishing writes it."""
    folder = Path(bank.where)
    text = model_card(bank.index, bank.digest, bank.name)
    text += f"\n\n{measured_section(scores)}\n\n![x](pictures/normal.jpg)\n"
    (folder / "README.md").write_text(text)


def save_fit_bank(folder: Path) -> Path:
    """A bank of all tasks with scores, card and a picture."""
    bank = Bank.save(
        folder,
        name="toy",
        architecture=TOY_COMPACT,
        networks={**{name: toy_network(name) for name in _DECODED}, "random": Untrained(7)},
        transfers=(toy_readout(*_KEYS[0]), toy_scratch("normal")),
        about={name: About(metrics={"l1": 0.5}, training=_COMPARED) for name in _DECODED},
        about_transfers={key: About(metrics={"l1": 0.25}, training=_COMPARED) for key in _KEYS},
        image_size=32,
    )
    scores = {
        "weights": weights_of(bank.index),
        "test": {name: {"l1": 0.5, "samples": 4.0} for name in _DECODED},
        "transfers": {entry.name: {"l1": 0.25, "samples": 2.0} for entry in bank.index.transfers},
        "pictures": [{"file": "normal.jpg", "words": "x"}],
        "sanity": [],
        "frames": 4,
        "health": {},
        "agreement": {},
        "origins": [],
    }
    (folder / "scores.json").write_text(json.dumps(scores))
    write_jpeg(folder / "pictures" / "normal.jpg", Image.new("RGB", (8, 8)))
    write_card(bank, scores)
    return folder
