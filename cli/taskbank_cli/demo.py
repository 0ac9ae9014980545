"""`taskbank demo`: the web page."""

from __future__ import annotations

from typing import Annotated

import typer

from taskbank_cli.printing import printable
from taskbank_cli.running import AcceptLicence, BankOption, Device

_LOOPBACK = "127.0.0.1"
_PORT = 7860  # copied from `taskbank_demo.settings`, like the address above
_NEEDED = ("gradio", "taxsolver")


def demo(
    bank: BankOption = None,
    accept_licence: AcceptLicence = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = _LOOPBACK,
    port: Annotated[int, typer.Option(help="Port; 0 is any free one.")] = _PORT,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="USER:PASSWORD",
            envvar="TASKBANK_DEMO_AUTH",
            help="Require this login. Set the variable instead, as others on this machine can read commands.",
            show_default=False,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Host name of the page to allow, such as a proxy's; may be repeated. "
            "Addresses, localhost and this machine's name are always allowed.",
            show_default=False,
        ),
    ] = None,
    device: Device = "auto",
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Serve a web page: all tasks live, transfers on images and videos, and the planner.

    Only this machine can reach it, unless --host is given. Ctrl-C stops it.

    Example: taskbank demo --bank my-bank --open
    """
    from importlib.util import find_spec

    from taskbank.errors import MissingPackageError

    # Before the page is imported, which needs them.
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingPackageError(
            f"the page needs {' and '.join(missing)}: run  pip install ./taxsolver '.[demo]'  in a checkout"
        )
    from taskbank_demo.launch import launch
    from taskbank_demo.settings import DemoSettings, parse_auth

    settings = DemoSettings(
        bank=bank,
        accept_licence=tuple(accept_licence or ()),
        host=host,
        port=port,
        hosts=tuple(allow_host or ()),
        auth=parse_auth(auth),
        device=device,
    )
    if settings.is_public and settings.auth is None:
        typer.echo(
            "anybody who reaches this machine can use the page: --auth USER:PASSWORD requires a login",
            err=True,
        )
    with launch(settings) as running:
        typer.echo(printable(f"{running.url} (Ctrl-C stops it)"))
        if running.services.bank is None:
            typer.echo(printable(f"without networks: {running.services.no_bank}"), err=True)
        if open_page:
            typer.launch(running.url)
        running.wait()
