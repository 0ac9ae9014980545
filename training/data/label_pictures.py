"""Pictures of a frame's labels, drawn as `taskbank` draws predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from taskbank.constants import class_names
from taskbank.drawing.canvas import Canvas
from taskbank.drawing.render import picture
from taskbank.images.colour import lab_to_rgb
from taskbank.images.reading import read_photo
from taskbank.inference.preprocess import Preprocessed, preprocess
from taskbank.inference.results import Prediction
from taskbank.labels.codes import DOMAINS, Coding, decode
from taskbank.options import Fit, Frame
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import TASKS
from training.data.poses import relative_poses, room_layouts, vanishing_points

Labels = Mapping[str, NDArray[Any]]

TASK_OF_DOMAIN = {"rgb": "autoencoding", "principal_curvature": "curvature"}
"""Domain of labels -> task, where the names differ."""

_MAPS = (
    "normal", "depth_zbuffer", "depth_euclidean", "principal_curvature", "reshading", "edge_occlusion",
    "keypoints3d", "segment_unsup25d", "edge_texture", "keypoints2d", "segment_unsup2d", "segment_semantic",
)  # fmt: skip
_GOLDEN = 0.618034  # turns between the hues of successive segments, so that neighbours differ
_DOT = (255, 214, 0)


def label_pictures(labels: Labels, camera: NDArray[np.void]) -> dict[str, Image.Image]:
    """Draw all labels of one frame.

    Args:
        labels: domain -> codes of the frame, (size, size[, channels]).
        camera: its `CAMERA` record.

    Returns:
        canonical task name -> RGB.
    """
    preprocessed = _sight(labels["rgb"])
    fov = float(np.degrees(camera["fov"]))
    drawn: dict[str, Image.Image] = {}
    for domain in _MAPS:
        values = decode(domain, torch.from_numpy(labels[domain].astype(np.int32))).numpy()
        task = TASK_OF_DOMAIN.get(domain, domain)
        if domain.startswith("segment_unsup"):
            # Equal chroma, and four steps of lightness.
            count = np.arange(256)
            hue = 2 * np.pi * _GOLDEN * count
            light = 52 + 11 * (count % 4)
            lab = torch.from_numpy(np.stack([light, 42 * np.cos(hue), 42 * np.sin(hue)]))[..., None]
            table = (lab_to_rgb(lab)[..., 0].numpy().T * 255).round().astype(np.uint8)
            colours: NDArray[np.uint8] = table[values]
            drawn[task] = Image.fromarray(colours)
        else:
            dtype = np.uint8 if DOMAINS[domain].coding is Coding.NUMBER else np.float32
            drawn[task] = _drawn(task, values.astype(dtype), (preprocessed,), 60.0)
    if np.isfinite(camera["box"]).all():
        drawn["room_layout"] = _drawn("room_layout", room_layouts(camera), (preprocessed,), fov)
    axes = vanishing_points(camera).reshape(3, 3)
    drawn["vanishing_point"] = _drawn("vanishing_point", axes, (preprocessed,), fov)
    return drawn


def pair_picture(first: NDArray[np.void], second: NDArray[np.void], rgb: tuple[Any, Any]) -> Image.Image:
    """Draw the pose of one camera relative to another.

    Args:
        first: `CAMERA` record.
        second: likewise.
        rgb: the images of both cameras, uint8 (size, size, 3) each.
    """
    inputs = (_sight(rgb[0]), _sight(rgb[1]))
    return _drawn("fixated_pose", relative_poses(first, second), inputs, 60.0)


def marked_picture(rgb: NDArray[np.uint8], x: float, y: float) -> Image.Image:
    """Draw a dot at column x and row y, in px."""
    canvas = Canvas(Image.fromarray(rgb))
    canvas.dot((x, y), _DOT, 5)
    return canvas.done()


def class_words(labels: Labels) -> tuple[str, str]:
    """Return the names of a frame's scene and object class; the latter is empty if unknown."""
    scenes, objects = class_names("class_scene") or (), class_names("class_object") or ()
    scene = scenes[int(labels["class_scene"])].split("/")[0].replace("_", " ")
    number = int(labels["class_object"])
    return scene, "" if number < 0 else objects[number].split(",")[0].replace("_", " ")


def _sight(rgb: NDArray[np.uint8]) -> Preprocessed:
    return preprocess(read_photo(rgb), Fit.STRETCH, rgb.shape[0])


def _drawn(task: str, array: NDArray[Any], inputs: tuple[Preprocessed, ...], fov: float) -> Image.Image:
    """Draw an array as the prediction of a task."""
    kind = TASKS[task].output
    maps = kind not in (OutputKind.LAYOUT, OutputKind.VANISHING_POINTS, OutputKind.POSE)
    shown = Prediction(
        task=task,
        kind=kind,
        array=array,
        unit=TASKS[task].unit,
        value_range=TASKS[task].value_range,
        convention="label",
        frame=Frame.INPUT if maps else Frame.NETWORK,
        views=tuple(one.view for one in inputs),
        sources=tuple(one.photo.name for one in inputs),
        bank="labels",
        bank_digest="",
        classes=class_names(task),
    )
    return picture(shown, inputs, fov=fov)
