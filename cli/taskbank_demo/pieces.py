"""HTML elements that all tabs share. All text is escaped by `text`."""

from __future__ import annotations

import html
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote


def text(value: object) -> str:
    """Escape any value as text in HTML."""
    return html.escape(str(value))


def file_url(path: Path) -> str:
    """Return the URL of a temporary file, relative so that it works behind any proxy."""
    return html.escape(f"gradio_api/file={quote(str(path))}")


def once() -> str:
    """Return a unique attribute, as the page ignores HTML that is equal to what it shows."""
    return f'data-once="{secrets.token_hex(4)}"'


def download_link(path: Path) -> str:
    """Return a link that saves a file under its own name; it is unique, so that the page updates."""
    return f'<a href="{file_url(path)}" download="{text(path.name)}" {once()}>{text(path.name)}</a>'


def intro(title: str, about: str) -> str:
    """Return the heading of a tab and one sentence about it."""
    return f'<div class="tb-intro"><h2>{text(title)}</h2><p>{text(about)}</p></div>'


def note(words: str) -> str:
    """Return a note in muted style."""
    return f'<p class="tb-note">{text(words)}</p>'


def missing_panel(title: str, why: str, commands: Iterable[str] = ()) -> str:
    """Return a panel on a missing feature and how to get it.

    Args:
        title: the missing feature.
        why: the reason, in a sentence or two.
        commands: lines for a terminal.
    """
    lines = "".join(f"<pre><code>{text(line)}</code></pre>" for line in commands)
    return (
        f'<section class="tb-missing" role="status"><h3>{text(title)}</h3><p>{text(why)}</p>{lines}</section>'
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], caption: str, numbers: int = 0) -> str:
    """Return a table that scrolls by itself on narrow screens.

    Args:
        headings: of the columns.
        rows: cells; the first of a row is its heading.
        caption: description of the table, also for screen readers.
        numbers: number of last columns with numbers, which are aligned to the right.
    """
    first = len(headings) - numbers
    kinds = ['class="tb-number"' if at >= first else "" for at in range(len(headings))]
    head = "".join(
        f'<th scope="col" {kind}>{text(name)}</th>' for name, kind in zip(headings, kinds, strict=True)
    )
    body = ""
    for first_cell, *others in rows:
        cells = "".join(f"<td {kind}>{text(cell)}</td>" for cell, kind in zip(others, kinds[1:], strict=True))
        body += f'<tr><th scope="row">{text(first_cell)}</th>{cells}</tr>'
    return (
        f'<div class="tb-scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f'<table class="tb-table"><caption>{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
