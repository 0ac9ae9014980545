"""Stage 6: training of all networks, the table of their losses, and its report.

`OUT/losses.csv` is the input of `taxsolver group`. `OUT/tag_losses.csv` has the same format, with losses
predicted from inter-task affinity, which needs only the network of all tasks. `OUT/report.json` and
`OUT/report.txt` hold the choices of all methods, performance by the number of tasks, and a comparison with
transfer affinity.
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
        config: settings of the stage.
        frames: folders of the stores `train`, `val` and `test`.
        out: folder of the stage.
        engine: engine that runs the jobs; None for this process.
        device: device for training.
        affinity: tensor of stage 3 to compare with; None for no comparison.
        overwrite: delete outputs of another configuration.

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
        networks = [json.loads(job.path.read_text(encoding="utf-8")) for job in jobs]
        # Measured losses, losses that inter-task affinity predicts, and the report.
        table, predicted = folder / LOSSES, folder / TAG_LOSSES
        _write_text(table, losses_csv(networks, config.tasks))
        tag = np.array(networks[-1]["inter_task_affinity"])
        _write_text(predicted, losses_csv(tag_networks(networks, config.tasks, tag), config.tasks))
        facts, text = report(table, predicted, tag, affinity)
        write_json(folder / f"{REPORT}.json", facts)
        _write_text(folder / f"{REPORT}.txt", text)

    inputs = [*frames.values(), *([] if affinity is None else [affinity])]
    return run_stage(out, name="grouping", config=config, inputs=inputs, body=body, overwrite=overwrite)


def network_jobs(
    config: GroupingConfig, frames: Mapping[str, Path], out: Path, device: str
) -> list[NetworkJob]:
    """Create one job per network."""
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


def losses_csv(networks: Sequence[Mapping[str, Any]], tasks: Sequence[str]) -> str:
    """Format the table for `taxsolver group`.

    Args:
        networks: results of `NetworkJob`.
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
    """Predict the validation losses of the same networks from inter-task affinity.

    A task's loss alone is 1; in a group it is 1 minus the mean effect of the other tasks on it. The unit is
    that of affinities, so only the order of groupings is meaningful.

    Args:
        networks: results of `NetworkJob`; half-size ones are left out, as nothing is known of them.
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
