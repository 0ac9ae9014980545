"""SVG as text: escaped elements, and estimates of text widths."""

from __future__ import annotations

from html import escape

_WIDE, _MEAN, _SLIM = (
    0.64,
    0.56,
    0.38,
)  # widths in units of the font's size: capitals and digits, most letters, and those of _THIN
_THIN = frozenset(" .,:;()'|ijlt")


def element(name: str, /, *children: str, **attributes: object) -> str:
    """Return one element as text.

    Args:
        name: of the element.
        children: elements and escaped text, in order.
        attributes: `class_` is written `class`, other underscores as hyphens; None is left out.
    """
    written = "".join(
        f' {key.removesuffix("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(children)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def words(text: str, x: float, y: float, **attributes: object) -> str:
    """Return a line of text, centred vertically at `y`."""
    return element("text", escape(text), x=x, y=y, dy="0.35em", **attributes)


def width_of(text: str, size: float) -> float:
    """Estimate the width of a line of text, in the unit of `size`; rather too large than too small."""
    return size * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    if letter in _THIN:
        return _SLIM
    if ord(letter) > 0x2E7F:  # ideographs are as wide as high
        return 1.0
    return _WIDE if letter.isupper() or letter.isdigit() else _MEAN


def fitted(text: str, size: float, room: float) -> str:
    """Cut a line to the part that fits, with an ellipsis if it was cut."""
    if width_of(text, size) <= room:
        return text
    kept = text
    while kept and width_of(f"{kept}…", size) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrapped(text: str, size: float, room: float, most: int = 4) -> list[str]:
    """Wrap text into lines that fit; text beyond `most` lines is cut."""
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > most:
        lines = [*lines[: most - 1], fitted(" ".join(lines[most - 1 :]), size, room)]
    return [fitted(line, size, room) for line in lines]


def _plain(value: object) -> str:
    """Write a number without invisible digits."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
