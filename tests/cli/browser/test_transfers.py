"""The Transfers tab: a photograph and a video through a transfer, beside the networks it is held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.taskbank.clips import corner_frames, read_clip, write_clip

import taskbank
import taskbank_demo
from visit import Visit

pytestmark = pytest.mark.browser

OFFICE = Path(taskbank_demo.__file__).parent / "examples" / "office.jpg"
SEEN = ["Input", "Transfer", "Full supervision", "From scratch", "Random features"]


@pytest.fixture
def transfers(visit: Visit) -> Visit:
    """A visitor who looks at transfers."""
    visit.go("Transfers")
    return visit


def test_a_photograph_is_compared_and_its_values_are_the_librarys(
    transfers: Visit, bank: str, tmp_path: Path
) -> None:
    """From two sources, which are chosen on the page; every baseline beside it."""
    page = transfers.page
    page.locator("#transfers-order").get_by_role("radio", name="2", exact=True).check()
    expect(page.locator("#transfers-card h3")).to_contain_text("Reshading + 2D Edges")
    transfers.upload("#transfers-photo", OFFICE)
    figures = page.locator("#transfers-pictures .tr-figure:has(img)")
    expect(figures).to_have_count(len(SEEN))
    shown = figures.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert min(shown) >= 256
    links = page.get_by_role("navigation", name="Downloads of the transfer").get_by_role("link").all()
    saved = {path.name: path for path in (transfers.download(link, tmp_path) for link in links)}
    expected = taskbank.load_transfer(["reshading", "edge_texture"], "normal", bank=bank, device="cpu")
    np.testing.assert_array_equal(np.load(saved["normal.npy"]), expected.predict(OFFICE).array)
    for name in ("normal.png", "comparison.png"):
        with Image.open(saved[name]) as picture:
            picture.load()


def test_a_picture_opens_at_full_size_and_closes_with_escape(transfers: Visit) -> None:
    """By keyboard too."""
    transfers.page.locator("#transfers-examples button").first.click()
    button = transfers.page.get_by_role("button", name="Transfer at full size")
    button.focus()
    transfers.page.keyboard.press("Enter")
    dialog = transfers.page.get_by_role("dialog", name="Picture at full size")
    expect(dialog.locator("img")).to_be_visible()
    transfers.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_short_video_is_compared_and_plays(transfers: Visit, tmp_path: Path) -> None:
    """Every frame, as long as the input."""
    clip = write_clip(tmp_path / "clip.mp4", corner_frames(10))
    transfers.go("On a short video")
    transfers.upload("#transfers-video", clip)
    transfers.until("#transfers-preview", "64 x 48, 10 frames, 0.4 seconds")
    transfers.page.locator("#transfers-start").click()
    film = transfers.page.locator("#transfers-film video")
    transfers.until("#component-0, body", "10 frames, row by row")
    expect(film).to_be_visible()
    duration = film.evaluate(
        """async (video) => {
            if (video.readyState < 1) await new Promise((done) => (video.onloadedmetadata = done));
            return video.duration;
        }"""
    )
    assert duration == pytest.approx(0.4, abs=0.05)
    moved = film.evaluate(
        """async (video) => {
            video.muted = true; video.loop = false; video.currentTime = 0;
            await video.play();
            await new Promise((done) => (video.onended = done));
            return video.currentTime;
        }"""
    )
    assert moved == pytest.approx(duration, abs=0.05)
    address = film.evaluate("video => video.currentSrc")
    saved = tmp_path / "film.mp4"
    saved.write_bytes(transfers.page.request.get(address).body())
    assert len(read_clip(saved)[0]) == 10


def test_a_video_that_is_too_long_is_refused_in_words(transfers: Visit, tmp_path: Path) -> None:
    """It is refused when it is uploaded, not when it is started."""
    clip = write_clip(tmp_path / "long.mp4", corner_frames(100))
    transfers.go("On a short video")
    transfers.upload("#transfers-video", clip)
    transfers.until("[data-testid=toast-body]", "long.mp4 has 100 frames in 4.0 seconds")
    transfers.page.locator("#transfers-start").click()
    transfers.until("[data-testid=toast-body] >> nth=-1", "There is no video yet")
