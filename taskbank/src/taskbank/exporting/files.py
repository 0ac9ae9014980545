"""Writing of graphs to ONNX and TorchScript files, with facts about the graph as metadata."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from taskbank.errors import ExportError, MissingPackageError, first_line
from taskbank.exporting.graph import ExportedTask
from taskbank.options import Format

jit: Any = torch.jit  # its functions have no types

METADATA = "metadata.json"
"""Name of the extra file in a TorchScript archive."""

_SMALLEST = 128  # px
_NEEDED = ("onnx", "onnxruntime", "onnxscript")


SUFFIXES = {Format.ONNX: ".onnx", Format.TORCHSCRIPT: ".pt"}


def check_installed(form: Format) -> None:
    """Check that the packages for ONNX are installed, if the form is ONNX.

    Raises:
        MissingPackageError: a package is missing; the message names it.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None] if form is Format.ONNX else []
    if missing:
        raise MissingPackageError(
            f"exporting to ONNX needs {' and '.join(missing)}: run  pip install '.[export]'  in a checkout"
        )


def write_graph(
    graph: ExportedTask, path: Path, form: Format, facts: Mapping[str, Any], *, dynamic: bool
) -> None:
    """Write a graph.

    Args:
        graph: on the CPU.
        path: the file; it is replaced.
        form: ONNX, or a TorchScript trace.
        facts: metadata of the file.
        dynamic: whether batch, height and width are free (multiples of the input's step); otherwise they are
            one batch item at the size that the network was trained on.

    Raises:
        ExportError: torch cannot export the graph.
    """
    example = graph.form.example(1)
    if dynamic:
        # The exporter would treat sides that are 1 in some layer, or equal sides, as constants.
        side, step = max(graph.form.size, _SMALLEST), graph.form.step
        free = (side + 2 * step, side + 4 * step) if graph.form.any_size else None
        example = graph.form.example(2, free)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")  # deprecation notices of torch
            if form is Format.TORCHSCRIPT:
                traced = jit.trace(graph, example, check_trace=False)
                jit.save(traced, str(path), _extra_files={METADATA: json.dumps(facts)})
                return
            import onnx
            from torch.export import Dim

            shapes = None
            if dynamic:
                rows, columns = (graph.form.step * Dim(name, min=2, max=512) for name in ("h", "w"))
                last = example.ndim - 1
                axes = {last - 1: rows, last: columns} if graph.form.any_size else {}
                shapes = ({0: Dim("batch", min=1, max=4096), **axes},)
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)
            program = torch.onnx.export(
                graph,
                (example,),
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=["images"],
                output_names=[graph.task],
                optimize=True,
                external_data=False,
                verbose=False,
            )
            assert program is not None  # noqa: S101 - None only without the new exporter
            model = program.model_proto
            for name, value in facts.items():
                model.metadata_props.add(
                    key=name, value=value if isinstance(value, str) else json.dumps(value)
                )
            onnx.save(model, str(path))
    except Exception as error:  # exporters raise many types of exceptions
        raise ExportError(f"{graph.task} cannot be exported as {form}: {first_line(error)}") from error


def read_facts(path: Path, form: Format) -> dict[str, str]:
    """Read the metadata of an exported file; values other than text are JSON."""
    if form is Format.TORCHSCRIPT:
        extra = {METADATA: ""}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jit.load(str(path), _extra_files=extra)
        held = json.loads(extra[METADATA])
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in held.items()}
    import onnx

    model = onnx.load(str(path))
    return {entry.key: entry.value for entry in model.metadata_props}
