"""The command `python -m training`, which runs all stages of a preset or one of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from taskbank_cli.once import Command, refuse_repeats
from training.pipeline import SECTIONS, STAGES, run_stages
from training.run import Run
from training.runs.logs import begin_logging
from training.runs.presets import preset_names, read_preset
from training.stages.publishing.bundle import bundle
from training.stages.publishing.check_command import check

if TYPE_CHECKING:
    from training.data.real.folder import RealFolder
    from training.runs.engine import Engine

DEBUG_VARIABLE = "TRAINING_DEBUG"
"""Environment variable that shows the traceback of known errors."""


class ErrorBoundary(TyperGroup):
    """Command group that prints known errors to stderr and exits with code 1; other errors propagate."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments before a command; options of one value may be given once only."""
        refuse_repeats(self, ctx, args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with code 1, after a known error was printed.
        """
        from taskbank.errors import TaskBankError
        from taxsolver.errors import TaxSolverError
        from training.errors import TrainingError

        try:
            return super().invoke(ctx)
        except (TrainingError, TaskBankError, TaxSolverError) as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(1) from error


class EngineName(StrEnum):
    """Engines that run jobs."""

    LOCAL = "local"
    RAY = "ray"


PresetOption = Annotated[
    str, typer.Option("--preset", "-p", metavar="NAME|FILE.toml", help="Preset to run: see `presets`.")
]
OutOption = Annotated[
    Path, typer.Option("--out", "-o", file_okay=False, help="Folder of the run; a repeated run resumes.")
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the real dataset.", show_default="none", exists=True),
]
RealOption = Annotated[
    Path | None,
    typer.Option(
        "--real",
        help="Folder of real frames with labels, for additional measurements.",
        show_default="none",
        exists=True,
        file_okay=False,
    ),
]
CameraOption = Annotated[
    str | None,
    typer.Option(
        "--camera",
        metavar="FX,FY,CX,CY",
        help="Camera of the frames of --real, in px.",
        show_default="camera.json in their folder",
    ),
]
RealTrainOption = Annotated[
    Path | None,
    typer.Option(
        "--real-train",
        help="Folder of real frames with depth, for training with rendered frames.",
        show_default="none",
        exists=True,
        file_okay=False,
    ),
]
RealCameraOption = Annotated[
    str | None,
    typer.Option(
        "--real-camera",
        metavar="FX,FY,CX,CY",
        help="Camera of the frames of --real-train, in px.",
        show_default="camera.json in their folder",
    ),
]
TexturesOption = Annotated[
    Path | None,
    typer.Option(
        "--textures",
        help="Folder of images for the materials of rooms.",
        show_default="procedural",
        exists=True,
        file_okay=False,
    ),
]
EnvironmentsOption = Annotated[
    Path | None,
    typer.Option(
        "--environments",
        help="Folder of panoramas that are seen through the windows of rooms.",
        show_default="plain skies",
        exists=True,
        file_okay=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="SECTION.SETTING=VALUE", help="Override a setting of the preset; may be repeated."
    ),
]
TasksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tasks", "-t", metavar="A,B,..", help="Only these tasks, by name or alias.", show_default="all"
    ),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
EngineOption = Annotated[EngineName, typer.Option(help="Run jobs on this machine, or on a Ray cluster.")]
WorkersOption = Annotated[
    int, typer.Option(min=1, help="Processes for local jobs and data; jobs of stage 1.")
]
GpusOption = Annotated[float, typer.Option(min=0, help="Share of a GPU that a job takes on Ray.")]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Delete outputs of other settings, and make them again.")
]

app = typer.Typer(
    cls=ErrorBoundary,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main() -> None:
    """Train task networks and transfers on a dataset; compute affinities and a taxonomy.

    Example: python -m training run --preset smoke --out out/smoke
    """
    begin_logging()


@app.command(cls=Command)
def presets() -> None:
    """List presets with their descriptions."""
    for name in preset_names():
        about = read_preset(name, SECTIONS).about
        typer.echo(f"{name}\n{about}\n")


def _command(stage: str | None = None) -> Callable[..., None]:
    """Create a command that runs one stage, or without a name the stages that the user names."""
    option: Any = typer.Option(
        None if stage is None else [stage],
        "--stages",
        metavar="A,B,..",
        help="Only these stages, in the order of the pipeline.",
        show_default="all",
        hidden=stage is not None,
    )

    def command(  # noqa: PLR0917 - a command has as many options as it needs
        preset: PresetOption,
        out: OutOption,
        data: DataOption = None,
        real: RealOption = None,
        camera: CameraOption = None,
        real_train: RealTrainOption = None,
        real_camera: RealCameraOption = None,
        textures: TexturesOption = None,
        environments: EnvironmentsOption = None,
        settings: SetOption = None,
        tasks: TasksOption = None,
        device: DeviceOption = "auto",
        engine: EngineOption = EngineName.LOCAL,
        workers: WorkersOption = 1,
        gpus: GpusOption = 0.0,
        overwrite: OverwriteOption = False,
        stages: list[str] | None = option,
    ) -> None:
        from taskbank.inference.device import choose_device
        from taskbank.tasks.registry import find_task

        names = tuple(find_task(name).name for name in _split(tasks)) if tasks else None
        run_stages(
            Run(
                preset=read_preset(preset, SECTIONS, settings or ()),
                out=out,
                engine=_engine(engine, workers, gpus),
                data=data,
                real=_real(real, camera, "--real", "--camera"),
                real_train=_real(real_train, real_camera, "--real-train", "--real-camera"),
                textures=textures,
                environments=environments,
                device=str(choose_device(device)),
                workers=workers,
                tasks=names,
                overwrite=overwrite,
            ),
            _split(stages),
        )

    return command


def _split(names: list[str] | None) -> tuple[str, ...]:
    """Split names given with commas between or by repeated options."""
    return tuple(name.strip() for name in ",".join(names or ()).split(",") if name.strip())


def _real(folder: Path | None, camera: str | None, option: str, camera_option: str) -> RealFolder | None:
    """Find real frames with their camera, which is given or in their folder.

    Raises:
        BadParameter: frames without camera or the reverse, or the camera is not four numbers.
        DataError: the camera is not valid.
    """
    if folder is None:
        if camera is not None:
            raise typer.BadParameter(f"{camera_option} is for the frames of {option}")
        return None
    from training.data.real.camera import CAMERA_FILE, Intrinsics, read_camera
    from training.data.real.folder import RealFolder

    if camera is None:
        found = read_camera(folder)
        if found is None:
            raise typer.BadParameter(
                f"{option} needs {camera_option} FX,FY,CX,CY, four numbers in px, or {CAMERA_FILE} in it"
            )
        return RealFolder(folder, found)
    try:
        fx, fy, cx, cy = (float(number) for number in (camera or "").split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{camera_option} is {camera!r}: write FX,FY,CX,CY, four numbers") from error
    return RealFolder(folder, Intrinsics(fx=fx, fy=fy, cx=cx, cy=cy))


def _engine(name: EngineName, workers: int, gpus: float) -> Engine:
    """Return the engine that runs the jobs."""
    if name is EngineName.RAY:
        from training.runs.engine.ray import RayEngine

        return RayEngine(gpus=gpus)
    from training.runs.engine import LocalEngine

    return LocalEngine(workers=workers)


app.command(
    "run",
    cls=Command,
    help=f"Run all stages: {', '.join(STAGES)}. Finished stages are skipped, unfinished ones resume.\n\n"
    "Example: python -m training run --preset smoke --out out/smoke --set networks.steps=100",
)(_command())
for _name, _stage in STAGES.items():
    app.command(
        _name,
        cls=Command,
        help=f"{_stage.about}\n\nExample: python -m training {_name} --preset smoke --out out/smoke",
    )(_command(_name))

app.command(cls=Command)(check)
app.command(cls=Command)(bundle)

if __name__ == "__main__":
    app(prog_name="python -m training")
