"""The page: a header, three tabs, a footer."""

from __future__ import annotations

from typing import cast

import gradio as gr

from taskbank_demo.live.tab import live_tab
from taskbank_demo.pieces import text
from taskbank_demo.planner.tab import planner_tab
from taskbank_demo.scripts import script
from taskbank_demo.services import Services
from taskbank_demo.transfers.tab import transfers_tab

TITLE = "taskbank"

_SENTENCE = (
    "Twenty-five vision tasks on your own photographs, how well one task teaches another, and which few are "
    "worth learning."
)
_MARK = (
    '<svg viewBox="0 0 54 54" aria-hidden="true">'
    '<rect x="0" y="0" width="16" height="16" rx="3" fill="#8b84f0"/>'
    '<rect x="19" y="0" width="16" height="16" rx="3" fill="#f29a4a"/>'
    '<rect x="38" y="0" width="16" height="16" rx="3" fill="#45b28a"/>'
    '<rect x="0" y="19" width="16" height="16" rx="3" fill="#4f7df0"/>'
    '<rect x="19" y="19" width="16" height="16" rx="3" fill="#2a4fc4"/>'
    '<rect x="38" y="19" width="16" height="16" rx="3" fill="#c95fb4"/>'
    '<rect x="0" y="38" width="16" height="16" rx="3" fill="#e8c64f"/>'
    '<rect x="19" y="38" width="16" height="16" rx="3" fill="#34a5bd"/>'
    '<rect x="38" y="38" width="16" height="16" rx="3" fill="#8f96a3"/>'
    "</svg>"
)


def build_page(services: Services) -> gr.Blocks:
    """Build the whole page, ready to be launched."""
    import taskbank

    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.HTML(
            f'<header class="tb-header">{_MARK}<div><h1>taskbank</h1><p>{text(_SENTENCE)}</p></div></header>',
            js_on_load=script("names"),
        )
        with gr.Tabs():
            with gr.Tab("Live", id="live"):
                live_tab(services)
            with gr.Tab("Transfers", id="transfers"):
                transfers_tab(services)
            with gr.Tab("Planner", id="planner"):
                planner_tab(services)
        # The footer: version, bank, device, licence, and the description of the REST API.
        facts = [f"taskbank {text(taskbank.__version__)}"]
        if services.bank is not None and services.networks is not None:
            index = services.bank.index
            facts += [
                f"Bank <b>{text(index.name)}</b>",
                f"sha256 <code>{text(services.bank.digest)}</code>",
                f"Runs on <b>{text(services.networks.device)}</b>",
                f"Licence of the bank: <b>{text(index.licence or 'not stated')}</b>",
            ]
        else:
            facts.append("No bank is open")
        facts.append('<a href="gradio_api/openapi.json" target="_blank" rel="noopener">REST API</a>')
        footer = f'<footer class="tb-footer">{"".join(f"<span>{fact}</span>" for fact in facts)}</footer>'
        gr.HTML(footer)
    return cast("gr.Blocks", page)
