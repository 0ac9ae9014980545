"""The planner's pictures and HTML: well-formed, named for screen readers, escaped, and the numbers of the plan."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from taskbank_demo.planning.answer import PlanAnswer, answer_plan, answer_sweep
from taskbank_demo.planning.ask import PlanAsk
from taskbank_demo.planning.board import board_html, default_rows
from taskbank_demo.planning.drawing.cards import label_of
from taskbank_demo.planning.drawing.chart import Chart, Line, draw_chart
from taskbank_demo.planning.drawing.kinship import Kinship
from taskbank_demo.planning.drawing.plan_graph import NARROW, WIDE, Look, draw_plan
from taskbank_demo.planning.drawing.svg import element, fitted, width_of, words, wrapped
from taskbank_demo.planning.group_view import show_curves, show_group
from taskbank_demo.planning.grouping import answer_group, curves, published
from taskbank_demo.planning.result import show_plan, show_problem
from taskbank_demo.planning.space import VIEWS, show_space
from taskbank_demo.planning.sweep_view import show_sweep
from taskbank_demo.planning.tensors import tensor_from_text
from taxsolver import AffinityTensor, load_affinity
from taxsolver.tensors.affinity_csv import tensor_from_csv
from toys import TOY, toy

TENSOR = load_affinity("taskonomy-16k")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def rich() -> PlanAnswer:
    """A plan with several orders."""
    return answer_plan(PlanAsk(budget=8, objective="quality"), TENSOR, "taskonomy-16k")


def small(text: str, budget: float = 1, **asked: object) -> PlanAnswer:
    tensor = tensor_from_csv(text, name="small")
    return answer_plan(PlanAsk.from_json({"budget": budget, **asked}), tensor, "small.csv", samples=1)


def nodes(picture: str) -> list[ET.Element]:
    """Return the elements that can be focused, in order."""
    return [one for one in ET.fromstring(picture).iter(f"{SVG}g") if one.get("tabindex") == "0"]


class _Strict(HTMLParser):
    """Remembers which elements are open, and refuses an end tag of another one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in {"input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def well_formed(html: str) -> list[str]:
    """Names of all elements of HTML in which every element that is opened is closed."""
    parser = _Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.names


@pytest.mark.parametrize("look", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_task_of_a_plan_can_be_focused_and_has_a_name(rich: PlanAnswer, look: Look) -> None:
    plan = rich.taxonomy
    found = nodes(draw_plan(plan, look))
    assert len(found) == len({*plan.sources, *(one.target for one in plan.transfers)})
    names = [one.get("aria-label", "") for one in found]
    for transfer in plan.transfers:
        [name] = [name for name in names if name.startswith(f"{label_of(transfer.target)} ")]
        assert f"gain {transfer.gain:.2f}, quality {transfer.quality:.2f}" in name
        if not transfer.full_supervision:
            assert f"order {transfer.order}," in name
            assert all(label_of(source) in name for source in transfer.sources)
    assert all(one.get("role") == "img" for one in found)


def test_every_transfer_is_drawn_with_a_line_from_each_of_its_sources(rich: PlanAnswer) -> None:
    plan, kin = rich.taxonomy, Kinship(rich.taxonomy)
    drawn = [
        path.get("class", "")
        for path in ET.fromstring(draw_plan(plan)).iter(f"{SVG}path")
        if path.get("class")
    ]
    for transfer in plan.transfers:
        for source in transfer.sources:
            lines = [one for one in drawn if one.endswith(kin.link(transfer, source)) and "line" in one]
            assert len(lines) == (0 if transfer.full_supervision else 1)
    assert sum(one.startswith("line o") and " d " in one for one in drawn) == sum(
        one.order for one in plan.transfers if not one.full_supervision
    )


def test_pointing_at_a_target_lights_it_its_sources_and_nothing_else() -> None:
    plan = answer_plan(
        PlanAsk(budget=2), toy(), "toy.csv"
    ).taxonomy  # labels a and s: b reads s, c reads both
    kin = Kinship(plan)
    lit = {task: set(re.findall(r"\bk(\d+)", kin.node(task))) for task in ("a", "s", "b", "c")}
    number = {task: kin.trigger(task).removeprefix("n n") for task in lit}
    assert lit["b"] == {number["b"], number["s"]}
    assert lit["c"] == {number["c"], number["a"], number["s"]}
    assert lit["a"] == {number["a"], number["c"]}
    for task in lit:
        assert f":has(.n.n{number[task]}:hover) .k{number[task]}" in kin.rules()


def test_all_marks_stay_within_the_picture(rich: PlanAnswer) -> None:
    for look in (WIDE, NARROW):
        root = ET.fromstring(draw_plan(rich.taxonomy, look))
        _, _, width, height = (float(side) for side in root.get("viewBox", "").split())
        frame = root.find(f"{SVG}g[@class='frame']")
        framed = set() if frame is None else set(frame.iter(f"{SVG}rect"))
        for box in set(root.iter(f"{SVG}rect")) - framed:
            x, y, wide, tall = (float(box.get(side, "0")) for side in ("x", "y", "width", "height"))
            assert 0 <= x <= x + wide <= width, box.attrib
            assert 0 <= y <= y + tall <= height, box.attrib


def test_a_saved_picture_stands_alone_and_holds_everything(rich: PlanAnswer) -> None:
    saved = draw_plan(rich.taxonomy, saved=True)
    root = ET.fromstring(saved)
    assert (
        root.get("viewBox")
        == root.get("data-whole")
        != ET.fromstring(draw_plan(rich.taxonomy)).get("viewBox")
    )
    shown = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert "8 of 22 tasks labelled serve all 22" in shown
    for transfer in rich.taxonomy.transfers:
        assert f"{transfer.gain:.2f}" in shown
    assert "http" not in saved.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in saved


def test_what_is_not_measured_is_a_dash() -> None:
    found = small("target,sources,affinity\na,self,0.5\nb,a,0.5\n")
    assert "gain \N{EN DASH}, quality \N{EN DASH}" in nodes(draw_plan(found.taxonomy))[0].get(
        "aria-label", ""
    )
    assert "\N{EN DASH}</td>" in show_plan(found)
    ET.fromstring(draw_plan(found.taxonomy, saved=True))


def test_tasks_that_are_labelled_for_others_or_need_no_labels_look_different() -> None:
    text = "target,sources,affinity\na,b,0.5\nc,random,0.5\n"
    plan = small(text, 2, sources=["b", "random"]).taxonomy
    kinds = [one.get("class", "").split()[-1] for one in nodes(draw_plan(plan))]
    assert sorted(kinds) == ["others", "read", "read", "untrained"]


def test_names_are_escaped_wherever_they_stand() -> None:
    odd = '<b onload="x">&'
    text = f'target,sources,affinity,gain\n"{odd.replace(chr(34), chr(34) * 2)}",self,1,1\nb,self,1,1\n'
    tensor = tensor_from_text(text, name="<i>")
    found = answer_plan(PlanAsk(budget=2), tensor, "<i>.csv", samples=1)
    for html in (show_plan(found), board_html(tensor, default_rows(tensor)), show_problem(odd)):
        assert "<b onload" not in html
        assert "<i>" not in html.replace("<i></i>", "")
        well_formed(html)
    ET.fromstring(draw_plan(found.taxonomy, saved=True))


def test_the_result_holds_table_totals_proof_and_what_can_be_taken_away(rich: PlanAnswer) -> None:
    html = show_plan(rich)
    assert well_formed(html).count("tr") == 24  # a head, 22 targets, the mean
    assert f"{rich.taxonomy.gain:.3f}" in html
    assert "proven optimal" in html
    assert rich.band is not None
    assert f"random plans {rich.band.random_gain[0]:.2f} to {rich.band.random_gain[2]:.2f}" in html
    assert rich.command in html.replace("&#x27;", "'")
    [data] = re.findall(r'data-save="plan.json" data-text="([^"]*)"', html)
    assert json.loads(data.replace("&quot;", '"'))["sources"] == list(rich.taxonomy.sources)


def test_one_more_unit_is_told_also_where_it_buys_nothing() -> None:
    assert "by labelling a and b in place of s" in show_plan(small(SWAPPED, 1))
    assert "no plan gets better by it" in show_plan(small("target,sources,affinity\na,self,1\n"))


SWAPPED = """\
target,sources,affinity
a,self,0.5
a,s,0.45
b,self,0.9
b,s,0.8
b,a,0.1
"""


def test_the_board_has_a_labelled_row_for_every_task() -> None:
    html = board_html(TENSOR, default_rows(TENSOR))
    names = well_formed(html)
    assert names.count("select") == len(TENSOR.tasks)
    for task in TENSOR.tasks:
        assert f'data-task="{task}"' in html
        assert f'aria-label="Label cost of {label_of(task)}"' in html
    assert html.count("data-solve checked") == len(TENSOR.targets)
    assert html.count("data-solve disabled") == len(TENSOR.tasks) - len(TENSOR.targets)


def test_a_sweep_is_drawn_with_its_values_at_every_budget() -> None:
    found = answer_sweep(PlanAsk(), TENSOR, "taskonomy-16k", range(1, 5), [1, 2])
    html = show_sweep(found, 3)
    assert "svg" in well_formed(html)
    first = found.rows[0]
    assert f"budget 1; order 1 {first.gain:.3f}; orders up to 2 {found.rows[4].gain:.3f}" in html


def test_a_sweep_without_a_plan_says_so() -> None:
    tensor = tensor_from_csv("target,sources,affinity\na,self,1\nb,self,1\n", name="two")
    assert "No budget in the range" in show_sweep(answer_sweep(PlanAsk(), tensor, "two.csv", [1], [1]), 1)


@pytest.mark.parametrize(
    ("columns", "drawn"), [("affinity", 0), ("affinity,gain", 1), ("affinity,gain,quality", 2)]
)
def test_only_measures_that_a_tensor_has_get_a_chart(columns: str, drawn: int) -> None:
    values = ",".join("0.5" for _ in columns.split(","))
    tensor = tensor_from_csv(f"target,sources,{columns}\na,self,{values}\na,b,{values}\n", name="own")
    html = show_sweep(answer_sweep(PlanAsk(), tensor, "own.csv", [1, 2], [1]), 1)
    well_formed(html)
    assert html.count("<svg") == drawn
    assert ("neither gain nor quality" in html) == (drawn == 0)


def test_a_chart_leaves_gaps_where_nothing_was_measured() -> None:
    nan = float("nan")
    line = Line(name="loss", points=[(1, nan), (2, 0.5), (3, nan), (4, 0.4), (5, 0.3)], colour="o1")
    picture = draw_chart(Chart(title="Loss", across="budget", lines=(line,), band=((1, 0, 1), (5, 0, 2))))
    root = ET.fromstring(picture)
    [path] = [one.get("d", "") for one in root.iter(f"{SVG}path") if one.get("class") == "line o1"]
    assert re.sub(r"[\d. ]", "", path) == "MML"
    assert "budget 1; loss none fits" in picture


@pytest.mark.parametrize("points", [[(1, 0.5)], [(1, 0.5), (2, 0.5)], [(0.001, 1e-9), (1000, 2e-9)]])
def test_a_chart_of_hardly_any_points_is_drawn_too(points: list[tuple[float, float]]) -> None:
    line = Line(name="loss", points=points, colour="o1")
    ET.fromstring(draw_chart(Chart(title="Loss", across="budget", lines=(line,), here=1)))


def test_a_choice_of_networks_names_them_their_costs_and_losses() -> None:
    found = answer_group(published(1), "optimal", 2.5)
    html = show_group(found)
    well_formed(html)
    assert "3 networks for 5 tasks" in html
    assert f"{found.grouping.validation_loss:.5g}" in html
    assert html.count("<li><header>") == len(found.grouping.chosen)
    assert "taxsolver group --setting 1 --method optimal --budget 2.5" in html


def test_a_choice_that_does_not_exist_says_what_would() -> None:
    html = show_group(answer_group(published(1), "independent", 1))
    assert "One network for each task: nothing fits a budget of 1; the least that works is 2.5." in html
    assert 'role="alert"' in html


def test_curves_of_methods_are_drawn_with_their_losses() -> None:
    rows = curves(published(1), [1.0, 2.5], ["optimal", "independent"])
    html = show_curves(rows, 2.5)
    well_formed(html)
    assert f"budget 1; Optimal {rows[0].test_loss:.4f}; One network for each task none fits" in html


@pytest.mark.parametrize("view", VIEWS)
def test_pictures_of_the_space_stand_in_a_page_without_reaching_beyond_it(view: str) -> None:
    html = show_space(TENSOR, view)
    svg = html[html.index("<svg") : html.index("</svg>") + 6]
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert "taskonomy-16k" in root.get("aria-label", "")
    assert "<style" not in svg
    assert "var(--tb-ink" in svg
    ids = {one.get("id") for one in root.iter() if one.get("id")}
    assert all(name is not None and name.startswith(f"{view}-") for name in ids)
    for used in re.findall(r"url\(#([^)]*)\)", svg) + re.findall(r'href="#([^"]*)"', svg):
        assert used in ids
    well_formed(html.replace(svg, ""))


def test_tasks_of_the_space_are_called_as_everywhere_else() -> None:
    for view in VIEWS:
        html = show_space(TENSOR, view)
        assert "2.5D Segm." in html
        assert "segment unsup25d" not in html


def test_tasks_that_would_be_called_alike_keep_their_names() -> None:
    alike = tensor_from_csv(
        "target,sources,affinity\na_b,x,0.5\na b,x,0.7\na_b,y,0.5\na b,y,0.3\n", name="two"
    )
    assert "<svg" in show_space(alike, "matrix")


def test_pictures_are_drawn_once_for_each_tensor() -> None:
    assert show_space(TENSOR, "tree") == show_space(TENSOR, "tree")
    own: AffinityTensor = tensor_from_csv(TOY, name="own")
    assert "own" in show_space(own, "matrix")


def test_elements_are_escaped_and_numbers_short() -> None:
    assert element("path", d='"', stroke_width=1.0, class_="a", id=None) == (
        '<path d="&quot;" stroke-width="1" class="a"/>'
    )
    assert words("<&>", 1.239, 2) == '<text x="1.24" y="2" dy="0.35em">&lt;&amp;&gt;</text>'


def test_text_is_cut_and_wrapped_to_the_room_there_is() -> None:
    assert fitted("short", 10, 100) == "short"
    cut = fitted("a rather long line of text", 10, 60)
    assert cut.endswith("…")
    assert width_of(cut, 10) <= 60
    lines = wrapped("one two three four five six seven eight", 10, 60, most=3)
    assert len(lines) == 3
    assert all(width_of(line, 10) <= 60 for line in lines)
    assert wrapped("one two", 10, 500) == ["one two"]
