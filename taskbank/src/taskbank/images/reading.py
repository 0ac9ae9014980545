"""Reading of images: files, colour modes and colour ranges.

Every image becomes a `Photo`: upright, three channels, transparency on white, sRGB in [0, 255] or [0, 1]. The
given objects are never modified.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from stat import S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISDIR, S_ISREG
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from torch import Tensor

from taskbank.errors import ImageError
from taskbank.images.colour_profiles import LEVELS, encode_srgb, grey_curve, is_grey, to_srgb
from taskbank.images.photo import MOST_PIXELS, Photo
from taskbank.images.png_colours import png_gamma, png_profile


class OpenFile(Protocol):
    """A file that is open for reading bytes."""

    def read(self) -> bytes:
        """Read the whole file."""


ImageInput: TypeAlias = (
    str
    | os.PathLike[str]
    | Image.Image
    | NDArray[Any]
    | Tensor
    | bytes
    | bytearray
    | OpenFile
    | dict[str, Any]
)
"""One image: a path; a PIL image; an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); a tensor (H, W),
(1, H, W), (3, H, W) or (4, H, W); the content of an image file as bytes, as an open file, or in
`{"bytes": ..., "path": ...}`, as Hugging Face's datasets hold images that are not decoded (one of the two may
be None). Values are uint8, uint16, or float in [0, 1]."""

_CHANNELS = (1, 3, 4)
_ORIENTATION = 0x0112  # EXIF tag
_LYING = (5, 6, 7, 8)  # orientations with a quarter turn

DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
"""Pillow's modes of 16-bit grey; they depend on version, file format and platform."""

_GREY = ("1", "L", "LA", "La", *DEEP_MODES)

_ADDRESS = re.compile(r"(https?|ftp|s3|gs|file|hf):/|data:image/", re.IGNORECASE)
_SPECIAL = {S_IFIFO: "a pipe", S_IFSOCK: "a socket", S_IFCHR: "a device", S_IFBLK: "a device"}

_PLUGINS = {
    ".heic": "pillow-heif", ".heif": "pillow-heif", ".hif": "pillow-heif", ".avif": "pillow-avif-plugin",
    ".jxl": "pillow-jxl-plugin",
}  # fmt: skip


def read_photo(image: ImageInput) -> Photo:
    """Read an image of any form.

    Files and PIL images are turned upright by their EXIF orientation, transparency is put on white, grey
    becomes three equal channels, 16 bits and CMYK are converted; an image of several frames gives its first.

    Colours are converted to sRGB from the ICC profile that an image carries, or from the chunks cICP, cHRM
    and gAMA of a PNG. A damaged profile and curves of HDR are ignored with a warning in the log. Other
    colours are taken for sRGB, also those of TIFF, HEIF and AVIF files that state primaries but no profile.

    Raises:
        ImageError: the file is missing, empty, damaged, not an image, a pipe or device, or so large that it
            may be a decompression bomb; an image, array or tensor is empty, closed, of another shape or type
            or outside its range. All exceptions of decoders become this error.
    """
    name = name_of(image)
    size: list[tuple[int, int]] = []
    try:
        pixels = _pixels(image, name, size)
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{name} does not exist") from error
    except UnidentifiedImageError as error:
        plugin = _PLUGINS.get(os.path.splitext(name)[1].lower())  # noqa: PTH122 - names may be no paths
        hint = f": install {plugin} and import it, or convert the file to JPEG or PNG" if plugin else ""
        raise ImageError(f"{name} is not an image of a known format{hint}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name} is refused: {str(error).rstrip('.')}. Make it smaller first") from error
    except MemoryError as error:
        raise ImageError(f"{name} needs more memory than there is. Make it smaller first") from error
    except Exception as error:  # decoders and plugins raise undocumented types
        reason = str(error) or type(error).__name__
        raise ImageError(f"{name} cannot be read: {reason}") from error
    held = (int(pixels.shape[-1]), int(pixels.shape[-2]))
    return Photo(pixels, name, size[0] if size and size[0] != held else None)


def name_of(image: object) -> str:
    """Return the name of an image for messages and provenance: its path, or else its type."""
    held = image.get("path") if isinstance(image, dict) else getattr(image, "name", None)
    path = image if isinstance(image, str | os.PathLike) else held
    if isinstance(image, np.ndarray | Tensor) or not isinstance(path, str | os.PathLike) or not path:
        return f"image ({type(image).__name__})"
    return str(path)


def split_batch(images: object) -> tuple[list[Any], bool]:
    """Split an argument into items; also return True if it was a single item.

    A list, an array (B, H, W, C) and a tensor (B, C, H, W) are several; a tuple is one item of several
    images, for tasks that take more than one.
    """
    if isinstance(images, np.ndarray | Tensor) and images.ndim == 4:
        return list(images), False
    single = (str, os.PathLike, Image.Image, np.ndarray, Tensor, tuple, bytes, bytearray, dict)
    if isinstance(images, single) or hasattr(images, "read"):
        return [images], True
    if isinstance(images, Iterable):
        return list(images), False
    return [images], True


def _pixels(image: object, name: str, size: list[tuple[int, int]]) -> Tensor:
    """Return the pixels of an image of any form; a fault may raise any exception.

    Args:
        image: of any form.
        name: for messages.
        size: list to which columns and rows of a file are appended, as its pixels may be reduced.
    """
    if isinstance(image, dict) and {"bytes", "path"} & image.keys():
        content = image.get("bytes")
        image = image.get("path") if content is None else content
    elif hasattr(image, "read"):
        image = image.read()
        if isinstance(image, str):
            raise ImageError(f"{name} was opened as text: open it with mode 'rb'")
    if isinstance(image, Image.Image):
        return _from_pil(image, name, size)
    if isinstance(image, np.ndarray):
        return _from_array(image, name)
    if isinstance(image, Tensor):
        return _from_tensor(image, name)
    if isinstance(image, str | os.PathLike):
        return _from_file(Path(image), size)
    if isinstance(image, bytes | bytearray):
        file_bytes = bytes(image)
        if not file_bytes:
            raise ImageError(f"{name} is empty (0 bytes): it was not written to the end, get it again")
        with Image.open(BytesIO(file_bytes)) as opened:
            return _from_pil(opened, name, size, own=True)
    raise ImageError(
        f"an image cannot be a {type(image).__name__}: give a path, a PIL image, an array, a tensor, the "
        "content of a file as bytes or as an open file, or a dict with bytes or path"
    )


def _from_file(path: Path, size: list[tuple[int, int]]) -> Tensor:
    """Return the pixels of a file."""
    if _ADDRESS.match(str(path)):
        address = re.sub(r"^(\w+):/(?!/)", r"\1://", str(path))  # paths join slashes
        raise ImageError(f"{address} is an address: download the image, and name the file")
    found = path.stat()
    # Directories, pipes and empty files have their own messages; opening a pipe could block for ever.
    if S_ISDIR(found.st_mode):
        raise ImageError(f"{path} is a directory: name an image file")
    if not S_ISREG(found.st_mode):
        raise ImageError(
            f"{path} is {_SPECIAL.get(S_IFMT(found.st_mode), 'no regular file')}: save the image as a file "
            "first, or pipe it to `taskbank predict -`"
        )
    if found.st_size == 0:
        raise ImageError(f"{path} is empty (0 bytes): it was not written to the end, get it again")
    with Image.open(path) as image:
        return _from_pil(image, str(path), size, own=True)


def _from_pil(given: Image.Image, name: str, size: list[tuple[int, int]], *, own: bool = False) -> Tensor:
    """Return the pixels of a PIL image, uint8 (3, h, w), or float32 if it has more than eight bits.

    Args:
        given: of any mode.
        name: for messages.
        size: list to which its columns and rows are appended.
        own: whether the image was opened here and may be modified.
    """
    if 0 in given.size:
        raise ImageError(f"{name} is empty: {given.width} x {given.height} px")
    made = None if given.mode in _GREY else png_profile(given, name)  # before EXIF, which loads it
    full, turned = given.size, given.getexif().get(_ORIENTATION) in _LYING
    size.append(full[::-1] if turned else full)
    image = _held(given, own)
    upright = ImageOps.exif_transpose(image)
    profile = made or upright.info.get("icc_profile")
    if upright.mode in DEEP_MODES:
        # 16-bit grey, which Pillow holds as one of several integer types.
        values = np.asarray(upright)
        whole = values if values.dtype.kind == "u" else values.astype(np.int64, copy=False)
        if whole.min() < 0 or whole.max() > 65535:
            raise ImageError(
                f"{name} holds integers from {whole.min()} to {whole.max()}: 16-bit grey is 0 to 65535"
            )
        grey = _from_array(whole.astype(np.uint16), name)
        curve = grey_curve(profile, png_gamma(upright), name)
        return grey if curve is None else torch.from_numpy(np.interp(grey, LEVELS, curve).astype(np.float32))
    if upright.mode == "F":
        return _from_array(np.asarray(upright, dtype=np.float32), name)
    if upright.mode == "La":
        upright = upright.convert("LA")  # Pillow cannot convert this mode to RGB
    alpha = upright.convert("RGBA").getchannel("A") if upright.has_transparency_data else None
    converted = None
    if isinstance(profile, bytes) and profile:
        # Palettes and transparency hold RGB colours; grey and CMYK have profiles of their own colour space.
        bare = upright if upright.mode in ("L", "CMYK", "LAB") else upright.convert("RGB")
        bare = bare.convert("L") if upright.mode in ("LA", "1") and is_grey(profile) else bare
        converted = to_srgb(bare, profile, name)
    colours = upright.convert("RGBA").convert("RGB") if alpha is not None else upright.convert("RGB")
    if converted is None and not profile and (gamma := png_gamma(upright)) is not None:
        levels = np.rint(255 * encode_srgb(LEVELS ** (1 / gamma)))
        converted = colours.point([int(level) for level in levels] * 3)
    colours = converted or colours
    if alpha is not None:
        colours = Image.composite(colours, Image.new("RGB", colours.size, "white"), alpha)
    return _planes(np.array(colours))


def _held(image: Image.Image, own: bool) -> Image.Image:
    """Reduce an image by a whole factor if it has more than `MOST_PIXELS`.

    JPEG files are reduced while they are decoded; others are decoded at full size, at up to four bytes per
    pixel.
    """
    factor = math.ceil(math.sqrt(image.width * image.height / MOST_PIXELS))
    if factor < 2:
        return image
    exif = image.getexif()
    if own and isinstance(image, JpegImageFile):
        wide = image.width
        image.draft(None, (wide // factor, image.height // factor))
        factor = math.ceil(factor * image.width / wide)
    if image.mode in DEEP_MODES or image.mode in ("1", "P", "PA"):
        # Palette indexes have no average, and Pillow cannot average 16 bits: nearest pixels are taken.
        size = (-(-image.width // factor), -(-image.height // factor))
        small = image.resize(size, Image.Resampling.NEAREST)
    else:
        small = image.reduce(factor)
    small.info = image.info
    small.getexif().update(exif)
    return small


def _from_array(array: NDArray[Any], name: str) -> Tensor:
    """Return the pixels of an array, channels last."""
    # Without a class of its own: copying a `np.matrix` of three axes corrupts memory in NumPy.
    array = np.asarray(array)
    grey = array[..., None] if array.ndim == 2 else array
    if grey.ndim != 3 or grey.shape[-1] not in _CHANNELS or 0 in grey.shape:
        hint = ": move channels to the end, as in (H, W, 3)" if array.shape[:1] in {(1,), (3,), (4,)} else ""
        raise ImageError(f"an array of shape {array.shape} is not an image (H, W) or (H, W, 1, 3 or 4){hint}")
    if grey.dtype.kind == "f":
        grey = grey.astype(np.float32)  # from any byte order, and from long doubles
    elif grey.dtype.newbyteorder("=") == np.uint16:
        grey = grey.astype(np.float32) / 65535
    elif grey.dtype != np.uint8:
        raise ImageError(f"an image cannot be of {grey.dtype}: use uint8, uint16, or float in [0, 1]")
    # A copy: the given array may be read-only, or be changed later by its owner.
    return _three_channels(_planes(np.array(grey)), name)


def _from_tensor(tensor: Tensor, name: str) -> Tensor:
    """Return the pixels of a tensor, channels first."""
    grey = tensor[None] if tensor.dim() == 2 else tensor
    if grey.dim() != 3 or grey.shape[0] not in _CHANNELS or 0 in grey.shape:
        hint = (
            ": move channels to the front, as in (3, H, W)" if tensor.shape[-1:] in {(1,), (3,), (4,)} else ""
        )
        raise ImageError(
            f"a tensor of shape {tuple(tensor.shape)} is not an image (H, W) or (1, 3 or 4, H, W){hint}"
        )
    if grey.is_meta or grey.layout is not torch.strided:
        raise ImageError(f"an image cannot be a tensor of {'no data' if grey.is_meta else grey.layout}")
    held = grey.detach().cpu()
    if held.dtype == torch.uint16:
        held = held.float() / 65535
    if held.dtype != torch.uint8 and not held.is_floating_point():
        raise ImageError(f"an image cannot be of {held.dtype}: use uint8, uint16, or float in [0, 1]")
    return _three_channels(held.clone(), name)


def _planes(array: NDArray[Any]) -> Tensor:
    """Convert an array (H, W, C) to a tensor (C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _three_channels(planes: Tensor, name: str) -> Tensor:
    """Convert to three channels, uint8 or float32: repeat grey, put transparency on white, check the range.

    Args:
        planes: uint8 or float (1, 3 or 4, H, W).
        name: of the image, for messages.
    """
    if planes.dtype == torch.uint8 and planes.shape[0] < 4:
        return planes.expand(3, -1, -1).contiguous()
    values = planes.float() / 255 if planes.dtype == torch.uint8 else planes.float()
    low, high = values.min().item(), values.max().item()
    # NaN fails both comparisons.
    if not (low >= 0 and high <= 1):
        raise ImageError(f"{name} holds floats from {low:.9g} to {high:.9g}: {_range_hint(low, high)}")
    if values.shape[0] == 4:
        colour, alpha = values[:3], values[3:]
        values = colour * alpha + (1 - alpha)
    if planes.dtype == torch.uint8:
        return (values * 255 + 0.5).to(torch.uint8)
    return values.expand(3, -1, -1).contiguous()


def _range_hint(low: float, high: float) -> str:
    """Return a hint on converting an image of this range to the expected one."""
    if -1 <= low < 0 and high <= 1:
        return "images are in [0, 1], so give (x + 1) / 2 if these are in [-1, 1]"
    if low >= 0 and high <= 255:
        return "images are in [0, 1], so divide by 255 or convert to uint8"
    return "images are in [0, 1]"
