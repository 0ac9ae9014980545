"""Checks and reading of uploaded files. Sizes are checked before decoding.

The type of a file is determined by its content, not its name. Nothing is unpickled, and no archive is opened.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from taskbank_demo.errors import UploadError
from taskbank_demo.own_uploads import is_upload_folder
from taskbank_demo.settings import DemoSettings

if TYPE_CHECKING:
    from taskbank.video.files import Clip

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""Pillow's names of accepted image formats."""

_SMALL_MODES = ("L", "LA", "RGB", "RGBA")  # 8 bits, reduced without conversion
_HEAD = 12  # bytes that identify the format of a video


def check_upload(path: str | Path | None, settings: DemoSettings, folder: Path) -> Path:
    """Check that an uploaded file is in the upload folder and not too large, and return its path.

    Args:
        path: from an upload component.
        settings: limits.
        folder: of all temporary files.

    Raises:
        UploadError: there is no file, or it is in another folder, empty or too large.
    """
    if path is None:
        raise UploadError("No file was chosen.")
    found = Path(path).resolve()
    if not found.is_relative_to(folder.resolve()) or not found.is_file():
        raise UploadError("This file is no longer stored: upload it again.")
    size = found.stat().st_size
    if size == 0:
        raise UploadError(f"{found.name} is empty.")
    if size > settings.upload_bytes:
        raise UploadError(
            f"{found.name} has {size / 1e6:.1f} MB, and {settings.upload_bytes / 1e6:.0f} MB are allowed."
        )
    return found


def read_image(path: str | Path | None, settings: DemoSettings, folder: Path) -> Image.Image:
    """Read an uploaded image: upright, RGB, on white, its longest side at most `settings.image_side`.

    Raises:
        UploadError: the file is not an image, is damaged, or has too many pixels.
    """
    found = check_upload(path, settings, folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large pictures and odd metadata; the limit below applies
            with Image.open(found, formats=IMAGE_FORMATS) as image:
                _check_pixels(found, image.width * image.height, settings)
                return _reduced(image, settings.image_side)
    except UploadError:
        raise
    except Image.DecompressionBombError as error:
        raise UploadError(_too_many_pixels(found, settings)) from error
    except Exception as error:
        raise UploadError(
            f"{found.name} cannot be read as an image: it is damaged, or of another kind. JPEG, PNG, WebP, "
            "BMP, TIFF and GIF are taken."
        ) from error


def _check_pixels(path: Path, pixels: int, settings: DemoSettings) -> None:
    """Reject images with too many pixels."""
    if pixels > settings.image_pixels:
        raise UploadError(_too_many_pixels(path, settings))


def _too_many_pixels(path: Path, settings: DemoSettings) -> str:
    allowed = settings.image_pixels / 1e6
    return f"{path.name} has more pixels than the {allowed:g} million that are allowed: reduce it first."


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Convert an image for networks, and reduce it as early as its format allows."""
    from taskbank.images.reading import read_photo

    image.draft("RGB", (side, side))
    if image.mode in _SMALL_MODES:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    read = Image.fromarray(read_photo(image).as_bytes())
    read.thumbnail((side, side), Image.Resampling.LANCZOS)
    return read


def open_video(path: str | Path | None, settings: DemoSettings, folder: Path) -> Clip:
    """Open an uploaded video within the limits; read its frames with `taskbank.video.files.read_frames`.

    Raises:
        UploadError: the file is not a video, is damaged, or is too long or too large.
        MissingPackageError: PyAV is not installed.
    """
    from taskbank.errors import VideoError
    from taskbank.video.files import open_clip

    found = check_upload(path, settings, folder)
    if not _is_video(found):
        raise UploadError(f"{found.name} is not a video: MP4, MOV, WebM, MKV and AVI are taken.")
    try:
        _check_frame(found, settings)
        clip = open_clip(found)
    except VideoError as error:
        raise UploadError(
            f"{found.name} cannot be read as a video: it is damaged, or of another kind."
        ) from error
    seconds = float(clip.frames / clip.rate)
    if clip.frames > settings.video_frames or seconds > settings.video_seconds:
        raise UploadError(
            f"{found.name} has {clip.frames} frames in {seconds:.1f} seconds; {settings.video_frames} frames "
            f"and {settings.video_seconds:g} seconds are allowed: cut it first."
        )
    return clip


def _is_video(path: Path) -> bool:
    """Return True if a file is a video container that holds its own pictures.

    Other formats are lists of files and addresses, which a video reader would open.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    matroska = head.startswith(b"\x1a\x45\xdf\xa3")
    return matroska or head[4:8] == b"ftyp" or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")


def _check_frame(path: Path, settings: DemoSettings) -> None:
    """Check the frame size that the file states, before a frame is decoded."""
    from taskbank.video.files import stated_sizes

    for width, height in stated_sizes(path):
        if width * height > settings.video_pixels:
            raise UploadError(
                f"{path.name} has frames of {width} x {height} pixels, and {settings.video_pixels / 1e6:.1f} "
                "million pixels are allowed: reduce it first."
            )


def read_text(path: str | Path | None, settings: DemoSettings, folder: Path) -> str:
    """Read an uploaded text file in UTF-8.

    Raises:
        UploadError: the file is not text.
    """
    found = check_upload(path, settings, folder)
    try:
        return found.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UploadError(f"{found.name} is not UTF-8 text.") from error


def delete_upload(path: str | Path | None, folder: Path) -> None:
    """Delete an uploaded file after use; missing files and files in other folders are ignored."""
    if path is None:
        return
    found = Path(path).resolve()
    if found.is_relative_to(folder.resolve()):
        found.unlink(missing_ok=True)
        if is_upload_folder(found.parent):
            with suppress(OSError):  # another request has deleted it
                found.parent.rmdir()
