"""Small pieces of HTML that all tabs are made of. Text is escaped here and nowhere else."""

from __future__ import annotations

import html
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote


def text(value: object) -> str:
    """Any value as text inside HTML."""
    return html.escape(str(value))


def file_url(path: Path) -> str:
    """Return the URL of a temporary file, relative so that it works behind any proxy."""
    return html.escape(f"gradio_api/file={quote(str(path))}")


def once() -> str:
    """An attribute that is new every time: a page does nothing about HTML that it shows already."""
    return f'data-once="{secrets.token_hex(4)}"'


def download_link(path: Path) -> str:
    """A link that saves a file under its own name; never the same twice, so that a page notices it."""
    return f'<a href="{file_url(path)}" download="{text(path.name)}" {once()}>{text(path.name)}</a>'


def intro(title: str, about: str) -> str:
    """The heading of a tab and one sentence about it."""
    return f'<div class="tb-intro"><h2>{text(title)}</h2><p>{text(about)}</p></div>'


def note(words: str) -> str:
    """A quiet remark."""
    return f'<p class="tb-note">{text(words)}</p>'


def missing_panel(title: str, why: str, commands: Iterable[str] = ()) -> str:
    """Return a panel that says what is missing and how to get it.

    Args:
        title: what cannot be done.
        why: the reason, in a sentence or two.
        commands: lines for a terminal.
    """
    lines = "".join(f"<pre><code>{text(line)}</code></pre>" for line in commands)
    return (
        f'<section class="tb-missing" role="status"><h3>{text(title)}</h3><p>{text(why)}</p>{lines}</section>'
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str, numbers: int = 0) -> str:
    """A table that scrolls inside itself on narrow screens.

    Args:
        headings: of the columns.
        rows: cells; the first of a row is its heading.
        caption: what the table shows, for screen readers too.
        numbers: how many of the last columns hold numbers and stand at the right.
    """
    first = len(headings) - numbers
    kinds = ['class="tb-number"' if at >= first else "" for at in range(len(headings))]
    head = "".join(
        f'<th scope="col" {kind}>{text(name)}</th>' for name, kind in zip(headings, kinds, strict=True)
    )
    body = "".join(_row(row, kinds) for row in rows)
    return (
        f'<div class="tb-scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f'<table class="tb-table"><caption>{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[object], kinds: Sequence[str]) -> str:
    """One row, headed by its first cell."""
    first, *others = row
    cells = "".join(f"<td {kind}>{text(cell)}</td>" for cell, kind in zip(others, kinds[1:], strict=True))
    return f'<tr><th scope="row">{text(first)}</th>{cells}</tr>'
