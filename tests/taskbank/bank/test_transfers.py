"""Facts in a bank about its transfers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_encoder, toy_network, toy_readout

from taskbank.bank.bank import About, Bank
from taskbank.bank.index import INDEX_NAME
from taskbank.errors import InvalidInputError


def test_facts_about_transfers_are_kept(tmp_path: Path) -> None:
    """As those about tasks: metrics, licence, training, class names."""
    sources, target = ("random", "normal"), "class_scene"
    known = About(classes=("a", "b"), metrics={"top5": 0.5}, licence="MIT", training={"images": 16})
    saved = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal"), "random": toy_encoder()},
        transfers=(toy_readout(sources, target), toy_readout(("normal",), "reshading")),
        about_transfers={(sources, target): known},
    )
    entry = Bank.open(saved.where).transfer_entry(["normals", "random"], "scene")
    assert (entry.sources, entry.target, entry.name) == (sources, target, "random+normal -> class_scene")
    assert (entry.classes, entry.metrics, entry.licence) == (known.classes, known.metrics, "MIT")
    assert entry.training == {"images": 16}
    other = saved.transfer_entry(["normal"], "reshading")
    assert (other.classes, other.metrics, other.licence, other.training) == (None, {}, "", {})


def test_the_first_banks_are_read(tmp_path: Path) -> None:
    """Their transfers stated sources, target, file and metrics."""
    saved = Bank.save(
        tmp_path / "bank",
        name="toy",
        architecture=TOY_COMPACT,
        networks={"normal": toy_network("normal")},
        transfers=(toy_readout(("normal",), "reshading"),),
    )
    path = Path(saved.where) / INDEX_NAME
    index = json.loads(path.read_text())
    for name in ("classes", "licence", "training"):
        del index["transfers"][0][name]
    path.write_text(json.dumps(index))
    (entry,) = Bank.open(saved.where).index.transfers
    assert (entry.sources, entry.target) == (("normal",), "reshading")
    assert (entry.classes, entry.licence, entry.training) == (None, "", {})


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"about": {"depth": About()}}, r"about names 'depth', but no such network is given: \['normal'\]"),
        ({"about_transfers": {(("random",), "normal"): About()}}, r"about names \(\('random',\), 'normal'\)"),
    ],
)
def test_facts_about_networks_that_are_not_there_are_refused(
    tmp_path: Path, about: dict[str, Any], message: str
) -> None:
    """They would be lost without a word; nothing is written."""
    with pytest.raises(InvalidInputError, match=message):
        Bank.save(
            tmp_path / "bank",
            name="toy",
            architecture=TOY_COMPACT,
            networks={"normal": toy_network("normal")},
            **about,
        )
    assert not (tmp_path / "bank").exists()
