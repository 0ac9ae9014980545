"""Parsing of names of sources: `normals`, `rooms`, `timm:MODEL@LAYER?size=PX`, `hf:OWNER/NAME`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from taskbank.bank.bank import Bank
from taskbank.bank.catalogue import accepted, names_models
from taskbank.bank.hub import HUB_PREFIX
from taskbank.bank.source import BUNDLED
from taskbank.encoders.hub_models import open_hub
from taskbank.encoders.names import names_encoder, open_encoder
from taskbank.encoders.source import Source
from taskbank.errors import InvalidInputError
from taskbank.paths import home_path
from taskbank.sources.bank_tasks import open_tasks
from taskbank.tasks.registry import is_task, nearest_tasks

FORMS = (
    "a task such as `normals`, a bank (all of its encoders), BANK:TASK, "
    "timm:MODEL[@LAYER][?weights=FILE|random&size=PX] or hf:OWNER/NAME[@LAYER][?revision=..&size=PX]"
)
"""The forms of names, for messages."""

BankInput: TypeAlias = Bank | str | Path | None


def open_sources(
    names: str | Iterable[str],
    *,
    bank: BankInput = None,
    size: int | None = None,
    seed: int = 0,
    accept_licence: Iterable[str] = (),
) -> list[Source]:
    """Open the named sources, without repetition, in the order given.

    Sources from tasks get the task's canonical name if one bank holds it, and `BANK:TASK` if several do.

    Args:
        names: a task of `bank`; the name or folder of a bank or `hf://owner/name`, for all of its encoders;
            `BANK:TASK`; `timm:MODEL[@LAYER][?weights=FILE&size=PX]`; `hf:OWNER/NAME[@LAYER]`. One text may
            hold several, separated by commas.
        bank: the bank of tasks without BANK; None for the default bank.
        size: side in px of the square for all sources that do not name another, rounded to whole patches of
            each; None for the size that each was trained on.
        seed: of `random` weights.
        accept_licence: ids of third-party models whose licence the user accepts, for tasks of a bank of such
            models.

    Raises:
        InvalidInputError: no name, an unknown form, or a repeated source.
        TaskBankError: as raised by the opener of each kind of source.

    Examples:
        >>> import taskbank
        >>> [source.name for source in taskbank.open_sources("normal,reshading")]
        ['normal', 'reshading']
    """
    listed = [names] if isinstance(names, str) else list(names)
    wanted = [part.strip() for name in listed for part in name.split(",") if part.strip()]
    if not wanted:
        raise InvalidInputError(f"no source was named: name {FORMS}")
    default: Bank | None = None
    opened: list[tuple[str, Source]] = []  # name of its bank, or empty, and the source
    for name in wanted:
        if names_encoder(name):
            opened.append(("", open_encoder(name, size=size, seed=seed)))
            continue
        holder, _, task = name.rpartition(":")
        if is_task(name):
            if default is None:
                default = bank if isinstance(bank, Bank) else Bank.open(bank)
            chosen, tasks = default, [name]
        elif holder and is_task(task):
            chosen, tasks = Bank.open(holder), [task]
        elif name in BUNDLED or names_models(name) or name.startswith(HUB_PREFIX) or home_path(name).is_dir():
            chosen = Bank.open(name)
            tasks = list(chosen.tasks)
        else:
            nearest = " or ".join(nearest_tasks(task))
            hint = f"did you mean {nearest}? " if nearest else ""
            raise InvalidInputError(f"unknown source {name!r}: {hint}Name {FORMS}")
        side = None if size is None else max(round(size / 16), 1) * 16
        ours = [task for task in tasks if chosen.entry(task).model is None]
        opened += [(chosen.name, source) for source in open_tasks(chosen, ours, size=side)]
        models = [model for task in tasks if (model := chosen.entry(task).model) is not None]
        accepted(models, accept_licence)
        for model in dict.fromkeys(models):
            revision = model.revision if model.folder is None else None
            source = open_hub(model.id, revision=revision, size=size)
            if all(held.name != source.name for _, held in opened):  # one model may serve several tasks
                opened.append(("", source))
    # Tasks that several banks hold get the name BANK:TASK.
    holders: dict[str, set[str]] = {}
    for holder, source in opened:
        holders.setdefault(source.name, set()).add(holder)
    named = [
        replace(source, name=f"{holder}:{source.name}") if len(holders[source.name]) > 1 else source
        for holder, source in opened
    ]
    twice = [name for name, times in Counter(source.name for source in named).items() if times > 1]
    if twice:
        raise InvalidInputError(f"sources are named twice: {', '.join(twice)}. Name each once")
    return named
