"""Stage 7, first half: assembly and evaluation of a run's bank.

The folder gets `bank/`, the measured bank; `scores.json` with all numbers and the hashes of the measured
weights; `report.txt` with the same numbers as text; and `pictures/` of good and bad predictions.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from taskbank.bank.bank import Bank
from taxsolver import load_affinity
from training.atomic_files import write_json, write_whole
from training.data.frames import FrameStore
from training.data.real.camera import Intrinsics
from training.data.real.folder import RealFolder
from training.runs.stage import run_stage
from training.stages.evaluation.agreement import carried_over_alive, dead_tasks, published_agreement
from training.stages.evaluation.assemble import assemble_bank
from training.stages.evaluation.carry_over import carry_over
from training.stages.evaluation.config import EvaluateConfig
from training.stages.evaluation.lineage import check_lineage
from training.stages.evaluation.real_pairs import score_real_pairs
from training.stages.evaluation.real_scores import score_constant, score_real
from training.stages.evaluation.report import report_text
from training.stages.evaluation.sanity import sanity_table, transfers_beat_average
from training.stages.evaluation.scores import score_bank, score_health, score_transfers
from training.stages.evaluation.showcase import draw_showcase
from training.stages.evaluation.trained import Trained
from training.stages.evaluation.weights import weights_of

SCORES, REPORT, BANK, PICTURES = "scores.json", "report.txt", "bank", "pictures"
_PARTS, _VALUE = "parts", "value"  # folder and key of partial scores, until all are measured


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """Settings that determine an evaluation.

    Attributes:
        measured: settings for making and measuring the bank.
        camera: camera of the real frames; None if there are none.
    """

    measured: EvaluateConfig
    camera: Intrinsics | None


def run_evaluation(
    trained: Trained,
    *,
    test: Path,
    out: Path,
    real: RealFolder | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> Path:
    """Assemble the bank of a run and measure it.

    Args:
        trained: networks, transfers and settings of the bank.
        test: store of held-out frames.
        out: folder of this stage.
        real: real frames; None for none.
        device: device of the networks.
        overwrite: delete outputs of another configuration.

    Returns:
        the folder.

    Raises:
        DataError: transfers or affinities belong to other networks.
        TrainingError: a file is missing or cannot be written.
    """
    check_lineage(trained.networks, trained.transfers, trained.affinity)
    measured = _Measured(trained=trained, test=test, real=real, device=device)
    inputs = [*trained.folders, test, *([] if real is None else [real.root])]
    settings = EvaluationSettings(measured=trained.config, camera=None if real is None else real.intrinsics)
    return run_stage(
        out, name="evaluation", config=settings, inputs=inputs, body=measured.write, overwrite=overwrite
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """The stage's work in parts; finished parts are not repeated."""

    trained: Trained
    test: Path
    real: RealFolder | None
    device: str

    def write(self, folder: Path) -> None:
        """Write the bank, its scores and the report into the stage's folder."""
        shutil.rmtree(folder / BANK, ignore_errors=True)
        bank = assemble_bank(folder / BANK, self.trained)
        parts = self._on_frames(bank, folder) | self._on_real_frames(bank)
        scores = {name: _kept(folder / _PARTS / f"{name}.json", measure) for name, measure in parts.items()}
        tensor, dead = load_affinity(self.trained.affinity), dead_tasks(scores["health"])
        scores["agreement"] = published_agreement(tensor, dead)
        if self.real is not None:
            scores["real_constant"] = score_constant(list(self.real.frames()), scores["real"])
            pairs = scores.pop("real_pairs")
            scores["real"] |= pairs["networks"]
            scores["real_constant"] |= pairs["constant"]
            scores["carry_over"] = carried_over_alive(scores["carry_over"], tensor, dead)
        scores["frames"] = len(FrameStore.open(self.test))
        scores["origins"] = list(self.trained.config.origins)
        scores["weights"] = weights_of(bank.index)
        write_json(folder / SCORES, scores)
        text = report_text(scores)
        write_whole(folder / REPORT, lambda file: file.write(text.encode()))
        shutil.rmtree(folder / _PARTS)

    def _on_frames(self, bank: Bank, folder: Path) -> dict[str, Callable[[], Any]]:
        """Return the measurements on test frames as functions, each under its name in the scores."""
        config, device, store = self.trained.config, self.device, FrameStore.open(self.test)

        def pictures() -> list[dict[str, str]]:
            shown = draw_showcase(bank, store, folder / PICTURES, limit=config.pictured, device=device)
            return [asdict(one) for one in shown]

        def sanity() -> list[dict[str, Any]]:
            targets = load_affinity(self.trained.affinity).targets
            return [asdict(row) for row in sanity_table(self.trained.transfers, targets)]

        return {
            "test": lambda: score_bank(bank, store, limit=config.samples, device=device),
            "transfers": lambda: score_transfers(bank, store, limit=config.transfer_samples, device=device),
            "health": lambda: score_health(bank, store, device=device),
            "pictures": pictures,
            "sanity": sanity,
            "transfers_beat_average": lambda: transfers_beat_average(
                self.trained.transfers, bank.index.transfers
            ),
        }

    def _on_real_frames(self, bank: Bank) -> dict[str, Callable[[], Any]]:
        """Return the measurements on real frames as functions, by name; none without real frames."""
        if self.real is None:
            return {}
        trained, frames = self.trained, list(self.real.frames())

        def carried() -> list[dict[str, Any]]:
            found = carry_over(
                frames[:: -(-len(frames) // trained.config.carried_over)],
                load_affinity(trained.affinity),
                networks=trained.networks,
                transfers=trained.transfers,
                config=trained.transfers_config,
                size=trained.transfers_config.size or FrameStore.open(self.test).size,
                device=self.device,
            )
            return [asdict(one) for one in found]

        return {
            "real_frames": lambda: len(frames),
            "real": lambda: score_real(bank, frames, device=self.device),
            "real_pairs": lambda: score_real_pairs(
                bank, frames, limit=trained.config.samples, device=self.device
            ),
            "carry_over": carried,
        }


def _kept(path: Path, measure: Callable[[], Any]) -> Any:
    """Return a saved measurement, or measure and save it."""
    if not path.is_file():
        write_json(path, {_VALUE: measure()})
    return json.loads(path.read_text(encoding="utf-8"))[_VALUE]
