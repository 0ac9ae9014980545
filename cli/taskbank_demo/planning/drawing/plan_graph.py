"""A plan as an interactive picture: labelled tasks on the left, tasks that are read out on the right.

The rows are those of taxsolver's own picture. Colours are CSS variables: those of the page, or light ones in
a saved file. Every task can be focused and has a name for screen readers.
"""

from __future__ import annotations

from dataclasses import dataclass

from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.kinship import Kinship
from taskbank_demo.planning.drawing.plan_frame import draw_frame, frame_box, kind_of, legend
from taskbank_demo.planning.drawing.plan_words import node_lines, spoken_node, spoken_plan
from taskbank_demo.planning.drawing.style import GRAPH_STYLE
from taskbank_demo.planning.drawing.svg import element, fitted, width_of, words, wrapped
from taxsolver.figures.taxonomy_layout import rows_of
from taxsolver.planning.taxonomy import Taxonomy
from taxsolver.tensors.affinity import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Measures of a picture in px.

    Attributes:
        width: of the part on the page.
        box: width of a task.
        height: of a task.
        row: distance between tasks.
        size: of the font.
        tip: width of tooltips.
        framed: whether a saved picture has a heading, and bars of gain and quality.
    """

    width: int
    box: int
    height: int
    row: int
    size: float
    tip: int
    framed: bool


WIDE = Look(width=600, box=156, height=25, row=31, size=13, tip=290, framed=True)
NARROW = Look(width=346, box=122, height=30, row=37, size=12, tip=214, framed=False)

BOLD = 1.12  # width of bold letters relative to regular ones
HEAD, MEET, DISC = 26, 26, 8.5  # px: headings; from the junction of lines to the target; radius of discs


@dataclass(frozen=True, slots=True)
class Plot:
    """Positions of the tasks of a plan in a picture, in px from the upper left corner.

    Attributes:
        look: measures.
        sources: vertical centres of the labelled tasks.
        targets: vertical centres of the tasks that are read out.
        bottom: lower end of the tasks, where the legend begins.
    """

    look: Look
    sources: dict[str, float]
    targets: dict[str, float]
    bottom: float

    @classmethod
    def of(cls, taxonomy: Taxonomy, look: Look) -> Plot:
        """Compute the positions of all tasks."""
        left, right = rows_of(taxonomy)
        top = HEAD + look.row / 2
        rows = max([*left.values(), *right.values(), 0.0])
        return cls(
            look,
            {task: top + row * look.row for task, row in left.items()},
            {task: top + row * look.row for task, row in right.items()},
            top + rows * look.row + look.row / 2,
        )

    @property
    def source_x(self) -> float:
        """Left edge of the labelled tasks."""
        return 1.0

    @property
    def target_x(self) -> float:
        """Left edge of the tasks that are read out."""
        return self.look.width - self.look.box - 1.0


def draw_plan(taxonomy: Taxonomy, look: Look = WIDE, *, saved: bool = False) -> str:
    """Return the picture as an `<svg>`, with its own classes and rules, so that a page may hold several.

    Args:
        taxonomy: the plan.
        look: measures.
        saved: whether to draw the whole picture with heading and bars, for a file, or the part for the page.
    """
    plot, kin = Plot.of(taxonomy, look), Kinship(taxonomy)
    below, height = legend(taxonomy, look.width, plot.bottom + 14, look.size - 1)
    box = f"0 0 {look.width} {height:.0f}"
    framed = frame_box(plot.look.width, height) if look.framed else box
    shown = framed if saved else box
    width, tall = shown.split()[2:]
    columns = [("label in full", plot.source_x)] + ([("read out", plot.target_x)] if plot.targets else [])
    heads = [
        words(
            text,
            x + look.box / 2,
            HEAD / 2 - 2,
            class_="quiet",
            text_anchor="middle",
            font_size=look.size - 1,
        )
        for text, x in columns
    ]
    parts = [
        element("style", GRAPH_STYLE + kin.rules()) if look.framed else "",
        draw_frame(taxonomy, plot.sources, plot.targets, look.width, height) if look.framed else "",
        *heads,
        *(_transfer(plot, kin, transfer) for transfer in taxonomy.transfers if not transfer.full_supervision),
        *(_node(plot, kin, taxonomy, task) for task in plot.sources),
        *(_node(plot, kin, taxonomy, task) for task in plot.targets),
        below,
        *(_tip(plot, kin, taxonomy, task, height) for task in [*plot.sources, *plot.targets]),
    ]
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="pg pv",
        viewBox=shown,
        data_whole=framed,
        width=width,
        height=tall,
        role="group",
        aria_label=spoken_plan(taxonomy),
    )


def _transfer(plot: Plot, kin: Kinship, transfer: Transfer) -> str:
    """Draw the lines of one transfer, which meet in a disc with its order."""
    look, y = plot.look, plot.targets[transfer.target]
    start, meet = plot.source_x + look.box, plot.target_x - MEET
    middle = (start + meet) / 2
    paths = {
        source: f"M{start:.1f} {plot.sources[source]:.1f}C{middle:.1f} {plot.sources[source]:.1f} "
        f"{middle:.1f} {y:.1f} {meet:.1f} {y:.1f}"
        for source in transfer.sources
    }
    colour = f"o{min(transfer.order, 6)}"
    lit = kin.node(transfer.target).removeprefix(kin.trigger(transfer.target))
    arrow = f"M{meet:.1f} {y:.1f}H{plot.target_x - 5:.1f}m-5 -4l5 4l-5 4"
    number = words(
        str(transfer.order), meet, y, class_="number", text_anchor="middle", font_size=look.size - 3
    )
    disc = element("circle", cx=meet, cy=y, r=DISC, class_=f"disc {colour}")
    return element(
        "g",
        element("path", class_="hit", d="".join(paths.values())),
        *(
            element("path", class_=f"line {colour} {kin.link(transfer, source)}", d=path)
            for source, path in paths.items()
        ),
        element("g", element("path", class_=f"line {colour}", d=arrow), disc, number, class_=lit.strip()),
        class_=kin.trigger(transfer.target),
    )


def _node(plot: Plot, kin: Kinship, taxonomy: Taxonomy, task: str) -> str:
    look = plot.look
    labelled = task in plot.sources
    x, y = (plot.source_x, plot.sources[task]) if labelled else (plot.target_x, plot.targets[task])
    name = fitted(label_of(task), look.size, look.box - 12)
    kind = kind_of(taxonomy, task)
    return element(
        "g",
        element("rect", x=x, y=y - look.height / 2, width=look.box, height=look.height, rx=7),
        words(name, x + look.box / 2, y, text_anchor="middle", font_size=look.size),
        class_=f"{kin.node(task)} node {kind}",
        tabindex=0,
        role="img",
        aria_label=spoken_node(taxonomy, task),
    )


def _tip(plot: Plot, kin: Kinship, taxonomy: Taxonomy, task: str, height: float) -> str:
    """Draw the tooltip of a task: below it, or above it if there is no room."""
    look, pad, step = plot.look, 10, plot.look.size + 4
    heading, *facts = node_lines(taxonomy, task)
    room, bold = look.tip - 2 * pad, look.size * BOLD
    lines = [(line, "strong") for line in wrapped(heading, bold, room, 2)]
    lines += [(line, "") for fact in facts for line in wrapped(fact, look.size, room, 6)]
    wide = min(look.tip, max(width_of(line, bold if kind else look.size) for line, kind in lines) + 2 * pad)
    tall = step * len(lines) + 2 * pad - 4
    middle = plot.sources.get(task, plot.targets.get(task, 0.0))
    x = plot.source_x if task in plot.sources else look.width - 1 - wide
    y = middle + look.height / 2 + 5
    if y + tall > height - 2:
        y = max(2.0, middle - look.height / 2 - 5 - tall)
    rows = [
        words(line, x + pad, y + pad + step * (at + 0.5) - 2, class_=kind or None)
        for at, (line, kind) in enumerate(lines)
    ]
    panel = element("rect", x=x, y=y, width=wide, height=tall, rx=8)
    return element("g", panel, *rows, class_=kin.tip(task), aria_hidden="true", font_size=look.size - 0.5)
