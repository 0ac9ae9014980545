"""Stage 1 as jobs: groups of networks, each group trained in one process, all in one folder.

One process on a GPU is bound by launching kernels, so several share it; on CPUs each has its own cores. A run
may be restarted with another number of jobs: finished networks stay, unfinished ones continue.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from taskbank.bank.health import Fault
from taskbank.tasks.registry import Task
from training.data.frames import FrameStore
from training.errors import DataError, DeadNetworkError
from training.learning.samples import samples_of
from training.runs.engine import Engine, Job, LocalEngine
from training.runs.stage import stage_work
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.finished import load_network, spent_on
from training.stages.networks.folder import NetworksFolder
from training.stages.networks.from_bank import is_bank, write_networks_of_bank
from training.stages.networks.groups import group_cost, task_groups, work_of
from training.stages.networks.held_out import learned_from
from training.stages.networks.train import chosen_tasks, train_group
from training.stages.networks.watch import watched

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworksSettings:
    """Settings that determine a run of stage 1: the tasks, and their training."""

    tasks: tuple[str, ...] | None
    learning: TaskNetworksConfig


def run_networks(
    config: TaskNetworksConfig,
    frames: Path,
    out: Path,
    *,
    tasks: tuple[str, ...] | None = None,
    engine: Engine | None = None,
    workers: int = 1,
    device: str = "cpu",
    overwrite: bool = False,
    real: Path | None = None,
    additional: Path | None = None,
) -> Path:
    """Run stage 1.

    Args:
        config: settings of the training and its number of jobs.
        frames: store of training frames.
        out: folder of the stage; a course before it has the folder `OUT_before` beside it, networks of a bank
            to start from `OUT_start`.
        tasks: task names or aliases; None for all 25.
        engine: engine that runs the jobs; None for this process.
        workers: number of jobs if the configuration has none.
        device: device for training.
        overwrite: delete outputs of another configuration.
        real: additional store of real training frames; None for none, with `config.real` taken as 0.
        additional: store of frames of additional rooms; None for none.

    Returns:
        the folder.

    Raises:
        DeadNetworkError: a network learned nothing; all networks are written nevertheless.
        TrainingError: as for `stage_work` and `train_task_networks`.
    """
    wanted = chosen_tasks(tasks)
    if real is None:
        config = config.without_real()
    if config.before is not None:
        earlier = run_networks(
            config.before,
            frames,
            out.with_name(f"{out.name}_before"),
            tasks=tasks,
            engine=engine,
            workers=workers,
            device=device,
            overwrite=overwrite,
            real=real,
            additional=additional,
        )
        config = replace(config, before=None, start=earlier)
    # Banks to start from are taken apart into folders of networks beside this one.
    given = [config.start, *(part.start for part in config.own)]
    banks = dict.fromkeys(start for start in given if start is not None and is_bank(start))
    folders: dict[Path | None, Path] = {
        bank: write_networks_of_bank(bank, out.with_name(f"{out.name}_start{number or ''}"))
        for number, bank in enumerate(banks)
    }
    if folders:
        parts = tuple(replace(part, start=folders.get(part.start, part.start)) for part in config.own)
        config = replace(config, start=folders.get(config.start, config.start), own=parts)

    settings = NetworksSettings(tasks=tasks, learning=config)
    starts = {own.start for own, _ in config.alike(wanted) if own.start is not None}
    inputs = [frames, *sorted(starts), *(path for path in (real, additional) if path is not None)]
    with stage_work(out, name="networks", config=settings, inputs=inputs, overwrite=overwrite) as unfinished:
        if not unfinished:
            return out
        store = FrameStore.open(frames)
        others = [None if path is None else FrameStore.open(path) for path in (real, additional)]
        files = NetworksFolder(out, config, store, *others)
        left = [task for task in wanted if not files.is_finished(task)]
        _check_samples(left, store, config)
        if others[0] is not None:
            _check_labels_alike(left, store, others[0])
        _check_starts(left, config)
        # Tasks that start from other tasks' encoders of this folder are the second round.
        rounds: list[list[tuple[Task, ...]]] = [[], []]
        for own, alike in config.alike(left):
            rounds[own.waits] += task_groups(alike, config.jobs or workers)
        for groups in rounds:  # the longest jobs first, so that workers end at similar times
            groups.sort(key=lambda group: group_cost(group) * work_of(config.of(group[0])), reverse=True)
        jobs = sum(map(len, rounds))
        log.info("networks: %d of %d tasks are left, in %d job(s)", len(left), len(wanted), jobs)
        for task in left:
            files.about_path(task).unlink(missing_ok=True)  # facts of a network that no longer exists
        with watched(out, left, sum(config.of(task).steps for task in left)):
            for groups in filter(None, rounds):
                made = [_job(group, config, frames, files, device, real, additional) for group in groups]
                (engine or LocalEngine()).run(made)
        for task in wanted:
            files.forget(task)  # if a process was killed after writing a network's last file
        if config.refuse_dead:
            _refuse_dead(wanted, files)
    return out


def _check_samples(tasks: Sequence[Task], store: FrameStore, config: TaskNetworksConfig) -> None:
    """Fail early if a task has no training samples.

    Raises:
        DataError: a task has no sample in the training rooms.
    """
    among = learned_from(store, config)
    for task in tasks:
        samples_of(task, store, config.seed, among=among)


def _check_labels_alike(tasks: Sequence[Task], store: FrameStore, real: FrameStore) -> None:
    """Fail early if frames and real frames have labels of a task in different forms.

    Raises:
        DataError: one store has class numbers, the other probabilities.
    """
    for task in tasks:
        if store.has(task.name) and real.has(task.name):
            rooms, others = store.read(task.name, [0]), real.read(task.name, [0])
            if rooms.ndim != others.ndim:
                forms = ["numbers" if labels.ndim == 1 else "probabilities" for labels in (rooms, others)]
                raise DataError(
                    f"classes of {task.name} are {forms[0]} in {store.root}, but {forms[1]} in {real.root}: "
                    "set the same classifier for both"
                )


def _check_starts(tasks: Sequence[Task], config: TaskNetworksConfig) -> None:
    """Fail early if a network to start from is missing.

    Raises:
        DataError: the network is missing, damaged, or of another architecture.
    """
    for task in tasks:
        own = config.of(task)
        if own.start is not None:
            load_network(own.start, own.begun_from(task), own.architecture)
            spent_on(own.start, own.begun_from(task))


def _refuse_dead(tasks: Sequence[Task], files: NetworksFolder) -> None:
    """Fail if networks learned nothing, including those of resumed runs.

    Raises:
        DeadNetworkError: the message names the networks.
    """
    faults = {}
    for task in tasks:
        about = json.loads(files.about_path(task).read_text(encoding="utf-8"))
        useless = [words for fault, words in about.get("faults", {}).items() if Fault(fault).useless]
        if useless:
            faults[task.name] = "; ".join(useless)
    if faults:
        raise DeadNetworkError(faults)


def _job(  # noqa: PLR0917 - all data of a job
    group: Sequence[Task],
    config: TaskNetworksConfig,
    frames: Path,
    files: NetworksFolder,
    device: str,
    real: Path | None,
    additional: Path | None,
) -> Job:
    """Return the job that trains a group; its output is the JSON of the group's last network."""
    names = tuple(task.name for task in group)
    return Job(
        key=names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more",
        function=train_group,
        arguments={
            "config": config,
            "frames": frames,
            "out": files.root,
            "tasks": names,
            "device": device,
            "real": real,
            "additional": additional,
        },
        output=files.about_path(group[-1]),
    )
