"""Arguments of the scripts that are run as `python -m MODULE`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class ScriptParser(argparse.ArgumentParser):
    """Parse words once and refuse an option that stands twice; argparse would keep the last in silence."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("action", None, _StoreOnce)
        self.register("action", "store", _StoreOnce)


class _StoreOnce(argparse.Action):
    """Store a value; a second one is an error."""

    stored = False

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if self.stored:
            raise argparse.ArgumentError(self, "stands twice, but takes one value: keep one")
        self.stored = True
        setattr(namespace, self.dest, values)
