"""HTML of the gallery: a card per task, under headings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from taskbank.tasks.registry import find_task
from taskbank_demo.live.predict import Card, in_sections
from taskbank_demo.live.words import WORDS
from taskbank_demo.pieces import file_url, text


def gallery(tasks: Sequence[str], cards: Mapping[str, Card], *, running: bool = False) -> str:
    """Return the gallery of all cards; those of unfinished networks are empty.

    Args:
        tasks: canonical names.
        cards: by task, of finished tasks.
        running: whether more cards will follow.
    """
    sections = "".join(
        f'<section class="tb-group"><h3>{text(title)}</h3><div class="tb-cards">'
        f"{''.join(_card(cards.get(name, Card(task=name))) for name in names)}</div></section>"
        for title, names in in_sections(tasks)
    )
    kinds = "tb-gallery tb-running" if running else "tb-gallery"
    return f'<div class="{kinds}" aria-busy="{str(running).lower()}">{sections}</div>'


def _card(card: Card) -> str:
    """Return one card: a button if there is a result."""
    label = text(find_task(card.task).label)
    about, inside = card.caption, ""
    if card.shares:
        about, inside = "", bars(card.shares)  # the bars show the caption already
    elif card.picture is not None:
        inside = f'<img src="{file_url(card.picture)}" alt="{label} of the photograph" decoding="async">'
    about = card.error or about or WORDS.get(card.task, "")
    shown = (
        f'<span class="tb-card-shown">{inside}</span><span class="tb-card-words">'
        f'<span class="tb-card-name">{label}</span>'
        f'<span class="tb-card-about">{text(about)}</span></span>'
    )
    if not card.done:
        return f'<div class="tb-result tb-waiting" data-waiting="{text(card.task)}">{shown}</div>'
    if card.error:
        return f'<div class="tb-result tb-failed" role="alert">{shown}</div>'
    return (
        f'<button type="button" class="tb-result" data-task="{text(card.task)}" aria-haspopup="dialog" '
        f'title="{label}: full size, values, downloads">{shown}</button>'
    )


def bars(shares: Iterable[tuple[str, float]]) -> str:
    """Return classes with bars as long as their probabilities."""
    rows = "".join(
        f'<span class="tb-bar"><span>{text(name.split(",")[0])}</span>'
        f"<b>{f'{share:.0%}' if share >= 0.005 else '&lt;1%'}</b>"
        f'<i style="inline-size:{100 * share:.1f}%"></i></span>'
        for name, share in shares
    )
    return f'<span class="tb-bars">{rows}</span>'


def progress(done: int, total: int, seconds: float | None = None) -> str:
    """Return the progress of a request as HTML, also for screen readers."""
    tasks = f"{total} task" if total == 1 else f"{total} tasks"
    words = f"{done} of {tasks}" if seconds is None else f"{tasks} in {seconds:.1f} s"
    share = done / max(total, 1)
    return (
        f'<p class="tb-progress" role="status"><span>{text(words)}</span>'
        f'<span class="tb-track" aria-hidden="true"><i style="inline-size:{100 * share:.0f}%"></i></span></p>'
    )
