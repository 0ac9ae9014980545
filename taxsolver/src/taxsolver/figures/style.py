"""Shared style of all pictures: colours, figures without global state, files written as a whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxsolver.errors import InvalidInputError, MissingExtraError
from taxsolver.files.output import write_file
from taxsolver.plain_text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")

# Okabe and Ito's colours, told apart by colour-blind eyes too (https://jfly.uni-koeln.de/color/).
BLUE, ORANGE, GREEN, PURPLE, RED, SKY, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
)
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY)
INK, MUTED, FAINT, PAPER = "#1b1f24", "#6b7280", "#e5e7eb", "#ffffff"

_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "svg.hashsalt": "taxsolver",  # the same figure gives the same file
    "svg.fonttype": "none",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style: a decorator of every function that makes a picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtraError("matplotlib", "a picture") from None
    with mpl.rc_context(_SETTINGS):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that belongs to no window and no global list; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor=PAPER, layout="constrained")


def check_picture_path(path: str | Path) -> None:
    """Refuse an ending that no picture has.

    Raises:
        InvalidInputError: the endings that work are named.
    """
    if Path(path).suffix.casefold() not in FORMATS:
        raise InvalidInputError(f"cannot draw {str(path)!r}: end the file name in {', '.join(FORMATS)}")


@house_style()
def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as PNG (150 dots per inch), SVG or PDF, by the ending of `path`.

    Raises:
        InvalidInputError: another ending.
        OutputError: the file cannot be written.
    """
    from matplotlib.text import Text

    check_picture_path(path)
    kind = Path(path).suffix.casefold()[1:]
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    for text in figure.findobj(Text):  # names of files may hold what XML may not
        shown = "\n".join(map(printable, text.get_text().split("\n")))
        if shown != text.get_text():
            text.set_text(shown)
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=150, metadata=undated)
    return write_file(path, stream.getvalue())
