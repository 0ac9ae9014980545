"""`python -m taskbank_demo`: the demo with its default settings."""

from __future__ import annotations

import typer

from taskbank_demo.launch import launch
from taskbank_demo.settings import DemoSettings

if __name__ == "__main__":
    with launch(DemoSettings()) as running:
        typer.echo(running.url)
        running.wait()
