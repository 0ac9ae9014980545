"""Labels that are maps: a PNG or NumPy file per photograph, with the photograph's size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from taskbank.images.framing import View
from training.errors import DataError
from training.stages.novel.naming import check_same, some

_SUFFIXES = (".png", ".npy")
_CHANNELS = (1, 3)
_GREY, _COLOUR, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 4, 6  # colour types of PNG files
_HEADER = 26  # bytes up to the colour type
_KNOWN = 0.5  # least known share of a resized pixel


def find_maps(folder: Path, photographs: Mapping[str, Path]) -> dict[str, Path]:
    """Find the map of each photograph: the file of the same path in the folder, except for the suffix.

    Raises:
        DataError: there is no folder, or files and photographs do not match one to one.
    """
    if not folder.is_dir():
        raise DataError(f"--labels {folder} is no folder: maps are files, one for each photograph")
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES]
    stems = {name: _stem(Path(name)) for name in photographs}
    labelled = [_stem(path.relative_to(folder)) for path in found]
    for what, names in (("photographs", stems.values()), ("maps", labelled)):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise DataError(f"several {what} are called alike but for the suffix: {some(twice)}")
    check_same(stems.values(), labelled, folder)
    by_stem = dict(zip(labelled, found, strict=True))
    return {name: by_stem[stem] for name, stem in stems.items()}


def read_map(path: Path) -> NDArray[np.float32]:
    """Read a map.

    Args:
        path: `.npy` of numbers (H, W), (H, W, 1) or (H, W, 3), NaN where unknown; or a PNG file, grey with 8
            or 16 bits or in colour with 8 bits, transparent where unknown.

    Returns:
        float32 (C, H, W), NaN where unknown in any channel.

    Raises:
        DataError: the file is damaged, or has another format.
    """
    try:
        stored = _from_npy(path) if path.suffix.lower() == ".npy" else _from_png(path)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"the map {path} cannot be read: {error}") from error
    if stored.ndim != 3 or stored.shape[-1] not in _CHANNELS or stored.size == 0:
        raise DataError(f"the map {path} has shape {stored.shape}: maps are (H, W) or (H, W, 3)")
    if np.isinf(stored).any():
        raise DataError(f"the map {path} holds infinite numbers: unknown pixels are NaN")
    values: NDArray[np.float32] = np.moveaxis(stored.astype(np.float32), -1, 0)
    values[:, np.isnan(values).any(axis=0)] = np.nan
    return values


def fit_map(values: NDArray[np.float32], view: View, path: Path) -> Tensor:
    """Crop and resize a map to the network's view of the photograph.

    Args:
        values: float32 (C, H, W), NaN where unknown.
        view: the network's view of the photograph.
        path: path of the map, for messages.

    Returns:
        float32 (C, size, size); a pixel is NaN where more than half of it is unknown.

    Raises:
        DataError: the map differs in size from its photograph, or has no known pixel.
    """
    height, width = values.shape[1:]
    if (height, width) != (view.height, view.width):
        raise DataError(
            f"the map {path} is {width} x {height} px, its photograph {view.width} x {view.height} (turned "
            "upright, as its EXIF data say): they must be of one size"
        )
    box = view.box
    cut = torch.from_numpy(values)[:, int(box.top) : int(box.bottom), int(box.left) : int(box.right)]
    known = cut.isfinite().all(0, keepdim=True).float()
    both = torch.cat([cut.where(known > 0, 0.0), known])
    scaled = functional.interpolate(both[None], view.size[::-1], mode="bilinear", antialias=True)[0]
    share = scaled[-1:]
    if not bool((share >= _KNOWN).any()):
        raise DataError(f"the map {path} has no known pixel where networks look, in its middle square")
    return (scaled[:-1] / share.clamp(min=_KNOWN)).where(share >= _KNOWN, torch.nan)


def _stem(path: Path) -> str:
    return path.with_suffix("").as_posix()


def _from_npy(path: Path) -> NDArray[np.float64]:
    """Read numbers (H, W, C)."""
    stored = np.load(path, allow_pickle=False)
    if not (np.issubdtype(stored.dtype, np.number) or stored.dtype == np.bool_) or np.iscomplexobj(stored):
        raise DataError(f"the map {path} is of {stored.dtype}, not of numbers")
    numbers: NDArray[np.float64] = stored.astype(np.float64)
    return numbers[..., None] if numbers.ndim == 2 else numbers


def _from_png(path: Path) -> NDArray[np.float64]:
    """Read the stored codes (H, W, C); NaN where transparent."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    with Image.open(path) as image:
        image.load()
        bits, kind = header[-2], header[-1]
        if bits == 16 and kind != _GREY:
            raise DataError(f"the map {path} has 16 bits in colour or with transparency: save it as .npy")
        if kind == _GREY:
            return np.array(image, dtype=np.float64)[..., None]
        if kind == _COLOUR:
            return np.array(image, dtype=np.float64)
        if kind not in {_GREY_ALPHA, _COLOUR_ALPHA}:
            raise DataError(f"the map {path} has a palette: save it in grey, in colour, or as .npy")
        stored = np.array(image, dtype=np.float64)
    values, alpha = stored[..., :-1], stored[..., -1]
    values[alpha == 0] = np.nan
    return values
