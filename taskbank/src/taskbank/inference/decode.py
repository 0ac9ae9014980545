"""Decoding of raw network outputs into values with units, task by task.

| kind | array |
|---|---|
| image, colour distribution | float32 (H, W, 3), sRGB in [0, 1] |
| depth | float32 (H, W), metres |
| relative inverse depth | float32 (H, W), larger is nearer, scale unknown; only from third-party models |
| normals | float32 (H, W, 3), unit vectors |
| curvature | float32 (H, W, 2), the two principal curvatures, 1/m |
| heat map | float32 (H, W), share of the full scale on disk |
| semantic map | uint8 (H, W), labels on disk: 0 is unknown, channel c of the network is c + 1 |
| embedding | float32 (h, w, 64), always in the network's frame |
| classes | float32 (C,), probabilities |
| layout | float32 (9,), see `taskbank.geometry.box_corners` |
| vanishing points | float32 (3, 3), rows are unit vectors along the room's x, y and z |
| pose | float32 (6,), or (3, 6) for three images: 1-2, 2-3, 1-3; three angles in rad, translation in m |
| match | float32 (), probability that both images are fixed on one point |
| map | float32 (H, W) or (H, W, 3), of a user's own target, in its unit |
| numbers | float32 (C,), of a user's own target, in its unit |
| permutation | int64 (9,), the tile of the photo that is predicted for each place |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskbank.constants import colour_bins
from taskbank.images.colour import recolour
from taskbank.images.framing import join_rows, seen_by_network, to_input_frame, to_network_frame
from taskbank.images.photo import Photo
from taskbank.inference.decode_numbers import DECODED_NUMBERS
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Decoded
from taskbank.inference.whitening import WHITENING
from taskbank.labels.codes import decode as decode_label
from taskbank.options import Axes, Frame
from taskbank.tasks.kinds import OutputKind, Task

_CODES = (0.0, 254.0)  # range of the 8-bit codes of curvature on disk; 127 is flat
_ROWS = 256  # rows of a photo that are coloured at once
_SMALLEST = 1e-12  # length below which a vector has no direction

NORMAL_AXES = {
    Axes.OPENCV: "OpenCV camera: +x right, +y down, +z into the scene; what faces the camera has z = -1",
    Axes.OPENGL: "OpenGL camera: +x right, +y up, +z out of the scene; what faces the camera has z = 1",
}
"""Descriptions of the axes of normals, for `Prediction.convention`."""

_CONVENTIONS = {
    OutputKind.INVERSE_DEPTH: "relative, inverse: one over the distance along the optical axis, times a "
    "scale, plus a shift, both unknown; larger is nearer",
    OutputKind.CURVATURE: "the two principal curvatures, 0 is flat",
    OutputKind.SEMANTIC_MAP: "labels: 0 is unknown, label n is class n - 1 of the list",
    OutputKind.HEAT_MAP: "response as a share of the full scale on disk",
    OutputKind.MAP: "a user's own target; the range is that of the labels it was learned from",
}  # of maps; the other kinds of maps are sRGB


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Form in which predictions are returned.

    Attributes:
        frame: frame of maps: the input's pixels, or the network's output.
        normals: axes of surface normals.

    Examples:
        >>> import taskbank
        >>> reading = taskbank.Reading(frame="network", normals="opengl")
        >>> engine = taskbank.Engine(taskbank.Bank.open("rooms"), ["normals"], taskbank.Settings())
        >>> [outcome.prediction("normal", reading).frame for outcome in engine.run(["photo.jpg"])]
        ['network']
    """

    frame: Frame = Frame.INPUT
    normals: Axes = Axes.OPENCV


def decode(task: Task, raw: Tensor, inputs: tuple[Preprocessed, ...], reading: Reading) -> Decoded:
    """Decode a network's raw output for one item.

    Args:
        task: the task of the network.
        raw: float32 on the CPU, without batch axis: (C, h, w) of a map, (C,) otherwise.
        inputs: the network's inputs.
        reading: form of the prediction.
    """
    inputs = tuple(one.for_task(task) for one in inputs)
    if task.output is OutputKind.EMBEDDING:
        # In the network's frame, as vectors for each pixel of a photo would take gigabytes.
        return Decoded(
            array=_channels_last(raw, seen_by_network(inputs[0].view, *raw.shape[-2:])),
            convention="pixels of one segment have vectors close to each other",
            value_range=None,
        )
    if task.output is OutputKind.COLOUR_DISTRIBUTION:
        return _colours(raw, inputs[0], reading.frame)
    if task.output in DECODED_NUMBERS:
        return DECODED_NUMBERS[task.output](task, raw, inputs)
    values, seen = _placed(raw, inputs[0], reading.frame, _per_pixel(task, reading))
    semantic = task.output is OutputKind.SEMANTIC_MAP
    match task.output:
        case OutputKind.DEPTH:
            along = "the ray" if task.name == "depth_euclidean" else "the optical axis"
            convention = f"distance along {along}"
        case OutputKind.NORMALS:
            convention = NORMAL_AXES[reading.normals]
        case _:
            convention = _CONVENTIONS.get(task.output, "sRGB")
    return Decoded(
        # Labels are uint8 (H, W), 0 at pixels that were not seen.
        array=values[0].masked_fill(~seen, 0).numpy() if semantic else _channels_last(values, seen),
        convention=convention,
        value_range=(0, task.channels) if semantic else task.value_range,
        frame=reading.frame,
    )


def _placed(
    raw: Tensor, preprocessed: Preprocessed, frame: Frame, values: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the decoded map and the mask of pixels that the network saw, in the requested frame."""
    place = to_input_frame if frame is Frame.INPUT else to_network_frame
    return place(raw, preprocessed.view, values)


def _channels_last(values: Tensor, seen: Tensor) -> NDArray[np.float32]:
    """Convert (C, H, W) to float32 (H, W, C), or (H, W) for one channel; NaN at pixels that were not seen."""
    # Always a copy, as it is modified below.
    array = np.array(values.permute(1, 2, 0).numpy(), dtype=np.float32, order="C")
    array[~seen.numpy()] = np.nan
    return array[..., 0] if array.shape[-1] == 1 else array


def _per_pixel(task: Task, reading: Reading) -> Callable[[Tensor], Tensor]:
    """Return the function that turns a raw map (C, H, W) into values (D, H, W)."""
    match task.output:
        case OutputKind.DEPTH | OutputKind.CURVATURE | OutputKind.INVERSE_DEPTH:
            return _IN_UNITS[task.output]
        case OutputKind.NORMALS:
            if reading.normals is Axes.OPENCV:
                return _opencv
            return lambda vectors: _opencv(vectors) * torch.tensor([1.0, -1.0, -1.0])[:, None, None]
        case OutputKind.SEMANTIC_MAP:
            return lambda logits: (logits.argmax(0, keepdim=True) + 1).to(torch.uint8)
        case OutputKind.MAP:
            low, high = task.value_range or (0, 1)
            return lambda signed: (signed + 1).clamp(0, 2) * ((high - low) / 2) + low
        case _:
            highest = (task.value_range or (0, 1))[1]
            return lambda signed: ((signed + 1) / 2).clamp(0, 1) * highest


def _metres(share: Tensor) -> Tensor:
    """Convert the logarithm of 16-bit depth in steps of 1/512 m, as a share of its range, to metres."""
    return (torch.exp2(16 * share.clamp(0, 1)) - 1) / 512


def _opencv(vectors: Tensor) -> Tensor:
    """Normalise vectors (3, H, W) to length one; NaN for vectors without direction."""
    length: Tensor = torch.linalg.vector_norm(vectors, dim=0, keepdim=True)
    return vectors / length.masked_fill(length < _SMALLEST, torch.nan)


def _curvature(whitened: Tensor) -> Tensor:
    """Convert whitened 8-bit codes (2, H, W) to curvatures in 1/m."""
    mean, std = torch.tensor(WHITENING["curvature"])[..., None, None]
    return decode_label("principal_curvature", (whitened * std + mean).clamp(*_CODES))


_IN_UNITS: Mapping[OutputKind, Callable[[Tensor], Tensor]] = {
    OutputKind.DEPTH: _metres,
    OutputKind.CURVATURE: _curvature,
    OutputKind.INVERSE_DEPTH: torch.clone,
}


def _colours(logits: Tensor, preprocessed: Preprocessed, frame: Frame) -> Decoded:
    """Combine the photo's lightness with the expected colour of each pixel (Zhang et al., 2016)."""
    bins = torch.from_numpy(colour_bins().copy())
    expected = torch.einsum("chw,ck->khw", logits.softmax(0), bins)
    ab, seen = _placed(expected, preprocessed, frame, lambda colours: colours)
    shown = (
        preprocessed.photo
        if frame is Frame.INPUT
        else Photo((preprocessed.square + 1) / 2, preprocessed.photo.name)
    )
    # In strips, as powers of whole photos take gigabytes.
    starts = range(0, ab.shape[1], _ROWS)
    strips = ((shown.rows(start, min(start + _ROWS, ab.shape[1])), start) for start in starts)
    coloured = (recolour(light, ab[:, start : start + _ROWS]) for light, start in strips)
    return Decoded(
        array=_channels_last(join_rows(coloured, ab.shape[1]), seen),
        convention="sRGB: lightness of the photo, expected colour of the network's distribution",
        value_range=(0, 1),
        frame=frame,
    )
