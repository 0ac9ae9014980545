"""Writing of results for large photographs in strips, within a limit of memory.

Each strip of rows is treated as a photograph with a view of the same scene, so that the usual functions
decode and draw it, with the same pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from math import ceil, sqrt
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from taskbank.atomic_files import whole_file, write_whole
from taskbank.drawing.picture_scale import Scale, measure
from taskbank.drawing.render import picture, seen_pixels
from taskbank.drawing.sheet import caption
from taskbank.images.framing import Box, View
from taskbank.images.photo import Photo
from taskbank.inference.decode import Reading
from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.labels.files import save_facts
from taskbank.options import Axes, Fit, Frame
from taskbank.saving.export import Form, deep_name, depth_code
from taskbank.saving.point_cloud import cloud_stream
from taskbank.tasks.kinds import MAPS, OutputKind

LARGE = 6_000_000
"""Number of pixels above which the maps of a photograph are saved in strips."""

_STRIP = 1_000_000  # most pixels of a strip
_SMALL = 512  # px of the picture that is kept for the sheet
_IN_STRIPS = (Form.PNG, Form.NPY, Form.JSON, Form.PLY)
_LEGEND = frozenset({OutputKind.SEMANTIC_MAP})  # kinds with a legend on the whole picture


def goes_in_strips(outcome: Outcome, task: str, reading: Reading) -> bool:
    """Return True if the files of a prediction are written in strips."""
    kind = outcome.bank.find_target(task).output
    view = outcome.inputs[0].view
    return (
        kind in MAPS - _LEGEND
        and reading.frame is Frame.INPUT
        and view.fit is not Fit.PAD  # whose padded cells depend on the edges of the whole photograph
        and len(outcome.inputs) == 1
        and view.width * view.height > LARGE
    )


def save_in_strips(
    outcome: Outcome,
    task: str,
    folder: Path,
    forms: Iterable[Form],
    reading: Reading,
    *,
    fov: float | None = None,
    with_normals: bool = False,
    axes: Axes = Axes.OPENCV,
) -> tuple[Image.Image, str] | None:
    """Write the files of one map, each atomically, as `taskbank.saving.export.save_prediction` does.

    Scales of colours that depend on the prediction, and the need for transparency, are determined on a
    million pixels.

    Args:
        outcome: of one large photograph.
        task: canonical name, or that of a user's own target.
        folder: is created; existing files are replaced.
        forms: the forms to write: png, npy, json and ply; others are ignored.
        reading: form of the predictions.
        fov: horizontal field of view of the photograph in degrees, for point clouds; None as for
            `taskbank.saving.point_cloud.focal_length`.
        with_normals: whether the points of a point cloud have the normals that the outcome holds.
        axes: of the points of a point cloud.

    Returns:
        a small picture and its caption, or None if no picture is made.

    Raises:
        OutputError: a file cannot be written.
    """
    wanted = [form for form in forms if form in _IN_STRIPS]
    preprocessed = outcome.inputs[0].for_task(outcome.bank.find_target(task))
    width, height = preprocessed.view.width, preprocessed.view.height
    reduced = _reduced(outcome, preprocessed)
    coarse = reduced.prediction(task, reading)
    scale = measure([coarse])
    masked = preprocessed.view.unseen > 0 or not seen_pixels(coarse).all()
    in_network = coarse.kind is OutputKind.EMBEDDING  # only its picture is enlarged
    prediction = coarse
    writers: list[Callable[[int, Outcome, Prediction], None]] = []
    with ExitStack() as stack:
        if Form.PNG in wanted:
            drawn = stack.enter_context(png_stream(folder / f"{task}.png", width, height, 4 if masked else 3))
            writers.append(lambda _, strip, made: drawn.write(_drawn(made, strip, scale, masked)))
        if Form.PNG in wanted and coarse.kind is OutputKind.DEPTH:
            coded = stack.enter_context(png_stream(folder / deep_name(task), width, height, 1, bits=16))
            writers.append(lambda *given: coded.write(depth_code(given[-1])))
        if Form.NPY in wanted and not in_network:
            path = folder / f"{task}.npy"
            numbers = stack.enter_context(stack.enter_context(whole_file(path)).open("wb"))
            writers.append(lambda start, _, made: _write_rows(numbers, made.array, None if start else height))
        if Form.PLY in wanted and coarse.kind is OutputKind.DEPTH:
            path = folder / f"{task}.{Form.PLY}"
            cloud = stack.enter_context(cloud_stream(path, preprocessed.view, fov=fov, axes=axes))

            def add_points(start: int, strip: Outcome, made: Prediction) -> None:
                normals = strip.prediction("normal", reading) if with_normals else None
                cloud.write(made, strip.inputs[0], normals=normals, start=start)

            writers.append(add_points)
        for start, strip in _strips(outcome, preprocessed, max(1, _STRIP // width)):
            prediction = strip.prediction(task, reading)
            for write in writers:
                write(start, strip, prediction)
    if Form.NPY in wanted and in_network:
        write_whole(folder / f"{task}.npy", lambda file: np.save(file, coarse.array))
    if Form.JSON in wanted:
        if not in_network:  # facts of the whole map, from an array of its shape that takes no memory
            shape = (height, *prediction.array.shape[1:])
            whole = np.broadcast_to(prediction.array[:1, :1], shape)
            prediction = replace(prediction, array=whole, views=(preprocessed.view,))
        elif in_network:
            prediction = replace(coarse, views=(preprocessed.view,))
        save_facts(folder / f"{task}.json", prediction.facts())
    if Form.PNG not in wanted:
        return None
    small = picture(coarse, reduced.inputs, scale=scale)
    small.thumbnail((_SMALL, _SMALL))
    return small, caption(coarse)


def _reduced(outcome: Outcome, preprocessed: Preprocessed) -> Outcome:
    """Return the outcome for the photograph reduced to at most the pixels of a strip."""
    view, photo = preprocessed.view, preprocessed.photo
    factor = ceil(sqrt(view.width * view.height / _STRIP))
    width, height = ceil(view.width / factor), ceil(view.height / factor)
    across, down = width / view.width, height / view.height
    box = Box(view.box.left * across, view.box.top * down, view.box.right * across, view.box.bottom * down)
    columns = torch.arange(width) * photo.pixels.shape[-1] // width
    rows = torch.arange(height) * photo.pixels.shape[-2] // height
    few = Photo(photo.pixels[:, rows][..., columns], photo.name)
    part = View(width, height, box, view.size, view.fit)
    return replace(outcome, inputs=(replace(preprocessed, photo=few, view=part, middle=None),))


def _strips(outcome: Outcome, preprocessed: Preprocessed, rows: int) -> Iterator[tuple[int, Outcome]]:
    """Yield strips of the photograph from top to bottom: the first row, and the outcome for the strip."""
    view, photo = preprocessed.view, preprocessed.photo
    for start in range(0, view.height, rows):
        stop = min(start + rows, view.height)
        box = replace(view.box, top=view.box.top - start, bottom=view.box.bottom - start)
        part = View(view.width, stop - start, box, view.size, view.fit)
        shown = replace(
            preprocessed, photo=Photo(photo.rows(start, stop), photo.name), view=part, middle=None
        )
        yield start, replace(outcome, inputs=(shown,))


def _drawn(prediction: Prediction, strip: Outcome, scale: Scale | None, masked: bool) -> NDArray[np.uint8]:
    """Draw the picture of a strip, with transparent unseen pixels if `masked`."""
    shown = picture(prediction, strip.inputs, scale=scale)
    if masked:
        shown.putalpha(Image.fromarray(seen_pixels(prediction).astype(np.uint8) * 255))
    return np.asarray(shown)


def _write_rows(file: BinaryIO, rows: NDArray[Any], height: int | None) -> None:
    """Append rows to an array file, after a header if the total height is given."""
    if height is not None:
        descr = np.lib.format.dtype_to_descr(rows.dtype)
        head = {"descr": descr, "fortran_order": False, "shape": (height, *rows.shape[1:])}
        np.lib.format.write_array_header_1_0(file, head)
    file.write(np.ascontiguousarray(rows).tobytes())


class PngStream:
    """A PNG file that is written row by row. Made by `png_stream`."""

    def __init__(self, file: BinaryIO, bits: int) -> None:
        self._file = file
        self._bits = bits
        self._packer = zlib.compressobj(1)

    def write(self, rows: NDArray[np.generic]) -> None:
        """Append rows: uint8 (n, width, channels), or uint16 (n, width) for 16 bits."""
        lines = rows.astype(">u2").view(np.uint8) if self._bits == 16 else rows.reshape(len(rows), -1)
        # Each line begins with the number of its filter; here always "up", which subtracts the line above.
        previous = np.zeros((1, lines.shape[1]), np.uint8)
        above = np.concatenate([previous, lines[:-1]])
        filtered = np.empty((len(lines), lines.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        filtered[0, 0] = 0  # no filter for a strip's first line
        filtered[:, 1:] = lines - above
        self._put(b"IDAT", self._packer.compress(filtered.tobytes()))

    def begin(self, width: int, height: int, channels: int) -> None:
        """Write the header."""
        kind = {1: 0, 3: 2, 4: 6}[channels]
        self._file.write(b"\x89PNG\r\n\x1a\n")
        self._put(b"IHDR", struct.pack(">IIBBBBB", width, height, self._bits, kind, 0, 0, 0))

    def end(self) -> None:
        """Write the remaining pixels and the end of the file."""
        self._put(b"IDAT", self._packer.flush())
        self._put(b"IEND", b"")

    def _put(self, kind: bytes, content: bytes) -> None:
        """Write a chunk; empty chunks of pixels are left out."""
        if content or kind != b"IDAT":
            self._file.write(struct.pack(">I", len(content)) + kind + content)
            self._file.write(struct.pack(">I", zlib.crc32(kind + content)))


@contextmanager
def png_stream(path: Path, width: int, height: int, channels: int, bits: int = 8) -> Iterator[PngStream]:
    """Open a stream of rows to a PNG file, which appears if the block ends without an error.

    Args:
        path: the file; its folder is created.
        width: columns.
        height: rows, all of which must be written.
        channels: 1 (grey), 3 (colours) or 4 (colours and transparency).
        bits: 8, or 16 for grey.

    Raises:
        OutputError: the file cannot be written.
    """
    with whole_file(path) as partial, partial.open("wb") as file:
        stream = PngStream(file, bits)
        stream.begin(width, height, channels)
        yield stream
        stream.end()
