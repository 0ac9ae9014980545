"""Classes of objects in rooms: NYU40 numbers, ImageNet and Places channels, semantic channels."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taskbank.constants import class_names
from training.errors import ConfigError

NYU40 = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture",
    "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor mat", "clothes",
    "ceiling", "books", "refrigerator", "television", "paper", "towel", "shower curtain", "box", "whiteboard",
    "person", "night stand", "toilet", "sink", "lamp", "bathtub", "bag", "otherstructure", "otherfurniture",
    "otherprop",
)  # fmt: skip
"""Names of the NYU40 classes (Gupta et al., CVPR 2013); the first has number 1."""


class Kind(NamedTuple):
    """Classes of a kind of object.

    Attributes:
        label: NYU40 number, 1 to 40.
        category: channel of `class_object`; -1 if no ImageNet class fits.
    """

    label: int
    category: int


_KINDS: dict[str, tuple[str, str | None]] = {
    # the room itself
    "wall": ("wall", None),
    "floor": ("floor", None),
    "ceiling": ("ceiling", None),
    "door": ("door", None),
    "sliding door": ("door", "sliding door"),
    "window": ("window", "window screen"),
    "pillar": ("otherstructure", "pedestal"),
    "beam": ("otherstructure", None),
    "fireplace": ("otherstructure", "fire screen"),
    "radiator": ("otherprop", "radiator"),
    # seats
    "chair": ("chair", "folding chair"),
    "rocking chair": ("chair", "rocking chair"),
    "armchair": ("chair", "throne"),
    "office chair": ("chair", "barber chair"),
    "bench": ("chair", "park bench"),
    "stool": ("chair", None),
    "beanbag": ("chair", None),
    "sofa": ("sofa", "studio couch"),
    "ottoman": ("otherfurniture", None),
    # tables
    "dining table": ("table", "dining table"),
    "coffee table": ("table", None),
    "desk": ("desk", "desk"),
    "pool table": ("table", "pool table"),
    # beds
    "bed": ("bed", "studio couch"),
    "four-poster": ("bed", "four-poster"),
    "crib": ("bed", "crib"),
    "quilt": ("bed", "quilt"),
    "pillow": ("pillow", "pillow"),
    "cushion": ("pillow", "pillow"),
    # storage
    "bookcase": ("bookshelf", "bookcase"),
    "shelves": ("shelves", "bookcase"),
    "wardrobe": ("cabinet", "wardrobe"),
    "cabinet": ("cabinet", "china cabinet"),
    "dresser": ("dresser", "chiffonier"),
    "chest": ("otherfurniture", "chest"),
    "filing cabinet": ("cabinet", "file"),
    "medicine chest": ("cabinet", "medicine chest"),
    "tv stand": ("cabinet", "entertainment center"),
    "night stand": ("night stand", "chiffonier"),
    # kitchen
    "kitchen cabinet": ("cabinet", "china cabinet"),
    "counter": ("counter", None),
    "refrigerator": ("refrigerator", "refrigerator"),
    "oven": ("otherfurniture", "stove"),
    "hood": ("otherprop", None),
    "microwave": ("otherprop", "microwave"),
    "toaster": ("otherprop", "toaster"),
    "dishwasher": ("otherfurniture", "dishwasher"),
    "washer": ("otherfurniture", "washer"),
    "espresso maker": ("otherprop", "espresso maker"),
    # bathroom
    "sink": ("sink", "washbasin"),
    "toilet": ("toilet", "toilet seat"),
    "bathtub": ("bathtub", "bathtub"),
    "shower curtain": ("shower curtain", "shower curtain"),
    "shower": ("otherstructure", None),
    "towel": ("towel", "bath towel"),
    "toilet tissue": ("paper", "toilet tissue"),
    # soft things
    "rug": ("floor mat", "prayer rug"),
    "doormat": ("floor mat", "doormat"),
    "curtain": ("curtain", "theater curtain"),
    "blinds": ("blinds", "window shade"),
    "clothes": ("clothes", "jersey"),
    "throw": ("otherprop", "quilt"),
    # lamps
    "table lamp": ("lamp", "table lamp"),
    "lamp": ("lamp", "lampshade"),
    "spotlight": ("lamp", "spotlight"),
    # on walls
    "picture": ("picture", None),
    "mirror": ("mirror", None),
    "clock": ("otherprop", "wall clock"),
    "whiteboard": ("whiteboard", None),
    "television": ("television", "television"),
    "switch": ("otherprop", "switch"),
    # plants
    "potted plant": ("otherprop", "pot"),
    # small things
    "book": ("books", "book jacket"),
    "paper": ("paper", "envelope"),
    "box": ("box", "carton"),
    "crate": ("box", "crate"),
    "bag": ("bag", "backpack"),
    "wine bottle": ("otherprop", "wine bottle"),
    "beer bottle": ("otherprop", "beer bottle"),
    "water bottle": ("otherprop", "water bottle"),
    "vase": ("otherprop", "vase"),
    "desk clock": ("otherprop", "analog clock"),
    "bowl": ("otherprop", "mixing bowl"),
    "plate": ("otherprop", "plate"),
    "cup": ("otherprop", "cup"),
    "coffee mug": ("otherprop", "coffee mug"),
    "teapot": ("otherprop", "teapot"),
    "pitcher": ("otherprop", "pitcher"),
    "candle": ("otherprop", "candle"),
    "bucket": ("otherprop", "bucket"),
    "hamper": ("otherprop", "hamper"),
    "bin": ("otherprop", "ashcan"),
    "ball": ("otherprop", "soccer ball"),
    "toy": ("otherprop", "toyshop"),
    "teddy": ("otherprop", "teddy"),
    "loudspeaker": ("otherprop", "loudspeaker"),
    "monitor": ("television", "monitor"),
    "laptop": ("otherprop", "laptop"),
    "keyboard": ("otherprop", "computer keyboard"),
    "mouse": ("otherprop", "mouse"),
    "computer": ("otherprop", "desktop computer"),
    "printer": ("otherprop", "printer"),
    "telephone": ("otherprop", "dial telephone"),
    "soap": ("otherprop", "soap dispenser"),
    "tray": ("otherprop", "tray"),
    "fruit": ("otherprop", "orange"),
    "pot": ("otherprop", "Crock Pot"),
    "pan": ("otherprop", "frying pan"),
    "fan": ("otherprop", "electric fan"),
    "umbrella": ("otherprop", "umbrella"),
    "spoon": ("otherprop", "wooden spoon"),
    "meal": ("otherprop", None),
    "apple": ("otherprop", "Granny Smith"),
    "orange": ("otherprop", "orange"),
    "lemon": ("otherprop", "lemon"),
    "strawberry": ("otherprop", "strawberry"),
    "bread": ("otherprop", "French loaf"),
    "jar": ("otherprop", None),
    "can": ("otherprop", None),
    "packet": ("otherprop", "packet"),
    "pen": ("otherprop", "ballpoint"),
    "remote": ("otherprop", "remote control"),
    "phone": ("otherprop", "cellular telephone"),
    "spectacles": ("otherprop", "sunglasses"),
    "shoe": ("clothes", "running shoe"),
    "ladder": ("otherstructure", None),
    "thing": ("otherprop", None),
}

_SEMANTIC_OF_CATEGORY = {
    "wine bottle": "bottle", "beer bottle": "bottle", "water bottle": "bottle", "pop bottle": "bottle",
    "pot": "potted plant", "dining table": "dining table", "toilet seat": "toilet", "television": "tv",
    "monitor": "tv", "microwave": "microwave", "stove": "oven", "toaster": "toaster", "washbasin": "sink",
    "refrigerator": "refrigerator", "book jacket": "book", "comic book": "book", "wall clock": "clock",
    "analog clock": "clock", "digital clock": "clock", "vase": "vase",
}  # fmt: skip

_SEMANTIC_OF_LABEL = {
    "chair": "chair", "sofa": "couch", "bed": "bed", "toilet": "toilet", "television": "tv", "sink": "sink",
    "refrigerator": "refrigerator", "books": "book",
}  # fmt: skip


def channel_names(task: str) -> tuple[str, ...]:
    """Return the names of a task's classes, in the order of its channels.

    Raises:
        ConfigError: the task has no classes.
    """
    names = class_names(task)
    if names is None:
        raise ConfigError(
            f"task {task!r} has no classes; class_object, class_scene and segment_semantic have"
        )
    return names


def nyu40(name: str) -> int:
    """Return the number of an NYU40 class, 1 to 40."""
    return NYU40.index(name) + 1


@cache
def kind(name: str) -> Kind:
    """Return label and category of an object by its name in this package.

    Raises:
        ConfigError: no object has that name.
    """
    if name not in _KINDS:
        raise ConfigError(f"no thing is called {name!r}; one of {', '.join(sorted(_KINDS))}")
    label, category = _KINDS[name]
    return Kind(nyu40(label), -1 if category is None else object_channel(category))


def kind_names() -> tuple[str, ...]:
    """List the names of all kinds of objects."""
    return tuple(_KINDS)


@cache
def object_channel(name: str) -> int:
    """Return the channel of `class_object` of an ImageNet class."""
    return channel_names("class_object").index(name)


@cache
def scene_channel(name: str) -> int:
    """Return the channel of `class_scene` of a kind of room."""
    return channel_names("class_scene").index(name)


@cache
def _semantic_tables() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    names = channel_names("segment_semantic")
    of_label = np.zeros(len(NYU40) + 1, dtype=np.int32)
    for label, channel in _SEMANTIC_OF_LABEL.items():
        of_label[nyu40(label)] = names.index(channel)
    of_category = np.zeros(len(channel_names("class_object")) + 1, dtype=np.int32)
    for category, channel in _SEMANTIC_OF_CATEGORY.items():
        of_category[object_channel(category)] = names.index(channel)
    return of_label, of_category


def semantic_channels(labels: ArrayLike, categories: ArrayLike) -> NDArray[np.int32]:
    """Return the channels of `segment_semantic` of objects.

    If the category is more specific than the label (a bottle among other props, a dining table among tables),
    it decides.

    Args:
        labels: any shape, NYU40 numbers, 0 for none.
        categories: the same shape, channels of `class_object`, -1 for none.

    Returns:
        int32, the same shape; 0 is background.
    """
    of_label, of_category = _semantic_tables()
    finer = of_category[np.asarray(categories)]
    channels: NDArray[np.int32] = np.where(finer > 0, finer, of_label[np.asarray(labels)])
    return channels
