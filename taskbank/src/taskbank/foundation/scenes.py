"""Zero-shot scene classification by CLIP and SigLIP, with the names of our scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskbank.bank.catalogue import Model
from taskbank.constants import class_names
from taskbank.errors import BankFormatError, first_line
from taskbank.foundation.estimator import Pictures, Place
from taskbank.foundation.files import Files
from taskbank.foundation.library import load_model, load_processor

CLASSES = frozenset({"CLIPModel", "SiglipModel"})
"""Classes of transformers that serve `class_scene`."""


class Scenes:
    """A zero-shot classifier: similarity of pictures to one sentence per scene, as logits.

    The sentences are encoded once (Radford et al., 2021, section 3.1; Zhai et al., 2023).

    Args:
        model: the row of the catalogue, with the prompt.
        network: the model of transformers.
        processor: of the same repository, for pictures and text.
        place: device and precision.
    """

    def __init__(self, model: Model, network: Any, processor: Any, place: Place) -> None:
        self.processor = processor
        self.place = place
        self.network = place.put(network)
        sentences = [
            model.prompt.format(name.replace(" (", ", ").rstrip(")"))
            for name in class_names("class_scene") or ()
        ]
        # SigLIP was trained on sentences of one length, and attends to the padding
        # (https://github.com/mlfoundations/open_clip/issues/984). Not every tokenizer states the length.
        fixed = model.kind == "SiglipModel"
        words = processor.tokenizer(
            sentences,
            padding="max_length" if fixed else True,
            max_length=network.config.text_config.max_position_embeddings,
            truncation=True,
            return_tensors="pt",
        )
        taken = ("input_ids",) if fixed else ("input_ids", "attention_mask")
        self.words = {name: words[name].to(place.device) for name in taken if name in words}
        with torch.inference_mode():
            blank = self._pictures([torch.zeros(3, 32, 32, dtype=torch.uint8)])
            self.sentences = self.network(pixel_values=blank, **self.words).text_embeds
        self.words = {
            name: values[:1] for name, values in self.words.items()
        }  # the network requires some text

    def predict(self, pictures: Pictures) -> Mapping[str, list[Tensor]]:
        """Predict logits of 63 scenes for each picture."""
        given = self.network(pixel_values=self._pictures([one for (one,) in pictures]), **self.words)
        likeness = given.image_embeds @ self.sentences.T * self.network.logit_scale.exp()
        if (bias := getattr(self.network, "logit_bias", None)) is not None:
            likeness = likeness + bias
        return {"class_scene": list(likeness.float().cpu())}

    def _pictures(self, pictures: list[Tensor]) -> Tensor:
        """Preprocess pictures for the model."""
        made = [
            self.processor.image_processor(images=one, return_tensors="pt")["pixel_values"]
            for one in pictures
        ]
        return torch.cat(made).to(self.place.device, self.place.dtype)


def open_scenes(model: Model, files: Files, place: Place) -> Scenes:
    """Open a model that compares pictures with text.

    Raises:
        InvalidInputError: there is no adapter for the model's class.
        BankFormatError: the model is damaged, or not the one that the catalogue describes.
    """
    network = load_model(model, files, CLASSES)
    processor = load_processor(model, files, "AutoProcessor")
    try:
        return Scenes(model, network, processor, place)
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise BankFormatError(f"{model.id} cannot read the names of scenes: {first_line(error)}") from error
