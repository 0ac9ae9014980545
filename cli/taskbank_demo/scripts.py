"""JavaScript that comes with the demo, for `gr.HTML`."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def script(name: str) -> str:
    """Read a script of this package, such as `detail`."""
    return (Path(__file__).parent / "assets" / f"{name}.js").read_text(encoding="utf-8")
