"""Model cards: what they say comes from the index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network

from taskbank.bank.bank import About, Bank
from taskbank.bank.card import model_card
from taskbank.bank.index import BankIndex, TransferEntry

DIGEST = "d" * 64


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> BankIndex:
    """Of a bank of two tasks."""
    return Bank.save(
        tmp_path_factory.mktemp("bank"),
        name='a "toy" | bank',
        architecture=TOY_COMPACT,
        networks={"depth": toy_network("depth_zbuffer"), "random": toy_encoder()},
        about={
            "depth": About(
                metrics={"abs_rel": 0.12345, "rmse": 0.5},
                licence="CC0-1.0",
                training={"images": 1000, "notes": ["looks indoors only"]},
            )
        },
        licence="MIT",
    ).index


def head(card: str) -> dict[str, object]:
    """The metadata of a card, as the Hub's own library reads them."""
    data: Any = ModelCard(card).data
    return dict(data.to_dict())


def test_the_head_is_what_the_hub_reads(index: BankIndex) -> None:
    """The library and the licence by its identifier."""
    stated = head(model_card(index, DIGEST, "hf://a/b"))
    assert (stated["library_name"], stated["license"]) == ("taskbank", "mit")


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("Apache-2.0", ("apache-2.0", None)),
        ('our "own": terms', ("other", 'our "own": terms')),
        ("", (None, None)),
    ],
)
def test_other_licences_are_named_or_left_out(
    index: BankIndex, licence: str, expected: tuple[str | None, str | None]
) -> None:
    """Quotes and colons do no harm."""
    stated = head(model_card(replace(index, licence=licence), DIGEST, "hf://a/b"))
    assert (stated.get("license"), stated.get("license_name")) == expected


def test_tasks_stand_in_a_table_with_metrics_and_licences(index: BankIndex) -> None:
    """An encoder alone is told from a task with output; the bank's licence holds where a task has none."""
    card = model_card(index, DIGEST, "hf://a/b")
    rows = [
        line
        for line in card.splitlines()
        if line.startswith("| depth_zbuffer") or line.startswith("| random")
    ]
    assert rows == [
        "| depth_zbuffer | depth | m | 0.0 | CC0-1.0 | abs_rel 0.1235, rmse 0.5 |",
        "| random | representation only |  | 0.0 | MIT | not measured |",
    ]


def test_the_card_says_how_to_start_what_was_trained_and_the_limits(index: BankIndex) -> None:
    """With the source under which the card lies, and the digest."""
    card = model_card(index, DIGEST, "hf://a/b")
    assert 'taskbank.Bank.open("hf://a/b")' in card
    assert 'bank.load("depth_zbuffer")' in card
    assert "- depth_zbuffer: images: 1000\n- random: not stated" in card
    assert "- depth_zbuffer: looks indoors only" in card
    assert DIGEST in card


def test_the_lines_of_how_to_start_are_a_program(index: BankIndex) -> None:
    """Also for a bank of encoders only."""
    encoders = {name: replace(entry, decoder=None) for name, entry in index.tasks.items()}
    for shown in (index, replace(index, tasks=encoders)):
        program = model_card(shown, DIGEST, "hf://a/b").split("```python\n")[1].split("```")[0]
        compile(program, "card", "exec")


def test_transfers_stand_in_a_table_of_their_own(index: BankIndex) -> None:
    """With sources, metrics, licences, training and limits; without transfers there is no table."""
    (file,) = index.tasks["random"].files
    transfer = TransferEntry(
        sources=("random", "depth_zbuffer"),
        target="normal",
        file=replace(file, size=123_456),
        metrics={"mean_angle": 12.34567},
        training={"images": 16, "notes": ["small"]},
    )
    card = model_card(replace(index, transfers=(transfer,)), DIGEST, "hf://a/b")
    assert "| random, depth_zbuffer | normal | 0.12 | MIT | mean_angle 12.35 |" in card
    assert "- All transfers: small" in card
    assert "- All transfers: images: 16" in card
    assert "| Transfers | 1 |" in card
    assert "## Transfers" in card
    assert "## Transfers" not in model_card(index, DIGEST, "hf://a/b")


def test_networks_that_were_trained_alike_are_told_together(index: BankIndex) -> None:
    """With the least and the greatest of their numbers; other words part them."""
    entry = index.tasks["depth_zbuffer"]
    facts: tuple[dict[str, Any], ...] = (
        {"device": "cpu", "seconds": 2.5},
        {"device": "cpu", "seconds": 1.0},
        {"device": "cuda"},
    )
    tasks = {
        name: replace(entry, task=name, training=training)
        for name, training in zip(("depth_zbuffer", "normal", "reshading"), facts, strict=True)
    }
    told = model_card(replace(index, tasks=tasks), DIGEST, "hf://a/b")
    assert "- depth_zbuffer, normal: device: cpu; seconds: 1.0 to 2.5\n- reshading: device: cuda" in told
    alike = {name: replace(one, training=facts[0]) for name, one in tasks.items()}
    told = model_card(replace(index, tasks=alike), DIGEST, "hf://a/b")
    assert "- All networks: device: cpu; seconds: 2.5\n" in told


def test_a_card_of_the_same_bank_is_the_same(index: BankIndex, tmp_path: Path) -> None:
    """No dates, no paths."""
    assert model_card(index, DIGEST, "hf://a/b") == model_card(index, DIGEST, "hf://a/b")
    assert str(tmp_path.parent) not in model_card(index, DIGEST, "hf://a/b")


def test_texts_of_a_bank_are_no_marks_in_its_card(index: BankIndex) -> None:
    """A bank from elsewhere puts no link, picture, script, heading or escape on the page that shows it."""
    evil = (
        "x\x1b[2J\n# free <script>alert(1)</script> [click](https://evil.example.org) ![a](http://b/c) `rm`"
    )
    entry = replace(index.tasks["depth_zbuffer"], licence=evil, training={"notes": [evil], "data": evil})
    tasks = {**index.tasks, "depth_zbuffer": entry}
    card = model_card(replace(index, name=evil, licence=evil, tasks=tasks), DIGEST, "hf://a/b")
    body = card.split("---", 2)[2]
    assert "\x1b" not in card
    for harm in ("<script", "[click](", "![a](", "\n# free", "https://evil", "`rm`"):
        assert harm not in body
    assert "\\[click\\](https:\u200b//evil.example.org)" in body
