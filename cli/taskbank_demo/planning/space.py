"""The space of tasks: tree, matrix and map of a tensor, drawn by taxsolver in the colours of the page."""

from __future__ import annotations

import dataclasses
import functools
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from taskbank_demo.pieces import text
from taskbank_demo.planning.drawing.cards import label_of
from taxsolver.analysis.similarity import similarity
from taxsolver.figures.matrix import draw_affinity
from taxsolver.figures.style import BLUE, FAINT, INK, MUTED, ORANGE, PAPER
from taxsolver.figures.task_map import draw_task_map
from taxsolver.figures.tree import draw_tree
from taxsolver.tensors.affinity import AffinityTensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KEPT = 16  # tensors whose pictures are kept
_DRAWING = Lock()  # matplotlib's settings belong to the whole process
_VARIABLES = {
    INK: "--tb-ink",
    MUTED: "--tb-quiet",
    FAINT: "--tb-line",
    PAPER: "--tb-panel",
    "#b4bac4": "--tb-edge",
}
_FILLS = {"#eaf3f9": BLUE, "#fdf5e3": ORANGE}  # pale fills of the map, and their base colours
_FONT = re.compile(r"font-family: [^;\"]*")
_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_GLOBAL_STYLE = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')
_ID = re.compile(r'(id="|url\(#|href="#)(?!data)')


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPicture:
    """One picture of a tensor.

    Attributes:
        name: label of its button.
        about: description, also for screen readers.
        draw: function that draws it.
    """

    name: str
    about: str
    draw: Callable[[AffinityTensor], Figure]


VIEWS: Mapping[str, TensorPicture] = {
    "tree": TensorPicture(
        name="Task tree",
        about="Tasks whose representations transfer alike are joined early. Colours are groups, cut at the "
        "widest gap.",
        draw=lambda tensor: draw_tree(similarity(tensor)),
    ),
    "map": TensorPicture(
        name="Task map",
        about="A force-directed map: tasks that read each other out well lie close together, and arrows "
        "lead to each target from its three best sources.",
        draw=draw_task_map,
    ),
    "matrix": TensorPicture(
        name="Affinity matrix",
        about="Every order-1 transfer: sources down, targets across, coloured by the share of the other "
        "transfers of its target that it beats.",
        draw=draw_affinity,
    ),
}


def show_space(tensor: AffinityTensor, view: str) -> str:
    """Return a picture of a tensor as HTML.

    Args:
        tensor: any.
        view: a key of `VIEWS`.

    Raises:
        TaxSolverError: the tensor lacks the transfers that the picture needs, or matplotlib is not installed.
    """
    shown = VIEWS[view]
    return (
        f'<figure class="pl-space pl-{view}"><figcaption>{text(shown.about)}</figcaption>'
        f'<div class="tb-scroll" tabindex="0" role="region" aria-label="{text(shown.name)}">'
        f"{picture(tensor, view)}</div></figure>"
    )


@functools.lru_cache(maxsize=_KEPT * len(VIEWS))
def picture(tensor: AffinityTensor, view: str) -> str:
    """Return the picture as an `<svg>` for the page: its colours are the page's, its size is in px.

    Raises:
        TaxSolverError: as `show_space`.
    """
    stream = io.StringIO()
    with _DRAWING:
        VIEWS[view].draw(_labelled(tensor)).savefig(
            stream, format="svg", metadata={"Date": None, "Creator": None}
        )
    about = VIEWS[view].about
    return _in_page(stream.getvalue(), f"{view}-", f"{VIEWS[view].name} of {tensor.name}. {about}")


def _labelled(tensor: AffinityTensor) -> AffinityTensor:
    """Replace names of tasks by their labels on the page; the tensor is unchanged if two labels are equal."""
    if len({label_of(task) for task in tensor.tasks}) < len(tensor.tasks):
        return tensor
    tasks, targets, untrained = (
        tuple(label_of(task) for task in names) for names in (tensor.tasks, tensor.targets, tensor.untrained)
    )
    return dataclasses.replace(tensor, tasks=tasks, targets=targets, untrained=untrained, aliases={})


def _in_page(svg: str, prefix: str, spoken: str) -> str:
    """Make matplotlib's file safe inside a page: without header and global styles, with unique ids."""
    for pattern in (_HEAD, _METADATA, _GLOBAL_STYLE):
        svg = pattern.sub("", svg, count=1)
    svg = _ID.sub(rf"\g<1>{prefix}", svg)
    for colour, variable in _VARIABLES.items():
        svg = re.sub(rf"{colour}(?![0-9a-f])", f"var({variable}, {colour})", svg, flags=re.IGNORECASE)
    for colour, base in _FILLS.items():
        svg = svg.replace(colour, f"color-mix(in srgb, {base} 14%, var(--tb-panel, #fff))")
    svg = _FONT.sub("font-family: inherit", svg)
    size = _SIZE.search(svg)
    if size is None:
        raise ValueError("matplotlib wrote no size")
    wide, tall = (float(side) * 4 / 3 for side in size.groups())  # from points to px
    label = f'class="pl-drawn" role="img" aria-label="{text(spoken)}" width="{wide:.0f}" height="{tall:.0f}"'
    return _SIZE.sub(label, svg, count=1)
