"""Encoding of image files: representations or features in one safetensors file."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from taskbank.bank.bank import Bank
from taskbank.encoders.source import Source
from taskbank.errors import InvalidInputError, VideoError
from taskbank.images.files import STDIN, Piped, is_video
from taskbank.images.reading import ImageInput
from taskbank.inference.engine import Engine, Outcome
from taskbank.inference.settings import Settings
from taskbank.saving.export import refuse_existing
from taskbank.saving.tensor_stream import tensor_stream
from taskbank.sources.encoding import Features, encode_images
from taskbank.sources.timing import Cost
from taskbank.video.files import Clip, load_av, open_clip, read_frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Report of `encode_files`: the encoded images and the failures.

    Attributes:
        images: files in the order of the rows.
        failed: outcomes of files that could not be read.
        notes: faults of videos that did not prevent encoding.
        unseen: largest share of an image that its encoders did not see.
    """

    images: tuple[str, ...]
    failed: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()
    unseen: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFeatures:
    """Report of `encode_sources`: the encoded images and the failures.

    Attributes:
        images: files in the order of the rows.
        failed: reasons why the other files could not be used.
        notes: faults of videos that did not prevent encoding.
        unseen: largest share of an image that its encoders did not see.
    """

    images: tuple[str, ...]
    failed: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unseen: float = 0.0


def encode_files(
    bank: Bank,
    tasks: Iterable[str],
    images: Sequence[Path],
    out: Path,
    *,
    settings: Settings | None = None,
    normalize: bool = True,
    half: bool = False,
    overwrite: bool = False,
    each: Callable[[Path], object] = lambda path: None,
) -> Encoded:
    """Write the representations of many images to one safetensors file.

    The file holds a tensor per task under its canonical name, (N, 8, h, w), and in its header `images`: a
    JSON list of the N files in that order, `normalised`, `bank` and `bank_sha256`. Each frame of a video has
    a row, named `FILE#NUMBER` from 0. An image takes 8 kB per task (4 kB as half) on disk, and twice that
    until the file is complete; memory does not grow with the number of images.

    Args:
        bank: source of the encoders.
        tasks: names of tasks, also of those that take several images.
        images: image or video files, or `-` for the image on standard input; files that cannot be read are
            left out.
        out: the file.
        settings: how the encoders are run.
        normalize: whether every channel is scaled to mean 0 and variance 1; otherwise the form that decoders
            read.
        half: whether 16-bit floats are written instead of 32.
        overwrite: whether an existing file is replaced.
        each: called with every finished file, for progress.

    Raises:
        InvalidInputError: `out` does not end in .safetensors; no image could be read.
        OutputError: the file exists already, or cannot be written.
        TaskBankError: as `taskbank.inference.engine.Engine`.

    Examples:
        >>> from pathlib import Path
        >>> import taskbank
        >>> bank = taskbank.Bank.open("rooms")
        >>> taskbank.encode_files(bank, ["normals"], [Path("photo.jpg")], Path("codes.safetensors")).images
        ('photo.jpg',)
    """
    _check_files(images, out, overwrite=overwrite)
    engine = Engine(bank, tasks, settings, encoders_only=True)
    good: list[str] = []
    failed: list[Outcome] = []
    notes: list[str] = []
    unseen = 0.0
    dtype: type[np.floating] = np.float16 if half else np.float32
    with tensor_stream(out) as stream:
        for videos, group in groupby(images, key=is_video):
            if videos:
                encoded = ((path, _encode_video(engine, path, normalize, notes)) for path in group)
            else:
                paths = list(group)
                items = [Piped() if path == STDIN else path for path in paths]
                outcomes = engine.encode(items, normalize=normalize)
                encoded = ((path, iter([one])) for path, one in zip(paths, outcomes, strict=True))
            for path, rows in encoded:
                for outcome in rows:
                    if outcome.error is not None:
                        failed.append(outcome)
                        continue
                    good.append(outcome.sources[0])
                    unseen = max(unseen, *(one.part(whole=False).view.unseen for one in outcome.inputs))
                    codes = {
                        task: code.numpy().astype(dtype, copy=False) for task, code in outcome.raw.items()
                    }
                    stream.add(codes)
                if path is not None:
                    each(path)
        if not good:
            raise InvalidInputError(f"none of {len(images)} image(s) could be read: {failed[0].error}")
        stream.metadata |= {
            "images": json.dumps(good),
            "normalised": json.dumps(normalize),
            "bank": bank.name,
            "bank_sha256": bank.digest,
        }
    return Encoded(images=tuple(good), failed=tuple(failed), notes=tuple(notes), unseen=unseen)


def encode_sources(
    sources: Sequence[Source],
    images: Sequence[Path],
    out: Path,
    *,
    settings: Settings | None = None,
    half: bool = False,
    overwrite: bool = False,
    costs: Iterable[Cost] = (),
    each: Callable[[Features], object] = lambda features: None,
) -> EncodedFeatures:
    """Write features of images and videos from any sources to one safetensors file.

    The file holds a tensor per source under its name, (N, channels, h, w), as output by its network, and in
    its header `images`: a JSON list of the N files in that order, and `sources`: a JSON list of facts about
    each source (size, patch, channels, mean, std, parameters, weights, licence, and milliseconds if they were
    measured). Each frame of a video has a row, named `FILE#NUMBER` from 0. Memory does not grow with the
    number of images.

    Args:
        sources: made by `open_sources`; their networks are modified.
        images: image or video files, or `-` for the image on standard input; files that cannot be read are
            left out.
        out: the file.
        settings: as for `taskbank.sources.encoding.encode_images`.
        half: whether 16-bit floats are written instead of 32.
        overwrite: whether an existing file is replaced.
        costs: of the sources, if they were measured.
        each: called with every result, for progress.

    Raises:
        InvalidInputError: `out` does not end in .safetensors; no image could be read.
        OutputError: the file exists already, or cannot be written.
        MissingPackageError: `images` has a video, and no package that reads videos is installed.

    Examples:
        >>> from pathlib import Path
        >>> import taskbank
        >>> sources = taskbank.open_sources("normal,reshading")
        >>> taskbank.encode_sources(sources, [Path("photo.jpg")], Path("features.safetensors")).images
        ('photo.jpg',)
    """
    _check_files(images, out, overwrite=overwrite)
    facts = {source.name: source.facts() for source in sources}
    for cost in costs:
        facts[cost.source]["milliseconds"] = cost.milliseconds
    good: list[str] = []
    failed: list[str] = []
    notes: list[str] = []
    unseen = 0.0
    names: deque[str | None] = deque()  # names of frames that are read ahead; None for images

    def items() -> Iterator[ImageInput]:
        for path in images:
            if not is_video(path):
                names.append(None)
                yield Piped() if path == STDIN else path
                continue
            try:
                clip = open_clip(path)
                for number, frame in enumerate(read_frames(clip)):
                    names.append(f"{path}#{number}")
                    yield frame.pixels
                notes.extend(_faults(clip))
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
            unseen = max(unseen, 0.0 if features.view is None else features.view.unseen)
            stream.add(rows)
        if not good:
            raise InvalidInputError(f"none of {len(images)} image(s) could be read: {failed[0]}")
        stream.metadata |= {"images": json.dumps(good), "sources": json.dumps(list(facts.values()))}
    return EncodedFeatures(images=tuple(good), failed=tuple(failed), notes=tuple(notes), unseen=unseen)


def _check_files(images: Sequence[Path], out: Path, *, overwrite: bool) -> None:
    """Check the output file and the reader of videos before networks are loaded."""
    if out.suffix != ".safetensors":
        raise InvalidInputError(f"{out} must end in .safetensors: features are written in that format")
    if not overwrite:
        refuse_existing([out])
    if any(map(is_video, images)):
        load_av()


def _encode_video(engine: Engine, path: Path, normalize: bool, notes: list[str]) -> Iterator[Outcome]:
    """Encode the frames of a video in order; report its faults as an outcome with an error, or as a note."""
    try:
        clip = open_clip(path)
        frames = engine.encode((frame.pixels for frame in read_frames(clip)), normalize=normalize)
        for number, outcome in enumerate(frames):
            yield replace(outcome, sources=(f"{path}#{number}",))
    except VideoError as error:
        yield Outcome(sources=(str(path),), error=error, bank=engine.bank)
        return
    notes.extend(_faults(clip))


def _faults(clip: Clip) -> list[str]:
    """Describe in a sentence what of a clip is missing or damaged; empty if nothing is."""
    warning = "; ".join(filter(None, (clip.cut_off, str(clip.damage))))
    return [f"{clip.path}: {warning}"] if warning else []
