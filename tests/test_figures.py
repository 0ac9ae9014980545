"""Figures of the bundled bank in the documents are what its evaluation wrote, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from training.stages.evaluation.facts import task_metrics, transfer_metrics
from training.stages.publishing.bank_page import figures_section, with_section
from training.stages.publishing.bundle import BANKS, PAGE, with_bank_card
from training.stages.publishing.card import faults_section, measured_section

from taskbank.bank.bank import Bank
from taskbank.bank.card import model_card
from taxsolver import compare, load_affinity

ROOT = Path(__file__).parents[1]


def _bundled() -> tuple[Bank, dict[str, Any]]:
    """The bank that comes with the package, and what its evaluation wrote."""
    bank = Bank.open("rooms")
    return bank, json.loads((Path(bank.where) / "scores.json").read_text(encoding="utf-8"))


def test_every_figure_of_the_bank_in_the_documents_is_what_its_evaluation_wrote() -> None:
    bank, scores = _bundled()
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert with_section(page, figures_section(bank.index, scores)) == page


def test_the_model_card_holds_the_bundled_banks_own_card() -> None:
    bank, _ = _bundled()
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    own = (Path(bank.where) / "README.md").read_text(encoding="utf-8")
    assert with_bank_card(card, own, f"{BANKS}/{bank.name}") == card


def test_every_figure_of_the_bank_on_its_card_is_what_its_evaluation_wrote() -> None:
    """The tables of networks and transfers, what was measured, what is faulty."""
    bank, scores = _bundled()
    own = (Path(bank.where) / "README.md").read_text(encoding="utf-8")
    assert own.startswith(model_card(bank.index, bank.digest, bank.name))
    for section in (measured_section(scores), faults_section(scores)):
        assert section in own
    for task, entry in bank.index.tasks.items():
        if entry.decoder is not None:
            assert dict(entry.metrics) == task_metrics(scores, task)
    for transfer in bank.index.transfers:
        assert dict(transfer.metrics) == transfer_metrics(scores, transfer.name)


def test_figures_of_the_bank_between_words_of_other_documents_are_what_its_evaluation_wrote() -> None:
    """If one of these differs, the figures of other commands beside them are to be measured anew."""
    _, scores = _bundled()
    depth, frames = scores["real"]["depth_zbuffer"], scores["real_frames"]
    (semantic,) = (one for one in scores["carry_over"] if one["target"] == "segment_semantic")
    (learned,) = re.findall(r"learned from (\d+) real frames", " ".join(scores["origins"]))
    for document, words in (
        ("README.md", f"rooms and {learned} real frames"),
        ("docs/predict.md", f"the {frames} real frames of the bank's card it changed the AbsRel of depth"),
        ("docs/predict.md", f"from {depth['abs_rel']:.3f} to"),
        ("docs/predict.md", f"the share within 1.25 from {depth['delta']:.3f} to"),
        ("docs/probe.md", f"one were probed on {frames} real frames"),
        ("docs/probe.md", f"a correlation of {semantic['spearman']:.2f} with the affinities"),
    ):
        assert words in " ".join((ROOT / document).read_text(encoding="utf-8").split()), words


def test_the_model_card_counts_transfers_and_orders_as_the_tensors_do() -> None:
    card = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+)` \| .+ \| (\d+) \| ([\d,]+) \| 1-(\d)", card, flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["taskonomy-16k", "taskonomy-1k", "taskonomy-main", "rooms"]
    for name, targets, transfers, order in rows:
        tensor = load_affinity(name)
        few = tensor.order[tensor.order < 5]
        counted = len(tensor.targets), len(tensor), int(few.max())
        assert (int(targets), int(transfers.replace(",", "")), int(order)) == counted


def test_the_model_card_says_how_far_the_published_tensors_agree() -> None:
    card = " ".join((ROOT / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    found = compare("taskonomy-16k", "taskonomy-1k")
    egomotion = found.targets["egomotion"][0]
    assert (
        f"agree with a mean Spearman of {found.mean:.2f} over targets ({found.overall:.2f} overall), and not at "
        f"all for egomotion ({egomotion:.2f})"
    ) in card
