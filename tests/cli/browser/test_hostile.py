"""Files and addresses that a visitor should not send: refused in words, and the server goes on."""

from __future__ import annotations

import io
import pickle
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect
from tests.cli.browser.conftest import UPLOAD_BYTES, Arrive

import taskbank_demo
from taskbank_demo.hidden_folder import SHOWN
from taskbank_demo.launch import Running
from toy_demo import SINGLE
from visit import Visit

pytestmark = pytest.mark.browser

Uploads: TypeAlias = Callable[[], list[Path]]

OFFICE = Path(taskbank_demo.__file__).parent / "examples" / "office.jpg"
ELSEWHERE = Path(tempfile.gettempdir())
SIDE = 40_000  # px: 1.6 thousand million pixels


def _png_bomb() -> bytes:
    """A picture of two colours that is small until it is decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(1 + SIDE // 8)) for _ in range(SIDE)) + rows.flush()
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _zip_bomb() -> bytes:
    """Nothing, 20 million times."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.png", bytes(20_000_000))
    return held.getvalue()


class _Trap:
    """Its pickle would leave a file behind."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self._place,)


def _objects(place: Path) -> bytes:
    """A NumPy file of objects, which is a pickle inside."""
    held = io.BytesIO()
    np.save(held, np.array([_Trap(place)], dtype=object), allow_pickle=True)
    return held.getvalue()


def _hostile(kind: str, place: Path) -> tuple[str, bytes, str]:
    """Name, content, and words of the answer."""
    unreadable = "cannot be read as an image"
    return {
        "broken": ("broken.jpg", OFFICE.read_bytes()[:3000], unreadable),
        "bomb": ("bomb.png", _png_bomb(), "has more pixels than the 40 million that are allowed"),
        "zip bomb": ("archive.png", _zip_bomb(), unreadable),
        "text": ("words.png", b"only words", unreadable),
        "empty": ("empty.png", b"", "is empty"),
        "svg": ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", unreadable),
        "pickle": ("photo.png", pickle.dumps(_Trap(place)), unreadable),
        "array": ("array.png", _objects(place), unreadable),
        "markup in the name": ("<img src=x onerror=document.title=1>.png", b"x", unreadable),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["broken", "bomb", "zip bomb", "text", "empty", "svg", "pickle", "array", "markup in the name"],
)
def test_what_is_no_photograph_is_refused_in_words(
    visit: Visit, uploads: Uploads, tmp_path: Path, kind: str
) -> None:
    """Nothing of it runs, nothing stays, and the next photograph is answered."""
    name, content, words = _hostile(kind, tmp_path / "trapped")
    field = visit.page.locator("#live-photo input[type=file]").first
    field.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    visit.until("[data-testid=toast-body]", words)
    visit.until("#live-photo", "Drop a photograph here")  # the field is free again
    assert visit.page.title() == "taskbank"
    assert not (tmp_path / "trapped").exists()
    assert uploads() == []
    visit.upload("#live-photo", OFFICE)
    visit.until("#live-status", f"{len(SINGLE)} tasks in")


def test_a_file_that_is_too_large_is_refused_by_the_page(visit: Visit, uploads: Uploads) -> None:
    """With the limit in words."""
    field = visit.page.locator("#live-photo input[type=file]").first
    field.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": bytes(UPLOAD_BYTES + 1)})
    visit.until("[data-testid=toast-body]", "maximum allowed size of 1.9 Mb")
    assert uploads() == []


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file=/etc/passwd",
        "gradio_api/file=../../../../../etc/passwd",
        "gradio_api/file=%2Fetc%2Fpasswd",
        "gradio_api/file=%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "gradio_api/file={folder}/../../etc/passwd",
        "gradio_api/file={folder}/%2e%2e/%2e%2e/etc/passwd",
        "gradio_api/file={folder}",
        "gradio_api/file={folder}/",
        "gradio_api/file={package}/guard.py",
        "gradio_api/file=/proc/self/environ",
        "gradio_api/file=file:///etc/passwd",
        "gradio_api/file\\=/etc/passwd",
        "file=/etc/passwd",
        "file/etc/passwd",
        "static/../../../../../../etc/passwd",
        "assets/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "gradio_api/upload/../file=/etc/passwd",
        "//etc/passwd",
        "gradio_api/stream/x/y/z/playlist.m3u8",
        "gradio_api/custom_component/x/client/component/../../../../etc/passwd",
    ],
)
def test_no_file_outside_the_folder_is_served(server: Running, path: str) -> None:
    """Nor is the folder listed. Addresses are sent as they stand, dots and all."""
    package = Path(taskbank_demo.__file__).parent
    raw = f"/{path.format(folder=server.services.folder, package=package)}"
    with httpx.Client(base_url=server.url) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=raw.encode())
        answer = client.send(request)
    assert answer.status_code in (400, 403, 404, 405), answer.text[:200]
    assert "root:" not in answer.text
    assert "result-" not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        f"../../../..{ELSEWHERE}/escaped.png",
        "..\\..\\escaped.png",
        f"{ELSEWHERE}/escaped.png",
        "a/../../escaped.png",
        "." * 300 + ".png",
        "\x00.png",
    ],
)
def test_a_name_cannot_lead_an_upload_elsewhere(server: Running, uploads: Uploads, name: str) -> None:
    """It lands in the folder, or is refused."""
    url = f"{server.url}gradio_api/upload"
    answer = httpx.post(url, files={"files": (name, OFFICE.read_bytes())})
    folder = server.services.folder
    if answer.status_code == 200:
        for named in map(Path, answer.json()):
            place = folder / named.relative_to(SHOWN)  # what the page calls the folder
            assert place.resolve().is_relative_to(folder)
            assert place.is_file()
            place.unlink()
            place.parent.rmdir()
    assert not list(ELSEWHERE.glob("escaped*"))
    assert uploads() == []
    assert httpx.get(server.url).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../etc/passwd",
        "{folder}/../../etc/passwd",
        "http://127.0.0.1:9/a.png",
        "{package}/examples/office.jpg",
    ],
)
def test_a_path_instead_of_an_upload_is_refused(server: Running, path: str) -> None:
    """Through the same door as a photograph: no result, no word of the inside."""
    package = Path(taskbank_demo.__file__).parent
    given = path.format(folder=server.services.folder, package=package)
    answer = _ask(server, given)
    assert "event: error" in answer
    for secret in ("root:", "Traceback", str(package), str(server.services.folder)):
        assert secret not in answer.replace(given, "")


def _ask(server: Running, path: str) -> str:
    """Return the answer to a photograph of that path, word for word."""
    info = {"path": path, "meta": {"_type": "gradio.FileData"}}
    call = f"{server.url}gradio_api/call/predict"
    event = httpx.post(call, json={"data": [info, ["normal"]]}, timeout=60).json()["event_id"]
    return httpx.get(f"{call}/{event}", timeout=60).text


@pytest.mark.parametrize("route", ["run", "api"])
def test_nobody_passes_by_the_queue(server: Running, route: str) -> None:
    """gradio answers direct calls at once and beside the queue, unless it is told not to."""
    answer = httpx.post(f"{server.url}gradio_api/{route}/affinities", json={"data": []})
    assert answer.status_code in (404, 405)


def test_fifty_at_once_are_all_answered(server: Running, uploads: Uploads) -> None:
    """Each with its result, whatever the others send; nothing of theirs stays."""
    spoilt = OFFICE.read_bytes()[:2000]

    def send(number: int) -> str:
        content = spoilt if number % 5 == 0 else OFFICE.read_bytes()
        sent = httpx.post(
            f"{server.url}gradio_api/upload", files={"files": ("a.jpg", content)}, timeout=60
        ).raise_for_status()
        return _ask(server, sent.json()[0])

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    for number, answer in enumerate(answers):
        assert ("event: error" if number % 5 == 0 else "event: complete") in answer, answer
    assert uploads() == []


def test_the_page_goes_on_after_all_that(visit: Visit) -> None:
    """For the next visitor."""
    visit.upload("#live-photo", OFFICE)
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
    expect(visit.page.locator("#live-gallery button[data-task]")).to_have_count(len(SINGLE))


def test_one_visitor_cannot_see_anothers_result(arrive: Arrive, visit: Visit) -> None:
    """Values of a result are read by its name, which is on the other visitor's page alone."""
    visit.upload("#live-photo", OFFICE)
    visit.until("#live-status", f"{len(SINGLE)} tasks in")
    other = arrive().open()
    assert "result-" not in other.page.content()
    expect(other.page.locator("#live-gallery button[data-task]")).to_have_count(0)
