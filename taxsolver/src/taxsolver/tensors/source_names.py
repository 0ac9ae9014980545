"""Parsing of the sources of a transfer in one CSV cell, joined by `|` or in other ways.

Names with ` + ` between, as our tables print them (`depth + normal`), Python lists, and names with `;` or `,`
between are read as several sources. `depth+normal`, `depth&normal` and `depth__normal` are read as several
sources if each part is a task of the same file; otherwise they may also be one task, and raise an error. So
do `depth-normal`, `depth -> normal` and `depth and normal` if both parts are tasks, whatever marks or white
space stand between them. A name that the file has as a target is one task.
"""

from __future__ import annotations

import re
from collections.abc import Collection

SELF, RANDOM = "self", "random"
BASELINES = frozenset({"pixels", "scratch"})
_WORDS = frozenset({SELF, RANDOM, *BASELINES})  # case-insensitive
_LIST = re.compile(r"(?:(?:frozenset|set|list|tuple)\()?[\[({](.*?)[\])}]\)?")
_BRACKET = re.compile(r"[\[({]")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_CERTAIN = (re.compile(r"\s\+\s"), re.compile(";"), re.compile(","))
_LIKELY = (re.compile(r"\+"), re.compile("&"), re.compile("__"))
_MARKS = re.compile(r"([\W_]+)")  # what may stand between two names, and inside one
_JOINING = frozenset({"and", "plus", "with", "x"})  # words that may stand between two names
_MOST_WORDS = 24  # of a text that is looked at for names; the time grows with the square


def split_sources(cell: str, targets: Collection[str], tasks: Collection[str]) -> tuple[str, ...]:
    """Split a cell into source names, stripped of white space; `Self` and `Random` become lower case.

    Args:
        cell: the text in the file.
        targets: names that are one task, even if they look like several.
        tasks: names of tasks that are known from the same file.

    Raises:
        ValueError: the cell may mean one task or several; the message is a clause about it.
    """
    text = cell.strip()
    if "|" in text and _LIST.fullmatch(text):
        raise ValueError(f"{text!r} has brackets around its sources: leave them out, as in depth|normal")
    parts = [part.strip() for part in text.split("|")]
    if len(parts) == 1 and text not in targets:
        parts = _split_otherwise(text, tasks)
    for part in parts:
        if len(parts) > 1 and part not in targets and len(_split_otherwise(part, tasks)) > 1:
            raise ValueError(f"{text!r} joins sources in two ways: join all with |, as in depth|normal")
    return tuple(plain_name(part) for part in parts)


def plain_name(name: str) -> str:
    """Strip quotation marks from a name, and convert reserved words to lower case."""
    quoted = _QUOTED.fullmatch(name)
    bare = (quoted[1] or quoted[2] or "").strip() if quoted else name
    return bare.casefold() if bare.casefold() in _WORDS else bare


def looks_joined(name: str) -> bool:
    """Return True if a name would be read, or rejected, as several sources."""
    return "|" in name or any(mark.search(name) for mark in (*_CERTAIN, *_LIKELY))


def _split_otherwise(text: str, tasks: Collection[str]) -> list[str]:
    """Split a text that has no `|` into names."""
    doubt = (
        f"{text!r} may be one task or several: join sources with |, as in depth|normal, or rename the task"
    )
    listed = _LIST.fullmatch(text)
    if listed and (_QUOTED.search(text) or "," in text or text[0] == "["):
        quoted = [first or second for first, second in _QUOTED.findall(listed[1])]
        rest = _QUOTED.sub("", listed[1])
        if quoted and rest.strip(", \t"):
            raise ValueError(doubt)
        return quoted or [part.strip() for part in listed[1].split(",") if part.strip()]
    # As in array(['depth', 'normal']); brackets around one text may be part of a name.
    inside = [first or second for first, second in _QUOTED.findall(text)]
    if _BRACKET.search(text) and (len(inside) > 1 or any(part in tasks for part in inside)):
        raise ValueError(doubt)
    found = [mark for mark in _CERTAIN if mark.search(text)]
    if len(found) > 1:
        raise ValueError(doubt)
    if found:
        return [part.strip() for part in found[0].split(text)]
    for mark in _LIKELY:
        if mark.search(text):
            parts = [part.strip() for part in mark.split(text)]
            if not all(part in tasks for part in parts):
                raise ValueError(doubt)
            return parts
    if any(_is_several(spelling, tasks) for spelling in {text, text.casefold()}):
        raise ValueError(doubt)
    return [text]


def _is_several(text: str, tasks: Collection[str]) -> bool:
    """Return True if a text is two or more names of tasks with marks or joining words between them.

    Names may hold marks themselves: `edge_occlusion-normal` is `edge_occlusion` and `normal`.
    """
    pieces = _MARKS.split(text)  # words at even places, marks between them
    last = len(pieces) - 1
    if last >= 2 * _MOST_WORDS:
        return False
    starts = [0]  # places where another name may begin
    for end in range(0, len(pieces), 2):
        names = ("".join(pieces[start : end + 1]) for start in starts if (start, end) != (0, last))
        joins = end in starts and 0 < end < last and pieces[end].casefold() in _JOINING
        if joins or any(name in tasks for name in names):
            starts.append(end + 2)
    return last + 2 in starts
