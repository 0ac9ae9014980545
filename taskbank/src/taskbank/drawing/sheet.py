"""All predictions for one image on one page."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image, ImageDraw

from taskbank.drawing.canvas import font
from taskbank.drawing.picture_scale import depth_limits
from taskbank.inference.results import Prediction
from taskbank.tasks.kinds import OutputKind
from taskbank.tasks.registry import TASKS

_CELL = 256  # px of a picture
_CAPTION = 40  # px under it


def caption(prediction: Prediction) -> str:
    """Write a one-line caption: the limits of the colours, or the predicted answer."""
    words = ""
    match prediction.kind:
        case OutputKind.DEPTH:
            low, high = depth_limits(prediction)
            words = f"{_metres(low)} (bright) to {_metres(high)}"
        case OutputKind.INVERSE_DEPTH:
            words = "relative: near is bright"
        case OutputKind.CLASSES:
            name, share = prediction.top(1)[0]
            words = f"{name.split(',')[0][:24]} {share:.0%}"
        case OutputKind.MATCH:
            words = f"same point: {float(prediction.array):.0%}"
        case OutputKind.LAYOUT:
            words = " x ".join(f"{edge:.1f}" for edge in prediction.array[6:]) + " m"
        case OutputKind.NORMALS:
            words = f"{prediction.convention.split()[0]} axes"
        case OutputKind.CURVATURE:
            words = "mean: blue below 0, red above"
    return words


def _metres(distance: float) -> str:
    """Write a distance as text."""
    return f"{distance:.2f} m" if distance < 1 else f"{distance:.1f} m"


def sheet(
    pictures: Mapping[str, Image.Image], captions: Mapping[str, str], photo: Image.Image, columns: int = 6
) -> Image.Image:
    """Draw all pictures of one image on a sheet, with their names.

    Args:
        pictures: canonical task name -> picture.
        captions: canonical task name -> text below the name.
        photo: the first picture.
        columns: pictures in a row, at most.

    Returns:
        RGB, 256 px and a caption per picture.
    """
    cells = [("Image", "", photo)]
    for task, shown in pictures.items():  # a user's own target keeps its name
        label = TASKS[task].label if task in TASKS else task
        cells.append((label, captions.get(task, ""), shown))
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    page = Image.new("RGB", (columns * (_CELL + 8) + 8, rows * (_CELL + _CAPTION + 8) + 8), "white")
    draw = ImageDraw.Draw(page)
    for number, (name, words, shown) in enumerate(cells):
        row, column = divmod(number, columns)
        left, top = 8 + column * (_CELL + 8), 8 + row * (_CELL + _CAPTION + 8)
        share = _CELL / max(shown.size)
        size = (max(1, round(shown.width * share)), max(1, round(shown.height * share)))
        small = shown.resize(size, Image.Resampling.LANCZOS)
        page.paste(small, (left + (_CELL - size[0]) // 2, top + (_CELL - size[1]) // 2))  # in the middle
        middle = left + _CELL / 2
        draw.text((middle, top + _CELL + 2), name, fill=(20, 20, 20), font=font(16), anchor="ma")
        draw.text((middle, top + _CELL + 22), words, fill=(90, 90, 90), font=font(13), anchor="ma")
    return page
