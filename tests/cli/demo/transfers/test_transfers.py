"""The transfers that the Transfers tab offers, and its texts about them; no page is started here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.taskbank.toy import TOY_COMPACT, toy_network, toy_readout

from taskbank.bank.bank import Bank
from taskbank.errors import MissingTaskError, UnknownTaskError
from taskbank_demo.errors import MissingError
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings
from taskbank_demo.transfers.measured import (
    Place,
    affinity_words,
    by_affinity,
    fitting_tensor,
    ordinal,
    share_words,
    standing,
)
from taskbank_demo.transfers.menu import Choice, TransferMenu, transfer_menu
from taskbank_demo.transfers.requests import first_choice, menu_of, standing_of, tensor_of
from taskbank_demo.transfers.views import measures, prose
from taxsolver import AffinityTensor, available_affinities, load_affinity
from toy_transfers import RECORD, toy_transfer_bank

EDGES = Choice(("edge_texture",), "normal")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """Normals from reshading, edges and both, with baselines; depth and egomotion from normals."""
    return toy_transfer_bank(tmp_path_factory.mktemp("toy") / "bank")


@pytest.fixture(scope="module")
def menu(bank: Bank) -> TransferMenu:
    """Its menu."""
    return transfer_menu(bank)


def tensor(rows: list[tuple[tuple[str, ...], float, bool]], name: str = "toy") -> AffinityTensor:
    """A tensor of transfers to normals: sources, affinity, full supervision."""
    tasks = ("edge_texture", "normal", "reshading", "random")
    return AffinityTensor(
        name=name,
        tasks=tasks,
        targets=("normal",),
        sources=np.array([[task in sources for task in tasks] for sources, _, _ in rows]),
        target=np.full(len(rows), 1, np.int32),
        affinity=np.array([affinity for _, affinity, _ in rows]),
        gain=np.linspace(0.1, 0.9, len(rows)),
        quality=np.linspace(0.2, 0.6, len(rows)),
        full_supervision=np.array([full for _, _, full in rows]),
        aliases={"edges": "edge_texture"},
        untrained=("random",),
    )


MEASURED = tensor(
    [
        (("edge_texture",), 0.1, False),
        (("reshading",), 0.3, False),
        (("random",), 0.1, False),
        (("edge_texture", "reshading"), 0.35, False),
        (("normal",), 0.15, True),
    ]
)


def test_the_menu_has_transfers_of_single_images_and_no_baselines(menu: TransferMenu) -> None:
    """In the order of the registry, fewest sources first."""
    assert [choice.name for choice in menu.choices] == [
        "normal -> depth_zbuffer",
        "edge_texture -> normal",
        "reshading -> normal",
        "reshading+edge_texture -> normal",
    ]
    assert menu.targets == ("depth_zbuffer", "normal")
    assert menu.several_images == ("egomotion",)
    assert menu.orders("normal") == (1, 2)
    assert [choice.source_words for choice in menu.of_order("normal", 2)] == ["Reshading + 2D Edges"]
    assert menu.of_order("depth_zbuffer", 2) == ()


def test_a_transfer_is_found_by_any_names_in_any_order(menu: TransferMenu) -> None:
    """The channels keep the order of the bank."""
    found = menu.find("Surface Normals", ["2D edges", "reshade"])
    assert found == Choice(("reshading", "edge_texture"), "normal")
    assert menu.named(found.name) == found
    assert found.words == "Normals read from Reshading + 2D Edges"


@pytest.mark.parametrize(
    ("target", "sources", "error", "message"),
    [
        (
            "normal",
            ["depth_zbuffer"],
            MissingTaskError,
            "no transfer of single images 'depth_zbuffer -> normal'",
        ),
        ("normal", ["random"], MissingTaskError, "in the bank toy: "),
        ("egomotion", ["normal"], MissingTaskError, "it holds edge_texture -> normal, normal -> depth"),
        ("nromal", ["reshading"], UnknownTaskError, "did you mean normal"),
        ("normal", ["scratch"], UnknownTaskError, "unknown task 'scratch'"),
    ],
)
def test_transfers_that_cannot_be_asked_for_are_named(
    menu: TransferMenu, target: str, sources: list[str], error: type[Exception], message: str
) -> None:
    """With the nearest that can."""
    with pytest.raises(error, match=message):
        menu.find(target, sources)
    with pytest.raises(MissingTaskError, match="no transfer of single images 'a -> b'"):
        menu.named("a -> b")


def test_a_transfer_ranks_among_its_order_and_among_all() -> None:
    """Equals share a place; the target's own network is in no rank."""
    found = standing(MEASURED, "toy", EDGES)
    assert found.own
    assert found.transfer is not None
    assert (found.transfer.affinity, found.transfer.gain) == (0.1, 0.1)
    assert found.in_order == Place(place=2, of=3)
    assert found.overall == Place(place=3, of=4)
    assert [peer.affinity for peer in found.peers] == [0.35, 0.3, 0.1, 0.1]
    assert found.full_supervision is not None
    assert found.full_supervision.affinity == 0.15
    assert found.facts()["rank_in_order"] == {"place": 2, "of": 3}
    assert found.facts()["full_supervision_affinity"] == 0.15


def test_what_was_not_measured_has_no_rank() -> None:
    """Neither a transfer that is not there, nor one without affinity, nor an unknown task."""
    nothing = standing(MEASURED, "other", Choice(("reshading", "random"), "normal"))
    assert (nothing.own, nothing.transfer, nothing.overall) == (False, None, None)
    assert nothing.facts()["measured"] is False
    assert standing(MEASURED, "toy", Choice(("normal",), "curvature")).transfer is None
    without = tensor([(("edge_texture",), math.nan, False), (("reshading",), 1.0, False)])
    found = standing(without, "toy", EDGES)
    assert found.transfer is not None
    assert (found.in_order, len(found.peers)) == (None, 1)
    assert found.facts()["affinity"] is None


def test_ranks_are_those_of_a_count_over_a_published_tensor() -> None:
    """Every first-order transfer of reshading, counted by hand."""
    published = load_affinity("taskonomy-16k")
    column = published.tasks.index("reshading")
    rows = np.flatnonzero((published.target == column) & (published.order == 1) & ~published.full_supervision)
    rows = rows[~published.sources[rows, column]]
    for row in rows:
        found = standing(published, "rooms", Choice(published.source_names(int(row)), "reshading"))
        higher = int((published.affinity[rows] > published.affinity[row]).sum())
        assert found.in_order == Place(place=higher + 1, of=len(rows))


def test_choices_come_with_the_best_first(menu: TransferMenu) -> None:
    """Those that were not measured stand last."""
    rated = by_affinity(MEASURED, [*menu.of_order("normal", 1), Choice(("curvature",), "normal")])
    assert [(choice.sources, affinity) for choice, affinity in rated] == [
        (("reshading",), 0.3),
        (("edge_texture",), 0.1),
        (("curvature",), None),
    ]
    assert first_choice(menu, "taskonomy-16k") == Choice(("reshading",), "normal")


def test_the_tensor_of_the_banks_name_is_shown_first() -> None:
    """And the default one where there is none."""
    assert fitting_tensor("rooms", ["taskonomy-16k", "rooms"]) == "rooms"
    assert fitting_tensor("toy", available_affinities()) == "taskonomy-16k"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (113, "113th"),
    ],
)
def test_places_are_said_in_words(number: int, words: str) -> None:
    """As people say them."""
    assert ordinal(number) == words


def test_numbers_are_said_in_few_figures() -> None:
    """And as a dash where there is none."""
    assert [affinity_words(value) for value in (0.2426, 0.00098, math.nan)] == ["0.243", "0.00098", "–"]  # noqa: RUF001
    assert [share_words(value) for value in (0.333, 1.0, math.nan)] == ["33%", "100%", "–"]  # noqa: RUF001


def test_the_card_says_tensor_numbers_and_rank() -> None:
    """The chosen one stands out among the dots, and full supervision is a line."""
    html = measures(EDGES, standing(MEASURED, "toy", EDGES), RECORD)
    for words in (
        "Normals <span",
        "<strong>toy</strong>",
        "Measured on the networks of this bank",
        "<strong>0.100</strong>",
        "<strong>10%</strong>",
        "2nd of 3 transfers of order 1",
        "3rd of 4 transfers to Normals of all orders",
        "Order 2",
        'title="2D Edges: 0.100"',
        "full supervision, 0.150",
    ):
        assert words in html
    assert html.count('class="tr-chosen"') == 1
    assert "own record" not in html


def test_a_tensor_of_other_networks_is_said_to_be_one() -> None:
    """And the bank's own record stands beside it."""
    html = measures(EDGES, standing(MEASURED, "another", EDGES), RECORD)
    assert "measured on other networks than this bank" in html
    assert "own record of its network: gain 75%, quality 50%" in html


def test_a_transfer_that_the_tensor_lacks_is_shown_by_the_banks_record() -> None:
    """Or said to be unknown."""
    lacking = Choice(("reshading", "random"), "normal")
    found = standing(MEASURED, "toy", lacking)
    html = measures(lacking, found, RECORD)
    assert "did not measure this transfer. The bank itself has a record" in html
    assert "<strong>75%</strong>" in html
    assert "no record of it: choose another tensor" in measures(lacking, found, {})


def test_what_banks_are_called_is_escaped() -> None:
    """A bank comes from anywhere."""
    named = tensor([(("edge_texture",), 1.0, False)], name="<script>alert(1)</script>")
    html = measures(EDGES, standing(named, "toy", EDGES), {})
    assert "<script>" not in html
    assert prose("use `a <b>` & go") == "use <code>a &lt;b&gt;</code> &amp; go"


def services(bank: str, folder: Path, **settings: Any) -> Services:
    """Make the services that users share, without a server."""
    return make_services(DemoSettings(bank=bank, device="cpu", **settings), folder)


def test_a_bank_without_transfers_says_how_to_get_them(tmp_path: Path) -> None:
    """So does a demo without a bank, and a bank with transfers of several images only."""
    with pytest.raises(MissingError, match="nowhere"):
        menu_of(services(str(tmp_path / "nowhere"), tmp_path))
    networks = {"normal": toy_network("normal")}
    bare = Bank.save(tmp_path / "bare", name="bare", architecture=TOY_COMPACT, networks=networks)
    with pytest.raises(MissingError, match="bare holds task networks, and no transfer networks"):
        menu_of(services(bare.where, tmp_path))
    pairs = Bank.save(
        tmp_path / "pairs",
        name="pairs",
        architecture=TOY_COMPACT,
        networks=networks,
        transfers=(toy_readout(("normal",), "egomotion"),),
    )
    with pytest.raises(MissingError, match="transfers to egomotion only, which look at several"):
        menu_of(services(pairs.where, tmp_path))


def test_tensors_by_other_names_are_refused(bank: Bank, tmp_path: Path) -> None:
    """A file's path is not a name: nothing outside the package is read."""
    made = services(bank.where, tmp_path)
    assert tensor_of(made) == "taskonomy-16k"
    assert standing_of(made, EDGES, "taskonomy-1k").tensor == "taskonomy-1k"
    with pytest.raises(MissingError, match=r"no affinity tensor '/etc/passwd' comes with taxsolver: choose"):
        standing_of(made, EDGES, "/etc/passwd")
