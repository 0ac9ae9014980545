"""What stage 1 leaves in its folder: finished networks, and the checkpoint of those that still learn."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from taskbank.nets.architecture import architecture_to_json
from taskbank.quantise import Storage
from taskbank.tasks import Task
from taskbank.weights import weights_to_bytes
from training.checkpoint import discard_checkpoint, has_checkpoint, load_checkpoint, save_checkpoint
from training.data.frames import FrameStore
from training.errors import ConfigError
from training.provenance import digest_json
from training.settings import settings_of
from training.task_networks.config import TaskNetworksConfig
from training.task_networks.learner import Learner
from training.whole_files import write_json, write_whole


class NetworksFolder:
    """The files of stage 1.

    Args:
        root: where they are; it is made.
        config: of the stage.
        store: that is learned from.
        tasks: that are asked for; other calls may train other tasks in the same folder.
    """

    def __init__(
        self, root: Path, config: TaskNetworksConfig, store: FrameStore, tasks: Sequence[Task]
    ) -> None:
        self.root = root
        self.digest = digest_json(
            {
                "config": settings_of(config, only_compared=True),
                "frames": {"about": dict(store.about), "counts": list(store.counts), "size": store.size},
            }
        )
        self._config = config
        names = ",".join(sorted(task.name for task in tasks))
        self._checkpoint = root / f"{zlib.crc32(names.encode()):08x}.checkpoint"
        root.mkdir(parents=True, exist_ok=True)

    def is_finished(self, task: Task) -> bool:
        """Whether a network was written.

        Raises:
            ConfigError: with another configuration, or from other frames.
        """
        path = self._about(task)
        if not path.exists():
            return False
        self._check(json.loads(path.read_text(encoding="utf-8"))["digest"], path)
        return True

    def forget(self) -> None:
        """Delete the checkpoint."""
        discard_checkpoint(self._checkpoint)

    def save(self, learners: Sequence[Learner], step: int, seconds: float) -> None:
        """Write a checkpoint: `step` steps are done.

        Raises:
            StorageError: it cannot be written.
        """
        tensors = {name: value for learner in learners for name, value in learner.state().items()}
        save_checkpoint(self._checkpoint, tensors, {"digest": self.digest, "step": step, "seconds": seconds})

    def restore(self, learners: Sequence[Learner]) -> tuple[int, float]:
        """Put the last checkpoint into learners; steps that are done and seconds, 0 where there is none.

        Raises:
            ConfigError: it is of another configuration, or from other frames.
            CheckpointError: it is damaged.
        """
        if not has_checkpoint(self._checkpoint):
            return 0, 0.0
        tensors, facts = load_checkpoint(self._checkpoint)
        self._check(facts["digest"], self._checkpoint)
        for learner in learners:
            learner.restore(tensors)
        return int(facts["step"]), float(facts["seconds"])

    def write(self, learner: Learner, facts: dict[str, Any]) -> None:
        """Write a finished network, what is known about it last.

        Raises:
            StorageError: it cannot be written.
        """
        content = weights_to_bytes(learner.weights_to_keep(), Storage.FP32)
        write_whole(self.weights_path(learner.task), lambda file: file.write(content))
        about = {
            "task": learner.task.name,
            "digest": self.digest,
            "architecture": architecture_to_json(self._config.architecture),
            "steps": self._config.steps,
            "config": settings_of(self._config),
            **facts,
        }
        write_json(self._about(learner.task), about)

    def weights_path(self, task: Task) -> Path:
        """Where a task's network is."""
        return self.root / f"{task.name}.safetensors"

    def picture_path(self, task: Task, step: int) -> Path:
        """Where a sample picture goes."""
        return self.root / "pictures" / task.name / f"{step:07d}.png"

    def _about(self, task: Task) -> Path:
        return self.root / f"{task.name}.json"

    def _check(self, digest: str, path: Path) -> None:
        if digest != self.digest:
            raise ConfigError(
                f"{path} is of another configuration or of other frames: choose another folder, or begin "
                "anew without resuming"
            )
