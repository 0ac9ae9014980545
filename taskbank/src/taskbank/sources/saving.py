"""Writing of features of image files from many sources to one file."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from taskbank.encoders.source import Source
from taskbank.errors import InvalidInputError, VideoError
from taskbank.images.files import STDIN, Piped, is_video
from taskbank.images.reading import ImageInput
from taskbank.inference.settings import Settings
from taskbank.saving.export import refuse_existing
from taskbank.saving.tensor_stream import tensor_stream
from taskbank.sources.encoding import Features, encode_images
from taskbank.sources.timing import Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Report of `save_features`: the encoded images and the failures.

    Attributes:
        images: files in the order of the rows.
        failed: reasons why the other files could not be used.
    """

    images: tuple[str, ...]
    failed: tuple[str, ...]


def save_features(
    sources: Sequence[Source],
    images: Sequence[Path],
    out: Path,
    *,
    settings: Settings | None = None,
    half: bool = False,
    overwrite: bool = False,
    costs: Iterable[Cost] = (),
    each: Callable[[Features], object] = lambda features: None,
    frames: Callable[[Path], Iterable[ImageInput]] | None = None,
) -> Saved:
    """Write features of many images to one safetensors file.

    The file holds a tensor per source under its name, (N, channels, h, w), as output by its network, and in
    its header `images`: a JSON list of the N files in that order, and `sources`: a JSON list of facts about
    each source (size, patch, channels, mean, std, parameters, weights, licence, and milliseconds if they were
    measured). Memory does not grow with the number of images.

    Args:
        sources: made by `open_sources`; their networks are modified.
        images: files, or `-` for the image on standard input; those that cannot be read are left out.
        out: the file.
        settings: as for `encode_images`.
        half: whether 16-bit floats are written instead of 32.
        overwrite: whether an existing file is replaced.
        costs: of the sources, if they were measured.
        each: called with every result, for progress.
        frames: yields the frames of a video, see `taskbank.file_features.frames_of`. Each frame is a row,
            named `FILE#NUMBER` from 0.

    Raises:
        InvalidInputError: `out` does not end in .safetensors; a video, without `frames`; no image could
            be read.
        OutputError: the file exists already, or cannot be written.
    """
    if out.suffix != ".safetensors":
        raise InvalidInputError(f"{out} must end in .safetensors: features are written in that format")
    if not overwrite:
        refuse_existing([out])
    if frames is None and (videos := [path.name for path in images if is_video(path)]):
        raise InvalidInputError(f"{videos[0]} is a video: give `frames`, which takes its frames out")
    facts = {source.name: source.facts() for source in sources}
    for cost in costs:
        facts[cost.source]["milliseconds"] = cost.milliseconds
    good: list[str] = []
    failed: list[str] = []
    names: deque[str | None] = deque()  # names of frames that are read ahead; None for images

    def items() -> Iterator[ImageInput]:
        for path in images:
            if frames is None or not is_video(path):
                names.append(None)
                yield Piped() if path == STDIN else path
                continue
            try:
                for number, frame in enumerate(frames(path)):
                    names.append(f"{path}#{number}")
                    yield frame
            except VideoError as error:
                failed.append(str(error))

    dtype: type[np.floating] = np.float16 if half else np.float32
    with tensor_stream(out) as stream:
        for features in encode_images(sources, items(), settings):
            name = names.popleft()
            each(features)
            if features.error is not None:
                failed.append(str(features.error))
                continue
            rows: dict[str, NDArray[np.floating]] = {
                name: values.numpy().astype(dtype, copy=False) for name, values in features.maps.items()
            }
            beyond = [name for name, values in rows.items() if not np.isfinite(values).all()]
            if beyond:
                raise InvalidInputError(
                    f"features of {', '.join(beyond)} go beyond what 16 bits hold: leave out --half"
                )
            good.append(features.image if name is None else name)
            stream.add(rows)
        if not good:
            raise InvalidInputError(f"none of {len(images)} image(s) could be read: {failed[0]}")
        stream.metadata |= {"images": json.dumps(good), "sources": json.dumps(list(facts.values()))}
    return Saved(images=tuple(good), failed=tuple(failed))
