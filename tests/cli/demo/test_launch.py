"""The demo's server: programs that call it, hostile requests, and the command that starts it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from tests.taskbank.toy import TOY_COMPACT, toy_network

import taskbank
import taskbank_demo
from taskbank.bank.bank import Bank
from taskbank_demo.guard import Guard
from taskbank_demo.hidden_folder import SHOWN
from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings
from taskbank_demo.uploads import delete_upload
from taskbank_demo.workspace import folder_size

ROOT = Path(taskbank_demo.__file__).parent
EXAMPLE = ROOT / "examples" / "office.jpg"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A bank for one photograph and for two."""
    networks = {task: toy_network(task) for task in ("normal", "depth_zbuffer", "point_matching")}
    folder = tmp_path_factory.mktemp("toy") / "bank"
    return Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks=networks).where


@pytest.fixture(scope="module")
def server(bank: str) -> Iterator[Running]:
    """A server with small limits on a free port."""
    with launch(DemoSettings(bank=bank, device="cpu", port=0, upload_bytes=300_000)) as running:
        yield running


@pytest.fixture
def client(server: Running, tmp_path: Path) -> Iterator[Client]:
    """A program's connection."""
    made = Client(server.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    yield made
    made.close()


def uploads(server: Running) -> list[Path]:
    """Files outside the folders of results: what was uploaded."""
    return [
        path
        for path in server.services.folder.rglob("*")
        if path.is_file() and not path.relative_to(server.services.folder).parts[0].startswith("result-")
    ]


def test_a_program_gets_the_library_s_own_numbers(server: Running, client: Client, bank: str) -> None:
    """Arrays, pictures and facts; the upload is gone afterwards."""
    facts, files = client.predict(handle_file(EXAMPLE), ["normal", "depth_zbuffer"], api_name="/predict")
    by_name = {Path(file).name: file for file in files}
    theirs = taskbank.load("depth", bank=bank, device="cpu").predict(EXAMPLE)
    np.testing.assert_array_equal(np.load(by_name["depth_zbuffer.npy"]), theirs.array)
    assert facts["normal"]["bank"] == {"name": "toy", "sha256": Bank.open(bank).digest}
    with Image.open(by_name["depth_zbuffer_16bit.png"]) as deep:
        assert deep.mode.startswith("I")
    assert uploads(server) == []


def test_a_program_compares_two_photographs(server: Running, client: Client) -> None:
    """Files are one parameter."""
    pair = [handle_file(ROOT / "examples" / f"lounge_{number}.jpg") for number in (1, 2)]
    facts, _ = client.predict(pair, ["point_matching"], api_name="/predict_together")
    assert 0 <= facts["point_matching"]["values"] <= 1
    assert uploads(server) == []


@pytest.mark.parametrize(
    ("name", "content"), [("a.png", b"hello"), ("a.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'}")]
)
def test_hostile_uploads_are_answered_in_words(
    server: Running, client: Client, tmp_path: Path, name: str, content: bytes
) -> None:
    """And deleted."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AppError, match=f"{name} cannot be read as an image"):
        client.predict(handle_file(path), ["normal"], api_name="/predict")
    assert uploads(server) == []


@pytest.mark.parametrize("size", [300_001, 5_000_000])
def test_a_file_that_is_too_large_is_not_taken(server: Running, size: int) -> None:
    """The server refuses it even if the client keeps to no limit."""
    answer = httpx.post(f"{server.url}gradio_api/upload", files={"files": ("a.jpg", bytes(size))})
    assert answer.status_code == 413
    assert uploads(server) == []


def test_one_photograph_uploaded_at_once_by_many_is_a_file_for_each(server: Running) -> None:
    """Otherwise the first whose request is done deletes it for all."""

    def send(_number: int) -> list[str]:
        found: list[str] = httpx.post(
            f"{server.url}gradio_api/upload",
            files=[("files", ("a.jpg", EXAMPLE.read_bytes())), ("files", ("b.jpg", b"x"))],
        ).json()
        return found

    with ThreadPoolExecutor(10) as pool:
        shown = [path for pair in pool.map(send, range(20)) for path in pair]
    paths = [Path(path.replace(SHOWN, str(server.services.folder))) for path in shown]
    assert len(set(paths)) == 40
    assert {path.name for path in paths} == {"a.jpg", "b.jpg"}
    assert all(path.is_file() for path in paths)
    for path in paths:
        delete_upload(path, server.services.folder)
    assert uploads(server) == []
    assert not list(server.services.folder.glob("upload-*"))


def sent(server: Running, path: str) -> str:
    """Return the server's answer to a photograph of that path, word for word."""
    info = {"path": path, "meta": {"_type": "gradio.FileData"}}
    joined = httpx.post(f"{server.url}gradio_api/call/predict", json={"data": [info, ["normal"]]})
    event = joined.json()["event_id"]
    with httpx.stream("GET", f"{server.url}gradio_api/call/predict/{event}", timeout=20) as answer:
        return answer.read().decode()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/passwd", "http://127.0.0.1:9/a", "file:///etc/passwd"]
)
def test_a_path_or_address_instead_of_an_upload_is_refused(server: Running, path: str) -> None:
    """Nothing is read, nothing is fetched, and nothing of the inside is told."""
    answer = sent(server, path)
    assert "event: error" in answer
    assert "Traceback" not in answer
    assert "root:" not in answer


def test_addresses_are_not_fetched(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """gradio's own components would; so nothing is to ask gradio for it."""
    asked = []

    async def fetch(*given: Any, **_: Any) -> str:
        asked.append(given)
        return ""

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_download", fetch)
    assert "Addresses are not fetched" in sent(server, "http://example.org/a.png")
    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/file=http://example.org/a",
        "gradio_api/proxy=https://a.hf.space/x",
        "gradio_api/runs",
        "gradio_api/run-history/buckets",
        "gradio_api/process_recording",
        "gradio_api/dev/reload",
        "monitoring",
        "monitoring/summary",
        "docs",
        "openapi.json",
        "gradio_api/file=",
        "gradio_api/token",
        "gradio_api/deep_link",
        "gradio_api/run/predict",
        "gradio_api/api/predict",
    ],
)
def test_routes_that_the_page_does_not_need_do_not_exist(server: Running, path: str) -> None:
    """Among them all that talk to other hosts."""
    assert httpx.get(server.url + path).status_code == 404
    assert httpx.post(server.url + path).status_code == 404


def test_nobody_passes_by_the_queue(server: Running) -> None:
    """Not even where the routes for that were let through."""
    assert not server.page.api_open


@pytest.mark.parametrize("path", ["/etc/passwd", "/", "/tmp", str(EXAMPLE), "/proc/self/environ"])
def test_files_outside_the_folder_are_not_served(server: Running, path: str) -> None:
    """Neither listed."""
    assert httpx.get(f"{server.url}gradio_api/file={path}").status_code in (403, 404)


def test_the_folder_itself_is_not_listed_and_steps_upwards_lead_nowhere(server: Running) -> None:
    """Also where dots and slashes are written as numbers."""
    folder = server.services.folder
    for path in (folder, f"{folder}/../passwd", f"{folder}/%2e%2e/%2e%2e/etc/passwd"):
        assert httpx.get(f"{server.url}gradio_api/file={path}").status_code in (403, 404)


def test_answers_forbid_every_other_host(server: Running) -> None:
    """By a policy that browsers keep."""
    headers = httpx.get(server.url).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    allowed = set(re.findall(r"https?://\S+?(?=;|\s|$)", policy))
    assert allowed == {"https://huggingface.co"}, "which may only show the page in a frame"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_names_no_other_host_to_load_from(server: Running) -> None:
    """No font, script, style or picture."""
    page = httpx.get(server.url).text
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?:[^"]+)"', page)
    assert loaded == []
    config = httpx.get(f"{server.url}config").json()
    assert config["analytics_enabled"] is False
    assert not [name for name in config.get("stylesheets") or [] if name.startswith("http")]


def test_a_body_that_is_too_long_is_cut_off(server: Running) -> None:
    """It is cut off with and without a stated length."""
    url = f"{server.url}gradio_api/queue/join"
    assert httpx.post(url, content=bytes(2**20 + 1)).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield bytes(2**16)

    # Closing the connection on us is an answer too.
    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        assert httpx.post(url, content=endless()).status_code in {400, 413}
    assert httpx.get(server.url).status_code == 200


def slow_app(received: list[bytes]) -> Any:
    """Return an app that reads a whole body."""

    async def run(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            received.append(message["body"])
            more = message.get("more_body", False)

    return run


def test_a_body_that_comes_too_slowly_is_cut_off(tmp_path: Path) -> None:
    """After the time of a request, not after that of each part."""
    guard = Guard(slow_app([]), settings=DemoSettings(request_seconds=0.2), folder=tmp_path)
    answers: list[Any] = []

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def keep(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "path": "/gradio_api/upload", "headers": []}
    started = time.monotonic()
    asyncio.run(guard(scope, drip, keep))
    assert answers[0]["status"] == 408
    assert time.monotonic() - started < 5


def test_a_full_folder_takes_no_more_uploads(server: Running, bank: str) -> None:
    """Until something was deleted. Servers of one process share the folder."""
    held = folder_size(server.services.folder)
    with launch(DemoSettings(bank=bank, device="cpu", port=0, folder_bytes=held + 1000)) as full:
        (full.services.folder / "a").write_bytes(bytes(2000))
        url = f"{full.url}gradio_api/upload"
        assert httpx.post(url, files={"files": ("a.png", b"x")}).status_code == 507
        (full.services.folder / "a").unlink()
        assert httpx.post(url, files={"files": ("a.png", b"x")}).status_code == 200


def test_without_a_bank_the_page_says_how_to_get_one(tmp_path: Path) -> None:
    """And has its three tabs."""
    with launch(DemoSettings(bank=str(tmp_path / "nowhere"), port=0)) as running:
        page = httpx.get(f"{running.url}config").text
        assert "No networks to run" in page
        assert "taskbank demo --bank FOLDER" in page
        for tab in ("Live", "Transfers", "Planner"):
            assert f'"label":"{tab}"' in page.replace('": "', '":"')
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.url)
    running.close()  # a second time does nothing


def test_who_has_no_password_gets_nothing(bank: str) -> None:
    """Neither the configuration nor files nor calls."""
    with launch(DemoSettings(bank=bank, device="cpu", port=0, auth=("ann", "secret"))) as closed:
        assert httpx.get(f"{closed.url}config").status_code == 401
        upload = httpx.post(f"{closed.url}gradio_api/upload", files={"files": ("a.png", b"x")})
        assert upload.status_code == 401
        call = httpx.post(f"{closed.url}gradio_api/call/predict", json={"data": [None, []]})
        assert call.status_code == 401
        wrong = httpx.post(f"{closed.url}login", data={"username": "ann", "password": "x"})
        assert wrong.status_code == 400
        right = httpx.post(f"{closed.url}login", data={"username": "ann", "password": "secret"})
        assert right.status_code == 200


def test_what_programs_may_call_is_described(client: Client) -> None:
    """Only the public endpoints; parameters have names."""
    info = client.view_api(return_format="dict", print_info=False)
    assert {"/predict", "/predict_together"} <= set(info["named_endpoints"])
    predict = info["named_endpoints"]["/predict"]["parameters"]
    assert [one["label"] for one in predict] == ["Photograph", "Tasks"]
    assert not info["unnamed_endpoints"]


def test_the_page_leads_programs_to_the_description_of_its_api(server: Running) -> None:
    """In a form that tools for REST know."""
    assert 'href=\\"gradio_api/openapi.json\\"' in httpx.get(f"{server.url}config").text
    described = httpx.get(f"{server.url}gradio_api/openapi.json").json()
    assert any("predict_together" in path for path in described["paths"])
