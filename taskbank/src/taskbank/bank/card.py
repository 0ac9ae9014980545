"""The model card of a bank, written from its index. Nothing heavy is imported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from taskbank.bank.index import BankIndex, SeededEncoder, TaskEntry, TransferEntry
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import SCRATCH

_Entry: TypeAlias = TaskEntry | TransferEntry

# Licences that the Hub knows by an identifier, see https://huggingface.co/docs/hub/repositories-licenses.
_KNOWN_LICENCES = {
    "mit", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0",
    "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "unlicense",
}  # fmt: skip
_NOT_STATED = "not stated"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MARKS = re.compile(r"[\\`*\[\]]")
_MEGABYTE = 1_000_000


def model_card(index: BankIndex, digest: str, source: str) -> str:
    """Return the text of a bank's `README.md`: metadata for the Hub, then the facts in the index.

    Args:
        index: of the bank.
        digest: sha256 of its `bank.json`.
        source: name that opens the bank, such as `hf://owner/name`.
    """
    # The YAML header; every text is quoted as JSON, which is valid YAML.
    header = ["---", "library_name: taskbank"]
    licence = index.licence.lower()
    if licence in _KNOWN_LICENCES:
        header.append(f"license: {licence}")
    elif licence:
        header += ["license: other", f"license_name: {json.dumps(index.licence)}"]
    header += ["tags:", "- taskbank", "- computer-vision", "- safetensors", "---", ""]

    size = sum(file.size for file in index.files)
    own: dict[int, list[str]] = {}
    for entry in index.tasks.values():
        if entry.image_size is not None:
            own.setdefault(entry.image_size, []).append(entry.task)
    images = [f"{index.image_size} px", *(f"{side} px for {', '.join(names)}" for side, names in own.items())]
    facts = {
        "Architecture": ", ".join(
            _plain(str(index.architecture[key])) for key in ("name", "model") if key in index.architecture
        ),
        "Input": f"RGB images of {'; '.join(images)}, -1 to 1; other sizes where the decoder allows them",
        "Representation": f"{' x '.join(map(str, index.representation))} (channels, rows, columns)",
        "Transfers": str(len(index.transfers)),
        "Size": f"{size / _MEGABYTE:.1f} MB in {len(index.files)} safetensors files; nothing is pickled",
        "Licence": _plain(index.licence) or _NOT_STATED,
        "sha256 of `bank.json`": f"`{digest}`",
    }

    task = next((name for name, entry in index.tasks.items() if entry.decoder), None)
    if not index.tasks:  # transfers that read third-party encoders only
        first = index.transfers[0]
        use = f"network = bank.load_transfer({list(first.sources)!r}, {first.target!r})"
    elif task is None:
        use = "codes = bank.load_encoder(bank.tasks[0])(images)  # float (B, 3, 256, 256), -1 to 1"
    else:
        use = f'network = bank.load("{task}")  # files are downloaded when they are needed'
    code = ["import taskbank", "", f'bank = taskbank.Bank.open("{source}")', use]

    return "\n".join(
        [
            *header,
            f"# {_plain(index.name)}",
            "",
            f"Networks for {len(index.tasks)} vision tasks, to be used with taskbank: an encoder and, where "
            "the task has one, a decoder each.",
            "",
            "## Details",
            "",
            *_table(("", ""), facts.items()),
            "",
            "## How to start",
            "",
            "```python",
            *code,
            "```",
            "",
            *_networks(index),
            *_training(index),
            *_limits(index),
        ]
    )


def _plain(text: str) -> str:
    """Escape a text from an index: no Markdown or HTML markup, no links, no line breaks.

    A bank may come from an untrusted author, and its card is shown on the Hub's pages.
    """
    shown = " ".join(part for part in _CONTROL.sub(" ", text).split(" ") if part)
    return _MARKS.sub(r"\\\g<0>", shown).replace("<", "&lt;").replace("://", ":\u200b//")


def _networks(index: BankIndex) -> list[str]:
    """Return the sections on tasks and, where there are any, on transfers and third-party encoders."""
    rows = [
        (
            entry.task,
            _plain(output_text(entry)),
            "" if entry.unit == "1" or not entry.decoder else _plain(entry.unit),
            f"{sum(file.size for file in entry.files) / _MEGABYTE:.1f}",
            _plain(entry.licence or index.licence) or _NOT_STATED,
            _plain(metrics_text(entry)) or "not measured",
        )
        for entry in index.tasks.values()
    ]
    lines = ["## Tasks", "", *_table(("task", "output", "unit", "MB", "licence", "metrics"), rows), ""]
    if index.transfers:
        transfers = [
            (
                ", ".join(entry.sources),
                _plain(target_text(entry)),
                f"{entry.file.size / _MEGABYTE:.2f}",
                _plain(entry.licence or index.licence) or _NOT_STATED,
                _plain(metrics_text(entry)) or "not measured",
            )
            for entry in index.transfers
        ]
        lines += ["## Transfers", "", *_table(("sources", "target", "MB", "licence", "metrics"), transfers)]
        if any(entry.from_scratch for entry in index.transfers):
            lines += [
                "",
                f"`{SCRATCH}`: the target's whole network, trained on what its transfers learned from.",
            ]
        lines.append("")
    if index.foreign:
        encoders = [
            (_plain(entry.opens), str(entry.channels), f"{entry.parameters / 1e6:.1f}", entry.sha256[:12],
             _plain(entry.licence) or _NOT_STATED)
            for entry in index.foreign.values()
        ]  # fmt: skip
        headings = ("opened as", "channels", "parameters (M)", "sha256 of weights", "licence")
        lines += ["## Third-party encoders, not in this bank", "", *_table(headings, encoders), ""]
    return lines


def output_text(entry: TaskEntry) -> str:
    """Describe the output of a task network: its kind, or that it is a representation only."""
    if entry.decoder is not None:
        return entry.output
    if isinstance(entry.encoder, SeededEncoder):
        return f"representation, seed {entry.encoder.seed}"
    return "representation only"


def metrics_text(entry: _Entry) -> str:
    """Write a network's metrics as text: `mae 0.12, top5 0.5`."""
    return ", ".join(f"{name} {value:.4g}" for name, value in entry.metrics.items())


def target_text(entry: TransferEntry) -> str:
    """Describe a transfer's target; a user's own target with kind and unit: `daylight (numbers, lx)`."""
    if entry.own_target is None:
        return entry.target
    own = entry.own_target
    kind = f"{own.channels} {own.output}" if own.output is not OutputKind.MAP else own.output.value
    return f"{entry.target} ({kind}{'' if own.unit == '1' else f', {own.unit}'})"


def _training(index: BankIndex) -> list[str]:
    """Return the section on training; networks with the same facts share an entry."""
    kinds: tuple[Mapping[str, _Entry], ...] = (
        {name: entry for name, entry in index.tasks.items() if entry.files},
        {entry.name: entry for entry in index.transfers},
    )
    lines = ["## Training", ""]
    # Networks whose facts differ in numbers only; the key has an empty text per number.
    groups: dict[tuple[int, tuple[tuple[str, str], ...]], dict[str, _Entry]] = {}
    for kind, entries in enumerate(kinds):
        for network, entry in entries.items():
            facts = {
                name: value for name, value in entry.training.items() if isinstance(value, str | int | float)
            }
            known = {
                name: str(value) if isinstance(value, str | bool) else "" for name, value in facts.items()
            }
            groups.setdefault((kind, tuple(sorted(known.items()))), {})[network] = entry
    for (_, stated_facts), alike in groups.items():
        words = []
        for name, stated in stated_facts:
            text = stated
            if not text:  # a number: one if all networks share it, else the least and the greatest
                values = [entry.training[name] for entry in alike.values()]
                least, greatest = min(values), max(values)
                text = str(least) if least == greatest else f"{least} to {greatest}"
            words.append(_plain(f"{name}: {text}"))
        lines += [f"- {_together(list(alike), index)}: {'; '.join(words) or _NOT_STATED}"]
    return [*lines, ""]


def _together(names: list[str], index: BankIndex) -> str:
    """List names of networks, or name their group, such as "All transfers". Ignores untrained encoders."""
    tasks = {name for name, entry in index.tasks.items() if entry.files}
    transfers = {entry.name for entry in index.transfers}
    sets = ((tasks | transfers, "All networks"), (tasks, "All task networks"), (transfers, "All transfers"))
    return next((words for held, words in sets if held == set(names)), ", ".join(names))


def _limits(index: BankIndex) -> list[str]:
    """Return the section with the notes of the entries."""
    notes: dict[str, list[str]] = {}
    entries: dict[str, _Entry] = {**index.tasks, **{entry.name: entry for entry in index.transfers}}
    for network, entry in entries.items():
        for note in entry.training.get("notes", ()):
            notes.setdefault(str(note), []).append(network)
    lines = [f"- {_together(names, index)}: {_plain(note)}" for note, names in notes.items()]
    return ["## Limits", "", *(lines or ["None are stated in `bank.json`; see the metrics above."]), ""]


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Write a table in Markdown."""
    cells = [headings, tuple("---" for _ in headings), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells]
