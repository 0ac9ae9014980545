"""The Transfers tab: a target read out from other tasks, compared with its own network and baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from taskbank.errors import TaskBankError
from taskbank_demo.errors import DemoError, readable
from taskbank_demo.live.results import quick
from taskbank_demo.pieces import intro, missing_panel
from taskbank_demo.services import Services
from taskbank_demo.transfers.api import transfers_api
from taskbank_demo.transfers.measured import affinity_words, by_affinity, shipped_tensor
from taskbank_demo.transfers.menu import TransferMenu, label_of
from taskbank_demo.transfers.on_photo import photograph_part
from taskbank_demo.transfers.on_video import video_part
from taskbank_demo.transfers.requests import (
    WAYS,
    first_choice,
    menu_of,
    record_of,
    standing_of,
    tensor_of,
)
from taskbank_demo.transfers.views import measures, prose
from taxsolver import available_affinities

_ABOUT = (
    "A small network reads the target out from what other tasks' encoders see. Compare it with the network "
    "that was trained for the target on all labels, with one trained from scratch, and with random features."
)


def transfers_tab(services: Services) -> None:
    """Put the tab on the page."""
    gr.HTML(intro("A target read out from other tasks", _ABOUT))
    transfers_api(services)
    try:
        menu = menu_of(services)
    except (DemoError, TaskBankError) as error:
        gr.HTML(missing_panel("No transfers to compare", str(error), WAYS))
        return
    with gr.Row(elem_classes=["tb-columns", "tr-choosing"]):
        with gr.Column(elem_classes="tb-side", scale=0, min_width=320):
            fitting = tensor_of(services)
            first = first_choice(menu, fitting)
            targets = [(label_of(name), name) for name in menu.targets]
            controls = _Controls(
                target=gr.Dropdown(targets, value=first.target, label="Target", elem_id="transfers-target"),
                order=gr.Radio(
                    _orders(menu, first.target),
                    value=first.order,
                    label="Number of sources",
                    elem_id="transfers-order",
                ),
                chosen=gr.Dropdown(
                    _sets(menu, first.target, first.order, fitting),
                    value=first.name,
                    label="Sources, best first",
                    elem_id="transfers-sources",
                ),
                tensor=gr.Dropdown(
                    list(available_affinities()),
                    value=fitting,
                    label="Affinity tensor",
                    elem_id="transfers-tensor",
                ),
            )
        with gr.Column(elem_classes="tb-main"):
            shown = _card(services, menu, controls.chosen.value, controls.tensor.value)
            card = gr.HTML(shown, elem_id="transfers-card")
    _wire(services, menu, controls, card)
    with gr.Tabs(elem_classes="tb-subtabs"):
        with gr.Tab("On a photograph"):
            photograph_part(services, menu, controls.chosen)
        with gr.Tab("On a short video"):
            video_part(services, menu, controls.chosen, controls.tensor)
    if menu.several_images:
        listed = ", ".join(label_of(name) for name in menu.several_images)
        words = (
            f"The bank also holds transfers to {listed}, which look at several photographs: "
            "`taskbank transfer --together` runs them."
        )
        gr.HTML(f'<p class="tb-note tr-left-out">{prose(words)}</p>')


@dataclass(frozen=True, slots=True, eq=False)
class _Controls:
    """Widgets that choose a transfer; each limits the choices of the next."""

    target: gr.Dropdown
    order: gr.Radio
    chosen: gr.Dropdown
    tensor: gr.Dropdown


def _wire(services: Services, menu: TransferMenu, controls: _Controls, card: gr.HTML) -> None:
    """Connect the choice of a target to its orders, its sets of sources, and the card of the transfer."""

    @readable
    def on_target(target: str, order: int, tensor: str) -> tuple[Any, Any]:
        held = menu.orders(target)
        number = order if order in held else held[0]
        sets = _sets(menu, target, number, tensor)
        return gr.Radio(_orders(menu, target), value=number), gr.Dropdown(sets, value=sets[0][1])

    @readable
    def on_order(target: str, order: int, tensor: str) -> Any:
        sets = _sets(menu, target, order, tensor)
        return gr.Dropdown(sets, value=sets[0][1])

    @readable
    def on_tensor(name: str, tensor: str) -> Any:
        choice = menu.named(name)
        return gr.Dropdown(_sets(menu, choice.target, choice.order, tensor), value=name)

    @readable
    def on_choice(name: str, tensor: str) -> str:
        return _card(services, menu, name, tensor)

    narrowing = [controls.target, controls.order, controls.tensor]
    controls.target.input(on_target, narrowing, [controls.order, controls.chosen], **quick())
    controls.order.input(on_order, narrowing, controls.chosen, **quick())
    controls.tensor.input(on_tensor, [controls.chosen, controls.tensor], controls.chosen, **quick())
    gr.on(
        [controls.chosen.change, controls.tensor.input],
        on_choice,
        [controls.chosen, controls.tensor],
        card,
        trigger_mode="always_last",
        **quick(),
    )


def _card(services: Services, menu: TransferMenu, name: str, tensor: str) -> str:
    """Return the card with the measured quality of a transfer."""
    choice = menu.named(name)
    return measures(choice, standing_of(services, choice, tensor), record_of(services, choice))


def _orders(menu: TransferMenu, target: str) -> list[tuple[str, int]]:
    """Return choices of the numbers of sources of a target's transfers."""
    return [(str(order), order) for order in menu.orders(target)]


def _sets(menu: TransferMenu, target: str, order: int, tensor: str) -> list[tuple[str, str]]:
    """Return choices of sources, as text with affinity, highest first, and names of transfers."""
    rated = by_affinity(shipped_tensor(tensor), menu.of_order(target, order))
    return [
        (
            choice.source_words if rating is None else f"{choice.source_words} · {affinity_words(rating)}",
            choice.name,
        )
        for choice, rating in rated
    ]
