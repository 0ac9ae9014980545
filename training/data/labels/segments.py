"""Segment labels: pixels of similar appearance, or of one surface.

Graph-based segments (Felzenszwalb and Huttenlocher, 2004), joined by normalised cuts (Shi and Malik, 2000).
Parameters are those of the annotator of the original labels (https://github.com/EPFL-VILAB/omnidata,
`omnidata_annotator`) at 512 px; numbers of pixels scale with the picture's area, lengths with its side.
Felzenszwalb's scale weighs a change from pixel to pixel against the pixels of a segment: in a blurred picture
half as wide, changes are twice as large and segments a quarter as many pixels, so the scale halves. For
surfaces it stays the same: planes are ramps of depth, from which a smaller scale would cut off rows of
pixels.

Imports only NumPy, SciPy and scikit-image, so that process pools start quickly.
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

_SCALE = 200.0  # scale of Felzenszwalb's thresholds, at 512 px
_MOST = 256  # largest number of segments in 8 bits
_MOST_REGIONS = 800  # largest number of regions to cut; more, as in pictures of leaves, take seconds
_DEPTH_SHARE, _NORMAL_SHARE, _EDGE_SHARE = 2.0, 1.0, 10.0
_BEND = 0.05 * 255  # largest change between pixels of a smooth surface at 512 px: 6 degrees


def segment_unsup2d(rgb: Picture) -> Picture:
    """Segment a picture by colour and texture.

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
    """Segment by surface, jointly on twice the logarithm of depth, the normals, and ten times the edges.

    The logarithm is that of `512 metres + 1` as a share of 16 bits, and normals are shifted to [0, 1], so
    that both are label codes as shares of their scales. Felzenszwalb's method cuts curved surfaces into
    stripes, because all pixels of a stripe of a rendered surface are equal, unlike those of a scanned one; so
    stripes are joined where the surface continues smoothly.

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
    """Segment by `features` and join by `likeness`; lengths and counts refer to 512 px.

    While there are too many segments, their least number of pixels is doubled.
    """
    share = features.shape[1] / ORIGINAL_SIZE
    smallest = max(1, round(least * share**2))
    while True:
        with warnings.catch_warnings():
            # scikit-image warns if the number of channels is not that of colours.
            warnings.filterwarnings(
                "ignore", message="Got image with third dimension", category=RuntimeWarning
            )
            found = felzenszwalb(
                features, scale=scale, sigma=sigma * share, min_size=smallest, channel_axis=-1
            )
        # Number the regions without gaps.
        regions: Labels = np.unique(found, return_inverse=True)[1].reshape(found.shape).astype(np.int64)
        smallest *= 2
        if bend:
            regions = join_smooth(regions, likeness, step=bend / share)
        if regions.max() >= _MOST_REGIONS:
            continue
        weights = similarity_graph(regions, likeness)
        joined = cut_normalised(weights, threshold=threshold, steps=steps, own=own)[regions]
        if joined.max() < _MOST:
            # Number the segments in the order of their first pixels.
            _, first, inverse = np.unique(joined, return_index=True, return_inverse=True)
            ranks = np.argsort(np.argsort(first))
            return ranks[inverse].reshape(joined.shape).astype(np.uint8)
