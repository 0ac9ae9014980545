"""Files of the dataset: their names, and reading and writing of their content.

A frame is identified by the number of its fixated point and the number of its camera for that point:
`BUILDING/DOMAIN/point_P_view_V_domain_DOMAIN.png`. Classes are `.npy`, cameras and matches `.json`.
https://github.com/StanfordVL/taskonomy (`data/README.md`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from taskbank.atomic_files import write_whole
from taskbank.constants import scene_positions
from taskbank.errors import ImageError
from taskbank.images.reading import DEEP_MODES
from taskbank.labels.codes import DOMAINS, find_domain

POINT_INFO = "point_info"
"""Domain of the cameras."""

MATCHES = "nonfixated_matches"
"""Domain of the pixels at which other frames see a point; one file per point, whose view is `all`."""

CLASSES: MappingProxyType[str, int] = MappingProxyType({"class_object": 1000, "class_scene": 365})
"""Domains of classes, with the length of their files: logits of ImageNet's, probabilities of Places365's."""

_SMALLEST_CLASS_FILE = 100  # bytes; the original loader treats smaller files as missing labels
_LEAST_PROBABILITY = 1e-12  # its logarithm is written for probability 0


def label_name(domain: str, point: int, view: int | str) -> str:
    """Return the name of a label's file.

    Args:
        domain: of pictures or classes, `POINT_INFO` or `MATCHES`.
        point: number of the fixated point in the building.
        view: number of the camera, or `all`.
    """
    others = "npy" if domain in CLASSES else "json"
    ending = "png" if domain in DOMAINS else others
    return f"point_{point}_view_{view}_domain_{domain}.{ending}"


def save_label(path: Path, domain: str, codes: NDArray[Any]) -> None:
    """Write a picture of codes atomically.

    Args:
        path: of the PNG file.
        domain: whose codes they are.
        codes: integers (H, W), or (H, W, C) where a label has several channels.

    Raises:
        InvalidInputError: no such domain.
        OutputError: the file cannot be written.
    """
    coded = find_domain(domain)
    stored = codes.astype(np.uint16 if coded.bits == 16 else np.uint8)
    added = coded.file_channels - coded.channels
    if added and coded.channels == 1:
        stored = np.repeat(stored[..., None], coded.file_channels, axis=-1)
    elif added:
        stored = np.pad(stored, ((0, 0), (0, 0), (0, added)))
    image = Image.fromarray(stored)
    write_whole(path, lambda file: image.save(file, format="PNG", compress_level=1))


def read_label(path: Path, domain: str) -> NDArray[Any]:
    """Read the codes in a picture as unsigned integers, for any Pillow mode of 16 bits.

    Args:
        path: of the PNG file.
        domain: whose codes they are.

    Returns:
        uint8 or uint16 (H, W), or (H, W, C) where a label has several channels.

    Raises:
        ImageError: the file is missing, empty, cut off, damaged, or of another depth or number of channels.
        InvalidInputError: no such domain.
    """
    coded = find_domain(domain)
    try:
        _check_regular(path)
        with Image.open(path) as image:
            deep, stored = image.mode in DEEP_MODES, np.array(image)
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist") from error
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        raise ImageError(f"{path} is {'empty (0 bytes)' if empty else 'not an image'}") from error
    except Exception as error:  # decoders do not say what they raise
        raise ImageError(f"{path} is damaged: {error}") from error
    if deep != (coded.bits == 16):
        raise ImageError(f"{path} has {16 if deep else 8} bits, {domain} has {coded.bits}")
    codes = stored.astype(np.uint16) if coded.bits == 16 else stored.astype(np.uint8, copy=False)
    given = 1 if codes.ndim == 2 else codes.shape[2]
    if given < coded.channels:
        raise ImageError(f"{path} has {given} channel(s), {coded.name} has {coded.channels}")
    if codes.ndim == 2:
        return codes
    return codes[..., 0] if coded.channels == 1 else codes[..., : coded.channels]


def _check_regular(path: Path) -> None:
    """Reject pipes and devices, which could block for ever.

    Raises:
        OSError: there is no such file, or it is a pipe or a device.
    """
    if path.exists() and not path.is_file():
        raise OSError("it is a folder, pipe or device")


def save_classes(path: Path, domain: str, probabilities: NDArray[Any]) -> None:
    """Write the classes of a frame atomically.

    Object classes are stored as logits: the logarithms of the probabilities, which equal logits up to a
    constant. The 63 indoor scenes have their positions among the 365 of Places365, whose other entries are 0.

    Args:
        path: of the `.npy` file.
        domain: `class_object` or `class_scene`.
        probabilities: (1000,) or (63,).

    Raises:
        OutputError: the file cannot be written.
    """
    shares = probabilities.astype(np.float32)
    if domain == "class_object":
        stored = np.log(np.maximum(shares, _LEAST_PROBABILITY))
    else:
        stored = np.zeros(CLASSES[domain], dtype=np.float32)
        stored[scene_positions()] = shares
    write_whole(path, lambda file: np.save(file, stored))


def read_classes(path: Path, domain: str) -> NDArray[np.float32]:
    """Read the classes of a frame: the inverse of `save_classes`.

    Returns:
        float32 (1000,) or (63,), probabilities; those of indoor scenes are divided by their sum.

    Raises:
        ImageError: the file is missing, damaged, too small to hold a label, of another length, or holds
            numbers that are neither logits nor probabilities.
    """
    length = CLASSES[domain]
    try:
        _check_regular(path)
        size = path.stat().st_size
        stored = np.empty(0)
        if size:
            with path.open("rb") as file:  # archives and pickles are rejected
                stored = np.lib.format.read_array(file, allow_pickle=False).astype(np.float64).ravel()
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist") from error
    except Exception as error:  # decoders do not say what they raise
        raise ImageError(f"{path} is damaged: {error}") from error
    if size < _SMALLEST_CLASS_FILE:
        raise ImageError(f"{path} has {size} bytes: it holds no classes")
    if len(stored) != length or not np.isfinite(stored).all():
        raise ImageError(f"{path} has {len(stored)} number(s), expected are {length} finite ones")
    shares = np.exp(stored - stored.max()) if domain == "class_object" else stored[scene_positions()]
    total = shares.sum()
    if not (total > 0 and shares.min() >= 0):
        raise ImageError(f"{path} holds no probabilities of indoor scenes")
    probabilities: NDArray[np.float32] = (shares / total).astype(np.float32)
    return probabilities


def save_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a JSON file atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    text = json.dumps(facts, indent=1, allow_nan=False) + "\n"

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    write_whole(path, write)
