"""List the files that a reader passes on the way of one image, from a command to its end.

python -m benchmarks.walks

Two runs are traced: `taskbank predict` from the command to the written file, and `training networks` from
the preset to the first backward pass. Each event lists the files on the call stack, the caller first.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from PIL import Image
from training.arguments import ScriptParser

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "cli" / "taskbank_demo" / "examples" / "office.jpg"
BOUNDARY = ("once.py", "app.py", "errors.py")  # parsing of arguments


def files_on_stack() -> list[str]:
    """Files of this project on the stack, the caller first; those that parse arguments are left out."""
    names = []
    for frame in traceback.extract_stack():
        path = Path(frame.filename)
        ours = path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "benchmarks")
        if ours and not (path.parent.name.endswith("_cli") and path.name in BOUNDARY):
            names.append(str(path.relative_to(ROOT)))
    return [name for name, _ in groupby(names)]


@contextmanager
def watched(owner: Any, name: str, event: str, rows: dict[str, list[str]]) -> Iterator[None]:
    """Note the stack of the first call of a function."""
    function: Callable[..., Any] = getattr(owner, name)

    def noting(*args: Any, **options: Any) -> Any:
        rows.setdefault(event, files_on_stack())
        return function(*args, **options)

    with mock.patch.object(owner, name, noting):
        yield


def print_walk(title: str, rows: dict[str, list[str]]) -> None:
    """Print the stack at each event, and the number of files in all."""
    print(f"{title}: {len({name for row in rows.values() for name in row})} files")
    for event, row in rows.items():
        print(f"  {event}: {len(set(row))} files, {len(row) - len(set(row))} returns")
        print("    " + "\n    ".join(row))


def main() -> None:
    """Trace both runs."""
    ScriptParser(description=__doc__).parse_args()
    from training.__main__ import app as train

    from taskbank.nets.backbone import BackboneEncoder
    from taskbank_cli.app import app as predict

    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        with (
            watched(Image, "open", "the photograph is opened", rows),
            watched(BackboneEncoder, "forward", "the network runs", rows),
            watched(torch.linalg, "vector_norm", "the output is decoded", rows),
            watched(Path, "replace", "the file is written", rows),
        ):
            predict(["predict", str(PHOTO), "--tasks", "normals", "--out", folder], standalone_mode=False)
        print_walk("taskbank predict", rows)
        rows = {}
        small = ["--set", "rooms.train=1", "--set", "rooms.points=1", "--set", "rooms.views=2"]
        options = ["--preset", "smoke", "--out", folder, "--tasks", "normal", *small]
        train(["frames", *options], standalone_mode=False)
        with watched(torch.autograd, "backward", "the first backward pass", rows):
            train(["networks", *options], standalone_mode=False)
        print_walk("preset to backward pass", rows)


if __name__ == "__main__":
    main()
