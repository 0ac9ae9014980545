"""A page of rendered frames with all their labels: `python -m training.rooms.frames.gallery OUT.png`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from taskbank.drawing.canvas import font
from taskbank.tasks.registry import TASKS
from training.arguments import ScriptParser
from training.data.label_pictures import class_words, label_pictures, marked_picture, pair_picture
from training.rooms.frames.config import RoomsConfig
from training.rooms.frames.dataset import viewed_room
from training.rooms.frames.render import Frames, render_frames
from training.rooms.surfaces.environments import Environments
from training.rooms.surfaces.textures import Textures

_CELL = 176  # px of a picture
_CAPTION = 22  # px of text under a picture
_GAP = 6
_BETWEEN = 14  # additional px between frames
_COLUMNS = 8
_INK, _PAPER = (45, 45, 45), "white"
_ORDER = (
    "normal", "depth_zbuffer", "curvature", "reshading", "edge_occlusion", "keypoints3d", "segment_unsup25d",
    "edge_texture", "keypoints2d", "segment_unsup2d", "segment_semantic", "room_layout", "vanishing_point",
)  # fmt: skip

Cell = tuple[str, Image.Image]


def main(arguments: Sequence[str] | None = None) -> None:
    """Render some rooms and write the page."""
    parser = ScriptParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the PNG file to write")
    parser.add_argument("--count", type=int, default=3, help="number of frames, each of another room")
    parser.add_argument("--seed", type=int, default=0, help="seed of the rooms")
    parser.add_argument("--first", type=int, default=0, help="number of the first room")
    parser.add_argument("--size", type=int, default=256, help="side of the frames in px")
    parser.add_argument("--textures", default="", help="folder of images for materials")
    parser.add_argument("--environments", default="", help="folder of panoramas behind windows")
    parser.add_argument("--device", default="cpu", help="device for casting rays")
    given = parser.parse_args(arguments)
    config = RoomsConfig(
        seed=given.seed,
        size=given.size,
        textures=given.textures,
        environments=given.environments,
        points=6,
        views=2,
    )
    rows = [frame_cells(_frames(config, given.first + number, given.device)) for number in range(given.count)]
    page(rows).save(given.out)
    print(f"{given.out}: {given.count} frames")  # noqa: T201


def _frames(config: RoomsConfig, room: int, device: torch.device | str) -> Frames:
    """Render all frames of one room."""
    textures = Textures.load(config.textures, device=device) if config.textures else None
    environments = Environments.load(config.environments, device=device) if config.environments else None
    photos, views = (
        0 if textures is None else len(textures),
        () if environments is None else environments.tints,
    )
    viewed = viewed_room(config, room, photos=photos, views=views)
    return render_frames([viewed], config.size, textures=textures, environments=environments, device=device)


def frame_cells(frames: Frames) -> list[Cell]:
    """Draw the frame of a room with most classes, with all its labels.

    Args:
        frames: all frames of one room.

    Returns:
        captions and pictures.
    """
    best, other = _telling_pair(frames)
    labels = {name: codes[best] for name, codes in frames.labels.items()}
    drawn = label_pictures(labels, frames.cameras[best])
    photo, beside = labels["rgb"], frames.labels["rgb"][other]
    scene, thing = class_words(labels)
    words = f"{scene} · {thing}" if thing else scene
    middle = len(photo) / 2
    cells = [(words, Image.fromarray(photo))]
    cells += [(TASKS[task].label, drawn[task]) for task in _ORDER if task in drawn]
    cells.append(("Matching: same point", marked_picture(beside, middle, middle)))
    pose = pair_picture(frames.cameras[other], frames.cameras[best], (beside, photo))
    cells.append((TASKS["fixated_pose"].label, pose))
    return cells


def _telling_pair(frames: Frames) -> tuple[int, int]:
    """The frame with most classes that shares its fixated point with another frame, and that frame."""
    # A class counts if it covers more than a hundredth of a picture.
    things = np.array(
        [
            (np.bincount(codes.ravel()) > codes.size / 100).sum()
            for codes in frames.labels["segment_semantic"]
        ],
        dtype=np.float64,
    )
    surfaces = np.array([codes.max() for codes in frames.labels["segment_unsup25d"]], dtype=np.float64)
    known = frames.labels["class_object"] >= 0
    for best in np.argsort(-(things * 20 + surfaces + 10 * known), kind="stable").tolist():
        same = np.flatnonzero(frames.cameras["point"] == frames.cameras["point"][best])
        others = same[same != best]
        if len(others):
            return best, int(others[0])
    return 0, 0


def page(rows: Sequence[Sequence[Cell]], columns: int = _COLUMNS) -> Image.Image:
    """Arrange the cells of several frames, one block of lines per frame.

    Args:
        rows: cells of each frame.
        columns: cells per line.
    """
    lines = [-(-len(cells) // columns) for cells in rows]
    step, deep = _CELL + _GAP, _CELL + _CAPTION + _GAP
    height = sum(lines) * deep + (len(rows) - 1) * _BETWEEN + _GAP
    sheet = Image.new("RGB", (columns * step + _GAP, height), _PAPER)
    top = _GAP
    for cells, used in zip(rows, lines, strict=True):
        for number, (words, shown) in enumerate(cells):
            row, column = divmod(number, columns)
            at = (_GAP + column * step, top + row * deep)
            sheet.paste(shown.resize((_CELL, _CELL), Image.Resampling.LANCZOS), at)
            place = (at[0] + _CELL / 2, at[1] + _CELL + 3)
            ImageDraw.Draw(sheet).text(place, words, fill=_INK, font=font(13), anchor="ma")
        top += used * deep + _BETWEEN
    return sheet


if __name__ == "__main__":
    main()
