"""Copying of a published bank into the checkout: package folder, taxsolver's data, project model card.

The command `python -m training bundle`.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from taxsolver import load_affinity
from training.errors import DataError
from training.stages.publishing.check_command import FaultyOption, PicturesOption, checked_bank

BANKS, TENSORS = "taskbank/src/taskbank/banks", "taxsolver/src/taxsolver/data"
CARD, PAGE = "MODEL_CARD.md", "docs/bundled-bank.md"
BEGIN = "<!-- the bundled bank: written by `python -m training bundle` -->"
END = "<!-- end of the bundled bank -->"

_HEAD = re.compile(r"\A---\n.*?\n---\n\n", re.DOTALL)
_FENCED = re.compile(r"(```.*?```)", re.DOTALL)


def bundle(
    published: Annotated[
        Path,
        typer.Argument(
            metavar="PUBLISHED", help="Folder of the stage `published`.", exists=True, file_okay=False
        ),
    ],
    checkout: Annotated[
        Path, typer.Option("--checkout", help="Folder of the checkout.", exists=True, file_okay=False)
    ] = Path(),
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", metavar="MB", help="Largest size of the bank.")
    ] = 60.0,
    pictures: PicturesOption = None,
    faulty: FaultyOption = None,
) -> None:
    """Check a published bank and make it the one that comes with the packages.

    Its affinity tensor goes into taxsolver's data unless the one there has more targets; its card goes into
    MODEL_CARD.md, its figures into the documents.

    Example: python -m training bundle out/rooms/published
    """
    from training.stages.publishing.bank_page import figures_section, with_section
    from training.stages.publishing.stage import TENSOR

    bank = checked_bank(published / "bank", max_megabytes, pictures, faulty).bank
    if bank.index.foreign:
        raise DataError(
            f"{published} reads {', '.join(bank.index.foreign)}, which the packages do not hold: bundle a "
            "bank of a run without [transfers] foreign"
        )
    place = checkout / BANKS / bank.name
    text = with_bank_card(
        (checkout / CARD).read_text(encoding="utf-8"),
        (published / CARD).read_text(encoding="utf-8"),
        f"{BANKS}/{bank.name}",
    )
    page = checkout / PAGE
    scores = json.loads((published / "bank" / "scores.json").read_text(encoding="utf-8"))
    shown = with_section(page.read_text(encoding="utf-8"), figures_section(bank.index, scores))
    fresh = place.with_name(f".{bank.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(published / "bank", fresh)
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    tensor = checkout / TENSORS / f"{bank.name}.safetensors"
    targets = len(load_affinity(published / TENSOR).targets)
    kept = len(load_affinity(tensor).targets) if tensor.exists() else 0
    if targets >= kept:
        shutil.copyfile(published / TENSOR, tensor)
    (checkout / CARD).write_text(text, encoding="utf-8")
    page.write_text(shown, encoding="utf-8")
    renewed = f"{CARD}, {PAGE} and {TENSORS}" if targets >= kept else f"{CARD} and {PAGE}"
    typer.echo(f"{place} holds {bank.name}, {bank.digest[:12]}; {renewed} were renewed")
    if targets < kept:
        typer.echo(f"{tensor} was kept: it has {kept} targets, the new tensor {targets}")


def with_bank_card(project: str, card: str, place: str) -> str:
    """Replace the bank's card in the project's model card.

    Args:
        project: text of the project's card; the bank's part is between two comments.
        card: card of the bank. Its metadata are left out, and its headings are lowered by one level.
        place: the bank's folder in the checkout, for its pictures.

    Raises:
        DataError: the project's card lacks the comments.
    """
    before, begun, rest = project.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise DataError(f"{CARD} lacks {END if begun else BEGIN!r}, where the card of the bank belongs")
    parts = _FENCED.split(_HEAD.sub("", card).strip())
    told = []
    for part in parts:
        text = part
        if not part.startswith("```"):
            text = re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)
            text = re.sub(r"\]\((pictures/)", rf"]({place}/\1", text)
        told.append(text)
    return f"{before}{BEGIN}\n\n{''.join(told)}\n\n{END}{after}"
