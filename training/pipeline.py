"""The stages in order, with their settings, inputs and folders.

    OUT/frames -> networks -> codes, transfers -> affinity -> taxonomy
    OUT/frames, affinity -> grouping
    OUT/networks, transfers, affinity, frames -> evaluation -> published

Modules of a stage are imported when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import ConfigError
from training.run import SPLITS, Run
from training.runs.settings import nearest

if TYPE_CHECKING:
    from training.data.real.folder import RealFolder
    from training.stages.evaluation.trained import Trained
    from training.stages.transfers.config import TransfersConfig

_UNTRAINED = "random"  # source that needs no network of stage 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A step of the pipeline.

    Attributes:
        sections: sections of a preset that hold its settings.
        inputs: names of the stages whose folders it reads.
        run: function that runs the stage with the settings and folders of a run.
    """

    sections: tuple[str, ...]
    inputs: tuple[str, ...]
    run: Callable[[Run], None]

    @property
    def about(self) -> str:
        """One-line description of the stage."""
        return (self.run.__doc__ or "").strip()


def run_stages(run: Run, names: Sequence[str] = ()) -> None:
    """Run stages in the order of the pipeline.

    Args:
        run: the options of the run.
        names: names in `STAGES`; empty for all.

    Raises:
        ConfigError: a stage is not known; a foreign source is unknown or not available.
        TrainingError: errors of the stages.
    """
    for name in names:
        if name not in STAGES:
            raise ConfigError(f"no stage {name!r}: {nearest(name, tuple(STAGES))}")
    wanted = [name for name in STAGES if not names or name in names]
    if len(wanted) > 1 and "transfers" in wanted:
        from training.stages.transfers.foreign import describe_foreign

        # Fail before the hours of earlier stages if a foreign source cannot be opened.
        config = _transfers_config(run)
        describe_foreign(config.foreign, config.seed)
    for name in wanted:
        STAGES[name].run(run)


def _frames(run: Run) -> None:
    """Stage 0: stores of frames, rendered or read."""
    if "taskonomy" in run.preset.sections:
        _frames_of_taskonomy(run)
    else:
        _frames_of_rooms(run)
    if run.real_train is not None:
        _real_frames(run, run.real_train)


def _frames_of_rooms(run: Run) -> None:
    """Stage 0 with rendered rooms."""
    from training.rooms.frames.config import SPLITS as SPLITS_OF_ROOMS
    from training.rooms.frames.config import RoomsConfig
    from training.rooms.frames.dataset import write_splits
    from training.runs.metrics import progress
    from training.runs.stage import run_stage

    config = run.preset.settings("rooms", RoomsConfig)
    if run.textures is not None:
        config = replace(config, textures=str(run.textures))
    if run.environments is not None:
        config = replace(config, environments=str(run.environments))

    def body(folder: Path) -> None:
        total = sum(-(-len(config.rooms(split)) // config.rooms_per_shard) for split in SPLITS_OF_ROOMS)
        with progress("shards", total) as advance:
            write_splits(
                folder,
                config,
                device=run.device,
                workers=run.workers if run.workers > 1 else 0,
                progress=lambda *_: advance(1),
            )

    run_stage(run.out / "frames", name="frames", config=config, inputs=[], body=body, overwrite=run.overwrite)


def _frames_of_taskonomy(run: Run) -> None:
    """Stage 0 with the real dataset.

    Raises:
        ConfigError: its folder was not given.
    """
    from training.data.taskonomy.importing import import_taskonomy
    from training.data.taskonomy.plan import TaskonomyConfig
    from training.runs.stage import run_stage

    if run.data is None:
        raise ConfigError(f"preset {run.preset.name} reads the real dataset: give its folder with --data")
    root = run.data
    config = replace(run.preset.settings("taskonomy", TaskonomyConfig), workers=run.workers)

    def body(folder: Path) -> None:
        for split in SPLITS:
            import_taskonomy(root, folder / split, split, config)

    run_stage(
        run.out / "frames",
        name="frames",
        config=config,
        inputs=[root, config.splits],
        body=body,
        overwrite=run.overwrite,
    )


def _real_frames(run: Run, folder: RealFolder) -> None:
    """Stage 0 with real training frames: a stage of its own, so that rooms are not made again."""
    from training.data.real.dataset import RealConfig, RealStore, write_real
    from training.data.taskonomy.plan import TaskonomyConfig
    from training.rooms.frames.config import RoomsConfig
    from training.runs.metrics import progress
    from training.runs.stage import run_stage

    if "taskonomy" in run.preset.sections:
        size = run.preset.settings("taskonomy", TaskonomyConfig).size
    else:
        size = run.preset.settings("rooms", RoomsConfig).size
    config = RealStore(real=run.preset.settings("real", RealConfig), size=size, camera=folder.intrinsics)

    def body(place: Path) -> None:
        shards = -(-len(folder.names()) // config.real.frames_per_shard)
        with progress("real", shards) as advance:
            write_real(place, folder, config, workers=run.workers, progress=lambda *_: advance(1))

    run_stage(
        run.out / "frames" / "real",
        name="real frames",
        config=config,
        inputs=[folder.root],
        body=body,
        overwrite=run.overwrite,
    )


def _networks(run: Run) -> None:
    """Stage 1: one network per task."""
    from training.stages.networks.config import TaskNetworksConfig
    from training.stages.networks.stage import run_networks

    run_networks(
        run.preset.settings("networks", TaskNetworksConfig),
        run.frames["train"],
        run.networks,
        tasks=None if run.tasks is None else tuple(task for task in run.tasks if task != _UNTRAINED),
        engine=run.engine,
        workers=run.workers,
        device=run.device,
        overwrite=run.overwrite,
        real=run.real_frames,
        additional=run.additional_frames,
    )


def _transfers(run: Run) -> None:
    """Stage 2: representations, transfers and controls."""
    from training.stages.transfers.stage import run_transfers

    config = _transfers_config(run)
    run_transfers(
        config,
        run.networks,
        run.frames,
        run.out,
        device=run.device,
        engine=run.engine,
        overwrite=run.overwrite,
    )


def _transfers_config(run: Run) -> TransfersConfig:
    """Settings of stage 2, for the tasks that take part."""
    from training.stages.transfers.config import TransfersConfig

    config = run.preset.settings("transfers", TransfersConfig)
    if run.tasks is None:
        return config
    sources = tuple(one for one in config.sources if one in (*run.tasks, _UNTRAINED))
    return replace(config, sources=sources, targets=tuple(one for one in config.targets if one in run.tasks))


def _affinity(run: Run) -> None:
    """Stage 3: affinities from losses."""
    from training.stages.affinity.stage import AffinityConfig, run_affinity

    config = run.preset.settings("affinity", AffinityConfig)
    run_affinity(config, run.transfers, run.frames, run.out, overwrite=run.overwrite)


def _taxonomy(run: Run) -> None:
    """Stage 4: taxonomies, their significance and figures."""
    from training.stages.taxonomy.stage import TaxonomyConfig, run_taxonomy

    config = run.preset.settings("taxonomy", TaxonomyConfig)
    run_taxonomy(config, run.tensor, run.transfers, run.out, overwrite=run.overwrite)


def _grouping(run: Run) -> None:
    """Stage 6: networks whose tasks share an encoder, and groupings of tasks."""
    from training.stages.grouping.config import GroupingConfig
    from training.stages.grouping.stage import run_grouping

    config = run.preset.settings("grouping", GroupingConfig)
    run_grouping(
        config,
        run.frames,
        run.out / "grouping",
        engine=run.engine,
        device=run.device,
        affinity=run.tensor,
        overwrite=run.overwrite,
    )


def _evaluation(run: Run) -> None:
    """Stage 7: evaluation of the bank on held-out frames."""
    from training.stages.evaluation.stage import run_evaluation

    run_evaluation(
        _trained(run),
        test=run.frames["test"],
        out=run.out / "evaluation",
        real=run.real,
        device=run.device,
        overwrite=run.overwrite,
    )


def _trained(run: Run) -> Trained:
    """Return the settings and folders of earlier stages that stage 7 needs."""
    from training.stages.evaluation.config import EvaluateConfig
    from training.stages.evaluation.trained import Trained

    return Trained(
        config=run.preset.settings("evaluate", EvaluateConfig),
        transfers_config=_transfers_config(run),
        networks=run.networks,
        transfers=run.transfers,
        affinity=run.tensor,
    )


def _published(run: Run) -> None:
    """Stage 7: the bank, the affinity tensor and the card."""
    from training.runs.markers import read_marker
    from training.stages.publishing.stage import run_publishing

    read_marker(run.out / "taxonomy")
    run_publishing(
        _trained(run),
        frames=run.frames,
        evaluation=run.out / "evaluation",
        out=run.out / "published",
        card=(run.out / "taxonomy" / "card.md").read_text(encoding="utf-8"),
        overwrite=run.overwrite,
    )


STAGES: Mapping[str, Stage] = {
    "frames": Stage(sections=("rooms", "taskonomy", "real"), inputs=(), run=_frames),
    "networks": Stage(sections=("networks",), inputs=("frames",), run=_networks),
    "transfers": Stage(sections=("transfers",), inputs=("frames", "networks"), run=_transfers),
    "affinity": Stage(sections=("affinity",), inputs=("frames", "transfers"), run=_affinity),
    "taxonomy": Stage(sections=("taxonomy",), inputs=("affinity", "transfers"), run=_taxonomy),
    "grouping": Stage(sections=("grouping",), inputs=("frames", "affinity"), run=_grouping),
    "evaluation": Stage(
        sections=("evaluate",), inputs=("frames", "networks", "transfers", "affinity"), run=_evaluation
    ),
    "published": Stage(sections=(), inputs=("evaluation", "taxonomy"), run=_published),
}
"""Stages by name, in order."""

SECTIONS = tuple(section for stage in STAGES.values() for section in stage.sections)
"""Sections of a preset."""
