"""ASGI middleware that hides the path of the temporary files from visitors.

gradio's protocol names files by their path: responses hold the folder of all temporary files, which reveals
the user's paths and the process id. Visitors see another name instead.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from taskbank_demo.own_uploads import App, Message, Receive, Send

SHOWN = "/taskbank-files"
"""The path that visitors see in place of the folder."""

_FILES = "/gradio_api/file="
_UPLOAD = "/gradio_api/upload"
_TEXTS = (b"text/", b"application/json")


class HiddenFolder:
    """Middleware that replaces a folder by another name in responses, and the name by the folder in requests.

    Args:
        app: the wrapped application.
        folder: of all temporary files.
    """

    def __init__(self, app: App, *, folder: Path) -> None:
        self._app = app
        self._folder = str(folder)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(_FILES + SHOWN + "/"):
            real = path.replace(SHOWN, self._folder, 1)
            # Errors repeat the path, and files of results name their photographs.
            scope = {**scope, "path": real, "raw_path": quote(real, safe="/=").encode()}
            await self._app(scope, receive, self._sending(send))
            return
        if scope.get("method") == "POST" and not path.startswith(_UPLOAD):
            headers = [pair for pair in scope["headers"] if pair[0].lower() != b"content-length"]
            scope, receive = {**scope, "headers": headers}, self._receiving(receive)
        await self._app(scope, receive, self._sending(send))

    def _receiving(self, receive: Receive) -> Receive:
        """Pass on a whole request body, with the real folder; the guard has limited its length."""
        done = False

        async def receive_all() -> Message:
            nonlocal done
            if done:
                return await receive()
            body = b""
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            done = True
            return {"type": "http.request", "body": body.replace(SHOWN.encode(), self._folder.encode())}

        return receive_all

    def _sending(self, send: Send) -> Send:
        """Pass on a text response in parts, with the folder replaced."""
        hidden, held, text = self._folder.encode(), b"", False

        async def send_shown(message: Message) -> None:
            nonlocal held, text
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", []))
                kinds = [value for name, value in headers if name.lower() == b"content-type"]
                text = any(kind.startswith(_TEXTS) for kind in kinds)
                if text:  # its length changes
                    headers = [pair for pair in headers if pair[0].lower() != b"content-length"]
                    message = {**message, "headers": headers}
            elif message["type"] == "http.response.body" and text:
                body = (held + message.get("body", b"")).replace(hidden, SHOWN.encode())
                # The end of a part may be the start of the folder's path.
                longest = len(hidden) - 1 if message.get("more_body") else 0
                kept = next(
                    (n for n in range(min(longest, len(body)), 0, -1) if hidden.startswith(body[-n:])), 0
                )
                held = body[len(body) - kept :]
                message = {**message, "body": body[: len(body) - kept]}
            await send(message)

        return send_shown
