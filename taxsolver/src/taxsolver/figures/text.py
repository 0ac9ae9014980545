"""Readable names of tasks, and the width of text."""

from __future__ import annotations

LONGEST = 34  # largest number of characters of a name


def readable(name: str, longest: int = LONGEST) -> str:
    """Format a task's name for figures: spaces for underscores, shortened if long, dollar signs escaped."""
    text = " ".join(name.replace("_", " ").split())
    if len(text) > longest:
        text = text[: longest - 1].rstrip() + "…"
    return text.replace("$", r"\$")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of one line of text in inches; `size` is in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    font = FontProperties(weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=size, prop=font).vertices[:, 0].max()) / 72


def fitting(text: str, size: float, room: float, *, bold: bool = False) -> float:
    """Return the largest font size up to `size` at which a line of text fits into `room` inches."""
    return min(size, size * room / max(text_width(text, size, bold=bold), 1e-9))
