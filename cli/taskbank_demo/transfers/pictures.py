"""HTML of a comparison: named pictures, missing networks, the progress of a video."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from taskbank.video.files import open_clip, read_frames
from taskbank_demo.pieces import file_url, note, text
from taskbank_demo.transfers.cast import TITLES, ComparedNetwork, Role
from taskbank_demo.transfers.differ import difference_title, difference_words
from taskbank_demo.transfers.files import Download
from taskbank_demo.transfers.measured import ordinal
from taskbank_demo.transfers.menu import Choice
from taskbank_demo.transfers.photo import Comparison
from taskbank_demo.transfers.video import VideoProgress
from taskbank_demo.transfers.views import prose

_STILL = 640  # px


def waiting(words: str) -> str:
    """Return a placeholder for a result that was not requested yet."""
    return f'<div class="tr-empty"><p>{text(words)}</p></div>'


def comparison(shown: Comparison, files: Download) -> str:
    """Return the input and every network's picture, each with its name, or the reason why it is missing."""
    cells = [_figure(shown.photograph, "Input", "the middle of the photograph", "")]
    for panel in shown.panels:
        title = TITLES[panel.part.role]
        if panel.image is None:
            cells.append(_absent(panel.part))
        else:
            chosen = panel.part.role is Role.TRANSFER
            cells.append(_figure(panel.image, title, panel.part.note, panel.words, chosen=chosen))
    words = note(shown.colours) if shown.colours else ""
    # Distance of each prediction from that of the fully trained network.
    kind, unit = shown.prediction.kind, shown.prediction.unit
    rows = [
        f"<dt>{text(TITLES[panel.part.role])}</dt><dd>{difference_words(kind, panel.difference, unit)}</dd>"
        for panel in shown.panels
        if panel.difference is not None
    ]
    differences = ""
    if rows:
        differences = (
            '<div class="tr-figure tr-differences"><h4>Distance from full supervision</h4>'
            f"<span>on this photograph: {text(difference_title(kind))}</span><dl>{''.join(rows)}</dl></div>"
        )
    grid = f'<div class="tr-grid">{"".join(cells)}{differences}</div>'
    # Links to the files that can be saved.
    links = (
        ("Picture (PNG)", files.picture),
        ("Values (NPY)", files.array),
        ("Facts (JSON)", files.facts),
        ("All pictures (PNG)", files.together),
    )
    listed = "".join(
        f'<a class="tb-link" href="{file_url(path)}" download="{text(path.name)}">{title}</a>'
        for title, path in links
    )
    saved = f'<nav class="tr-links" aria-label="Downloads of the transfer">{listed}</nav>'
    return f'<div aria-live="polite">{grid}{words}{saved}</div>'


def preview(path: str) -> str:
    """Return an uploaded video, with its first frame for browsers that cannot play it.

    Raises:
        VideoError: the video cannot be read.
    """
    clip = open_clip(Path(path))
    first, poster = next(read_frames(clip, {0}), None), ""
    if first is not None:
        still = Image.fromarray(first.pixels)
        still.thumbnail((_STILL, _STILL))
        poster = f'poster="{data_address(still)}"'
    seconds = float(clip.frames / clip.rate)
    return (
        f'<figure class="tr-preview"><video src="{file_url(Path(path))}" {poster} controls muted '
        'playsinline preload="metadata" aria-label="The uploaded video"></video>'
        f"<figcaption>{clip.width} x {clip.height}, {clip.frames} frames, {seconds:.1f} seconds</figcaption>"
        "</figure>"
    )


def progress(step: VideoProgress, choice: Choice) -> str:
    """Return the newest frame of an unfinished video, and its progress."""
    percent = 100 * step.done // max(step.total, 1)
    which = "" if step.every == 1 else f", every {ordinal(step.every)} one so that it is done in time"
    return (
        '<figure class="tr-progress">'
        f'<img src="{data_address(step.image)}" alt="Newest frame: {text(choice.words)}">'
        f'<figcaption><div class="tr-track" role="progressbar" aria-label="Frames done" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        f"<span>VideoFrame {step.done} of {step.total}{which}</span></figcaption></figure>"
    )


def finished(step: VideoProgress, length: float, parts: Sequence[ComparedNetwork]) -> str:
    """Describe a finished video: its rows, the frames left out, and the missing networks."""
    rows = ["input", *(TITLES[part.role].lower() for part in parts if part.runs is not None)]
    sentences = [f"{step.done} frames, row by row: {', '.join(rows)}."]
    if step.every > 1:
        sentences.append(f"Every {ordinal(step.every)} frame was compared, so that it was done in time.")
    if step.done < step.total:
        sentences.append(f"The time was over after {step.seconds:.1f} of {length:.1f} seconds.")
    absent = "".join(_absent(part) for part in parts if part.runs is None)
    rest = f'<div class="tr-grid">{absent}</div>' if absent else ""
    return note(" ".join(sentences)) + rest


def data_address(image: Image.Image) -> str:
    """Return a picture as a data URL."""
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=90, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _figure(image: Image.Image, title: str, about: str, words: str, *, chosen: bool = False) -> str:
    """Return a named picture that opens at full size."""
    kind = "tr-figure tr-first" if chosen else "tr-figure"
    said = f"<strong>{text(words)}</strong>" if words else ""
    return (
        f'<figure class="{kind}">'
        f'<button type="button" class="tr-zoom" aria-label="{text(title)} at full size">'
        f'<img src="{data_address(image)}" alt="{text(title)}: {text(about)}"></button>'
        f"<figcaption><h4>{text(title)}</h4><span>{text(about)}{said}</span></figcaption></figure>"
    )


def _absent(part: ComparedNetwork) -> str:
    """Return a missing network, and how to get it."""
    return (
        f'<div class="tr-figure tr-absent"><h4>{text(TITLES[part.role])}</h4>'
        f"<span>{text(part.note)}</span><p>{prose(part.missing)}</p></div>"
    )
