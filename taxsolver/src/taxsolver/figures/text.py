"""Names as people read them, and how much room they take."""

from __future__ import annotations

LONGEST = 34  # characters of a name that are shown


def readable(name: str, longest: int = LONGEST) -> str:
    """A task's name for a picture: blanks for underscores, cut where very long, never taken for a formula."""
    text = " ".join(name.replace("_", " ").split())
    if len(text) > longest:
        text = text[: longest - 1].rstrip() + "…"
    return text.replace("$", r"\$")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of one line of text in inches; `size` in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    font = FontProperties(weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=size, prop=font).vertices[:, 0].max()) / 72


def fitting(text: str, size: float, room: float, *, bold: bool = False) -> float:
    """The font size, at most `size`, in which a line of text fits into `room` inches."""
    return min(size, size * room / max(text_width(text, size, bold=bold), 1e-9))
