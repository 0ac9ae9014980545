"""Edge labels: jumps of depth, and changes of brightness.

Values are shares of the 16-bit scale on disk. Parameters are those of the annotator of the original labels
(https://github.com/EPFL-VILAB/omnidata, `omnidata_annotator`).
"""

from __future__ import annotations

from torch import Tensor

from training.data.labels import STEPS_PER_METRE
from training.data.labels.filters import blur, gradient, grey, shrunk

_FARTHEST = 128.0  # metres at the end of the 16-bit scale
_SIGMA = 3.0  # px at 512 px


def edge_occlusion(depth: Tensor) -> Tensor:
    """Compute the gradient of the square root of depth, unsmoothed.

    The root of 512 times metres is divided by its greatest value, 256: a jump from 2 m to 5 m at 512 px gives
    0.05, and a slanted wall less than a hundredth of that.

    Args:
        depth: float (F, H, W), distance along the optical axis in metres.

    Returns:
        float (F, H, W), 0 or more.
    """
    return gradient((depth.clamp(0, _FARTHEST) * (STEPS_PER_METRE / 2**16)).sqrt())


def edge_texture(rgb: Tensor) -> Tensor:
    """Compute the gradient of brightness at the scale of 3 px of 512: Canny's edges before thinning.

    Args:
        rgb: float (F, H, W, 3), sRGB in [0, 1].

    Returns:
        float (F, H, W), 0 or more; photographs have 0.013 on average and up to 0.15.
    """
    return gradient(blur(grey(rgb), shrunk(_SIGMA, rgb.shape[-2])))
