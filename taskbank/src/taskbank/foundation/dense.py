"""Depth, normals and semantic classes by dense prediction models of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskbank.bank.catalogue import INVERSE, METRES, Model, axis_signs
from taskbank.constants import class_names, class_table
from taskbank.errors import BankFormatError
from taskbank.foundation.estimator import Pictures, Place
from taskbank.foundation.files import Files
from taskbank.foundation.library import load_model, load_processor

# Meaning of predicted_depth; empty for DepthAnything, whose configuration states it.
_DEPTH = {
    "DPTForDepthEstimation": INVERSE,
    "DepthAnythingForDepthEstimation": "",
    "GLPNForDepthEstimation": METRES,
    "Tipsv2DptForDensePrediction": METRES,
    "Tipsv2DptForDepthEstimation": METRES,
    "ZoeDepthForDepthEstimation": METRES,
}
_NORMALS = {"Sapiens2ForNormalEstimation", "Tipsv2DptForDensePrediction", "Tipsv2DptForNormalEstimation"}
_SEMANTIC = {
    "BeitForSemanticSegmentation", "DPTForSemanticSegmentation", "Data2VecVisionForSemanticSegmentation",
    "MobileNetV2ForSemanticSegmentation", "MobileViTForSemanticSegmentation",
    "MobileViTV2ForSemanticSegmentation",
    "SegformerForSemanticSegmentation", "Tipsv2DptForDensePrediction", "Tipsv2DptForSemanticSegmentation",
    "UperNetForSemanticSegmentation",
}  # fmt: skip
_SYNONYMS = {
    "television receiver": "tv", "sofa": "couch", "couch": "sofa", "tv": "television",
    "refrigerator": "icebox",
    "crt screen": "screen", "potted plant": "pottedplant", "dining table": "diningtable",
}  # fmt: skip
CLASSES = {
    "depth_zbuffer": frozenset(_DEPTH),
    "normal": frozenset(_NORMALS),
    "segment_semantic": frozenset(_SEMANTIC),
}
"""Task -> classes of transformers that serve it."""


class Dense:
    """A model that predicts maps of the whole picture.

    Args:
        model: the row of the catalogue.
        network: the model of transformers.
        processor: of the same repository. Cropping and padding are switched off, so that maps cover the
            picture.
        place: device and precision.
    """

    def __init__(self, model: Model, network: Any, processor: Any, place: Place) -> None:
        self.model = model
        self.processor = processor
        self.place = place
        self.kept = {name: False for name in ("do_center_crop", "do_pad") if getattr(processor, name, None)}
        if "segment_semantic" in model.tasks:
            labels = getattr(network.config, "id2label", None) or {}
            self.groups = _groups(model, {int(number): str(name) for number, name in labels.items()})
        if "depth_zbuffer" in model.tasks:
            given = (
                _DEPTH[model.kind]
                or {"metric": METRES, "relative": INVERSE}[network.config.depth_estimation_type]
            )
            if given != model.depth:
                raise BankFormatError(
                    f"{model.id} gives depth as {given!r}, not {model.depth!r} as the catalogue says: "
                    "correct it there"
                )
        self.network = place.put(network)

    def predict(self, pictures: Pictures) -> Mapping[str, list[Tensor]]:
        """Predict raw maps by task; pictures that the processor scales to the same size run together."""
        made = [
            self.processor(images=one, return_tensors="pt", **self.kept)["pixel_values"]
            for (one,) in pictures
        ]
        sizes: dict[torch.Size, list[int]] = {}
        for number, one in enumerate(made):
            sizes.setdefault(one.shape, []).append(number)
        maps: dict[str, list[Tensor]] = {task: [torch.empty(0)] * len(made) for task in self.model.tasks}
        for numbers in sizes.values():
            batch = torch.cat([made[number] for number in numbers]).to(self.place.device, self.place.dtype)
            for task, rows in self._raw(self.network(pixel_values=batch)).items():
                for number, row in zip(numbers, rows, strict=True):
                    maps[task][number] = row.clone()
        return maps

    def _raw(self, given: Any) -> dict[str, Tensor]:
        """Convert outputs of the network to raw outputs of our tasks, float32 on the CPU."""
        raw = {}
        if "depth_zbuffer" in self.model.tasks:
            depth = given.predicted_depth.float().cpu()
            depth = depth[:, None] if depth.ndim == 3 else depth
            raw["depth_zbuffer"] = (
                torch.log2(depth.clamp(min=0) * 512 + 1) / 16 if self.model.depth == METRES else depth
            )
        if "normal" in self.model.tasks:
            vectors = given.normals.float().cpu()
            ours = torch.empty_like(vectors)
            for theirs, (number, sign) in enumerate(axis_signs(self.model.axes)):
                ours[:, number] = vectors[:, theirs] * sign
            # Normalised before maps are enlarged, as networks output normals of any length.
            raw["normal"] = torch.nn.functional.normalize(ours, dim=1)
        if "segment_semantic" in self.model.tasks:
            logits = getattr(given, "segmentation_logits", None)
            logits = (given.logits if logits is None else logits).float()
            if logits.shape[1] != sum(map(len, self.groups)):
                raise ValueError(f"it gives {logits.shape[1]} classes, not those of {self.model.classes}")
            raw["segment_semantic"] = torch.stack(
                [
                    logits[:, group].logsumexp(1) if group else logits.new_full(logits[:, 0].shape, -1e4)
                    for group in self.groups
                ],
                1,
            ).cpu()
        return raw


def open_dense(model: Model, files: Files, place: Place) -> Dense:
    """Open a model that predicts maps.

    Raises:
        InvalidInputError: there is no adapter for the model's class.
        BankFormatError: the model is damaged, or not the one that the catalogue describes.
    """
    allowed = frozenset.intersection(*(CLASSES[task] for task in model.tasks))
    return Dense(model, load_model(model, files, allowed), load_processor(model, files), place)


def _groups(model: Model, labels: Mapping[int, str]) -> list[list[int]]:
    """Return the model's channels for each of our classes.

    Raises:
        BankFormatError: the model's labels belong to another table.
    """
    table = class_table(model.classes)
    if len(labels) != len(table):
        raise BankFormatError(
            f"{model.id} has {len(labels)} classes, but {model.classes} has {len(table)}: name another table"
        )
    for number, (name, ours) in enumerate(table):
        said = labels.get(number, "").strip().lower()
        # Unnamed labels are LABEL_0 and so on; others begin with the table's name, before any synonyms.
        words = {part.strip() for part in said.replace(";", ",").split(",")}
        same = bool(words & {name, _SYNONYMS.get(name, name)}) or said.startswith(name)
        if ours != "background" and not said.startswith("label_") and not same:
            raise BankFormatError(
                f"{model.id}: class {number} is {said!r}, but {name!r} in {model.classes}: name another table"
            )
    names = class_names("segment_semantic") or ()
    return [[number for number, (_, ours) in enumerate(table) if ours == name] for name in names]
