"""Results of large photographs, strip by strip: memory follows a limit, not the photograph.

A strip of rows is a photograph of its own, whose view is the same part of the world: so whatever decodes and
draws maps decodes and draws strips, and gives the same pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
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
from taskbank.images.reading import Photo
from taskbank.inference.decode import Reading
from taskbank.inference.outcome import Outcome
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction
from taskbank.labels.files import save_facts
from taskbank.options import Fit, Frame
from taskbank.saving.export import Form, deep_name, depth_code
from taskbank.tasks.kinds import MAPS, OutputKind

LARGE = 6_000_000
"""Pixels of a photograph from which its maps are saved in strips."""

_STRIP = 1_000_000  # pixels of a strip
_SMALL = 512  # px of the picture that is kept for the sheet
_IN_STRIPS = (Form.PNG, Form.NPY, Form.JSON)
_LEGEND = frozenset({OutputKind.SEMANTIC_MAP})  # kinds with words over the whole picture


def goes_in_strips(outcome: Outcome, task: str, forms: Iterable[Form], reading: Reading) -> bool:
    """Tell whether the files of a prediction are written in strips."""
    kind = outcome.bank.find_target(task).output
    view = outcome.inputs[0].view
    return (
        kind in MAPS - _LEGEND
        and reading.frame is Frame.INPUT
        and view.fit is not Fit.PAD  # where places on padding are told by the edges of the photograph
        and len(outcome.inputs) == 1
        and view.width * view.height > LARGE
        and Form.PLY not in set(forms)
    )


def save_in_strips(
    outcome: Outcome, task: str, folder: Path, forms: Iterable[Form], reading: Reading
) -> tuple[Image.Image, str] | None:
    """Write the files of one map, each whole or not at all, as `taskbank.saving.export.save_prediction` does.

    The limits of colours that adapt to what is there, and whether the picture is transparent somewhere, are
    found on a million pixels of it.

    Args:
        outcome: of one large photograph.
        task: canonical name, or that of a user's own target.
        folder: is made; files of those names are replaced.
        forms: what to write: png, npy and json; others are passed over.
        reading: how predictions are wanted.

    Returns:
        a small picture and its caption, where pictures are made.

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
    in_network = coarse.kind is OutputKind.EMBEDDING  # its vectors stay few, its picture is enlarged
    prediction = coarse
    with ExitStack() as stack:
        drawn = coded = numbers = None
        if Form.PNG in wanted:
            drawn = stack.enter_context(png_stream(folder / f"{task}.png", width, height, 4 if masked else 3))
        if Form.PNG in wanted and coarse.kind is OutputKind.DEPTH:
            coded = stack.enter_context(png_stream(folder / deep_name(task), width, height, 1, bits=16))
        if Form.NPY in wanted and not in_network:
            path = folder / f"{task}.npy"
            numbers = stack.enter_context(stack.enter_context(whole_file(path)).open("wb"))
        for start, strip in _strips(outcome, preprocessed, max(1, _STRIP // width)):
            prediction = strip.prediction(task, reading)
            if numbers is not None:
                _write_rows(numbers, prediction.array, height if start == 0 else None)
            if drawn is not None:
                drawn.write(_drawn(prediction, strip, scale, masked))
            if coded is not None:
                coded.write(depth_code(prediction))
    if Form.NPY in wanted and in_network:
        write_whole(folder / f"{task}.npy", lambda file: np.save(file, coarse.array))
    if Form.JSON in wanted:
        if not in_network:  # the facts of the whole, with an array of its shape that takes no memory
            shape = (height, *prediction.array.shape[1:])
            whole = np.broadcast_to(prediction.array[:1, :1], shape)
            prediction = replace(prediction, array=whole, views=(preprocessed.view,))
        elif in_network:
            prediction = replace(coarse, views=(preprocessed.view,))
        save_facts(folder / f"{task}.json", prediction.facts())
    if drawn is None:
        return None
    small = picture(coarse, reduced.inputs, scale=scale)
    small.thumbnail((_SMALL, _SMALL))
    return small, caption(coarse)


def _reduced(outcome: Outcome, preprocessed: Preprocessed) -> Outcome:
    """The outcome as if the photograph had no more pixels than a strip."""
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
    """The photograph in strips from top to bottom: first row, and the outcome as if that were all."""
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
    """The picture of a strip; transparent where nothing was seen, if the whole is so anywhere."""
    shown = picture(prediction, strip.inputs, scale=scale)
    if masked:
        shown.putalpha(Image.fromarray(seen_pixels(prediction).astype(np.uint8) * 255))
    return np.asarray(shown)


def _write_rows(file: BinaryIO, rows: NDArray[Any], height: int | None) -> None:
    """Add rows to an array file, after its head where the height of all is given."""
    if height is not None:
        descr = np.lib.format.dtype_to_descr(rows.dtype)
        head = {"descr": descr, "fortran_order": False, "shape": (height, *rows.shape[1:])}
        np.lib.format.write_array_header_1_0(file, head)
    file.write(np.ascontiguousarray(rows).tobytes())


class PngStream:
    """Rows on their way into a PNG file. Made by `png_stream`."""

    def __init__(self, file: BinaryIO, bits: int) -> None:
        self._file = file
        self._bits = bits
        self._packer = zlib.compressobj(1)

    def write(self, rows: NDArray[np.generic]) -> None:
        """Add rows: uint8 (n, width, channels), or uint16 (n, width) for 16 bits."""
        lines = rows.astype(">u2").view(np.uint8) if self._bits == 16 else rows.reshape(len(rows), -1)
        # Each line begins with its filter; here always the one that takes the line above away.
        previous = np.zeros((1, lines.shape[1]), np.uint8)
        above = np.concatenate([previous, lines[:-1]])
        filtered = np.empty((len(lines), lines.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        filtered[0, 0] = 0  # of a strip's first line nothing is taken away
        filtered[:, 1:] = lines - above
        self._put(b"IDAT", self._packer.compress(filtered.tobytes()))

    def begin(self, width: int, height: int, channels: int) -> None:
        """Write the head."""
        kind = {1: 0, 3: 2, 4: 6}[channels]
        self._file.write(b"\x89PNG\r\n\x1a\n")
        self._put(b"IHDR", struct.pack(">IIBBBBB", width, height, self._bits, kind, 0, 0, 0))

    def end(self) -> None:
        """Write what is left."""
        self._put(b"IDAT", self._packer.flush())
        self._put(b"IEND", b"")

    def _put(self, kind: bytes, content: bytes) -> None:
        """Write a chunk; empty ones of pixels are left out."""
        if content or kind != b"IDAT":
            self._file.write(struct.pack(">I", len(content)) + kind + content)
            self._file.write(struct.pack(">I", zlib.crc32(kind + content)))


@contextmanager
def png_stream(path: Path, width: int, height: int, channels: int, bits: int = 8) -> Iterator[PngStream]:
    """A stream of rows that becomes a PNG file when the block ends well, and nothing otherwise.

    Args:
        path: the file; its folder is made.
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
