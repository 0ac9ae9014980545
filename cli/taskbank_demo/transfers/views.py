"""HTML of a transfer's measured quality and rank."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from taskbank_demo.pieces import note, text
from taskbank_demo.transfers.measured import Standing, affinity_words, share_words
from taskbank_demo.transfers.menu import Choice, label_of
from taxsolver import Transfer

_LEAST = 1e-5  # affinity at the left end of the scale, which is logarithmic
_TICKS = (1e-4, 1e-3, 1e-2, 1e-1)
_SINGLE_ROWS = 4  # orders with a row each; the few transfers of higher orders share one
_RECORDED = {"affinity", "gain", "quality"}
_GAIN = "of test images on which it beats a network trained from scratch on the same few labels"
_QUALITY = "of test images on which it beats the target's own network, trained on all labels"


def measures(choice: Choice, found: Standing, record: Mapping[str, float]) -> str:
    """Return affinity, gain and quality of a transfer, and its rank.

    Args:
        choice: the transfer.
        found: measurement in the affinity tensor.
        record: metrics of this network in the bank.
    """
    name, transfer = f"<strong>{text(found.tensor)}</strong>", found.transfer
    recorded, compared = record.keys() >= _RECORDED, ""
    if transfer is not None:
        origin = f"Affinity tensor {name}, measured on other networks than this bank's."
        if found.own:
            origin = f"Measured on the networks of this bank: affinity tensor {name}."
        place = (
            "" if found.in_order is None else f"{found.in_order.words()} transfers of order {transfer.order}"
        )
        numbers = _numbers(transfer.affinity, transfer.gain, transfer.quality, place)
        body = f"<p>{origin}</p>{numbers}{_ranks(choice, found)}"
        if recorded and not found.own:
            compared = note(
                f"The bank's own record of its network: gain {share_words(record['gain'])}, "
                f"quality {share_words(record['quality'])}."
            )
    else:
        lacks = f"The affinity tensor {name} did not measure this transfer"
        body = f"<p>{lacks}, and the bank has no record of it: choose another tensor.</p>"
        if recorded:
            numbers = _numbers(
                record["affinity"], record["gain"], record["quality"], "in the bank's own record"
            )
            body = f"<p>{lacks}. The bank itself has a record of its network:</p>{numbers}"
    return (
        '<section class="tr-measures tb-card" aria-live="polite">'
        f'<h3>{text(label_of(choice.target))} <span class="tr-quiet">read from</span> '
        f"{text(choice.source_words)}</h3>{body}{compared}</section>"
    )


def prose(words: str) -> str:
    """Convert text with commands between backticks to HTML."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", text(words))


def _numbers(affinity: float, gain: float, quality: float, place: str) -> str:
    """Return three numbers with explanations."""
    numbers = (
        _number("Affinity", affinity_words(affinity), place, _on_scale(affinity)),
        _number("Gain", share_words(gain), _GAIN, gain, middle=True),
        _number("Quality", share_words(quality), _QUALITY, quality, middle=True),
    )
    return f'<dl class="tr-numbers">{"".join(numbers)}</dl>'


def _number(name: str, value: str, about: str, share: float, *, middle: bool = False) -> str:
    """Return one number over a bar; the middle of a win rate's bar is marked."""
    filled = 0.0 if math.isnan(share) else 100 * min(max(share, 0.0), 1.0)
    mark = '<i class="tr-half"></i>' if middle else ""
    return (
        f"<div><dt>{name}</dt><dd><strong>{value}</strong>"
        f'<span class="tr-bar" aria-hidden="true"><b style="width:{filled:.1f}%"></b>{mark}</span>'
        f'<span class="tr-about">{text(about)}</span></dd></div>'
    )


def _on_scale(affinity: float) -> float:
    """Convert an affinity to its position on the logarithmic scale, 0 to 1."""
    if math.isnan(affinity):
        return 0.0
    return min(max(1 - math.log(max(affinity, _LEAST)) / math.log(_LEAST), 0.0), 1.0)


def _ranks(choice: Choice, found: Standing) -> str:
    """Draw all transfers of the target as dots, one row per order, with the chosen one highlighted."""
    if found.overall is None:
        return ""
    orders = sorted({peer.order for peer in found.peers})
    rows = [_row(f"Order {order}", (order,), found) for order in orders if order <= _SINGLE_ROWS]
    if higher := tuple(order for order in orders if order > _SINGLE_ROWS):
        words = f"Orders {higher[0]}+" if len(higher) > 1 else f"Order {higher[0]}"
        rows.append(_row(words, higher, found))
    full = found.full_supervision
    line = ""
    if full is not None and not math.isnan(full.affinity):
        line = f"; the line is full supervision, {affinity_words(full.affinity)}"
    ticks = "".join(f'<i style="left:{100 * _on_scale(tick):.1f}%">{tick:g}</i>' for tick in _TICKS)
    return (
        f'<figure class="tr-ranks"><figcaption>{found.overall.words()} transfers to '
        f"{text(label_of(choice.target))} of all orders, by affinity{line}.</figcaption>"
        f'{"".join(rows)}<div class="tr-row" aria-hidden="true"><span></span>'
        f'<div class="tr-ticks">{ticks}</div><span></span></div></figure>'
    )


def _row(title: str, orders: tuple[int, ...], found: Standing) -> str:
    """Draw the transfers of some orders on one line, with their number."""
    peers = [peer for peer in found.peers if peer.order in orders]
    dots = "".join(_dot(peer) for peer in peers if peer is not found.transfer)
    words = f"{len(peers)} in all"
    if found.transfer is not None and found.in_order is not None and found.transfer.order in orders:
        dots += _dot(found.transfer, "tr-chosen")
        words = found.in_order.words()
    full = found.full_supervision
    line = ""
    if full is not None and not math.isnan(full.affinity):
        at = 100 * _on_scale(full.affinity)
        line = f'<b style="left:{at:.1f}%" title="Full supervision: {affinity_words(full.affinity)}"></b>'
    return (
        f'<div class="tr-row"><span>{title}</span>'
        f'<div class="tr-axis" aria-hidden="true">{line}{dots}</div>'
        f"<span>{words}</span></div>"
    )


def _dot(transfer: Transfer, kind: str = "") -> str:
    """Draw one transfer on the scale, with its name as tooltip."""
    names = " + ".join(label_of(source) for source in transfer.sources)
    where = 100 * _on_scale(transfer.affinity)
    title = text(f"{names}: {affinity_words(transfer.affinity)}")
    return f'<i class="{kind}" style="left:{where:.1f}%" title="{title}"></i>'
