"""Sections of a bank's card beyond its index: data, training, measurements, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from taskbank.bank.health import find_faults
from taskbank.bank.index import BankIndex
from training.data.frames import FrameStore
from training.stages.evaluation.agreement import dead_tasks
from training.stages.evaluation.report import report_text
from training.stages.evaluation.stage import PICTURES

_DATA_FACTS = ("rooms", "points", "views", "seed")
_METHOD = (
    "As in Taskonomy (Zamir et al., CVPR 2018). Task networks, an encoder and a decoder each, learned on "
    "`train`. Transfers, a small network and a decoder behind encoders that stay as they are, learned on "
    "`val`, and so did `scratch`. Everything is compared on `test`; no room is in two of them. Samples "
    "were varied while networks learned (`mirror`, `zoom`; `photometric`: colour, exposure, blur, noise, "
    "JPEG); weights are averages over steps (`ema`)."
)


def card_sections(index: BankIndex, scores: Mapping[str, Any], frames: Mapping[str, Path]) -> str:
    """Return Markdown on data, training, metrics and pictures.

    Args:
        index: index of the bank.
        scores: scores of `run_evaluation`.
        frames: stores by split.
    """
    told = [f"- {sentence}" for sentence in scores.get("origins", ())]
    parts = [
        _data({split: FrameStore.open(path) for split, path in frames.items()}),
        "\n".join(["## Origins", "", *origins(index), *(["", *told] if told else [])]),
        _method(index),
        _training(index),
        faults_section(scores),
        measured_section(scores),
        _pictures(scores["pictures"]),
    ]
    return "\n\n".join(part for part in parts if part)


def measured_section(scores: Mapping[str, Any]) -> str:
    """Write the section with every number of the evaluation."""
    return "\n".join(
        [
            "## Measured",
            "",
            "With the weights of this bank as they are stored, see the hashes in `scores.json`; win rates "
            "are of the weights before that. Real frames are no part of the bank, only these figures.",
            "",
            "```text",
            report_text(scores),
            "```",
        ]
    )


def faults_section(scores: Mapping[str, Any]) -> str:
    """List faulty networks and their consequences for the rest of the card; empty if there are none."""
    measured = scores.get("health", {}).items()
    faults = [finding for name, metrics in measured for finding in find_faults(name, metrics)]
    if not faults:
        return ""
    lines = ["## Faulty networks", "", *(f"- {finding}" for finding in faults)]
    if dead := dead_tasks(dict(measured)):
        lines += [
            "",
            f"The representations of {', '.join(f'`{task}`' for task in dead)} tell next to nothing about an "
            "image. Where tables and plans of this card name one of them as the best source, the transfer is "
            "a constant, or nearly: a constant wins more samples there than what is read out of living "
            "sources.",
        ]
    return "\n".join(lines)


def computing_hours(index: BankIndex) -> float:
    """Sum the training hours of task networks (shares of processes), with the networks they continued."""
    seconds = 0.0
    for facts in (entry.training for entry in index.tasks.values() if entry.decoder is not None):
        alone = facts.get("seconds", 0.0) / (1 + facts.get("trained_beside", 0))
        seconds += alone + facts.get("seconds_before", 0.0)
    return seconds / 3600


def _data(stores: Mapping[str, FrameStore]) -> str:
    """Write the section with one row per split; no room is in two splits."""
    facts = [name for name in _DATA_FACTS if all(name in store.about for store in stores.values())]
    rows = [
        (split, *(str(store.about[name]) for name in facts), f"{len(store):,}", f"{store.size} px")
        for split, store in stores.items()
    ]
    lines = ["## Data", "", *_table(("split", *facts, "frames", "size"), rows), ""]
    if any(store.about.get("textures") for store in stores.values()):
        lines += ["Materials: computed patterns, and the pictures that were given with `--textures`.", ""]
    elif any("textures" in store.about for store in stores.values()):
        lines += ["Materials: computed patterns only.", ""]
    if any(store.about.get("environments") for store in stores.values()):
        lines += ["Windows show the panoramas that were given with `--environments`.", ""]
    return "\n".join(lines)


def origins(index: BankIndex) -> list[str]:
    """List third-party weights and frames used in training, as lines of Markdown for card and NOTICE."""
    lines = []
    for kind, words in (("pretrained", _pretrained_words), ("real", _real_words)):
        owing: dict[str, list[str]] = {}
        for task, entry in index.tasks.items():
            if kind in entry.training:
                owing.setdefault(words(entry.training[kind]), []).append(task)
        lines += [f"- {said}: {', '.join(tasks)}." for said, tasks in owing.items()]
    lines += [
        f"- Transfers read `{one.name}` ({one.weights or 'origin not stated'}; licence: "
        f"{one.licence or 'not stated'}), sha256 {one.sha256}, which is not in this bank."
        for one in index.foreign.values()
    ]
    return lines or ["Weights began at random; no network of anyone else had a part in it."]


def _pretrained_words(facts: Mapping[str, Any]) -> str:
    """Describe the pretrained weights of encoders."""
    source = facts.get("package") or facts["source"]
    named = [facts.get("origin", facts["model"]), f"`{source}`", facts.get("licence", "licence not stated")]
    return f"Encoders began with {', '.join(named)}, sha256 {facts.get('sha256', 'not known')}"


def _real_words(facts: Mapping[str, Any]) -> str:
    """Describe the real training frames."""
    about = facts.get("about", {})
    source = about.get("name") or about.get("source", "a folder")
    return (
        f"{facts['share']:.0%} of what was learned from are {sum(facts['counts']):,} views of real frames "
        f"({source}; licence: {about.get('licence', 'not stated')})"
    )


def _method(index: BankIndex) -> str:
    """Write the section on the method, with the settings that networks were trained with."""
    groups: dict[str, list[str]] = {}
    for task, entry in index.tasks.items():
        settings = entry.training.get("settings", {})
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items())
        if words:
            groups.setdefault(words, []).append(task)
    lines = [
        f"- {'All task networks' if len(groups) == 1 else ', '.join(tasks)}: {words}."
        for words, tasks in groups.items()
    ]
    return "\n".join(
        [
            "## Method",
            "",
            _METHOD,
            *(["", *lines] if lines else []),
        ]
    )


def _training(index: BankIndex) -> str:
    """Write the section with steps, seconds, device and win rates of every task network."""
    networks = {task: entry.training for task, entry in index.tasks.items() if entry.decoder is not None}
    rows = []
    for task, facts in networks.items():
        steps, *others = [
            f"{facts[name]:,.0f}" if name in facts else "-" for name in ("steps", "seconds", "trained_beside")
        ]
        if "steps_before" in facts:
            steps = f"{facts['steps_before']:,.0f} + {steps}"
        rates = facts.get("win_rates", {})
        shares = [
            f"{rates[name]:.1%}" if name in rates else "-" for name in ("beats_average", "beats_random")
        ]
        rows.append((task, steps, *others, str(facts.get("device", "-")), *shares))
    head = ("task", "steps", "seconds", "beside", "device", "beats the average", "beats a random encoder")
    return "\n".join(
        [
            "## Task networks",
            "",
            f"Trained in {computing_hours(index):.2g} hours of computing in all; seconds are those of a "
            "process, in which so many other networks were trained beside it; steps before a plus are those "
            "of the network that it went on from. Shares are of test samples, shown at the size that the "
            "network was trained on; the average and the random encoder are those of the transfers, at "
            "their size.",
            "",
            *_table(head, rows),
        ]
    )


def _pictures(pictures: Iterable[Mapping[str, str]]) -> str:
    """Write the section with every picture and its caption."""
    lines = [f"![{one['words']}]({PICTURES}/{one['file']})\n\n*{one['words']}.*" for one in pictures]
    if not lines:
        return ""
    words = (
        "Nobody picked them: of the first test frames of a fixed draw, those with the least, the middle "
        "and the greatest error."
    )
    return "\n\n".join(["## Pictures", words, *lines])


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(cells)} |" for cells in (headings, tuple("---" for _ in headings), *rows)]
