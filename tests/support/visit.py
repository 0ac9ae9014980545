"""A visitor of the demo in a real browser, who notes what the page must not do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Download, Locator, Page, Request, expect

PLACES = (
    ("Live", "One photograph"),
    ("Live", "Two or three"),
    ("Transfers", "On a photograph"),
    ("Transfers", "On a short video"),
    ("Planner", "Plan"),
    ("Planner", "Task space"),
    ("Planner", "Grouping"),
)
"""All tabs, and the tabs in them."""

_OWN = re.compile(r"(data|blob):")
_PATIENCE = 30_000  # ms; CI may be slow


@dataclass  # without slots: Playwright hangs attributes on who listens
class Visit:
    """One page of one visitor.

    Attributes:
        page: in a browser window of its own.
        url: of the demo.
        strangers: addresses on other hosts that were asked for.
        complaints: errors on the console.
    """

    page: Page
    url: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(_PATIENCE)
        self.page.on("request", self._on_request)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self) -> Visit:
        """Load the page until it can be used."""
        self.page.goto(self.url)
        expect(self.page.locator(".tb-footer")).to_be_visible(timeout=_PATIENCE)
        return self

    def go(self, *tabs: str) -> None:
        """Open a tab, and a tab in it."""
        for name in tabs:
            self.page.get_by_role("tab", name=name, exact=True).click()

    def upload(self, place: str, *files: Path) -> None:
        """Give files to the upload field of an element, and wait until the server has them."""
        with self.page.expect_response(lambda answer: "/upload" in answer.url):
            self.page.locator(f"{place} input[type=file]").first.set_input_files(files)

    def until(self, place: str, words: str | re.Pattern[str]) -> Locator:
        """Wait until an element shows these words."""
        found = self.page.locator(place)
        expect(found).to_contain_text(words, timeout=_PATIENCE)
        return found

    def download(self, link: Locator, folder: Path) -> Path:
        """Click and keep what is downloaded."""
        with self.page.expect_download() as expected:
            link.click()
        download: Download = expected.value
        kept = folder / download.suggested_filename
        download.save_as(kept)
        return kept

    def _on_request(self, request: Request) -> None:
        if not _OWN.match(request.url) and urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.strangers.append(request.url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)
