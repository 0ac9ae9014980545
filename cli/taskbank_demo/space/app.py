"""The demo as a Hugging Face Space. The Space's variable TASKBANK_BANK names the bank."""

from __future__ import annotations

import os

from taskbank_demo.launch import launch
from taskbank_demo.settings import DemoSettings, parse_auth

settings = DemoSettings(
    host="0.0.0.0",  # noqa: S104 - a Space is reached through its proxy
    port=int(os.environ.get("GRADIO_SERVER_PORT", "7860")),
    auth=parse_auth(os.environ.get("TASKBANK_DEMO_AUTH")),
)

if __name__ == "__main__":
    with launch(settings) as running:
        running.wait()
