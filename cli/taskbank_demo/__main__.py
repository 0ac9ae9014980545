"""`python -m taskbank_demo`: the demo with its default settings."""

from __future__ import annotations

import sys

import typer

if __name__ == "__main__":
    if len(sys.argv) > 1:
        typer.echo(f"error: {sys.argv[1]} has no meaning here: options belong to  taskbank demo", err=True)
        sys.exit(2)

    from taskbank_demo.launch import launch
    from taskbank_demo.settings import DemoSettings

    with launch(DemoSettings()) as running:
        typer.echo(running.url)
        running.wait()
