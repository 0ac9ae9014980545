"""ASGI middleware that checks requests: their host name, their page of origin, and their login."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections import OrderedDict
from ipaddress import ip_address, ip_network
from time import monotonic
from urllib.parse import urlsplit

from taskbank_demo.own_uploads import App, Message, Receive, Send
from taskbank_demo.settings import DemoSettings

HOSTS_VARIABLE = "TASKBANK_DEMO_HOSTS"
"""Environment variable with further allowed host names, separated by commas."""

_READING = ("GET", "HEAD", "OPTIONS")
_LOGIN = re.compile(r"/login/?")
_LOGOUT = re.compile(r"/logout/?")  # gradio changes its state on reading, too
_FREE_TRIES = 2  # wrong passwords without a pause
_LONGEST_PAUSE = 300.0  # seconds
_REMEMBERED = 4096  # most visitors with wrong passwords that are remembered


class Visitors:
    """Middleware that rejects foreign host names, writing requests from other pages, and password guessing.

    A foreign web page can make its own name resolve to this machine (DNS rebinding), and then read data of
    this machine. So the Host header must be an address, `localhost`, this machine's name, or an allowed name;
    addresses are safe from DNS rebinding. Browsers state the page from which a writing request comes;
    programs do not, and may write.

    Args:
        app: the wrapped application.
        settings: allowed names, and login.
    """

    def __init__(self, app: App, *, settings: DemoSettings) -> None:
        self._app = app
        self._given = allowed_names(settings)
        own = socket.gethostname().lower()
        self._names = self._given | {"localhost", own, f"{own}.local", settings.host.lower()}
        self._tries = _Tries()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if not self._is_ours(host):
            words = "This name is not allowed here: start the demo with --allow-host and the name."
            await answer(send, 421, words)
            return
        writing = scope.get("method", "GET") not in _READING or _LOGOUT.fullmatch(scope["path"])
        if writing and not self._may_write(headers, host):
            await answer(send, 403, "Requests from pages of other addresses are refused.")
            return
        if scope.get("method") == "POST" and _LOGIN.fullmatch(scope["path"]):
            await self._log_in(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        """Return True if a Host header, or the host part of an address, names this machine."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        name = name.rstrip(".").lower()
        return name in self._names or _is_address(name)

    def _may_write(self, headers: dict[bytes, str], host: str) -> bool:
        """Return True if a writing request is allowed: one from a page of this demo, or from a program."""
        if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get(b"origin")
        if origin is None:
            return True
        where = urlsplit(origin).netloc.lower()
        # Behind a proxy the Host header may be another name of this machine, which is allowed explicitly.
        return bool(where) and (where == host.lower() or (urlsplit(origin).hostname or "") in self._given)

    async def _log_in(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one login attempt of a visitor at a time, with growing delays after wrong passwords."""
        visitor = _visitor(scope)
        async with self._tries.turn(visitor):
            if (seconds := self._tries.pause(visitor)) > 0:
                words = f"Too many wrong passwords. Please try again in {seconds:.0f} seconds."
                await answer(send, 429, words, retry_after=int(seconds) + 1)
                return
            status: list[int] = []

            async def watch(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status.append(message["status"])
                await send(message)

            await self._app(scope, receive, watch)
            self._tries.note(visitor, right=bool(status) and status[0] < 400)


class _Tries:
    """Numbers of wrong passwords by visitor; the oldest are removed."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}

    def turn(self, visitor: str) -> _Turn:
        """Return a lock, so that a visitor's attempts run one after another."""
        return _Turn(self._turns, visitor)

    def pause(self, visitor: str) -> float:
        """Return the seconds until the next attempt is allowed."""
        return self._wrong.get(visitor, (0, 0.0))[1] - monotonic()

    def note(self, visitor: str, *, right: bool) -> None:
        """Record the result of an attempt: from the third wrong one on, each pause doubles."""
        count, _ = self._wrong.pop(visitor, (0, 0.0))
        if right:
            return
        late = max(0, count + 1 - _FREE_TRIES)
        pause = min(2.0 ** min(late, 16), _LONGEST_PAUSE) if late else 0.0
        self._wrong[visitor] = (count + 1, monotonic() + pause)
        while len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)


class _Turn:
    """A lock by name, which exists as long as a request waits for it."""

    def __init__(self, turns: dict[str, tuple[asyncio.Lock, int]], name: str) -> None:
        self._turns = turns
        self._name = name

    async def __aenter__(self) -> None:
        lock, waiting = self._turns.get(self._name, (asyncio.Lock(), 0))
        self._turns[self._name] = (lock, waiting + 1)
        await lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        lock, waiting = self._turns[self._name]
        lock.release()
        if waiting == 1:
            del self._turns[self._name]
        else:
            self._turns[self._name] = (lock, waiting - 1)


def allowed_names(settings: DemoSettings) -> frozenset[str]:
    """Return the allowed host names; `SPACE_HOST` is that of a Hugging Face Space."""
    given = ",".join([os.environ.get(HOSTS_VARIABLE, ""), os.environ.get("SPACE_HOST", ""), *settings.hosts])
    return frozenset(name.strip().lower().rstrip(".") for name in given.split(",") if name.strip())


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _visitor(scope: Message) -> str:
    """Return the address of a visitor; for IPv6 the network, as one visitor has many addresses."""
    name = (scope.get("client") or ("",))[0]
    if ":" in name:
        try:
            return str(ip_network(f"{name.partition('%')[0]}/64", strict=False))
        except ValueError:
            return name
    return name


async def answer(send: Send, status: int, words: str, *, retry_after: int | None = None) -> None:
    """Send a short text response."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
