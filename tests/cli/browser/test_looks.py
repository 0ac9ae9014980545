"""The page's looks: on phones and desks, light and dark, from the first moment on."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.cli.browser.conftest import Arrive

from toy_demo import SINGLE
from visit import PLACES, Visit

pytestmark = pytest.mark.browser

_PAPER = {"light": "rgb(246, 245, 241)", "dark": "rgb(18, 19, 22)"}

# Notes how the page looks whenever it is about to be drawn.
_WATCH = """
window.seen = [];
const look = () => {
  const heading = document.querySelector('.tb-header h1');
  if (document.body) window.seen.push({
    paper: getComputedStyle(document.body).backgroundColor,
    heading: heading && getComputedStyle(heading).fontSize + ' ' + getComputedStyle(heading).color,
    rows: heading && Math.round(heading.closest('.tb-header').getBoundingClientRect().height),
  });
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def widths(visit: Visit) -> tuple[int, int]:
    """Of the page, and of its window."""
    measured: list[int] = visit.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    return measured[0], measured[1]


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_scrolls_sideways_and_all_have_the_colours_of_the_system(
    arrive: Arrive, width: int, scheme: str
) -> None:
    """With results on the page; no other host is asked, nothing complains."""
    visit = arrive(width=width, scheme=scheme).open()
    visit.page.locator("#live-examples button").first.click()
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
    paper = "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor"
    assert visit.page.evaluate(paper) == _PAPER[scheme]
    for place in PLACES:
        visit.go(*place)
        if place == ("Transfers", "On a photograph"):
            visit.page.locator("#transfers-examples button").first.click()
            expect(visit.page.locator("#transfers-pictures img").first).to_be_visible()
        if place[0] == "Planner":
            expect(visit.page.locator("svg.pg:visible, .pl-space svg:visible").first).to_be_visible()
        page, window = widths(visit)
        assert page <= window, place


@pytest.mark.parametrize("width", [390, 1440])
def test_a_dialog_fits_the_window(arrive: Arrive, width: int) -> None:
    """And can be closed by its button."""
    visit = arrive(width=width).open()
    visit.page.locator("#live-examples button").first.click()
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
    visit.page.locator("button[data-task=depth_zbuffer]").click()
    dialog = visit.page.locator("dialog[open]")
    box = dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 900
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_ever_drawn_without_its_style(arrive: Arrive, scheme: str) -> None:
    """Paper has its colour in the first frame, and the heading looks as it does in the end."""
    visit = arrive(scheme=scheme)
    visit.page.add_init_script(_WATCH)
    visit.open()
    seen = visit.page.evaluate("window.seen")
    assert {frame["paper"] for frame in seen} == {_PAPER[scheme]}
    headings = {(frame["heading"], frame["rows"]) for frame in seen if frame["heading"]}
    assert len(headings) == 1
