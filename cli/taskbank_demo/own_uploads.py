"""ASGI middleware that gives every upload its own folder.

gradio names the folder of an upload after its content, so two users who upload the same photograph share a
file, and the first finished request would delete it for the other user.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_PREFIX = "upload-"
_ROUTES = ("/gradio_api/upload", "/gradio_api/upload/")


def new_upload_folder(folder: Path) -> Path:
    """Create an empty folder for one file, with a name that cannot be guessed."""
    made = folder / f"{_PREFIX}{secrets.token_hex(16)}"
    made.mkdir(mode=0o700)
    return made


def is_upload_folder(path: Path) -> bool:
    """Return True if a folder's name is that of a folder for one upload."""
    return path.name.startswith(_PREFIX)


class OwnUploads:
    """Middleware that moves every upload to its own folder, and responds with the new path.

    Args:
        app: gradio.
        folder: of all temporary files.
    """

    def __init__(self, app: App, *, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in _ROUTES:
            await self._app(scope, receive, send)
            return
        # No other upload may finish between the last bytes of one and its response, as both may be the same
        # file.
        turn = _Turn(self._lock)
        try:
            await self._app(scope, turn.receiving(receive), self._moving(send))
        finally:
            turn.end()

    def _moving(self, send: Send) -> Send:
        """Replace paths in responses by new paths."""
        held: list[Message] = []

        async def send_moved(message: Message) -> None:
            held.append(message)
            if message["type"] != "http.response.body" or message.get("more_body"):
                return
            start, *parts = held
            body = b"".join(part["body"] for part in parts)
            if start["status"] == 200:
                body = json.dumps([self._moved(path) for path in json.loads(body)]).encode()
                headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
                start = {**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
            await send(start)
            await send({"type": "http.response.body", "body": body})

        return send_moved

    def _moved(self, path: str) -> str:
        """Move one upload."""
        old = Path(path)
        new = new_upload_folder(self._folder) / old.name
        old.rename(new)
        with suppress(OSError):  # another upload may be using it
            old.parent.rmdir()
        return str(new)


class _Turn:
    """The lock that one upload holds while it finishes."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._held = False

    def receiving(self, receive: Receive) -> Receive:
        """Pass on a request body, the last part only while holding the lock."""

        async def receive_in_turn() -> Message:
            message = await receive()
            if not self._held and not message.get("more_body"):
                await self._lock.acquire()
                self._held = True
            return message

        return receive_in_turn

    def end(self) -> None:
        """Release the lock for the next upload."""
        if self._held:
            self._held = False
            self._lock.release()
