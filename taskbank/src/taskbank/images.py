"""Reading images: the one place that knows files, colour modes and colour ranges.

Whatever comes in leaves as a `Photo`: upright, three colours, on white, sRGB values in [0, 255] or [0, 1].
Nothing here writes to what it was given.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from taskbank.errors import ImageError

ImageInput: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[Any] | Tensor
"""One image: a path; a PIL image; an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); a tensor (H, W),
(1, H, W), (3, H, W) or (4, H, W). Values are uint8, uint16, or float in [0, 1]."""

_CHANNELS = (1, 3, 4)

DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's names of 16-bit grey, by version, file format and platform."""

DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
"""What Pillow raises on damaged files of one format or another."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One image, read.

    Attributes:
        pixels: uint8 (3, H, W) in [0, 255], or float32 (3, H, W) in [0, 1] where the source was finer.
        name: path of the file, or "image" and the type of the object, for messages and provenance.
    """

    pixels: Tensor
    name: str

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[-1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[-2])

    def as_bytes(self) -> NDArray[np.uint8]:
        """uint8 (H, W, 3), for drawing."""
        pixels = self.pixels
        if pixels.dtype != torch.uint8:
            pixels = (pixels * 255 + 0.5).to(torch.uint8)
        return pixels.permute(1, 2, 0).contiguous().numpy()


def read_photo(image: ImageInput) -> Photo:
    """One image of any form as a photo.

    Files and PIL images are turned upright by their EXIF orientation, transparency is laid on white, grey
    becomes three equal channels, 16 bits and CMYK are converted; of several frames the first is taken.

    Raises:
        ImageError: the file is missing, empty, damaged, no image, or so large that it may be a
            decompression bomb; an array or tensor is of another shape or type or outside its range.
    """
    name = name_of(image)
    if isinstance(image, Image.Image):
        return Photo(_from_pil(image, name), name)
    if isinstance(image, np.ndarray):
        return Photo(_from_array(image), name)
    if isinstance(image, Tensor):
        return Photo(_from_tensor(image), name)
    if isinstance(image, str | os.PathLike):
        return Photo(_from_file(Path(image)), name)
    raise ImageError(
        f"an image cannot be a {type(image).__name__}: give a path, a PIL image, an array or a tensor"
    )


def name_of(image: object) -> str:
    """What an image is called in messages and provenance: its path, or what kind of object it is."""
    return str(image) if isinstance(image, str | os.PathLike) else f"image ({type(image).__name__})"


def split_batch(images: object) -> tuple[list[Any], bool]:
    """The single items behind one argument, and whether it was one item alone.

    A list, an array (B, H, W, C) and a tensor (B, C, H, W) are several; a tuple is one item of several
    images, for tasks that look at more than one.
    """
    if isinstance(images, np.ndarray | Tensor) and images.ndim == 4:
        return list(images), False
    if isinstance(images, str | os.PathLike | Image.Image | np.ndarray | Tensor | tuple):
        return [images], True
    if isinstance(images, Iterable):
        return list(images), False
    return [images], True


def _from_file(path: Path) -> Tensor:
    """The pixels of a file."""
    try:
        _refuse_what_holds_no_bytes(path)
        with Image.open(path) as image:
            return _from_pil(image, str(path))
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} is no image of a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{path} is refused: {str(error).rstrip('.')}. Make it smaller first") from error
    except ImageError:
        raise
    except DAMAGED as error:
        raise ImageError(f"{path} cannot be read: {error}") from error


def _refuse_what_holds_no_bytes(path: Path) -> None:
    """Directories and empty files have messages of their own."""
    if path.is_dir():
        raise ImageError(f"{path} is a directory: name an image file")
    if path.stat().st_size == 0:
        raise ImageError(f"{path} is empty (0 bytes): it was not written to the end, get it again")


def _from_pil(image: Image.Image, name: str) -> Tensor:
    """The pixels of a PIL image, uint8 (3, H, W), or float32 where it has more than eight bits."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode in DEEP_MODES:
        return _from_deep(np.asarray(upright), name)
    if upright.mode == "F":
        return _from_array(np.asarray(upright, dtype=np.float32))
    if upright.has_transparency_data:
        upright = _on_white(upright)
    return _planes(np.array(upright.convert("RGB")))


def _on_white(image: Image.Image) -> Image.Image:
    """The image without its transparency."""
    layered = image.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered)


def _from_deep(values: NDArray[Any], name: str) -> Tensor:
    """16-bit grey, which Pillow holds as one of several integer types."""
    whole = values.astype(np.int64)
    if whole.min() < 0 or whole.max() > 65535:
        raise ImageError(
            f"{name} holds integers from {whole.min()} to {whole.max()}: 16-bit grey is 0 to 65535"
        )
    return _from_array(whole.astype(np.uint16))


def _from_array(array: NDArray[Any]) -> Tensor:
    """The pixels of an array, channels last."""
    grey = array[..., None] if array.ndim == 2 else array
    if grey.ndim != 3 or grey.shape[-1] not in _CHANNELS or 0 in grey.shape:
        hint = ": move channels to the end, as in (H, W, 3)" if array.shape[:1] in {(1,), (3,), (4,)} else ""
        raise ImageError(f"an array of shape {array.shape} is no image (H, W) or (H, W, 1, 3 or 4){hint}")
    if grey.dtype == np.uint16:
        grey = grey.astype(np.float32) / 65535
    if grey.dtype != np.uint8 and not np.issubdtype(grey.dtype, np.floating):
        raise ImageError(f"an image cannot be of {grey.dtype}: use uint8, uint16, or float in [0, 1]")
    # A copy: what is given may be read-only, and must not change under us.
    return _three_channels(_planes(np.array(grey)), "array")


def _from_tensor(tensor: Tensor) -> Tensor:
    """The pixels of a tensor, channels first."""
    grey = tensor[None] if tensor.dim() == 2 else tensor
    if grey.dim() != 3 or grey.shape[0] not in _CHANNELS or 0 in grey.shape:
        hint = (
            ": move channels to the front, as in (3, H, W)" if tensor.shape[-1:] in {(1,), (3,), (4,)} else ""
        )
        raise ImageError(
            f"a tensor of shape {tuple(tensor.shape)} is no image (H, W) or (1, 3 or 4, H, W){hint}"
        )
    held = grey.detach().cpu()
    if held.dtype == torch.uint16:
        held = held.float() / 65535
    if held.dtype != torch.uint8 and not held.is_floating_point():
        raise ImageError(f"an image cannot be of {held.dtype}: use uint8, uint16, or float in [0, 1]")
    return _three_channels(held.clone(), "tensor")


def _planes(array: NDArray[Any]) -> Tensor:
    """(H, W, C) -> tensor (C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _three_channels(planes: Tensor, kind: str) -> Tensor:
    """Grey tripled, transparency laid on white; uint8 or float32, in range.

    Args:
        planes: uint8 or float (1, 3 or 4, H, W).
        kind: what it came from, for messages.
    """
    if planes.dtype == torch.uint8 and planes.shape[0] < 4:
        return planes.expand(3, -1, -1).contiguous()
    values = planes.float() / 255 if planes.dtype == torch.uint8 else planes.float()
    low, high = values.min().item(), values.max().item()
    # NaN fails both comparisons.
    if not (low >= 0 and high <= 1):
        raise ImageError(f"a float {kind} holds values from {low:g} to {high:g}: {_range_hint(low, high)}")
    if values.shape[0] == 4:
        colour, alpha = values[:3], values[3:]
        values = colour * alpha + (1 - alpha)
    if planes.dtype == torch.uint8:
        return (values * 255 + 0.5).to(torch.uint8)
    return values.expand(3, -1, -1).contiguous()


def _range_hint(low: float, high: float) -> str:
    """What the caller probably has, and how it becomes what is expected."""
    if -1 <= low < 0 and high <= 1:
        return "images are in [0, 1], so give (x + 1) / 2 if these are in [-1, 1]"
    if low >= 0 and high <= 255:
        return "images are in [0, 1], so divide by 255 or convert to uint8"
    return "images are in [0, 1]"
