"""Storage of photographs and videos that visitors compare repeatedly.

gradio stores uploads under a name that depends on the content, so two visitors may share a file, and one of
them would delete it for the other. Files stored here belong to one visitor, and are deleted when they choose
another one, or leave.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from taskbank_demo.services import Services
from taskbank_demo.uploads import check_upload, delete_upload, open_video, read_image


def keep_photograph(services: Services, path: str | Path | None) -> str:
    """Store an upright, reduced copy without metadata, and return its path; the upload is deleted.

    Raises:
        UploadError: the file is not an image, is damaged, or has too many pixels.
    """
    try:
        photograph = read_image(path, services.settings, services.folder)
    finally:
        delete_upload(path, services.folder)
    kept = services.new_folder() / "photograph.png"
    photograph.save(kept, compress_level=1)
    return str(kept)


def keep_video(services: Services, path: str | Path | None) -> str:
    """Move a video to its own folder, and return its path; the upload is deleted.

    Raises:
        UploadError: the file is not a video, is damaged, or is too long or too large.
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
    """Delete a stored file, and its folder."""
    if kept and Path(kept).parent.parent == services.folder:
        shutil.rmtree(Path(kept).parent, ignore_errors=True)
