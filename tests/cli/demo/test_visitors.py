"""Access to the demo: host names, origins, passwords; and secrets that no answer tells."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from gradio_client import Client, handle_file
from tests.taskbank.toy import TOY_COMPACT, toy_network

import taskbank_demo
from taskbank.bank.bank import Bank
from taskbank_demo.errors import without_folders
from taskbank_demo.guard import Guard
from taskbank_demo.hidden_folder import SHOWN, HiddenFolder
from taskbank_demo.launch import Running, launch
from taskbank_demo.settings import DemoSettings
from taskbank_demo.visitors import Visitors
from taskbank_demo.workspace import folder_size

EXAMPLE = Path(taskbank_demo.__file__).parent / "examples" / "office.jpg"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("toy") / "bank"
    bank = Bank.save(folder, name="toy", architecture=TOY_COMPACT, networks={"normal": toy_network("normal")})
    settings = DemoSettings(bank=bank.where, device="cpu", port=0, hosts=("demo.example.org",))
    with launch(settings) as running:
        yield running


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST.", 200),
        ("[::1]:{port}", 200),
        ("192.168.1.7", 200),
        ("demo.example.org", 200),
        ("evil.example.org", 421),
        ("evil.example.org:{port}", 421),
        ("127.0.0.1.evil.org", 421),
        ("127.0.0.1@evil.org", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_a_foreign_name_of_this_machine_is_refused(server: Running, host: str, status: int) -> None:
    """DNS rebinding: a page elsewhere lets its own name mean 127.0.0.1."""
    headers = {"host": host.format(port=urlsplit(server.url).port)}
    for path in ("", "config", "gradio_api/info"):
        assert httpx.get(server.url + path, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:{port}"}, True),
        ({"origin": "https://demo.example.org"}, True),
        ({"origin": "https://evil.example.org"}, False),
        ({"origin": "http://127.0.0.1:1"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
    ],
)
def test_pages_of_other_addresses_write_nothing(
    server: Running, headers: dict[str, str], allowed: bool
) -> None:
    """Browsers say where a request comes from; programs say nothing."""
    port = urlsplit(server.url).port
    given = {name: value.format(port=port) for name, value in headers.items()}
    upload = httpx.post(f"{server.url}gradio_api/upload", files={"files": ("a.png", b"x")}, headers=given)
    joined = httpx.post(
        f"{server.url}gradio_api/call/predict", json={"data": [None, ["normal"]]}, headers=given
    )
    assert [upload.status_code, joined.status_code] == [200 if allowed else 403] * 2
    assert httpx.get(server.url, headers=given).status_code == 200
    left = httpx.get(f"{server.url}logout", headers=given, follow_redirects=False)
    assert (left.status_code == 403) is not allowed


def test_no_answer_tells_where_files_lie(server: Running, tmp_path: Path) -> None:
    """Uploads, results and pictures work under another name."""
    folder = str(server.services.folder)
    upload = httpx.post(
        f"{server.url}gradio_api/upload", files={"files": ("a.jpg", EXAMPLE.read_bytes())}
    ).text
    (path,) = json.loads(upload)
    assert path.startswith(f"{SHOWN}/upload-")
    info = {"path": path, "meta": {"_type": "gradio.FileData"}}
    joined = httpx.post(f"{server.url}gradio_api/call/predict", json={"data": [info, ["normal"]]})
    event = joined.json()["event_id"]
    done = httpx.get(f"{server.url}gradio_api/call/predict/{event}", timeout=120).text
    assert "event: complete" in done
    files = json.loads(done.split("data: ", 1)[1])[1]
    served = httpx.get(files[0]["url"])
    assert served.status_code == 200
    assert served.content.startswith(b"\x89PNG")
    for text in (upload, done, httpx.get(server.url).text, httpx.get(f"{server.url}config").text):
        assert folder not in text
        assert "taskbank-demo-" not in text
    made = Client(server.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    facts, _ = made.predict(handle_file(EXAMPLE), ["normal"], api_name="/predict")
    made.close()
    assert facts["normal"]["task"] == "normal"
    for missing in ("../../etc/passwd", "upload-0/a.jpg", "facts.json"):
        refused = httpx.get(f"{server.url}gradio_api/file={SHOWN}/{missing}")
        assert refused.status_code in (403, 404)
        assert "taskbank-demo-" not in refused.text


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_the_folder_is_hidden_wherever_an_answer_is_cut(size: int) -> None:
    """Also where one part ends in the middle of its name."""
    text = b"x/tmp/folde /tmp/folder/a /tmp/folder/tmp/folder /tmp"

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"content-length", b"55")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        parts = [text[start : start + size] for start in range(0, len(text), size)]
        for number, part in enumerate(parts, 1):
            more = number < len(parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})

    sent: list[Any] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    hiding = HiddenFolder(app, folder=Path("/tmp/folder"))
    asyncio.run(hiding({"type": "http", "path": "/", "method": "GET", "headers": []}, None, keep))  # type: ignore[arg-type] # nothing is received
    assert b"content-length" not in dict(sent[0]["headers"])
    shown = b"".join(message["body"] for message in sent[1:])
    assert shown == text.replace(b"/tmp/folder", SHOWN.encode())


def test_messages_name_files_without_their_folders() -> None:
    """Addresses, shares and measures stay."""
    for given, shown in (
        ("no bank at /home/ann/banks/mine: cannot", "no bank at mine: cannot"),
        ("cannot read '/tmp/a b'", "cannot read 'a b'"),
        (r"cannot read C:\Users\ann\a.png.", "cannot read a.png."),
        ("see https://example.org/a/b, 3/4 m/s or hf://owner/name", None),
        ("[Errno 2] No such file: '/a/b/c.json'", "[Errno 2] No such file: 'c.json'"),
    ):
        assert without_folders(given) == (given if shown is None else shown)


def test_wrong_passwords_are_slowed_down(server: Running) -> None:
    """Also where they are tried side by side; the right one is heard when the pause is over."""
    settings = DemoSettings(bank=server.services.settings.bank, device="cpu", port=0, auth=("ann", "secret"))
    with launch(settings) as closed:

        def log_in(password: str) -> httpx.Response:
            return httpx.post(f"{closed.url}login", data={"username": "ann", "password": password})

        assert log_in("secret").status_code == 200
        with ThreadPoolExecutor(8) as pool:
            statuses = [one.status_code for one in pool.map(log_in, map(str, range(16)))]
        assert 3 <= statuses.count(400) <= 5  # a slow machine sits a pause out
        assert statuses.count(429) == 16 - statuses.count(400)
        refused = log_in("secret")
        assert refused.status_code == 429
        assert "Too many wrong passwords" in refused.text
        time.sleep(int(refused.headers["retry-after"]))
        assert log_in("secret").status_code == 200
        assert log_in("wrong").status_code == 400


def test_pauses_grow_and_belong_to_one_visitor() -> None:
    """Two, four, eight seconds and so on, five minutes at most; others are let through."""

    async def run() -> list[list[int]]:
        async def app(_scope: Any, _receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        visitors = Visitors(app, settings=DemoSettings())
        statuses: list[list[int]] = []
        for client in ("1.2.3.4", "fe80::1", "fe80::2", "1.2.3.5"):
            answers: list[int] = []

            async def keep(message: Any, answers: list[int] = answers) -> None:
                answers.extend([message["status"]] if "status" in message else [])

            scope = {
                "type": "http",
                "method": "POST",
                "path": "/login",
                "headers": [(b"host", b"localhost")],
                "client": (client, 1),
            }
            for _ in range(4):
                await visitors(scope, None, keep)  # type: ignore[arg-type] # nothing is received
            statuses.append(answers)
        tries = visitors._tries
        for _ in range(20):
            tries.note("slow", right=False)
        assert 299 < tries.pause("slow") <= 300
        return statuses

    first = [400, 400, 400, 429]
    assert asyncio.run(run()) == [first, first, [429] * 4, first]  # one network of IPv6 is one visitor


def test_the_folders_limit_holds_while_uploads_run(tmp_path: Path) -> None:
    """Of thirty at once only as many are taken as there is room for."""
    taken = threading.Semaphore(0)

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)  # all of them are under way
        message = await receive()
        (tmp_path / f"{id(message)}-{time.monotonic_ns()}").write_bytes(message["body"])
        taken.release()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def upload(guard: Guard, length: bool) -> int:
        async def receive() -> Any:
            return {"type": "http.request", "body": bytes(1000), "more_body": False}

        statuses: list[int] = []

        async def keep(message: Any) -> None:
            statuses.extend([message["status"]] if "status" in message else [])

        headers = [(b"content-length", b"1000")] if length else []
        await guard({"type": "http", "path": "/gradio_api/upload", "headers": headers}, receive, keep)
        return statuses[0]

    async def run() -> list[int]:
        guard = Guard(app, settings=DemoSettings(folder_bytes=10_500, upload_bytes=1000), folder=tmp_path)
        return list(await asyncio.gather(*(upload(guard, length=True) for _ in range(30))))

    statuses = asyncio.run(run())
    assert (statuses.count(200), statuses.count(507)) == (10, 20)
    assert folder_size(tmp_path) <= 10_500
