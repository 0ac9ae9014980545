"""`taskbank push`: upload a bank to a Hub repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskbank_cli.printing import printable


def push(
    bank: Annotated[
        str, typer.Argument(metavar="BANK", help="A folder, `rooms` or hf://owner/name\\[@revision].")
    ],
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository, created if needed.")],
    private: Annotated[bool, typer.Option("--private", help="Only the owner may see it.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch, created if needed.", show_default="the main branch")
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            help="Model card (Markdown) to use.",
            show_default="written from bank.json",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Upload a bank to a Hub repository, in one commit. Needs HF_TOKEN or `hf auth login`.

    Example: taskbank push my-bank owner/name --private
    """
    from taskbank.bank.push import push_bank
    from taskbank.bank.source import open_listing
    from taskbank.errors import InvalidInputError

    text = None
    if card is not None:
        try:
            text = card.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"cannot read the card {card}: {error}. Save it as UTF-8") from error
    source = push_bank(open_listing(bank), repo, private=private, revision=revision, card=text)
    typer.echo(printable(f"pushed: open it with {source}"))
