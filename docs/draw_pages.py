"""Take the pictures of the web page that the documents show: `python docs/draw_pages.py`.

It needs Chromium on the path and the packages of the tests (`.[test]`).
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from taskbank_demo.launch import launch
from taskbank_demo.settings import DemoSettings

PICTURES = Path(__file__).parent / "pictures"
SIZE = ViewportSize(width=1440, height=1180)
PATIENCE = 180_000  # ms


def main() -> None:
    """Open the three tabs with the bundled bank, and keep one picture of each."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("there is no chromium on the path")
    # Playwright's loop runs in this thread, so the server starts in another one.
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(launch, DemoSettings(device="cpu", port=0)).result()
    with running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, reduced_motion="reduce").new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.goto(running.url)
        for _ in range(2):  # the first request loads the networks
            page.locator("#live-examples button").first.click()
            page.wait_for_timeout(1000)
            expect(page.locator("#live-status")).to_contain_text(re.compile(r"\d+ tasks in"))
        keep(page, "demo_live")
        page.get_by_role("tab", name="Transfers", exact=True).click()
        page.locator("#transfers-examples button").first.click()
        expect(page.get_by_role("navigation", name="Downloads of the transfer")).to_be_visible()
        keep(page, "demo_transfers")
        page.get_by_role("tab", name="Planner", exact=True).click()
        expect(page.get_by_role("region", name="The plan", exact=True)).to_be_visible()
        keep(page, "demo_planner")
        browser.close()


def keep(page: Page, name: str) -> None:
    """Save what the window shows, once all of its images are loaded."""
    page.wait_for_function(
        "[...document.images].filter(image => image.offsetParent).every(image => image.complete)"
    )
    page.wait_for_timeout(500)
    page.evaluate("window.scrollTo(0, 0)")
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(PICTURES / f"{name}.jpg", quality=85)


if __name__ == "__main__":
    main()
