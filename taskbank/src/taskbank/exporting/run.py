"""Export one task: write a temporary file, compare its outputs, then move it to its final path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskbank.atomic_files import whole_file
from taskbank.bank.bank import Bank
from taskbank.errors import InvalidInputError
from taskbank.exporting.files import SUFFIXES, check_installed, write_graph
from taskbank.exporting.graph import ExportedTask
from taskbank.exporting.verify import Difference, verify
from taskbank.options import Format
from taskbank.saving.export import refuse_existing
from taskbank.tasks.registry import find_task


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An exported file.

    Attributes:
        path: of the file.
        facts: its metadata.
        differences: between the file's outputs and this package's; empty without a comparison.
    """

    path: Path
    facts: Mapping[str, Any]
    differences: tuple[Difference, ...]


def export_task(
    bank: Bank,
    task: str,
    out: Path,
    form: Format = Format.ONNX,
    *,
    dynamic: bool = False,
    pictures: Sequence[Path] | None = None,
    overwrite: bool = False,
) -> Exported:
    """Export a task network, with its preprocessing and decoding, as one file.

    Args:
        bank: that holds the network.
        task: by any of its names.
        out: the file, `.onnx` or `.pt`.
        form: of the file.
        dynamic: whether batch, height and width are free, as they always are in TorchScript files; only the
            batch is free for the original networks with fully connected heads.
        pictures: image files on which the exported file is compared with this package before it gets its
            final path; None for no comparison.
        overwrite: whether an existing file is replaced.

    Raises:
        UnknownTaskError: the name is none of the 26 tasks.
        MissingTaskError: the bank does not hold the task, or no decoder for it.
        InvalidInputError: `out` has another suffix, or `pictures` is empty.
        MissingPackageError: the packages for ONNX are not installed.
        ExportError: torch cannot export the network, or the file computes other values.
        OutputError: the file exists already, or cannot be written.

    Examples:
        >>> from pathlib import Path
        >>> import taskbank
        >>> from taskbank.exporting.files import Format
        >>> bank = taskbank.Bank.open("rooms")
        >>> taskbank.export_task(bank, "class_scene", Path("scene.pt"), Format.TORCHSCRIPT).path.name
        'scene.pt'
    """
    if out.suffix != SUFFIXES[form]:
        raise InvalidInputError(f"{out} must end in {SUFFIXES[form]}, as {form} files do")
    check_installed(form)
    if not overwrite:
        refuse_existing([out])
    known = find_task(task)
    graph = ExportedTask(bank, known)
    dynamic = dynamic or form is Format.TORCHSCRIPT  # traces always have free sizes
    facts = graph.facts(bank, known, dynamic=dynamic)
    differences: list[Difference] = []
    with whole_file(out) as partial:
        write_graph(graph, partial, form, facts, dynamic=dynamic)
        if pictures is not None:
            differences = verify(
                graph, partial, form, bank=bank, task=known, pictures=pictures, dynamic=dynamic
            )
    return Exported(path=out, facts=facts, differences=tuple(differences))
