"""Shared style of all figures: colours, figures without global state, atomic writing of files."""

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

# Colours of Okabe and Ito, safe for colour-blind readers (https://jfly.uni-koeln.de/color/).
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
    """Apply the shared style; used as a decorator of every function that draws a figure.

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
    """Create an empty figure that is not registered with pyplot; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor=PAPER, layout="constrained")


def check_picture_path(path: str | Path) -> None:
    """Raise if a figure cannot be saved under the ending of `path`.

    Raises:
        InvalidInputError: the message names the endings that work.
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
    for text in figure.findobj(Text):  # file names may hold characters that XML does not allow
        shown = "\n".join(map(printable, text.get_text().split("\n")))
        if shown != text.get_text():
            text.set_text(shown)
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=150, metadata=undated)
    return write_file(path, stream.getvalue())
