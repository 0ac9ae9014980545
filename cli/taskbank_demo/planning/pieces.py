"""HTML elements that the planner's results share: cards of facts, legends, the command and downloads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from taskbank_demo.pieces import text


def facts(cards: Iterable[tuple[str, str, str]]) -> str:
    """Return cards side by side, each with a name, a value and an explanation."""
    return (
        '<dl class="pl-facts">'
        + "".join(
            f'<div title="{text(about)}"><dt>{text(name)}</dt><dd><strong>{text(value)}</strong>'
            f'<span class="pl-about">{text(about)}</span></dd></div>'
            for name, value, about in cards
        )
        + "</dl>"
    )


def legend(lines: Iterable[tuple[str, str, str]]) -> str:
    """Return a legend: colour, dashes and name of each line of a chart."""
    styles = {"": "", "2 4": "dotted"}

    def styled(dash: str) -> str:
        style = styles.get(dash, "dashed")
        return f' style="border-top-style:{style}"' if style else ""

    items = "".join(
        f'<li><i class="{colour}"{styled(dash)}></i>{text(name)}</li>' for colour, dash, name in lines
    )
    return f'<ul class="pl-legend pg">{items}</ul>'


def take_away(command: str, value: dict[str, Any], file: str, picture: str = "") -> str:
    """Return the command that computes the same result, and downloads, which the page makes from its content.

    Args:
        command: empty if no command can express the request.
        value: of the JSON; a non-empty `costs_csv` is offered as a file.
        file: name of the JSON.
        picture: name of the SVG; empty for none.
    """
    shown = (
        f'<div class="tb-code pl-command"><code>{text(command)}</code>'
        '<button type="button" class="pl-button" data-copy aria-label="Copy the command">Copy</button></div>'
        if command
        else '<p class="tb-note">No command can hold the names of these tasks.</p>'
    )
    buttons = [
        f'<button type="button" class="pl-button" data-save="{file}" '
        f'data-text="{escape(json.dumps(value, indent=2))}">Download JSON</button>'
    ]
    if value.get("costs_csv"):
        buttons.append(
            '<button type="button" class="pl-button" data-save="costs.csv" '
            f'data-text="{escape(str(value["costs_csv"]))}">Download costs.csv</button>'
        )
    if picture:
        buttons.append(f'<button type="button" class="pl-button" data-save="{picture}">Download SVG</button>')
    return (
        f'<div class="pl-away"><h4>The same in a terminal</h4>{shown}<p class="pl-buttons">{"".join(buttons)}'
        '<span class="pl-said" role="status"></span></p></div>'
    )
