"""Photographs and videos that visitors compare again and again: kept under names of their own.

gradio keeps uploads under a name that depends on the content, so two visitors may share a file, and one of
them would delete it for the other. What is kept here is one visitor's alone, and goes when they choose
another one, or leave.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from taskbank_demo.services import Services
from taskbank_demo.uploads import check_upload, delete_upload, open_video, read_image


def keep_photograph(services: Services, path: str | Path | None) -> str:
    """Path of an upright copy without metadata, as large as networks and pages need; the upload is deleted.

    Raises:
        UploadError: it is no image, is damaged, or has too many pixels.
    """
    try:
        photograph = read_image(path, services.settings, services.folder)
    finally:
        delete_upload(path, services.folder)
    kept = services.new_folder() / "photograph.png"
    photograph.save(kept, compress_level=1)
    return str(kept)


def keep_video(services: Services, path: str | Path | None) -> str:
    """Path of the same video under a name of its own; the upload is deleted.

    Raises:
        UploadError: it is no video, is damaged, or is too long or too large.
    """
    kept = None
    try:
        found = check_upload(path, services.settings, services.folder)
        kept = services.new_folder() / found.name
        found.rename(kept)
        open_video(kept, services.settings, services.folder)
    except Exception:
        forget(services, kept)
        raise
    finally:
        delete_upload(path, services.folder)
    return str(kept)


def forget(services: Services, kept: str | Path | None) -> None:
    """Delete what was kept, and its folder."""
    if kept and Path(kept).parent.parent == services.folder:
        shutil.rmtree(Path(kept).parent, ignore_errors=True)
