"""The Planner tab: its plans, curves and commands are those of the library."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from printed import printed_by
from taskbank_demo.planning.drawing.cards import label_of
from taxsolver import load_affinity, solve
from taxsolver.grouping import group, load_setting
from toys import TOY
from visit import Visit

pytestmark = pytest.mark.browser

BOARD = "tr[data-task={}]"


@pytest.fixture
def planner(visit: Visit) -> Visit:
    """A visitor who looks at the planner."""
    visit.go("Planner")
    return visit


def plan_of(visit: Visit) -> Locator:
    """The part of the page that shows the plan."""
    return visit.page.get_by_role("region", name="The plan", exact=True)


def rows_of(visit: Visit) -> list[list[str]]:
    """Target, sources, gain and quality of every row of the table."""
    rows = plan_of(visit).locator("tbody tr").all()
    cells = [row.locator("th, td").all_inner_texts() for row in rows]
    return [[target, sources, gain, quality] for target, sources, _order, gain, quality in cells]


def rows_expected(plan: Any) -> list[list[str]]:
    """The same of a plan of the library."""
    return [
        [
            label_of(transfer.target),
            "its own labels"
            if transfer.full_supervision
            else " + ".join(label_of(source) for source in transfer.sources),
            f"{transfer.gain:.2f}",
            f"{transfer.quality:.2f}",
        ]
        for transfer in plan.transfers
    ]


def saved_plan(visit: Visit, folder: Path) -> dict[str, Any]:
    """Download the JSON of a plan and return it."""
    path = visit.download(plan_of(visit).get_by_role("button", name="Download JSON"), folder)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def copied(visit: Visit) -> str:
    """The command, by way of the clipboard."""
    plan_of(visit).get_by_role("button", name="Copy the command").click()
    expect(plan_of(visit).locator(".pl-said")).to_have_text("Copied.")
    command: str = visit.page.evaluate("navigator.clipboard.readText()")
    return command


def set_budget(visit: Visit, budget: int) -> None:
    """Type a budget."""
    field = visit.page.get_by_label("number input for Supervision budget")
    field.fill(str(budget))
    field.press("Enter")


def test_a_plan_is_there_at_once_and_is_the_librarys(planner: Visit, tmp_path: Path) -> None:
    """Row by row, and in the file."""
    plan = solve("taskonomy-16k", "all", 8)
    assert rows_of(planner) == rows_expected(plan)
    saved = saved_plan(planner, tmp_path)
    assert saved["sources"] == list(plan.sources)
    assert saved["objective"] == pytest.approx(plan.objective)


def test_every_control_changes_the_question(planner: Visit, tmp_path: Path) -> None:
    """And the copied command asks it in a terminal."""
    page = planner.page
    set_budget(planner, 3)
    page.get_by_role("radio", name="2", exact=True).check()
    page.get_by_role("button", name="None", exact=True).click()
    for task in ("curvature", "normal", "reshading", "room_layout"):
        page.locator(BOARD.format(task)).get_by_role("checkbox").check()
    page.locator(BOARD.format("normal")).get_by_role("combobox").select_option("never")
    page.locator(BOARD.format("reshading")).get_by_role("combobox").select_option("must")
    page.get_by_label("Importance of Curvature").fill("2.5")
    page.get_by_label("Label cost of Reshading").fill("2")
    plan = solve(
        "taskonomy-16k",
        "curvature,normal,reshading,room_layout",
        3,
        max_order=2,
        exclude="normal",
        require="reshading",
        importance={"curvature": 2.5},
        label_cost={"reshading": 2},
    )
    expect(plan_of(planner).locator("tbody tr")).to_have_count(4)
    expect(plan_of(planner).locator("code")).to_contain_text("--label-cost reshading=2")
    assert rows_of(planner) == rows_expected(plan)
    saved, printed = saved_plan(planner, tmp_path), printed_by(copied(planner))
    assert saved["sources"] == printed["sources"] == list(plan.sources)
    assert saved["objective"] == pytest.approx(plan.objective)


def test_the_picture_is_saved_whole(planner: Visit, tmp_path: Path) -> None:
    """As SVG that stands alone, with every task in it."""
    path = planner.download(plan_of(planner).get_by_role("button", name="Download SVG"), tmp_path)
    picture = ET.parse(path).getroot()
    words = "".join(picture.itertext())
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert all(label_of(task) in words for task in ("normal", "room_layout", "keypoints2d"))


def test_a_question_without_an_answer_says_why(planner: Visit) -> None:
    """And the next change brings the plan back."""
    planner.page.get_by_role("button", name="None", exact=True).click()
    expect(planner.page.get_by_role("alert")).to_contain_text("no target is ticked")
    planner.page.get_by_role("button", name="All", exact=True).click()
    expect(plan_of(planner).locator("tbody tr")).to_have_count(len(load_affinity("taskonomy-16k").targets))


def test_a_tensor_of_ones_own_is_planned_with(planner: Visit, tmp_path: Path) -> None:
    """It fills the board, and its file is gone."""
    file = tmp_path / "mine.csv"
    file.write_text(TOY, encoding="utf-8")
    planner.page.get_by_role("button", name="A tensor of your own").click()
    planner.page.locator("input[type=file][accept*='.safetensors']").set_input_files(file)
    expect(plan_of(planner).locator("tbody tr")).to_have_count(3)
    set_budget(planner, 2)
    expect(plan_of(planner).locator("code")).to_contain_text("--budget 2 --affinity mine.csv")
    assert saved_plan(planner, tmp_path)["sources"] == ["a", "s"]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\x00\xff\xfe\x00", b""])
def test_a_bad_tensor_is_refused_in_words(planner: Visit, tmp_path: Path, content: bytes) -> None:
    """The plan stays."""
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    planner.page.get_by_role("button", name="A tensor of your own").click()
    planner.page.locator("input[type=file][accept*='.safetensors']").set_input_files(file)
    expect(planner.page.get_by_role("alert").filter(has_text="Not taken")).to_contain_text("bad.csv")
    expect(plan_of(planner).locator("tbody tr")).to_have_count(22)


def test_names_of_tasks_are_shown_as_they_are(planner: Visit, tmp_path: Path) -> None:
    """Also where they look like markup."""
    file = tmp_path / "<b>mine.csv"
    trap = "<img src=x onerror=document.title='trapped'>"
    file.write_text(f"target,sources,affinity\n{trap},b,1\n", encoding="utf-8")
    planner.page.get_by_role("button", name="A tensor of your own").click()
    planner.page.locator("input[type=file][accept*='.safetensors']").set_input_files(file)
    expect(plan_of(planner).locator("tbody tr")).to_have_count(1)
    expect(plan_of(planner).locator("tbody th")).to_have_attribute("title", trap)
    assert planner.page.title() == "taskbank"


def test_networks_are_grouped_as_by_the_library(planner: Visit) -> None:
    """For the budget that is asked for, with its curve."""
    planner.go("Grouping")
    field = planner.page.get_by_label("number input for Inference budget")
    field.fill("3.5")
    field.press("Enter")
    found = group(load_setting(1), "optimal", 3.5)
    choice = planner.page.get_by_role("region", name="The choice of networks")
    expect(choice.locator("code")).to_contain_text("--budget 3.5")
    expect(choice.locator(".pl-networks > li")).to_have_count(len(found.chosen))
    expect(choice.locator("dl")).to_contain_text(f"{found.test_loss:.5g}")
    expect(planner.page.get_by_role("region", name="What every budget buys").last).to_contain_text("Optimal")


def test_the_space_of_tasks_is_drawn_in_three_ways(planner: Visit) -> None:
    """Tree, map and matrix."""
    planner.go("Task space")
    for name in ("Task tree", "Task map", "Affinity matrix"):
        planner.page.get_by_role("radio", name=name).check()
        expect(planner.page.locator("figure.pl-space svg").first).to_be_visible()
