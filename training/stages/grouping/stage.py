"""Stage 6 as a whole: all networks, the table of their losses, and what it says.

`OUT/losses.csv` is what `taxsolver group` reads. `OUT/tag_losses.csv` is the same with losses that inter-task
affinity predicts without training any set but that of all tasks. `OUT/report.json` and `OUT/report.txt` hold
the choices of all methods, performance against the number of tasks, and how transfer affinity compares.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.atomic_files import write_json, write_whole
from training.runs.engine import Engine, Job, LocalEngine
from training.runs.stage import run_stage
from training.stages.grouping.config import GroupingConfig
from training.stages.grouping.fit import EARLY, TEST, VALIDATION, NetworkJob, train_network
from training.stages.grouping.report import report

LOSSES, TAG_LOSSES, REPORT = "losses.csv", "tag_losses.csv", "report"


def run_grouping(
    config: GroupingConfig,
    frames: Mapping[str, Path],
    out: Path,
    *,
    engine: Engine | None = None,
    device: str = "cpu",
    affinity: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Train every network that is missing, then write tables and report.

    Args:
        config: of the stage.
        frames: folders of the stores `train`, `val` and `test`.
        out: folder of the stage.
        engine: runs the networks; None for this process.
        device: where networks learn.
        affinity: tensor of stage 3 to compare with; None for no comparison.
        overwrite: delete what another configuration left.

    Returns:
        the folder.

    Raises:
        TrainingError: a network cannot be trained.
    """

    def body(folder: Path) -> None:
        jobs = network_jobs(config, frames, folder, device)
        (engine or LocalEngine()).run(
            [
                Job(key=job.plan.name, function=train_network, arguments={"job": job}, output=job.path)
                for job in jobs
            ]
        )
        _write_tables(
            config, [json.loads(job.path.read_text(encoding="utf-8")) for job in jobs], folder, affinity
        )

    inputs = [*frames.values(), *([] if affinity is None else [affinity])]
    return run_stage(out, name="grouping", config=config, inputs=inputs, body=body, overwrite=overwrite)


def network_jobs(
    config: GroupingConfig, frames: Mapping[str, Path], out: Path, device: str
) -> list[NetworkJob]:
    """One job a network."""
    return [
        NetworkJob(
            plan=plan,
            config=config,
            train=frames["train"],
            val=frames["val"],
            test=frames["test"],
            out=out,
            device=device,
        )
        for plan in config.networks()
    ]


def _write_tables(
    config: GroupingConfig, networks: Sequence[Mapping[str, Any]], out: Path, affinity: Path | None
) -> None:
    """Measured losses, predicted losses, report."""
    table, predicted = out / LOSSES, out / TAG_LOSSES
    _write_text(table, losses_csv(networks, config.tasks))
    tag = np.array(networks[-1]["inter_task_affinity"])
    _write_text(predicted, losses_csv(tag_networks(networks, config.tasks, tag), config.tasks))
    facts, text = report(table, predicted, tag, affinity)
    write_json(out / f"{REPORT}.json", facts)
    _write_text(out / f"{REPORT}.txt", text)


def losses_csv(networks: Sequence[Mapping[str, Any]], tasks: Sequence[str]) -> str:
    """The table that `taxsolver group` reads.

    Args:
        networks: as `NetworkJob` leaves them.
        tasks: columns.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["split", "network", "cost", *tasks])
    for split in (VALIDATION, TEST, EARLY):
        for network in networks:
            measured = network["losses"].get(split, {})
            if measured:
                cells = [repr(measured[task]) if task in measured else "" for task in tasks]
                writer.writerow([split, network["network"], network["cost"], *cells])
    return text.getvalue()


def tag_networks(
    networks: Sequence[Mapping[str, Any]], tasks: Sequence[str], tag: np.ndarray
) -> list[dict[str, Any]]:
    """The same networks with losses that inter-task affinity predicts on the validation split.

    A task's loss alone is 1; in company it is 1 minus the mean of what the others do to it. The unit is that
    of affinities: only the order of groupings means something.

    Args:
        networks: as `NetworkJob` leaves them; half-size ones are left out, nothing is known of them.
        tasks: rows and columns of `tag`.
        tag: float (tasks, tasks).
    """
    place = {task: number for number, task in enumerate(tasks)}
    predicted = []
    for network in networks:
        if network["cost"] != 1:
            continue
        members = [place[task] for task in network["tasks"]]
        losses = {
            task: 1
            - float(np.mean([tag[other, place[task]] for other in members if other != place[task]] or [0]))
            for task in network["tasks"]
        }
        predicted.append({**network, "losses": {VALIDATION: losses, TEST: network["losses"][TEST]}})
    return predicted


def _write_text(path: Path, text: str) -> None:
    write_whole(path, lambda file: file.write(text.encode()))
