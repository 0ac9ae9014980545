"""`taskbank info`: show the content of a bank."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape as escape_markup
from rich.table import Table

from taskbank_cli.banks import BankArgument, megabytes
from taskbank_cli.printing import printable

if TYPE_CHECKING:
    from taskbank.bank.health import Finding
    from taskbank.bank.source import BankListing

_HEADLINES = ("mean", "abs_rel_scaled", "miou", "psnr", "ap", "rotation", "top1")


def info(
    bank: BankArgument = None,
    measure: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PHOTOS",
            help="Run all networks on these photographs (two or more; files, folders; may be repeated) to "
            "find dead or constant ones. Without it: use the numbers in the bank's index.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every field, as JSON.")] = False,
) -> None:
    """Show a bank's tasks with sizes, licences and metrics, and which networks are faulty.

    For a Hub bank, only the index is downloaded, unless networks are measured.

    Example: taskbank info rooms --measure photos/
    """
    from taskbank.bank.health import faults_in_index, find_faults
    from taskbank.bank.source import open_listing

    listing = open_listing(bank)
    if measure is None:
        faults = faults_in_index(listing.index)
    else:
        from taskbank.bank.bank import Bank
        from taskbank.images.files import find_images
        from taskbank.inference.measure_health import measure_health

        measured = measure_health(Bank.open(bank), find_images(measure))
        faults = [finding for name, metrics in measured.items() for finding in find_faults(name, metrics)]
    if as_json:
        said: dict[str, object] = {
            "where": listing.files.where,
            "sha256": listing.digest,
            "size": sum(file.size for file in listing.index.files),
            "faults": [asdict(finding) for finding in faults],
        }
        typer.echo(json.dumps(said | asdict(listing.index), indent=2))
        return
    _print(listing, faults)


def _print(listing: BankListing, faults: list[Finding]) -> None:
    """Print a few lines, and a table with one row per task and one with one row per transfer."""
    from taskbank.bank.card import output_text, target_text

    index = listing.index
    files = index.files
    storage = ", ".join(sorted({file.storage for file in files})) or "no files"
    code = " x ".join(map(str, index.representation))
    encoders = []  # that transfers read, and that the bank does not hold
    for encoder in index.foreign.values():
        licence = f"licence {encoder.licence}" if encoder.licence else "no licence is stated"
        stated = f"{encoder.channels} channels, {licence}, sha256 {encoder.sha256[:12]}"
        encoders.append(("encoder", f"{encoder.opens} (not in the bank; {stated})"))
    console = Console(highlight=False)
    for name, text in (
        (
            "bank",
            f"{index.name}, {index.architecture.get('name')}, images of {index.image_size} px -> {code}",
        ),
        ("where", listing.files.where),
        ("sha256", listing.digest),
        ("size", f"{megabytes(sum(file.size for file in files))} MB in {len(files)} files ({storage})"),
        ("licence", index.licence or "not stated"),
        ("transfers", str(len(index.transfers))),
        *encoders,
    ):
        console.print(f"{name:<10}{escape(text)}", soft_wrap=True)
    console.print()
    table = _empty_table("task", "output", "MB", "licence", "metrics")
    for task in index.tasks.values():
        size = megabytes(sum(file.size for file in task.files))
        licence = task.licence or index.licence or "-"
        table.add_row(*map(escape, (task.task, output_text(task), size, licence, _headline(task.metrics))))
    console.print(table)
    if index.transfers:
        table = _empty_table("sources", "target", "MB", "licence", "metrics")
        for entry in index.transfers:
            size, licence = megabytes(entry.file.size), entry.licence or index.licence or "-"
            cells = (",".join(entry.sources), target_text(entry), size, licence, _headline(entry.metrics))
            table.add_row(*map(escape, cells))
        console.print()
        console.print(table)
    metrics = [entry.metrics for entry in index.tasks.values()] + [entry.metrics for entry in index.transfers]
    if any("(+" in words for words in map(_headline, metrics)):
        console.print("\n(+n): so many more metrics, with --json", style="dim")
    if faults:
        console.print("\nFaulty networks:")
        for finding in faults:
            console.print(f"  {escape(str(finding))}", soft_wrap=True)


def escape(text: str) -> str:
    """Escape text from a bank for rich and for terminals."""
    return escape_markup(printable(text))


def _headline(metrics: Mapping[str, float]) -> str:
    """Return the main metric, also on real images if measured there, and the number of other metrics."""
    if not metrics:
        return "-"
    name = next((name for name in _HEADLINES if name in metrics), next(iter(metrics)))
    shown = [one for one in (name, f"real_{name}") if one in metrics]
    words = ", ".join(f"{one} {metrics[one]:.3g}" for one in shown)
    return words if len(shown) == len(metrics) else f"{words} (+{len(metrics) - len(shown)})"


def _empty_table(*headings: str) -> Table:
    """Make an empty table without grid lines."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "MB" else "left", overflow="fold")
    return table
