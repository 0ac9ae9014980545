"""The folder of stage 1: finished networks, and a checkpoint of each unfinished one.

Every file belongs to one task, so several processes may train different tasks in one folder, with another
division in the next run.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from taskbank.bank.quantise import Storage
from taskbank.bank.weights import weights_to_bytes
from taskbank.learning.output_units import OutputUnits
from taskbank.nets.architecture import Backbone, architecture_to_json
from taskbank.tasks.registry import Task
from training.atomic_files import write_json, write_whole
from training.data.frames import FrameStore
from training.data.pretrained import describe_pretrained
from training.errors import ConfigError
from training.runs.checkpoint import discard_checkpoint, has_checkpoint, load_checkpoint, save_checkpoint
from training.runs.provenance import digest_file, digest_json
from training.runs.settings import settings_of
from training.stages.networks.config import TaskNetworksConfig
from training.stages.networks.finished import origins_of, spent_on, weights_path
from training.stages.networks.learner import Learner


def _facts_of(store: FrameStore) -> dict[str, Any]:
    """Facts that identify the frames of a store."""
    return {"about": dict(store.about), "counts": list(store.counts), "size": store.size}


class NetworksFolder:
    """The files of stage 1.

    Args:
        root: the folder, which is created.
        config: settings of the stage.
        store: store of training frames.
        real: store of real training frames; None for none.
        additional: store of frames of additional rooms; None for none.
    """

    def __init__(
        self,
        root: Path,
        config: TaskNetworksConfig,
        store: FrameStore,
        real: FrameStore | None = None,
        additional: FrameStore | None = None,
    ) -> None:
        self.root = root
        self._config = config
        self._frames = _facts_of(store)
        self._real = None if real is None else _facts_of(real)
        self._additional = None if additional is None else _facts_of(additional)
        root.mkdir(parents=True, exist_ok=True)

    def is_finished(self, task: Task) -> bool:
        """Return True if a finished network exists.

        Raises:
            ConfigError: the network has another configuration or other training frames.
        """
        path = self.about_path(task)
        if not (path.exists() and self.weights_path(task).exists()):
            return False
        self._check(task, json.loads(path.read_text(encoding="utf-8"))["digest"], path)
        return True

    def forget(self, task: Task) -> None:
        """Delete a task's checkpoint."""
        discard_checkpoint(self._checkpoint(task))

    def save(self, learner: Learner, step: int, seconds: float) -> None:
        """Write a checkpoint after `step` steps.

        Raises:
            StorageError: the file cannot be written.
        """
        facts = {"step": step, "seconds": seconds, "units": asdict(learner.units)}
        facts["digest"] = self._digest(learner.task)
        save_checkpoint(self._checkpoint(learner.task), learner.state(), facts)

    def restore(self, learner: Learner) -> tuple[int, float]:
        """Load the last checkpoint into a learner; return finished steps and seconds, 0 without a checkpoint.

        Raises:
            ConfigError: the checkpoint has another configuration or frames, or is of an earlier version.
            CheckpointError: the checkpoint is damaged.
        """
        path = self._checkpoint(learner.task)
        if not has_checkpoint(path):
            return 0, 0.0
        tensors, facts = load_checkpoint(path)
        self._check(learner.task, facts["digest"], path)
        if "units" not in facts:
            raise ConfigError(
                f"{path} is of an earlier version: choose another folder, or begin again without resuming"
            )
        learner.restore(tensors)
        learner.units = OutputUnits(**{name: tuple(row) for name, row in facts["units"].items()})
        return int(facts["step"]), float(facts["seconds"])

    def write(self, learner: Learner, facts: dict[str, Any]) -> None:
        """Write a finished network, and then the facts about it.

        Raises:
            StorageError: a file cannot be written.
        """
        content = weights_to_bytes(learner.weights_to_keep(), Storage.FP32)
        write_whole(self.weights_path(learner.task), lambda file: file.write(content))
        own = self._config.of(learner.task)
        begun = own.begun_from(learner.task)
        about = {
            "task": learner.task.name,
            "digest": self._digest(learner.task),
            "architecture": architecture_to_json(own.architecture),
            "image_size": own.size or self._frames["size"],
            "steps": own.steps,
            "config": settings_of(own),
            **({} if own.start is None else {"before": spent_on(own.start, begun)}),
            **({} if own.start is None else origins_of(own.start, begun)),
            **self._origins(own),
            **facts,
        }
        write_json(self.about_path(learner.task), about)

    def _origins(self, own: TaskNetworksConfig) -> dict[str, Any]:
        """Return the pretrained weights and real frames that a network used, for index, card and NOTICE."""
        facts: dict[str, Any] = {}
        if own.pretrained is not None and isinstance(own.architecture, Backbone):
            facts["pretrained"] = describe_pretrained(own.architecture, own.pretrained)
        if own.real and self._real is not None:
            facts["real"] = {"share": own.real, **self._real}
        return facts

    def weights_path(self, task: Task) -> Path:
        """Return the path of a task's network."""
        return weights_path(self.root, task)

    def picture_path(self, task: Task, step: int) -> Path:
        """Return the path of a sample picture."""
        return self.root / "pictures" / task.name / f"{step:07d}.png"

    def about_path(self, task: Task) -> Path:
        """Return the path of the facts about a network's training; this file is written last."""
        return self.root / f"{task.name}.json"

    def _checkpoint(self, task: Task) -> Path:
        return self.root / f"{task.name}.checkpoint"

    def _digest(self, task: Task) -> str:
        """Return the digest of a task's settings and frames."""
        own = self._config.of(task)
        facts: dict[str, Any] = {"config": settings_of(own, only_compared=True), "frames": self._frames}
        facts |= self._origins(own)
        if own.additional:
            facts["additional"] = self._additional
        if own.start is not None:
            facts["start"] = digest_file(weights_path(own.start, own.begun_from(task)))
        return digest_json(facts)

    def _check(self, task: Task, digest: str, path: Path) -> None:
        if digest != self._digest(task):
            raise ConfigError(
                f"{path} is of another configuration or of other frames: choose another folder, or begin "
                "again without resuming"
            )
