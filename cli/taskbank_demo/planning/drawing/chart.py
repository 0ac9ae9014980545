"""Line charts as interactive SVG, mostly over the budget: a hovered or focused one shows its values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from taskbank_demo.planning.drawing.style import GRAPH_STYLE
from taskbank_demo.planning.drawing.svg import element, width_of, words
from taxsolver.planning.amounts import amount

WIDTH, HEIGHT = 420, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 12.0, 12.0, 40.0
_SIZE = 12.0
_TICKS = 5

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a chart.

    Attributes:
        name: in the legend and in tooltips.
        points: (budget, value); NaN leaves a gap.
        colour: class of its colour, `o1` to `o6`, or `quiet`.
        dash: SVG's dashes; empty for a solid line.
    """

    name: str
    points: Points
    colour: str
    dash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of values over the budget.

    Attributes:
        title: name of the values.
        across: name of the horizontal axis.
        lines: at least one with a value.
        band: (budget, low, high) of a shaded band; may be empty.
        band_name: name of the band.
        here: a marked budget; None for none.
        level: a marked value; None for none.
        digits: decimals of values.
        each: what the horizontal axis counts, in tooltips.
    """

    title: str
    across: str
    lines: tuple[Line, ...]
    band: tuple[tuple[float, float, float], ...] = ()
    band_name: str = ""
    here: float | None = None
    level: float | None = None
    digits: int = 2
    each: str = "budget"


def draw_chart(chart: Chart) -> str:
    """Return the chart as an `<svg>`."""
    scale = _Scale.of(chart)
    budgets = sorted({x for line in chart.lines for x, _ in line.points})
    # A hovered or focused budget shows its values.
    rules = "".join(f".pc:has(.c{at}:is(:hover,:focus)) .t{at}{{opacity:1}}" for at in range(len(budgets)))
    parts = [
        element("style", GRAPH_STYLE + rules),
        *_axes(chart, scale, budgets),
        _band(chart, scale),
        *(_line(line, scale) for line in chart.lines),
        *(_column(chart, scale, budgets, at) for at in range(len(budgets))),
        *(_tip(chart, scale, budget, at) for at, budget in enumerate(budgets)),
    ]
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="pg pc",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        role="group",
        aria_label=f"{chart.title} over {chart.across}",
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Scale of a chart: positions of values, in px from the upper left corner."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float

    @classmethod
    def of(cls, chart: Chart) -> _Scale:
        xs = [x for line in chart.lines for x, _ in line.points]
        ys = [y for line in chart.lines for _, y in line.points if not math.isnan(y)]
        ys += [y for _, *ends in chart.band for y in ends if not math.isnan(y)]
        ys += [] if chart.level is None else [chart.level]
        low, high = min(ys, default=0.0), max(ys, default=1.0)
        room = (high - low) * 0.06 or 0.05
        return cls(min(xs), max(xs), low - room, high + room)

    def x(self, value: float) -> float:
        """Return the position of a budget."""
        share = (value - self.low_x) / ((self.high_x - self.low_x) or 1)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return the position of a value."""
        share = (value - self.low_y) / (self.high_y - self.low_y)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _axes(chart: Chart, scale: _Scale, budgets: Sequence[float]) -> Iterator[str]:
    right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    # Round values between the ends of the scale.
    raw = (scale.high_y - scale.low_y) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    tick = next(nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= raw)
    for at in range(math.ceil(scale.low_y / tick), math.floor(scale.high_y / tick) + 1):
        value = round(tick * at, 10)
        y = scale.y(value)
        yield element("path", class_="axis", d=f"M{_LEFT} {y:.1f}H{right}")
        yield words(f"{value:g}", _LEFT - 7, y, class_="quiet", text_anchor="end", font_size=_SIZE - 1)
    step = max(1, math.ceil(len(budgets) / 9))
    for budget in budgets[::step]:
        x = scale.x(budget)
        yield words(amount(budget), x, floor + 13, class_="quiet", text_anchor="middle", font_size=_SIZE - 1)
    middle = (_LEFT + right) / 2
    yield words(chart.across, middle, HEIGHT - 9, class_="quiet", text_anchor="middle", font_size=_SIZE - 1)
    if chart.here is not None and scale.low_x <= chart.here <= scale.high_x:
        x = scale.x(chart.here)
        yield element("path", class_="here", d=f"M{x:.1f} {_TOP}V{floor}")
    if chart.level is not None:
        y = scale.y(chart.level)
        yield element("path", class_="mark", stroke_dasharray="2 4", d=f"M{_LEFT} {y:.1f}H{right}")


def _band(chart: Chart, scale: _Scale) -> str:
    known = [(x, low, high) for x, low, high in chart.band if not math.isnan(low)]
    if len(known) < 2:
        return ""
    upper = " ".join(f"{scale.x(x):.1f},{scale.y(high):.1f}" for x, _, high in known)
    lower = " ".join(f"{scale.x(x):.1f},{scale.y(low):.1f}" for x, low, _ in reversed(known))
    return element("polygon", points=f"{upper} {lower}", class_="chance")


def _line(line: Line, scale: _Scale) -> str:
    """Draw strokes between known neighbours, and dots if there are few points."""
    path, pen = [], "M"
    for x, y in line.points:
        if math.isnan(y):
            pen = "M"
            continue
        path.append(f"{pen}{scale.x(x):.1f} {scale.y(y):.1f}")
        pen = "L"
    dashes = line.dash or None
    stroke = element("path", class_=f"line {line.colour}", stroke_dasharray=dashes, d="".join(path))
    few = len(line.points) <= 12 and not line.dash
    dots = [
        element("circle", class_=f"disc {line.colour}", cx=scale.x(x), cy=scale.y(y), r=3)
        for x, y in line.points
        if few and not math.isnan(y)
    ]
    return stroke + "".join(dots)


def _column(chart: Chart, scale: _Scale, budgets: Sequence[float], at: int) -> str:
    """Draw the area around a budget that shows its values when hovered."""
    x = scale.x(budgets[at])
    left = (scale.x(budgets[at - 1]) + x) / 2 if at else _LEFT
    right = (scale.x(budgets[at + 1]) + x) / 2 if at + 1 < len(budgets) else WIDTH - _RIGHT
    spoken = "; ".join(
        [
            f"{chart.each} {amount(budgets[at])}",
            *(f"{name} {value}" for name, value, _ in _values(chart, budgets[at])),
        ]
    )
    return element(
        "rect",
        x=left,
        y=_TOP,
        width=max(right - left, 1.0),
        height=HEIGHT - _TOP - _BOTTOM,
        class_=f"column c{at}",
        tabindex=0,
        role="img",
        aria_label=spoken,
    )


def _values(chart: Chart, budget: float) -> list[tuple[str, str, str]]:
    """Return (name, value, colour) of every line at a budget, and of the band."""
    found = []
    for line in chart.lines:
        value = next((y for x, y in line.points if x == budget), math.nan)
        found.append(
            (line.name, "none fits" if math.isnan(value) else f"{value:.{chart.digits}f}", line.colour)
        )
    for x, low, high in chart.band:
        if x == budget and not math.isnan(low):
            found.append((chart.band_name, f"{low:.{chart.digits}f} to {high:.{chart.digits}f}", "quiet"))
    return found


def _tip(chart: Chart, scale: _Scale, budget: float, at: int) -> str:
    """Draw a line through the budget, and the values there."""
    rows = [(chart.each, amount(budget), ""), *_values(chart, budget)]
    wide = max(width_of(f"{name}  {value}", _SIZE - 1) for name, value, _ in rows) + 34
    tall = 17.0 * len(rows) + 10
    middle = scale.x(budget)
    x = middle + 8 if middle + 8 + wide < WIDTH - 2 else middle - 8 - wide
    x = max(2.0, x)
    y = _TOP + 4
    lines = []
    for number, (name, value, colour) in enumerate(rows):
        line = y + 5 + 17 * (number + 0.5)
        if colour:
            lines.append(element("circle", class_=f"disc {colour}", cx=x + 12, cy=line, r=4))
        lines.append(words(name, x + 22, line, class_=None if colour else "strong"))
        lines.append(words(value, x + wide - 9, line, class_="strong", text_anchor="end"))
    rule = element("path", class_="mark", d=f"M{middle:.1f} {_TOP}V{HEIGHT - _BOTTOM}")
    panel = element("rect", x=x, y=y, width=wide, height=tall, rx=8)
    return element("g", rule, panel, *lines, class_=f"tip t{at}", font_size=_SIZE - 1, aria_hidden="true")
