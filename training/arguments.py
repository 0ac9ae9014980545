"""Arguments of the scripts that are run as `python -m MODULE`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class ScriptParser(argparse.ArgumentParser):
    """Parser that rejects repeated options; argparse would silently keep the last one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("action", None, _StoreOnce)
        self.register("action", "store", _StoreOnce)


class _StoreOnce(argparse.Action):
    """Store a value; raise an error for a second one."""

    stored = False

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if self.stored:
            raise argparse.ArgumentError(self, "is given twice, but takes one value: keep one")
        self.stored = True
        setattr(namespace, self.dest, values)
