"""Start and stop of the server."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from taskbank_demo.errors import SettingError
from taskbank_demo.services import Services, make_services
from taskbank_demo.settings import DemoSettings
from taskbank_demo.workspace import Sweeper, workspace

if TYPE_CHECKING:
    import gradio as gr

_ASSETS = Path(__file__).parent / "assets"
_STYLES = ("page.css", "live.css", "transfers.css", "planner.css")
_KEPT_SESSIONS = 256
_LOOK_AGAIN = 0.2  # seconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Running:
    """A server that runs in threads of this process.

    Attributes:
        url: of the page, with a slash at the end.
        services: state that its users share.
        page: gradio's `Blocks` object.
    """

    url: str
    services: Services
    page: gr.Blocks = field(repr=False)
    _ending: ExitStack = field(repr=False)

    def wait(self) -> None:
        """Block until this process is told to stop, for example by Ctrl-C. Only for the main thread."""
        told: list[int] = []
        before = {
            number: signal.signal(number, lambda got, _frame: told.append(got))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        while not told:
            time.sleep(_LOOK_AGAIN)
        for number, handler in before.items():
            signal.signal(number, handler)

    def close(self) -> None:
        """Stop the server and delete its files; further calls do nothing."""
        self._ending.close()

    def __enter__(self) -> Running:
        """Return the server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        self.close()


def launch(settings: DemoSettings) -> Running:
    """Start the server, and return when it accepts requests.

    Raises:
        SettingError: the address cannot be listened on.
        InvalidInputError: there is no such device.
    """
    # Fail early if the port is in use; 0 is any free one.
    name = settings.host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((name, settings.port))
        except OSError as error:
            raise SettingError(
                f"cannot listen on {settings.host}, port {settings.port} ({error.strerror}): choose another "
                "--port, or 0 for any free one"
            ) from error
        port = int(probe.getsockname()[1])
    with ExitStack() as stack:
        folder = stack.enter_context(workspace())
        services = make_services(settings, folder)
        # In an event loop, as outside of one gradio creates a loop for each lock and leaves it open. In a
        # thread, as the caller may have a running loop.
        with ThreadPoolExecutor(1) as pool:
            page = pool.submit(asyncio.run, _start(services, port)).result()
        stack.callback(page.close, verbose=False)
        stack.callback(Sweeper(folder, settings.keep_seconds).stop)
        if services.networks is not None:
            stop = Event()
            warming = Thread(target=services.networks.warm_up, args=(stop,), name="warm-up", daemon=True)
            warming.start()
            stack.callback(warming.join)
            stack.callback(stop.set)
        return Running(url=str(page.local_url), services=services, page=page, _ending=stack.pop_all())


async def _start(services: Services, port: int) -> gr.Blocks:
    """Build the page and start gradio's server, in its own threads."""
    from starlette.middleware import Middleware

    from taskbank_demo.guard import Guard
    from taskbank_demo.hidden_folder import HiddenFolder
    from taskbank_demo.own_uploads import OwnUploads
    from taskbank_demo.page import build_page
    from taskbank_demo.theme import make_theme
    from taskbank_demo.visitors import Visitors

    settings, folder = services.settings, services.folder
    around = [
        Middleware(Visitors, settings=settings),
        Middleware(Guard, settings=settings, folder=folder),
        Middleware(HiddenFolder, folder=folder),
        Middleware(OwnUploads, folder=folder),
    ]
    page = build_page(services)
    page.queue(
        max_size=settings.queue_size,
        default_concurrency_limit=settings.concurrency,
        api_open=False,  # all requests wait in the queue
    )
    page.launch(
        server_name=settings.host,
        server_port=port,
        auth=settings.auth,
        auth_message="Log in to use this taskbank.",
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        show_error=False,
        max_file_size=settings.upload_bytes,
        allowed_paths=[],
        state_session_capacity=_KEPT_SESSIONS,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        app_kwargs={"middleware": around},
        theme=make_theme(),
        css_paths=[_ASSETS / name for name in _STYLES],
    )
    return page
