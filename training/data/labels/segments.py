"""Segments: pixels that look alike, or lie on one surface.

Graph-based segments (Felzenszwalb and Huttenlocher, 2004), joined by normalised cuts (Shi and Malik, 2000).
Parameters are those of the annotator of the original labels (https://github.com/EPFL-VILAB/omnidata,
`omnidata_annotator`) at 512 px; what counts pixels shrinks with the picture's area, lengths with its side.
Felzenszwalb's scale weighs a change from pixel to pixel against the pixels of a segment: in a blurred picture
half as wide, changes are twice as large and segments a quarter as many pixels, so it halves. For surfaces it
stays: planes are ramps of depth, of which it must not cut rows of pixels off.

NumPy, SciPy and scikit-image only: pools of processes start quickly.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from training.data.labels import ORIGINAL_SIZE, STEPS_PER_METRE
from training.data.labels.cuts import Labels, cut_normalised, join_smooth, similarity_graph

Picture = NDArray[np.uint8]
Map = NDArray[np.float32]

_SCALE = 200.0  # of Felzenszwalb's thresholds, at 512 px
_MOST = 256  # segments that 8 bits tell apart
_MOST_REGIONS = 800  # that are cut: more, in pictures of leaves or noise, would take seconds
_DEPTH_SHARE, _NORMAL_SHARE, _EDGE_SHARE = 2.0, 1.0, 10.0
_BEND = 0.05 * 255  # change from pixel to pixel of a smooth surface, at most, at 512 px: 6 degrees


def segment_unsup2d(rgb: Picture) -> Picture:
    """Segments of one colour or texture.

    Args:
        rgb: uint8 (H, W, 3).

    Returns:
        uint8 (H, W), numbers from 0 in the order of the first pixel.
    """
    colours = rgb.astype(np.float64)
    scale = _SCALE * rgb.shape[1] / ORIGINAL_SIZE
    return _segments(
        colours / 255, colours, scale=scale, sigma=3.0, least=20, threshold=0.005, steps=10, own=2.0
    )


def segment_unsup25d(depth: Map, normals: Map, edges: Map) -> Picture:
    """Segments of one surface: jointly on twice the logarithm of depth, normals, and ten times the edges.

    The logarithm is that of `512 metres + 1` in shares of 16 bits, and normals are moved to [0, 1]: the
    labels' codes in shares of their scales. Felzenszwalb's segments cut curved surfaces into stripes, as all
    pixels of a stripe are exactly alike here, which no scanned surface is; so they are joined where the
    surface goes on smoothly.

    Args:
        depth: float (H, W), along the optical axis, metres.
        normals: float (H, W, 3), unit vectors in the camera frame.
        edges: float (H, W), `edges.edge_occlusion`.

    Returns:
        uint8 (H, W), numbers from 0 in the order of the first pixel.
    """
    logarithm = np.log2(1 + STEPS_PER_METRE * depth) / 16
    features = np.dstack(
        [_DEPTH_SHARE * logarithm, _NORMAL_SHARE * (normals + 1) / 2, _EDGE_SHARE * edges]
    ).astype(np.float64)
    surfaces = 255 * features[..., :4]
    return _segments(
        features, surfaces, scale=_SCALE, sigma=0.8, least=200, threshold=1.0, steps=100, own=1.0, bend=_BEND
    )


def _segments(
    features: NDArray[np.float64],
    likeness: NDArray[np.float64],
    *,
    scale: float,
    sigma: float,
    least: int,
    threshold: float,
    steps: int,
    own: float,
    bend: float = 0.0,
) -> Picture:
    """Segments by `features`, joined by `likeness`; lengths and counts as at 512 px.

    Where there are too many, the least number of pixels is doubled until there are not.
    """
    share = features.shape[1] / ORIGINAL_SIZE
    smallest = max(1, round(least * share**2))
    while True:
        regions = _regions(features, scale, sigma * share, smallest)
        smallest *= 2
        if bend:
            regions = join_smooth(regions, likeness, step=bend / share)
        if regions.max() >= _MOST_REGIONS:
            continue
        weights = similarity_graph(regions, likeness)
        joined = cut_normalised(weights, threshold=threshold, steps=steps, own=own)[regions]
        if joined.max() < _MOST:
            return _renumbered(joined)


def _regions(features: NDArray[np.float64], scale: float, sigma: float, least: int) -> Labels:
    """Felzenszwalb's segments, numbered without gaps."""
    with warnings.catch_warnings():
        # It warns of any number of channels that is not that of colours.
        warnings.filterwarnings("ignore", message="Got image with third dimension", category=RuntimeWarning)
        found = felzenszwalb(features, scale=scale, sigma=sigma, min_size=least, channel_axis=-1)
    return np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int64)


def _renumbered(labels: Labels) -> Picture:
    """The same segments, numbered as they come row by row."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    ranks = np.argsort(np.argsort(first))
    return ranks[inverse].reshape(labels.shape).astype(np.uint8)
