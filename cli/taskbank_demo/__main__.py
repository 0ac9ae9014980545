"""`python -m taskbank_demo`: the demo with its default settings."""

from __future__ import annotations

from taskbank_demo.launch import launch
from taskbank_demo.settings import DemoSettings

if __name__ == "__main__":
    with launch(DemoSettings()) as running:
        print(running.url)  # noqa: T201
        running.wait()
