"""`taskbank models`: list third-party models that serve our tasks."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from taskbank_cli.banks import split_names
from taskbank_cli.printing import printable
from taskbank_cli.running import Overwrite

_NOTES = (
    "* taken for that task; to take others, write a catalogue: --only NAME,.. --out FILE.toml\n"
    "! runs with --accept-licence ID only; --json shows licences, sources and what is unverified"
)


def models(
    catalogue: Annotated[
        str, typer.Argument(metavar="[CATALOGUE]", help="`foundation`, or a TOML file of the same form.")
    ] = "foundation",
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,..", help="Only these models, in this order.", show_default="all"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Write them as a catalogue, *.toml.", show_default=False
        ),
    ] = None,
    pin: Annotated[
        bool,
        typer.Option(
            "--pin",
            help="Write the current commits of revisions, from the Hub or its cache; with --out.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every field, as JSON.")] = False,
) -> None:
    """List third-party models that `--bank foundation` runs: task, id, licence, MB, loader.

    Example: taskbank models --only depth-anything-v2-metric-indoor-small --out mine.toml
    """
    from taskbank.atomic_files import write_whole
    from taskbank.bank.catalogue import catalogue_to_toml, open_catalogue
    from taskbank.errors import InvalidInputError, OutputError

    found = open_catalogue(catalogue)
    if names := split_names(only):
        found = found.chosen(names)
    if pin and out is None:
        raise InvalidInputError("--pin writes commits into a catalogue: add --out FILE")
    if out is not None:
        if out.suffix != ".toml":
            raise InvalidInputError(f"{out} must end in .toml: --bank recognises a catalogue by it")
        if out.exists() and not overwrite:
            raise OutputError(f"{out} exists already: choose another --out, or allow --overwrite")
        if pin:
            from taskbank.foundation.files import resolve

            found = replace(
                found, models=tuple(replace(model, revision=resolve(model)) for model in found.models)
            )
        text = catalogue_to_toml(replace(found, name=out.stem))
        write_whole(out, lambda file: file.write(text.encode()))
    taken = found.by_task
    if as_json:
        rows = [
            {**asdict(model), "taken": [task for task in model.tasks if taken[task] is model]}
            for model in found.models
        ]
        typer.echo(json.dumps({"name": found.name, "sha256": found.digest, "models": rows}, indent=2))
        return
    # In lines that fit into 80 columns without cutting an id.
    for model in found.models:
        licence = (model.licence or "licence not stated") + ("" if model.free else " !")
        typer.echo(printable(f"{model.name}  {licence}, {model.megabytes:g} MB, {model.loader}"))
        typer.echo(printable(f"  {model.id}"))
        for task in model.tasks:
            name = f"{task}*" if taken[task] is model else task
            typer.echo(printable(f"  {name:<20}{model.gives(task)}"))
        typer.echo()
    typer.echo(_NOTES)
    if out is not None:
        typer.echo(printable(f"{len(found.models)} model(s) in {out}: --bank {out}"))
