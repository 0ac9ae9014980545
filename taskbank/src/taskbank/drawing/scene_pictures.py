"""Pictures of outputs that are not maps: rooms, vanishing points, poses, classes, matches, puzzles.

All functions take a prediction, the network's inputs and the field of view in degrees, even if they need only
some.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from taskbank.drawing.canvas import (
    Canvas,
    Colour,
    Point,
    below,
    beside,
    clip_segment,
    font,
    on_photo,
    photo_image,
    seen_image,
)
from taskbank.geometry import BOX_EDGES, box_corners, project, rotation
from taskbank.inference.preprocess import Preprocessed
from taskbank.inference.results import Prediction

_NEAR = 0.05  # metres in front of the camera; nearer parts of a room's edges are clipped
_CROSS = np.array([0, 0, -2.6])  # centre of the drawn cross of axes; its arms have length 1
_LEVEL = 1e-3  # least |z|: flatter directions vanish too far away to be drawn
_PLOT = 320  # px
_CARD = 384  # px
_AXES: tuple[Colour, ...] = ((235, 64, 52), (70, 190, 80), (66, 120, 245))
_FLOOR: Colour = (255, 196, 0)
_WALLS: Colour = (240, 80, 60)
_INK: Colour = (40, 40, 40)
_BAR: Colour = (120, 160, 230)


def layout_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], fov: float) -> Image.Image:
    """Draw the edges of the room on the photo, those of the floor in yellow."""
    image, view = photo_image(inputs[0].photo), inputs[0].view
    canvas = Canvas(image)
    corners = box_corners(prediction.array)
    for one, other in BOX_EDGES:
        ends = clip_segment(corners[one], corners[other], _NEAR)
        if ends is None:
            continue
        # Bit 1 of a corner's number is the room's z, its height; 0 is the floor.
        floor = not (one & 1 or other & 1)
        canvas.line(on_photo(image, view, project(np.stack(ends), fov)), _FLOOR if floor else _WALLS)
    return canvas.done()


def vanishing_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], fov: float) -> Image.Image:
    """Draw a cross of the room's axes (red x, green y, blue z), with dots at their vanishing points."""
    image, view = photo_image(inputs[0].photo), inputs[0].view
    canvas = Canvas(image)
    for name, direction, colour in zip("xyz", prediction.array.astype(float), _AXES, strict=True):
        ends = project(_CROSS + np.stack([np.zeros(3), direction, 1.15 * direction]), fov)
        middle, tip, beyond = on_photo(image, view, ends)
        canvas.line([middle, tip], colour, 2)
        canvas.dot(tip, colour, 2)
        canvas.text(beyond, name, colour)
        # An axis has two directions; one of them points ahead.
        ahead = direction if direction[2] < 0 else -direction
        if ahead[2] < -_LEVEL and (np.abs(project(ahead, fov) - 0.5) <= 0.5).all():
            canvas.dot(on_photo(image, view, [project(ahead, fov)])[0], colour, 4)
    return canvas.done()


def pose_picture(prediction: Prediction, _sights: tuple[Preprocessed, ...], _fov: float) -> Image.Image:
    """Draw cameras as pyramids, seen from above and behind camera 2: red 1, green 2, blue 3."""
    cameras = [(np.zeros(3), np.eye(3), "2", _AXES[1])]
    poses = np.atleast_2d(prediction.array).astype(float)
    cameras.append((poses[0, 3:], rotation(poses[0, :3]), "1", _AXES[0]))
    if len(poses) > 1:
        # The second row maps camera 2's frame to camera 3's; its inverse is the pose of camera 3 in camera
        # 2's frame.
        back = rotation(poses[1, :3]).T
        cameras.append((-back @ poses[1, 3:], back, "3", _AXES[2]))
    spread = max(1.0, *(float(np.abs(place).max()) for place, *_ in cameras))
    canvas = Canvas(Image.new("RGB", (_PLOT, _PLOT), "white"), rims=False)
    middle = np.mean([place for place, *_ in cameras], axis=0)
    # A grid under the cameras, whose squares are half a unit of the plot.
    for step in np.linspace(-1, 1, 5):
        for line in ([[step, -0.8, -1], [step, -0.8, 1]], [[-1, -0.8, step], [1, -0.8, step]]):
            canvas.line(_plotted(np.array(line)), (205, 205, 205), 0.5)
    # A camera is a pyramid that opens in its viewing direction.
    frame = np.array([[-1, -0.75, -1.2], [1, -0.75, -1.2], [1, 0.75, -1.2], [-1, 0.75, -1.2]]) * 0.25
    for place, turn, name, colour in cameras:
        at = (place - middle) / spread
        corners = _plotted(at + frame @ turn.T)
        (tip,) = _plotted(at[None])
        canvas.line([*corners, corners[0]], colour, 1)
        for corner in corners:
            canvas.line([tip, corner], colour, 1)
        canvas.dot(tip, colour, 2.5)
        canvas.text((tip[0] + 10, tip[1] + 10), name, colour, 12)
    words = f"floor squares {spread / 2:.2g} m"
    canvas.text((_PLOT - 8, _PLOT - 8), words, _INK, 10, anchor="rb")
    return canvas.done()


def _plotted(points: NDArray[np.float64]) -> list[Point]:
    """Project points (n, 3) of camera 2's frame, in units of the plot, to px of the plot."""
    tilt = rotation([np.radians(35), 0, 0]) @ rotation([0, np.radians(-25), 0])
    seen = points @ tilt.T
    return [(_PLOT * (0.5 + 0.27 * x), _PLOT * (0.42 - 0.27 * y)) for x, y, _ in seen]


def classes_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], _fov: float) -> Image.Image:
    """Draw the image that the network saw, and the five likeliest classes as bars."""
    image = seen_image(inputs[0].square).resize((_CARD, _CARD), Image.Resampling.LANCZOS)
    top = prediction.top()
    width, row = _CARD, 34
    panel = Image.new("RGB", (width, row * len(top) + 8), "white")
    draw = ImageDraw.Draw(panel)
    for number, (name, share) in enumerate(top):
        upper = 4 + number * row
        draw.rectangle((4, upper + 2, 4 + (width - 8) * share, upper + row - 3), fill=_BAR)
        words = f"{name}  {share:.1%}"
        draw.text((10, upper + row / 2), words, fill=_INK, font=font(20), anchor="lm")
    return below(image, panel)


def numbers_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], _fov: float) -> Image.Image:
    """Draw the image that the network saw, and the predicted numbers with their names and unit."""
    image = seen_image(inputs[0].square).resize((_CARD, _CARD), Image.Resampling.LANCZOS)
    names = prediction.classes or tuple(f"number {place}" for place in range(len(prediction.array)))
    unit = "" if prediction.unit == "1" else f" {prediction.unit}"
    row = 28
    panel = Image.new("RGB", (_CARD, row * len(names) + 8), "white")
    draw = ImageDraw.Draw(panel)
    for place, (name, value) in enumerate(zip(names, prediction.array.tolist(), strict=True)):
        middle = 4 + (place + 0.5) * row
        draw.text((10, middle), name, fill=_INK, font=font(18), anchor="lm")
        draw.text((_CARD - 10, middle), f"{value:.4g}{unit}", fill=_INK, font=font(18), anchor="rm")
    return below(image, panel)


def match_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], _fov: float) -> Image.Image:
    """Draw both views, and the probability that their centres show the same point."""
    pair = beside([seen_image(one.square) for one in inputs])
    panel = Image.new("RGB", (pair.width, 36), "white")
    words = f"same point: {float(prediction.array):.1%}"
    ImageDraw.Draw(panel).text((pair.width / 2, 18), words, fill=_INK, font=font(18), anchor="mm")
    return below(pair, panel)


def puzzle_picture(prediction: Prediction, inputs: tuple[Preprocessed, ...], _fov: float) -> Image.Image:
    """Draw the shuffled tiles in the predicted order: the photo itself if the prediction is right."""
    square = seen_image(inputs[0].square)
    cell = square.width // 3
    shown = prediction.details["shown"]
    laid = Image.new("RGB", (3 * cell, 3 * cell))
    for tile, place in zip(shown, prediction.array.tolist(), strict=True):
        row, column = divmod(tile, 3)
        cut = square.crop((column * cell, row * cell, (column + 1) * cell, (row + 1) * cell))
        laid.paste(cut, (place % 3 * cell, place // 3 * cell))
    draw = ImageDraw.Draw(laid)
    for step in (1, 2):
        draw.line((step * cell, 0, step * cell, 3 * cell), fill="white", width=2)
        draw.line((0, step * cell, 3 * cell, step * cell), fill="white", width=2)
    return laid
