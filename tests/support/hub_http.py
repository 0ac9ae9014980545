"""Requests and answers of the loopback Hub, whatever they are about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from hub_state import HubState, Request


@dataclass(frozen=True)
class Answer:
    """Status, body and headers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Answer:
        """An answer in JSON; underscores in the names of headers stand for dashes."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def refusal(status: int, code: str, message: str) -> Answer:
    """An answer that says no, as the Hub words it."""
    return Answer.of({"error": message}, status, X_Error_Code=code, X_Error_Message=message)


class Handler(BaseHTTPRequestHandler):
    """The base of the handlers of the Hub and of the storage."""

    protocol_version = "HTTP/1.1"
    state: ClassVar[HubState]
    storage: ClassVar[str]
    routes: ClassVar[tuple[tuple[str, str, Callable[..., Answer]], ...]]

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def _serve(self) -> None:
        """Find the route of a request and answer it."""
        self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        for method, pattern, route in self.routes:
            found = re.fullmatch(pattern, path)
            if found and self.command in method.split("|"):
                words = {name: unquote(text) for name, text in found.groupdict().items() if text is not None}
                self._send(route(self, **words))
                return
        self._send(refusal(404, "", f"no route for {self.command} {path}"))

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815

    def _send(self, answer: Answer) -> None:
        """Send an answer, or as much of it as the connection is meant to last."""
        body = b"" if self.command == "HEAD" else answer.body
        limits = self.state.breaks.get(self.path.split("?name=")[-1], []) if body else []
        if limits:
            body = body[: limits.pop(0)]
            self.close_connection = True
        byte_range, token = self.headers.get("Range"), "Authorization" in self.headers
        asked = Request(self.command, self.path, answer.status, len(body), byte_range, token)
        # Before the client knows, or a test could look too early.
        self.state.requests.append(asked)
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def account(self) -> str | None:
        """The account that asks; None without a token, an empty text for a token of no account."""
        given = self.headers.get("Authorization")
        return None if given is None else self.state.accounts.get(given.removeprefix("Bearer "), "")

    @property
    def json(self) -> Any:
        """The body of the request."""
        return json.loads(self.content or b"{}")

    def ranged(self, body: bytes, headers: dict[str, str]) -> Answer:
        """A body, or the end of it that the header `Range` asks for."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked is None:
            return Answer(200, body, {"Accept-Ranges": "bytes", **headers})
        start = int(asked[1])
        extent = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        return Answer(206, body[start:], headers | extent)
