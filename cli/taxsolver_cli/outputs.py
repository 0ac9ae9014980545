"""Output files of commands: checked before the work, written after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxsolver_cli import show

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_row_outputs(save: Path | None, plot: Path | None) -> None:
    """Check before computing that rows and a picture can be written."""
    from taxsolver.files.output import check_writable
    from taxsolver.files.rows import check_rows_path

    if save is not None:
        check_rows_path(save)
        check_writable(save)
    check_picture(plot)


def check_picture(plot: Path | None) -> None:
    """Check before computing that a picture can be written."""
    from taxsolver.figures.style import check_picture_path
    from taxsolver.files.output import check_writable

    if plot is not None:
        check_picture_path(plot)
        check_writable(plot)


def write_rows(rows: list[dict[str, Any]], save: Path | None) -> None:
    """Write rows, if a file was requested, and print its path."""
    if save is not None:
        from taxsolver.files.rows import save_rows

        show.note(f"rows: {save_rows(rows, save)}")


def write_picture(figure: Figure, plot: Path) -> None:
    """Write a picture, and print its path."""
    from taxsolver.figures.style import save_figure

    show.note(f"picture: {save_figure(figure, plot)}")
