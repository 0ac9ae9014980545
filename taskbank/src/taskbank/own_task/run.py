"""Learning of a user's own task: probe, train the best read-outs, measure them, save a bank."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskbank.bank.bank import About, Bank
from taskbank.bank.entries import ForeignEntry
from taskbank.bank.extending import bank_of_transfers
from taskbank.bank.weights import fill
from taskbank.bank.writing import IMAGE_SIZE
from taskbank.encoders.names import open_encoder
from taskbank.encoders.source import Source
from taskbank.encoders.square import describe
from taskbank.errors import InvalidInputError
from taskbank.inference.device import choose_device
from taskbank.inference.settings import Settings
from taskbank.nets.architecture import ResNet50, architecture_to_json
from taskbank.nets.build import Readout, build_readout, build_scratch
from taskbank.options import Kind
from taskbank.own_task.encode import common_size, read_squares
from taskbank.own_task.labels import learnable, one_task
from taskbank.own_task.plan import FEWEST, FEWEST_GROUPS, LearnPlan
from taskbank.own_task.result import (
    BANK,
    CONSTANT,
    IMAGES,
    RANKING,
    REPORT,
    Learned,
    Score,
    score_networks,
    write_results,
)
from taskbank.own_task.samples import error_of
from taskbank.own_task.training import CHOSEN, LEARNED, MEASURED, OwnTraining
from taskbank.own_task.work import Work, digest
from taskbank.probing.controls import with_controls
from taskbank.probing.division import held_out
from taskbank.probing.labels import Labels, groups_of
from taskbank.probing.plan import Plan
from taskbank.probing.run import run_probe
from taskbank.saving.export import refuse_existing
from taskbank.tasks.registry import SCRATCH

WORK = "work"


def run_learn(
    images: Mapping[str, Path],
    labels: Sequence[Labels],
    sources: Sequence[Source],
    *,
    out: Path,
    groups: Mapping[str, str] | None = None,
    plan: LearnPlan | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    each: Callable[[], object] = lambda: None,
    say: Callable[[str], object] = lambda text: None,
) -> Learned:
    """Learn a task from images with labels, and write its bank and results to a folder.

    Groups of images are divided into three parts. The probe ranks the sources on the first two (learned,
    chosen); transfers of the best are trained on the first and ranked on the second; everything is measured
    on the third, which neither sources nor transfers were chosen on.

    Args:
        images: files by their paths in the folder.
        labels: as `taskbank.probing.labels.read_labels` reads them: one target, or columns of numbers.
        sources: made by `open_sources`; their networks are modified. All that are of a bank are of one bank.
        out: folder of `bank/`, `ranking.csv`, `images.csv` and `report.json`. An interrupted run continues
            with its folder `work/`.
        groups: image -> its group, as for `taskbank.probing.labels.groups_of`.
        plan: settings of the task and of training.
        settings: how encoders are run in the probe, and the device.
        overwrite: whether results, and work of other settings, are replaced.
        each: called after each image that is read.
        say: called with a line before each long step.

    Raises:
        InvalidInputError: too few images or groups; labels that cannot be read or do not vary; sources of
            several banks.
        OutputError: results exist already, or a file cannot be written.
        DivergedError: a loss is not finite.
        TaskBankError: as raised by the sources.
    """
    plan = plan or LearnPlan()
    settings = settings or Settings()
    if not overwrite:
        refuse_existing([out / name for name in (BANK, RANKING, IMAGES, REPORT)])
    task, columns = one_task(labels, plan.name)
    compared, controls = with_controls(sources, plan.seed)
    bank = _bank_of(compared)
    size = common_size(compared, plan.size)
    plan = replace(plan, size=size, architecture=plan.architecture if bank is None else bank.architecture)
    if isinstance(plan.architecture, ResNet50) and not task.maps and size != IMAGE_SIZE:
        raise InvalidInputError(
            f"size {size}: heads of a {plan.architecture.name} bank take {IMAGE_SIZE} px only"
        )
    labelled = {name: path for name, path in images.items() if name in task.images}
    if len(labelled) < FEWEST:
        raise InvalidInputError(f"{len(labelled)} image(s) have labels: {FEWEST} at least are needed")
    say(f"reading {len(labelled)} images")
    views, squares, failed = read_squares(labelled, size, each)
    names = list(views)
    group = groups_of(task, names, groups)
    parts = _divide(group, plan)
    learned = parts == LEARNED
    given = learnable(task, names, columns, learned, unit=plan.unit, views=views)

    work = Work(out / WORK)
    if overwrite:
        work.remove()
    kept = {name: labelled[name] for name in names}
    work.begin(_everything(plan, task, kept, groups=group, sources=compared, settings=settings))
    with work.removed_after_errors():
        run = OwnTraining(
            plan=plan,
            work=work,
            device=choose_device(settings.device),
            labels=given,
            parts=parts,
            groups=np.unique(group, return_inverse=True)[1].astype(np.int32),
            squares=squares,
            say=say,
        )
        probe = _probe(run, kept, task, sources=compared, controls=controls, groups=group, settings=settings)
        best = sorted(compared, key=lambda source: -probe.get(source.name, 0.0))[: plan.best]
        keys = {source.name: source.task or source.name for source in best}
        channels = run.encode(best, keys)
        sets = [
            tuple(keys[source.name] for source in some)
            for order in plan.orders
            for some in combinations(best, order)
        ]
        chosen, losses, errors = run.train(sets, channels)
        measured = np.flatnonzero(parts == MEASURED).tolist()
        own_groups = [group[row] for row in measured]
        scores = score_networks(sets, chosen, losses, errors, groups=own_groups, plan=plan)
        # Opened by its own size and revision, an encoder has a longer name than the user gave it.
        foreign = [
            replace(describe(open_encoder(one.opens, seed=one.seed)), name=one.name)
            for one in best
            if one.bank is None
        ]
        _save_bank(out / BANK, run, bank, foreign=foreign, scores=scores, channels=channels)
    kind, _ = error_of(given)
    done = Learned(
        task=plan.name,
        error=kind,
        unit=given.target.unit,
        scores=scores,
        probe={keys.get(name, name): score for name, score in probe.items()},
        images={
            part: tuple(names[row] for row in np.flatnonzero(parts == part))
            for part in (LEARNED, CHOSEN, MEASURED)
        },
        failed=tuple(failed),
        without_label=len(images) - len(labelled),
        losses=losses,
        errors=errors,
        groups=tuple(own_groups),
        bank=out / BANK,
    )
    write_results(done, out)
    work.remove()
    return done


def _bank_of(sources: Sequence[Source]) -> Bank | None:
    """Return the one bank of the sources, if any.

    Raises:
        InvalidInputError: there is no source, or they are of several banks.
    """
    if not sources:
        raise InvalidInputError("no source was named besides controls: name tasks, a bank or encoders")
    banks = {source.bank.digest: source.bank for source in sources if source.bank is not None}
    if len(banks) > 1:
        listed = " and ".join(bank.where for bank in banks.values())
        raise InvalidInputError(
            f"sources are of several banks ({listed}), but the learned bank holds encoders of one: name one "
            "bank, and third-party encoders as timm:MODEL or hf:OWNER/NAME"
        )
    return next(iter(banks.values()), None)


def _divide(groups: Sequence[str], plan: LearnPlan) -> NDArray[np.str_]:
    """Divide images by groups as the probe does, first the measured ones, then the chosen ones.

    Returns:
        str (images,): the part of each image.

    Raises:
        InvalidInputError: there are too few groups.
    """
    if len(set(groups)) < FEWEST_GROUPS:
        raise InvalidInputError(
            f"the images are of {len(set(groups))} group(s): {FEWEST_GROUPS} at least are needed, to learn "
            "from, to choose on and to measure on. Give a table of groups, or images of more places"
        )
    parts = np.full(len(groups), MEASURED, dtype="<U8")
    rest = np.flatnonzero(~held_out(groups, plan.test, plan.seed)).tolist()
    inner = held_out([groups[row] for row in rest], _inner_share(plan), plan.seed)
    parts[rest] = np.where(inner, CHOSEN, LEARNED)
    return parts


def _inner_share(plan: LearnPlan) -> float:
    """Return the share of the chosen images among those that are not measured."""
    return plan.choose / (1 - plan.test)


def _everything(
    plan: LearnPlan,
    task: Labels,
    images: Mapping[str, Path],
    *,
    groups: Sequence[str],
    sources: Sequence[Source],
    settings: Settings,
) -> dict[str, Any]:
    """Return everything that results depend on, JSON-ready."""
    told = asdict(plan) | {"architecture": architecture_to_json(plan.architecture)}
    told.pop("at_once")
    labelled = [(name, task.maps.get(name) or str(task.values.get(name))) for name in images]
    return told | {
        "sources": [source.facts() for source in sources],
        "images": digest(list(images.items())),
        "labels": digest(labelled),
        "classes": list(task.classes),
        "groups": digest(list(zip(images, groups, strict=True))),
        "fit": settings.fit.value,
    }


def _probe(
    run: OwnTraining,
    images: Mapping[str, Path],
    task: Labels,
    *,
    sources: Sequence[Source],
    controls: Sequence[Source],
    groups: Sequence[str],
    settings: Settings,
) -> dict[str, float]:
    """Score the sources by ridge on the images that are not measured, best first; nothing for one source."""
    if len(sources) < 2:
        return {}
    names = list(images)
    rows = np.flatnonzero(run.parts != MEASURED).tolist()
    kept = {names[row]: images[names[row]] for row in rows}
    if task.values and task.kind is not Kind.CLASSES:  # whitened, so that no number outweighs the others
        values = {name: tuple(run.labels.values[names.index(name)].tolist()) for name in kept}
        task = replace(task, values=values)
    plan = Plan(
        places=run.plan.places, share=_inner_share(run.plan), resamples=run.plan.resamples, seed=run.plan.seed
    )

    def compute() -> dict[str, float]:
        run.say(f"probing {len(sources)} sources on {len(kept)} images")
        found = run_probe(
            kept,
            [replace(task, groups={})],
            sources,
            controls=controls,
            groups={names[row]: groups[row] for row in rows},
            plan=plan,
            settings=settings,
        )
        return {score.source: score.ridge for score in found.targets[0].scores}

    scored: dict[str, float] = run.work.record("probe", compute)
    return scored


def _save_bank(
    folder: Path,
    run: OwnTraining,
    bank: Bank | None,
    *,
    foreign: Sequence[ForeignEntry],
    scores: Sequence[Score],
    channels: Mapping[str, int],
) -> None:
    """Write every trained transfer, best first, so that every plan can be predicted."""
    read = {name for score in scores for name in score.sources}
    described = [one for one in foreign if one.name in read]
    whole = run.work.folder / BANK  # moved when it is whole
    shutil.rmtree(whole, ignore_errors=True)
    bank_of_transfers(
        bank,
        whole,
        name=f"{'' if bank is None else f'{bank.name}+'}{run.plan.name}",
        transfers=_with_facts(run, bank, scores, channels),
        image_size=run.size,
        foreign=described,
        architecture=run.plan.architecture,
    )
    shutil.rmtree(folder, ignore_errors=True)
    whole.rename(folder)


def _with_facts(
    run: OwnTraining, bank: Bank | None, scores: Sequence[Score], channels: Mapping[str, int]
) -> Iterator[tuple[Readout, About]]:
    """Yield each trained network with the facts about it."""
    training = {
        "data": f"{np.count_nonzero(run.parts == LEARNED)} images of a user",
        "tested_on": f"{np.count_nonzero(run.parts == MEASURED)} more",
        "made_by": "taskbank learn",
        "seed": run.plan.seed,
    }
    if bank is not None:
        training["encoders"] = f"{bank.name} {bank.digest}"
    for score in scores:
        if score.name == CONSTANT:
            continue
        readout: Readout
        if score.name == SCRATCH:
            readout = build_scratch(run.task, run.plan.architecture)
        else:
            widths = [channels[name] for name in score.sources]
            readout = build_readout(run.task, run.plan.architecture, score.sources, widths)
        fill(readout, run.weights[score.name], score.name)
        about = About(
            classes=run.labels.names,
            licence="" if bank is None else bank.index.licence,
            metrics={"test_loss": score.loss, "test_error": score.error, "beats_constant": score.wins},
            training=training,
            own_target=run.labels.target,
        )
        yield readout.eval(), about
