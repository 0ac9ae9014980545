"""Use without a mouse or a screen: keys, names, and the text of a page without a bank."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from tests.cli.browser.conftest import Arrive, started

from taskbank_demo.launch import Running
from taskbank_demo.settings import DemoSettings
from toy_demo import SINGLE
from visit import PLACES, Visit

pytestmark = pytest.mark.browser

NAMED = {
    "button", "checkbox", "combobox", "group", "link", "listbox", "progressbar", "radio", "radiogroup", "region",
    "searchbox", "slider", "spinbutton", "switch", "tab", "textbox", "application", "dialog", "Video",
}  # fmt: skip
"""Roles whose elements a visitor meets one by one, and must know by name."""


def nameless(visit: Visit) -> list[str]:
    """Elements of the accessibility tree that have no name, as HTML."""
    session = visit.page.context.new_cdp_session(visit.page)
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        named = node.get("name", {}).get("value", "").strip()
        if not node["ignored"] and node["role"]["value"] in NAMED and not named:
            shown = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})
            found.append(f"{node['role']['value']}: {shown['outerHTML'][:160]}")
    session.detach()
    return found


def tab_to(visit: Visit, wanted: Locator, most: int = 60) -> None:
    """Press the tabulator until an element has the focus, which must be seen."""
    for _ in range(most):
        visit.page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            style = wanted.evaluate(
                "one => { const s = getComputedStyle(one); return s.outlineStyle + s.boxShadow; }"
            )
            assert style != "nonenone", f"the focus of {wanted} cannot be seen"
            return
    pytest.fail(f"{most} times Tab do not lead to {wanted}")


def test_everything_has_a_name(visit: Visit) -> None:
    """On every tab, with all that folds open."""
    found = []
    for place in PLACES:
        visit.go(*place)
        folds = visit.page.locator("button.label-wrap:not(.open):visible")
        while folds.count():
            folds.first.click()
        found += nameless(visit)
    assert found == []


def test_results_have_names_too(visit: Visit) -> None:
    """Cards, dialog, and its downloads."""
    visit.page.locator("#live-examples button").first.click()
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
    assert nameless(visit) == []
    visit.page.locator("button[data-task=normal]").click()
    expect(visit.page.get_by_role("dialog", name="Normals")).to_be_visible()
    assert nameless(visit) == []


def test_a_photograph_is_answered_and_looked_at_by_keyboard_alone(visit: Visit) -> None:
    """From the first Tab to a value of a result, and back to its card."""
    page = visit.page
    tab_to(visit, page.get_by_role("button", name="Example: office"))
    page.keyboard.press("Enter")
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
    card = page.locator("button[data-task=depth_zbuffer]")
    tab_to(visit, card)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Z-Depth")
    expect(dialog).to_be_visible()
    tab_to(visit, dialog.get_by_role("application"))
    page.keyboard.press("ArrowRight")
    expect(dialog.locator(".tb-readout-place")).to_have_text("x 193, y 192")
    tab_to(visit, dialog.get_by_role("link").first)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(card).to_be_focused()


def test_tabs_and_the_planner_are_used_by_keyboard_alone(visit: Visit) -> None:
    """A task is ticked off, and the plan follows."""
    page = visit.page
    tab_to(visit, page.get_by_role("tab", name="Planner"))
    page.keyboard.press("Enter")
    plan = page.get_by_role("region", name="The plan", exact=True)
    rows = plan.locator("tbody tr")
    expect(rows).to_have_count(22)
    tab_to(visit, page.get_by_role("checkbox", name="Solve Curvature"))
    page.keyboard.press("Space")
    expect(rows).to_have_count(21)
    tab_to(visit, plan.get_by_role("button", name="Copy the command"), most=300)
    page.keyboard.press("Enter")
    expect(plan.locator(".pl-said")).to_have_text("Copied.")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo without a bank."""
    nowhere: Path = tmp_path_factory.mktemp("no") / "bank"
    with started(DemoSettings(bank=str(nowhere), port=0)) as running:
        yield running


def test_without_a_bank_the_page_says_how_to_get_one_and_plans(arrive: Arrive, bare: Running) -> None:
    """On both tabs that need networks; nothing is nameless, nothing complains."""
    visit = arrive(bare.url).open()
    for tab, title in (("Live", "No networks to run"), ("Transfers", "No transfers to compare")):
        visit.go(tab)
        panel = visit.page.locator(".tb-missing:visible")
        expect(panel).to_contain_text(title)
        expect(panel.locator("code").first).to_contain_text("taskbank")
        assert nameless(visit) == []
    visit.go("Planner")
    visit.page.get_by_role("button", name="None", exact=True).click()
    visit.page.get_by_role("checkbox", name="Solve Normals").check()
    plan = visit.page.get_by_role("region", name="The plan", exact=True)
    expect(plan.locator("tbody tr")).to_have_count(1)
    assert visit.page.get_by_role("tab").all_inner_texts()[:3] == ["Live", "Transfers", "Planner"]
