"""Fit photos to a network's input, and map its outputs back to the photo.

Every fit is one box of the photo: `whole` the photo at its own aspect ratio, `crop` its centred square, `pad`
a square around it, `stretch` the photo squeezed into a square. The box also defines the inverse map.

Networks take squares. A whole photo is cut into overlapping squares, half a side or less apart, and the maps
of these are blended with weights that fall to zero towards their edges. The alternatives, one run over the
whole photo at its own aspect ratio and other fits, were measured for comparison (58 frames of NYU Depth v2,
420 x 320 px, not used in training, an earlier bank of 128 px; normals: mean and median error in degrees on
reliable pixels; depth: AbsRel with one scale per frame):

| shown | normals | in the middle square | outside it | depth | middle | outside |
|---|---|---|---|---|---|---|
| middle square only | - | 32.5, 19.4 | - | - | 0.181 | - |
| padded to a square | 37.9, 28.3 | 36.2, 26.3 | 43.1, 36.1 | 0.214 | 0.193 | 0.280 |
| squeezed to a square | 34.5, 22.1 | 33.0, 20.2 | 39.2, 28.5 | 0.204 | 0.181 | 0.276 |
| one run, 160 x 128 px | 33.3, 20.6 | 32.0, 18.9 | 37.5, 27.1 | 0.248 | 0.235 | 0.287 |
| one run, 176 x 128 px | 33.3, 20.8 | 32.1, 19.2 | 37.0, 26.2 | 0.239 | 0.223 | 0.292 |
| one run, 176 x 144 px | 33.0, 20.0 | 31.7, 18.3 | 37.3, 26.1 | 0.240 | 0.226 | 0.286 |
| 2 squares, blended | 33.2, 20.7 | 32.0, 19.2 | 37.0, 26.3 | 0.206 | 0.184 | 0.279 |
| 3 squares, blended | 33.0, 20.8 | 31.7, 19.2 | 37.0, 26.3 | 0.204 | 0.180 | 0.279 |

Squares were chosen for their lower depth error: networks infer positions from the distance to the edges of a
square, and this fails in a wider input. Another network, EfficientNet-Lite0 trained on normals with crops of
160 px, had similar errors of normals on 51 frames cut to 4 : 3: one run 33.8, 25.2; 2 squares 33.7, 25.2; 3
squares 33.6, 25.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from taskbank.errors import InvalidInputError
from taskbank.images.photo import Photo
from taskbank.options import LARGEST_SIZE, Fit

STEP = 16
"""Sides of network inputs are multiples of this: the px that a cell of a representation covers."""

_HAIR = 1e-6  # cells; tolerance for rounding of box edges
_STRIP = 1 << 22  # most numbers in one strip of a map while it is enlarged


_LONGEST = 8  # longest side of a whole photo, in sides of the network's square
_OVERLAP = 2  # consecutive squares of a whole photo are at most a side / _OVERLAP apart
_GRID = 4  # px; squares start at multiples of this, so that cells of their maps coincide


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in px of the input; the top left corner of the top left pixel is (0, 0).

    Attributes:
        left: column of the left edge; negative if the box is wider than the image.
        top: row of the upper edge.
        right: column of the right edge.
        bottom: row of the lower edge.
    """

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class View:
    """Part of an input that a network saw.

    Attributes:
        width: columns of the input.
        height: rows of the input.
        box: the part of the input that fills the network's input.
        size: columns and rows of the network's input, in px.
        fit: the fit by which the box was chosen.
    """

    width: int
    height: int
    box: Box
    size: tuple[int, int]
    fit: Fit

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """Convert a point in px of the network's input to (column, row) of the input."""
        box = self.box
        return (
            box.left + x * (box.right - box.left) / self.size[0],
            box.top + y * (box.bottom - box.top) / self.size[1],
        )

    @property
    def unseen(self) -> float:
        """Share of the input's pixels that the network did not see, 0 to 1."""
        box = self.box
        columns = min(box.right, self.width) - max(box.left, 0)
        rows = min(box.bottom, self.height) - max(box.top, 0)
        return 1 - columns * rows / (self.width * self.height)

    @property
    def left_out(self) -> str:
        """Describe what the network did not see: `80 px on the left, 80 px on the right`; or empty."""
        box = self.box
        sides = {
            "on the left": box.left,
            "on the right": self.width - box.right,
            "at the top": box.top,
            "at the bottom": self.height - box.bottom,
        }
        return ", ".join(f"{px:g} px {side}" for side, px in sides.items() if px > 0)


def for_squares(fit: Fit) -> Fit:
    """Return the fit for networks whose output is not a map: `crop` in place of `whole`."""
    return Fit.CROP if fit is Fit.WHOLE else fit


def check_size(size: int) -> int:
    """Check the side of a network's square in px, and return it.

    Raises:
        InvalidInputError: it is not a positive multiple of 16, or larger than 4096.
    """
    if size > LARGEST_SIZE:
        raise InvalidInputError(f"size {size} is too large: {LARGEST_SIZE} at most")
    if size < STEP or size % STEP:
        below = max(size // STEP, 1) * STEP
        raise InvalidInputError(
            f"size {size} is not a positive multiple of {STEP}: {below} and {below + STEP} are next"
        )
    return size


def whole_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Choose the columns and rows to which a whole photo is scaled for a network.

    The shorter side is that of the network's square, the longer one follows from the photo's aspect ratio, to
    the nearest 4 px. A photo whose sides differ by less than a sixteenth is squeezed into one square, and one
    with an aspect ratio above eight is squeezed to eight sides, to limit the cost of a panorama to fifteen
    overlapping squares. The photo's own size does not matter.

    Args:
        width: columns of the photo.
        height: rows of the photo.
        size: side of the network's square, a multiple of 16.

    Returns:
        columns and rows, multiples of 4, the smaller of them `size`.
    """
    aspect = min(max(width, height) / min(width, height), _LONGEST)
    longer = size if aspect < 1 + 1 / STEP else round(aspect * size / _GRID) * _GRID
    return (longer, size) if width > height else (size, longer)


def squares_of(view: View) -> list[tuple[int, int]]:
    """Choose the positions of the squares that a network sees of a photo.

    Args:
        view: of the photo.

    Returns:
        column and row of the upper left corner of each square, in px of the fitted photo; one square for all
        fits but `whole`.
    """
    columns, rows = view.size
    spare = max(columns, rows) - min(columns, rows)
    steps = math.ceil(spare * _OVERLAP / min(columns, rows))
    starts = [round(spare * step / max(steps, 1) / _GRID) * _GRID for step in range(steps + 1)]
    return [(start, 0) if columns > rows else (0, start) for start in starts]


def cut_squares(images: Tensor, view: View) -> Tensor:
    """Cut a fitted photo into squares: float (C, rows, columns) -> (N, C, side, side)."""
    side = min(view.size)
    return torch.stack([images[:, top : top + side, left : left + side] for left, top in squares_of(view)])


def blend_squares(maps: Tensor, view: View) -> Tensor:
    """Blend the maps of a photo's squares into one.

    Args:
        maps: float (N, C, h, w), of the squares of `squares_of`, at a resolution of 4 px or finer.
        view: of the photo.

    Returns:
        (C, rows, columns), at the same resolution, over the whole fitted photo. Weights fall linearly from
        the middle of a square to its edges.
    """
    if len(maps) == 1:
        return maps[0]
    cells, side = maps.shape[-1], min(view.size)
    columns, rows = (px * cells // side for px in view.size)
    places = torch.arange(cells, dtype=maps.dtype)
    weights = torch.minimum(places + 0.5, cells - 0.5 - places)
    weights = weights if columns > rows else weights[:, None]
    blended = maps.new_zeros(maps.shape[1], rows, columns)
    total = maps.new_zeros(rows, columns)
    for (left, top), one in zip(squares_of(view), maps, strict=True):
        across = slice(left * cells // side, left * cells // side + cells)
        down = slice(top * cells // side, top * cells // side + cells)
        blended[:, down, across] += one * weights
        total[down, across] += weights
    return blended / total


def view_of(width: int, height: int, fit: Fit, size: int) -> View:
    """Compute the part of a photo that a network sees.

    Args:
        width: columns of the photo.
        height: rows of the photo.
        fit: how it fills the network's input.
        size: side of the network's square in px; the shorter side of a whole photo, see `whole_size`.
    """
    if fit is Fit.WHOLE:
        return View(width, height, Box(0, 0, width, height), whole_size(width, height, size), fit)
    box = Box(0, 0, width, height)
    if fit is Fit.CROP:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = Box(left, top, left + side, top + side)
    elif fit is Fit.PAD:
        columns, rows, left, top = _padded_place(width, height, size)
        # The photo's size in the square is rounded to px, so the scales of the two axes may differ slightly.
        across, down = width / columns, height / rows
        box = Box(-left * across, -top * down, (size - left) * across, (size - top) * down)
    return View(width, height, box, (size, size), fit)


def _padded_place(width: int, height: int, size: int) -> tuple[int, int, int, int]:
    """Return columns and rows of a photo in a padded square, and its left and upper edge there."""
    longest = max(width, height)
    columns, rows = max(1, round(size * width / longest)), max(1, round(size * height / longest))
    return columns, rows, (size - columns) // 2, (size - rows) // 2


def fit_photo(photo: Photo, fit: Fit | str = Fit.CROP, size: int = 256) -> tuple[Tensor, View]:
    """Fit a photo to a network's input.

    Args:
        photo: of any size.
        fit: how it fills the network's input. Padding is mid-grey, 0.
        size: side of the square in px, a multiple of 16; networks are trained on 256. For a whole photo, this
            is the shorter side, see `whole_size`.

    Returns:
        float32 (3, rows, columns) in [-1, 1], sRGB, both sides `size` except for a whole photo; and the view:
        the part of the photo that it shows.

    Raises:
        InvalidInputError: an unknown fit, or a size that is not a multiple of 16.
    """
    if fit not in set(Fit):
        raise InvalidInputError(f"unknown fit {fit!r}: choose {', '.join(Fit)}")
    check_size(size)
    return fill_view(photo, view_of(photo.width, photo.height, Fit(fit), size))


def fill_square(photo: Photo, fit: Fit, size: int) -> tuple[Tensor, View]:
    """Fit a photo into a square of any side, as `fit_photo` does; tiles are cut from such squares."""
    return fill_view(photo, view_of(photo.width, photo.height, fit, size))


def fill_view(photo: Photo, view: View) -> tuple[Tensor, View]:
    """Cut, scale and pad a photo according to its view; see `fit_photo`."""
    columns, rows = view.size
    if view.fit is Fit.PAD:
        wide, high, left, top = _padded_place(photo.width, photo.height, columns)
        square = torch.zeros(3, rows, columns)
        square[:, top : top + high, left : left + wide] = _scaled(photo.pixels, (high, wide))
        return square, view
    box = view.box
    held_rows, held_columns = photo.pixels.shape[-2:]
    down = [round(edge * held_rows / photo.height) for edge in (box.top, box.bottom)]
    across = [round(edge * held_columns / photo.width) for edge in (box.left, box.right)]
    cut = photo.pixels[..., down[0] : max(down[1], down[0] + 1), across[0] : max(across[1], across[0] + 1)]
    return _scaled(cut, (rows, columns)), view


def _scaled(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale pixels to a size, bilinear with antialiasing, float32 in [-1, 1]."""
    scaled = pixels
    if tuple(pixels.shape[-2:]) != size:
        # Equal to `torchvision.transforms.v2.functional.resize`, which takes two seconds to import.
        scaled = functional.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0]
    return (scaled.float() / 255 if scaled.dtype == torch.uint8 else scaled.float()) * 2 - 1


def to_input_frame(
    values: Tensor, view: View, decode: Callable[[Tensor], Tensor] = lambda strip: strip
) -> tuple[Tensor, Tensor]:
    """Resample a map of the fitted photo to the photo's own pixels.

    Args:
        values: float (C, h, w), of any resolution, over the whole fitted photo.
        view: of the photo.
        decode: function that is applied to the enlarged values, pixel by pixel: float (C, rows, width) -> any
            (D, rows, width). Maps of many channels are never held as a whole at the photo's size.

    Returns:
        (D, height, width), bilinear between the cells of the map before `decode`; and bool
        (height, width), true where the network saw the pixel. Elsewhere values are those of the nearest edge.
        Cells of the map that lie on padding are never read.
    """
    box = view.box
    columns = _places(view.width, box.left, box.right, values.shape[-1])
    rows = _places(view.height, box.top, box.bottom, values.shape[-2])
    seen = _inside(rows, values.shape[-2])[:, None] & _inside(columns, values.shape[-1])[None, :]
    return _resampled(values, view, rows, columns, decode), seen


def to_network_frame(
    values: Tensor, view: View, decode: Callable[[Tensor], Tensor] = lambda strip: strip
) -> tuple[Tensor, Tensor]:
    """Resample a map to the size of the fitted photo.

    Args:
        values: as for `to_input_frame`.
        view: of the photo.
        decode: as for `to_input_frame`.

    Returns:
        (D, rows, columns) of the fitted photo; and bool (rows, columns), false on padding.
    """
    width, height = view.size
    seen = seen_by_network(view, height, width)
    if values.shape[-2:] == (height, width):
        return decode(values), seen
    columns = _places(width, 0, width, values.shape[-1])
    rows = _places(height, 0, height, values.shape[-2])
    return _resampled(values, view, rows, columns, decode), seen


def seen_by_network(view: View, rows: int, columns: int) -> Tensor:
    """Mark the cells of a map that show the photo without padding.

    Args:
        view: of the photo.
        rows: of the map, which covers the whole fitted photo.
        columns: of the map.

    Returns:
        bool (rows, columns), true in at least one cell.
    """
    mask = torch.zeros(rows, columns, dtype=torch.bool)
    across, down = _photo_places(view, rows, columns)
    mask[down, across] = True
    return mask


def _photo_places(view: View, rows: int, columns: int) -> tuple[slice, slice]:
    """Return the columns and rows of a map that do not touch padding, or else the one in the middle."""
    if view.fit is not Fit.PAD:
        return slice(0, columns), slice(0, rows)
    box = view.box
    kept = []
    for side, low, high, cells in (
        (view.width, box.left, box.right, columns),
        (view.height, box.top, box.bottom, rows),
    ):
        start, stop = ((edge - low) * cells / (high - low) for edge in (0, side))
        first = max(0, math.ceil(start - _HAIR))
        last = min(cells, math.floor(stop + _HAIR))
        if last <= first:
            first = min(cells - 1, int((start + stop) / 2))
            last = first + 1
        kept.append(slice(first, last))
    return kept[0], kept[1]


def _resampled(
    values: Tensor, view: View, rows: Tensor, columns: Tensor, decode: Callable[[Tensor], Tensor]
) -> Tensor:
    """Decode values interpolated at the given positions of a map, without cells on padding."""
    across, down = _photo_places(view, *values.shape[-2:])
    wide = _lerp(values, columns.clamp(across.start, across.stop - 1), -1)
    step = max(1, _STRIP // (values.shape[0] * len(columns)))
    within = rows.clamp(down.start, down.stop - 1)
    return join_rows((decode(_lerp(wide, strip, -2)) for strip in torch.split(within, step)), len(rows))


def join_rows(strips: Iterable[Tensor], height: int) -> Tensor:
    """Join strips (D, rows, W) along rows: (D, height, W).

    The strips are computed one by one, so that a large map is never held twice.
    """
    joined, start = torch.empty(0), 0
    for strip in strips:
        if start == 0:
            joined = strip.new_empty(strip.shape[0], height, strip.shape[-1])
        stop = start + strip.shape[-2]
        joined[:, start:stop] = strip
        start = stop
    return joined


def _places(count: int, low: float, high: float, cells: int) -> Tensor:
    """Return centres of `count` pixels in cells between `low` and `high`; the first cell's centre is 0."""
    return (torch.arange(count, dtype=torch.float64) + 0.5 - low) * cells / (high - low) - 0.5


def _inside(places: Tensor, cells: int) -> Tensor:
    """Return True for each position inside the map's cells."""
    return (places > -0.5) & (places < cells - 0.5)


def _lerp(values: Tensor, places: Tensor, axis: int) -> Tensor:
    """Interpolate linearly along one axis, between existing cells."""
    low = places.floor().long()
    # Integer positions read one cell only: the cell after the last one may be padding.
    high = places.ceil().long()
    share = (places - low).to(values.dtype)
    share = share if axis == -1 else share[:, None]
    before, after = values.index_select(axis, low), values.index_select(axis, high)
    return torch.lerp(before, after, share)
