"""The demo with toy networks, and Chromium to visit it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, sync_playwright

from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings
from toy_demo import toy_demo_bank
from visit import Visit

UPLOAD_BYTES = 2_000_000
_MUST = "TASKBANK_REQUIRE_BROWSER"

Arrive: TypeAlias = Callable[..., Visit]


def started(settings: DemoSettings) -> Running:
    """A server, started in another thread: Playwright's loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(launch, settings).result()


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A toy bank with tasks of all kinds and with transfers."""
    return toy_demo_bank(tmp_path_factory.mktemp("toy") / "bank").where


@pytest.fixture(scope="module")
def server(bank: str) -> Iterator[Running]:
    """A demo of the toy bank; for one file only, as servers of a process share a folder that others test."""
    settings = DemoSettings(bank=bank, device="cpu", port=0, upload_bytes=UPLOAD_BYTES, video_seconds=3)
    with started(settings) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; without it tests are skipped, or fail where it is demanded.

    For one file only: Playwright leaves an event loop running in this thread, in which other tests could not.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        words = "there is no chromium on the path: apt-get install chromium"
        if os.environ.get(_MUST):
            pytest.fail(f"{words} ({_MUST} is set)")
        pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def arrive(chromium: Browser, server: Running) -> Iterator[Arrive]:
    """Lets visitors arrive; when they leave, no other host was asked and nothing complained."""
    visits: list[Visit] = []

    def arriving(url: str = server.url, width: int = 1440, scheme: str = "light", **options: Any) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
            **options,
        )
        visit = Visit(context.new_page(), url)
        visits.append(visit)
        return visit

    yield arriving
    for visit in visits:
        visit.page.context.close()
    assert [stranger for visit in visits for stranger in visit.strangers] == []
    assert [complaint for visit in visits for complaint in visit.complaints] == []


@pytest.fixture
def visit(arrive: Arrive) -> Visit:
    """A visitor with a wide, light window who sees the page."""
    return arrive().open()


@pytest.fixture
def uploads(server: Running) -> Callable[[], list[Path]]:
    """Return a function that lists this test's uploads on disk: files outside the folders of results."""
    folder = server.services.folder

    def found() -> set[Path]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path for path in files if not path.relative_to(folder).parts[0].startswith("result-")}

    before = found()
    return lambda: sorted(found() - before)
