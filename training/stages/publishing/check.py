"""Checks of a bank before it is published: files, size, tasks, dead networks, metrics of these weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load

import taskbank_demo
from taskbank.bank.bank import Bank
from taskbank.bank.card import model_card
from taskbank.bank.files import read_checked
from taskbank.bank.health import Fault, Finding, constant_beaten, faults_by_kind, faults_in_index, find_faults
from taskbank.bank.index import INDEX_NAME, BankIndex
from taskbank.errors import TaskBankError
from taskbank.images.files import find_images
from taskbank.inference.measure_health import measure_health
from taskbank.tasks.registry import TASKS, DecoderForm
from training.errors import DataError
from training.stages.evaluation.assemble import MEGABYTE
from training.stages.evaluation.facts import task_metrics, transfer_metrics
from training.stages.evaluation.picture_page import LARGEST_BYTES
from training.stages.evaluation.stage import PICTURES, SCORES
from training.stages.evaluation.weights import check_measured
from training.stages.publishing.card import measured_section

CARD = "README.md"
NOTICE = "NOTICE"
EXAMPLES = Path(taskbank_demo.__file__).parent / "examples"
"""Folder of the photographs that come with the demo."""

ANY = "all"
"""Value that allows all networks to be faulty."""

LARGEST_FILE = 16 * 1024 * 1024
"""Largest size of one file in bytes."""


class UnfitBankError(DataError):
    """A bank that must not be shipped; the message has a line for every reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A bank that passed all checks.

    Attributes:
        bank: the bank.
        size: bytes of the whole folder.
        files: number of files.
        warnings: faults that do not prevent shipping.
    """

    bank: Bank
    size: int
    files: int
    warnings: tuple[str, ...] = ()


def check_bank(
    folder: Path,
    *,
    max_megabytes: float = 60.0,
    pictures: Path = EXAMPLES,
    faulty: Collection[str] = (),
) -> Checked:
    """Check everything that needs no labels.

    Args:
        folder: folder of the bank, with its scores, card and pictures.
        max_megabytes: largest size of the folder in million bytes.
        pictures: folder of at least two photographs, on which all networks are run.
        faulty: networks that may be dead, constant or no better than the best constant: tasks, and transfers
            as `normal+curvature -> reshading`; `all` for any.

    Raises:
        UnfitBankError: the bank is not fit; the message lists every reason.
        BankFormatError: the folder holds no bank.
    """
    bank = Bank.open(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    reasons = [
        *_sizes(folder, files, size, max_megabytes),
        *_strangers(folder, files, bank.index),
        *_weights(folder, bank.index),
        *_networks(bank),
        *_scores(folder, bank),
    ]
    warnings: list[str] = []
    if not reasons:  # networks that cannot be loaded cannot be run
        # Networks dead on photographs, and networks that do not beat the best constant by the index.
        measured = measure_health(bank, find_images([pictures]))
        faults = [finding for name, metrics in measured.items() for finding in find_faults(name, metrics)]
        faults += [finding for finding in faults_in_index(bank.index) if finding.fault is Fault.WEAK]
        known = {ANY, *(finding.network for finding in faults)}
        reasons = [
            *_failing(faults, faulty),
            *(
                f"{network} was allowed to be faulty, and is not: leave it out of --faulty"
                for network in faulty
                if network not in known
            ),
        ]
        facts = {task: one.training for task, one in bank.index.tasks.items() if one.decoder is not None}
        facts |= {one.name: one.training for one in bank.index.transfers}
        missing = [name for name, training in facts.items() if constant_beaten(training) is None]
        warnings = list(map(str, faults))
        if missing:
            warnings.append(f"not compared with the best constant: {', '.join(missing)}")
    if reasons:
        lines = [f"- {one}" for one in dict.fromkeys(reasons)]
        raise UnfitBankError("\n".join([f"{folder} is not fit to be shipped:", *lines]))
    return Checked(bank=bank, size=size, files=len(files), warnings=tuple(warnings))


def _failing(faults: Iterable[Finding], faulty: Collection[str]) -> Iterator[str]:
    """Yield faults that prevent shipping, the worst first."""
    for fault, found in faults_by_kind(faults).items():
        if fault is not Fault.PARTLY_DEAD and ANY not in faulty:
            # A transfer no better than a constant is a property of its sources, and so only a warning.
            ours = [one for one in found if fault is not Fault.WEAK or one.network in TASKS]
            yield from (str(finding) for finding in ours if finding.network not in faulty)


def _sizes(folder: Path, files: list[Path], size: int, max_megabytes: float) -> Iterator[str]:
    """Yield a sentence if the folder is too large, and one for each file that is."""
    if size > max_megabytes * MEGABYTE:
        yield f"the folder has {size / MEGABYTE:.1f} MB: at most {max_megabytes:g} MB are allowed"
    for path in files:
        limit = LARGEST_BYTES if path.parent.name == PICTURES else LARGEST_FILE
        if path.stat().st_size > limit:
            name = path.relative_to(folder).as_posix()
            yield f"{name} has {path.stat().st_size:,} bytes: at most {limit:,} are allowed"


def _strangers(folder: Path, files: list[Path], index: BankIndex) -> Iterator[str]:
    """Yield a sentence for each unexpected file, and one if the notice of third-party work is missing."""
    known = {INDEX_NAME, CARD, NOTICE, SCORES, *(file.path for file in index.files)}
    for path in files:
        name = path.relative_to(folder).as_posix()
        if name not in known and not (path.parent == folder / PICTURES and path.suffix == ".jpg"):
            yield f"neither {INDEX_NAME} nor {CARD} names {name}: delete it"
    if folder / NOTICE not in files:
        kinds = {"pretrained", "real"}
        owing = [task for task, entry in index.tasks.items() if kinds & entry.training.keys()]
        if owing:
            names = ", ".join(owing)
            yield f"{NOTICE} is missing, but {names} used third-party weights or frames: publish again"


def _weights(folder: Path, index: BankIndex) -> Iterator[str]:
    """Yield a sentence for each fault of a weight file: damage, a wrong size, values that are not finite."""
    for file in index.files:
        try:
            content = read_checked(folder / file.path, file.sha256)
        except TaskBankError as error:
            yield str(error)
            continue
        if len(content) != file.size:
            yield f"{file.path} has {len(content):,} bytes, and the index states {file.size:,}"
        for name, values in load(content).items():
            if values.is_floating_point() and not bool(values.isfinite().all()):
                yield f"{file.path}: {name!r} holds values that are not finite"


def _networks(bank: Bank) -> Iterator[str]:
    """Yield a sentence for each task that is missing and each network that does not fit the architecture."""
    for task in TASKS.values():
        yield from _tried(bank.load_encoder if task.decoder is DecoderForm.NONE else bank.load, task.name)
    for entry in bank.index.transfers:
        yield from _tried(bank.load_transfer, entry.sources, entry.target)
        for source in entry.encoders:
            if source not in bank.index.foreign:
                yield from _tried(bank.entry, source)
    for described in bank.index.foreign.values():
        from taskbank.encoders.square import open_square  # with timm, which takes two seconds

        yield from _tried(open_square, described, bank.where)


def _tried(load_network: Callable[..., object], *names: object) -> Iterator[str]:
    """Load a network; yield the message of an error."""
    try:
        load_network(*names)
    except TaskBankError as error:
        yield str(error)


def _scores(folder: Path, bank: Bank) -> Iterator[str]:
    """Yield a sentence for each metric that belongs to other weights, and for each fault of the card."""
    try:
        scores: dict[str, Any] = json.loads((folder / SCORES).read_text(encoding="utf-8"))
        card = (folder / CARD).read_text(encoding="utf-8")
        check_measured(bank.index, scores["weights"])
    except (OSError, ValueError, KeyError, DataError) as error:
        yield f"cannot tell which weights were measured: {error}"
        return
    for task, entry in bank.index.tasks.items():
        if entry.decoder is not None:
            yield from _metrics(task, entry.metrics, task_metrics(scores, task))
    for transfer in bank.index.transfers:
        yield from _metrics(transfer.name, transfer.metrics, transfer_metrics(scores, transfer.name))
    if not card.startswith(model_card(bank.index, bank.digest, bank.name)):
        yield f"{CARD} was not written from this {INDEX_NAME}"
    if measured_section(scores) not in card:
        yield f"{CARD} states other numbers than {SCORES}"
    for shown in scores["pictures"]:
        place = f"{PICTURES}/{shown['file']}"
        if not (folder / place).is_file() or place not in card:
            yield f"{place} is missing, or {CARD} does not show it"


def _metrics(name: str, stated: Mapping[str, float], measured: Mapping[str, float]) -> Iterator[str]:
    """Yield a sentence if the index states other metrics than those measured."""
    if not measured:
        yield f"{name} was not measured"
    elif dict(stated) != dict(measured):
        yield f"{name}: {INDEX_NAME} states other metrics than {SCORES}"
