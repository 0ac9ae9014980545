"""ASGI middleware that passes to gradio only the routes that the page needs, with bodies of limited size.

gradio itself has routes that fetch addresses for a client, record screens or talk to the Hub. This demo uses
none of them, so they are blocked.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from time import monotonic
from urllib.parse import unquote

from taskbank_demo.own_uploads import App, Message, Receive, Send
from taskbank_demo.settings import DemoSettings
from taskbank_demo.visitors import answer
from taskbank_demo.workspace import folder_size

_API = "/gradio_api/"
_PAGE = re.compile(
    r"/|/(config|login|logout|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?|/(assets|static|svelte)/.+"
)
_SERVED = re.compile(
    _API
    + r"(info|openapi\.json|app_id|user|login_check|upload|upload_progress|startup-events|component_server"
    r"|queue/(join|data|status)|heartbeat/\w+|reset|cancel|theme\.css|call/.+|file=/.+)/?"
)
_UPLOAD = re.compile(_API + r"upload/?")
_FILES_AT_ONCE = 3  # most files of one prediction
_LARGEST_REQUEST = 2**20  # bytes of a request without files

_HEADERS = {
    "content-security-policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # gradio's page needs both
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "connect-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co",  # shows Spaces in a frame
        )
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class Guard:
    """Middleware that passes only requests that the demo needs.

    Args:
        app: the wrapped application.
        settings: limits.
        folder: of all temporary files.
    """

    def __init__(self, app: App, *, settings: DemoSettings, folder: Path) -> None:
        self._app = app
        self._settings = settings
        self._folder = folder
        self._uploading = 0  # bytes of uploads in progress

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # The demo uses no WebSocket; `lifespan` messages come from the server.
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            await answer(send, *refused)
            return
        body = _Body(receive, self._limit(scope), self._settings.request_seconds)
        coming = self._coming(scope)
        self._uploading += coming
        try:
            await self._app(scope, body.receive, _with_headers(send))
        except _TooMuchError as error:
            await answer(send, error.status, str(error))
        finally:
            self._uploading -= coming

    def _limit(self, scope: Message) -> int:
        """Return the most bytes that a request may have."""
        files = _FILES_AT_ONCE * self._settings.upload_bytes
        return files + _LARGEST_REQUEST if _UPLOAD.fullmatch(unquote(scope["path"])) else _LARGEST_REQUEST

    def _coming(self, scope: Message) -> int:
        """Return the bytes that an upload may add to the folder: its stated length, or else the limit."""
        if not _UPLOAD.fullmatch(unquote(scope["path"])):
            return 0
        length = dict(scope["headers"]).get(b"content-length")
        return self._limit(scope) if length is None else int(length)

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        """Return status and message for a rejected request; None for an allowed one."""
        path = unquote(scope["path"])
        if not (_PAGE.fullmatch(path) or _SERVED.fullmatch(path)):
            return 404, "There is nothing here."
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._limit(scope):
            return 413, f"This is too large: a file may have {self._settings.upload_bytes / 1e6:.0f} MB."
        held = self._uploading + self._coming(scope)
        if _UPLOAD.fullmatch(path) and folder_size(self._folder) + held > self._settings.folder_bytes:
            return 507, "The server holds too many files at the moment. Please come back in a few minutes."
        return None


class _TooMuchError(Exception):
    """A body is longer than its limit, or arrives too slowly."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


class _Body:
    """A request's body, whose bytes and time are limited while it is received."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._left = limit
        self._end = monotonic() + seconds
        self._whole = False

    async def receive(self) -> Message:
        """Receive the next part.

        Raises:
            _TooMuchError: the body has too many bytes, or takes too long.
        """
        if self._whole:
            return await self._receive()  # waits for the end of the connection, without a time limit
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self._end - monotonic()))
        except TimeoutError as error:
            raise _TooMuchError(408, "The upload took too long.") from error
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _TooMuchError(413, "The upload is too large.")
        self._whole = not message.get("more_body", False)
        return message


def _with_headers(send: Send) -> Send:
    """Add security headers to responses."""

    async def send_all(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return send_all
