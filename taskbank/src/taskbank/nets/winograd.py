"""Winograd's 3 x 3 convolutions with a quarter of the multiplications, for batches on a CPU.

F(4 x 4, 3 x 3) as in Lavin & Gray, CVPR 2016, arXiv:1509.09308: tiles of 6 x 6 cells and the weights are
evaluated at 36 pairs of points, multiplied there, and interpolated to 4 x 4 results. The products at a pair
of points are one matrix product; all 36 are one grouped 1 x 1 convolution of oneDNN.

Measured on two threads of a CPU with AVX-512, eight images of 256 px, against packed convolutions at 235
GFLOP/s: layers of 256 to 1024 channels are 2.6 to 2.9 times as fast. The network for surface normals takes
700 ms instead of 1066; `fused_bottleneck` accounts for 50 ms of the difference. Smaller batches use the
direct convolution: weights packed for blocks of 128 tiles take six times as long for 16, and seven steps wait
for all threads instead of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from taskbank.nets.pack import PackedConvolution, can_pack, pads_with_zeros

_RESULTS = 4  # cells of a tile's result along a side
_KERNEL = 3
_TILE = _RESULTS + _KERNEL - 1
_PAIRS = _TILE * _TILE

# The sixth point is infinity. With 1/2 and -2 the largest rounding errors are half of those with 2 and -2.
_POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)

_CHANNELS = 256  # least channels in and out; with 128, arranging tiles takes most of the time saved
# Tiles per block that oneDNN packs weights for: eight images of 256 px at a sixteenth of their size.
_BLOCK = 128
_WORTH_IT = 2 * _BLOCK  # tiles; the time saved on these is about that of evaluating the weights


class WinogradConvolution(nn.Module):
    """A 3 x 3 convolution for inference on a CPU, equal to the direct one up to rounding.

    Evaluated weights take four times the memory, and computing them takes the time saved on two or three
    batches of eight images. They are computed after some large batches; smaller batches always use the direct
    convolution.

    Args:
        layer: 3 x 3, with zeros as padding, without stride, dilation or groups.

    Attributes:
        direct: the direct convolution.
        evaluated: the weights at the points; None before they are computed.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.direct = PackedConvolution(layer)
        self._channels = layer.out_channels
        self._padding = (int(layer.padding[0]), int(layer.padding[1]))
        self._bias: Tensor | None = None
        if layer.bias is not None:
            # At the points, (36 out,): the number at (1, 1) is added to all results.
            at_points = layer.bias.new_zeros((_TILE, _TILE, len(layer.bias)))
            at_points[_POINTS.index(1.0), _POINTS.index(1.0)] = layer.bias.detach()
            self._bias = at_points.flatten()
        self.evaluated: Tensor | None = None
        self._tiles_seen = 0  # in large batches, before weights were evaluated

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, in, H, W) to (B, out, H + 2 padding - 2, W + 2 padding - 2), channels last."""
        height, width = (
            side + 2 * padding - _KERNEL + 1
            for side, padding in zip(x.shape[-2:], self._padding, strict=True)
        )
        rows, columns = ceil(height / _RESULTS), ceil(width / _RESULTS)
        weights = self._weights_for(len(x) * rows * columns)
        if weights is None:
            convolved: Tensor = self.direct(x)
            return convolved
        # Overlapping tiles of the images, padded with zeros: (b rows columns, 36, in).
        below, right = (
            _RESULTS * count + _KERNEL - 1 - side - before
            for count, side, before in zip((rows, columns), x.shape[-2:], self._padding, strict=True)
        )
        padded = functional.pad(x, (self._padding[1], right, self._padding[0], below))
        tiles = padded.unfold(2, _TILE, _RESULTS).unfold(3, _TILE, _RESULTS)
        tiles = tiles.permute(0, 2, 3, 4, 5, 1).reshape(-1, _PAIRS, x.shape[1])
        results = torch.cat([self._convolved(block, weights) for block in torch.split(tiles, _BLOCK)])
        places = results.view(len(x), rows, columns, _RESULTS, _RESULTS, self._channels).transpose(2, 3)
        full = places.reshape(len(x), rows * _RESULTS, columns * _RESULTS, self._channels)
        return full[:, :height, :width].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def _weights_for(self, tiles: int) -> Tensor | None:
        """Return the evaluated weights, or None if the direct convolution is used for that many tiles."""
        if tiles < _BLOCK:
            return None
        if self.evaluated is None and self._tiles_seen >= _WORTH_IT:
            # (out, in, 3, 3) -> (36 out, in, 1, 1), in oneDNN's layout.
            weight = self.direct.plain_weight().detach()
            kernels = weight.reshape(-1, _KERNEL * _KERNEL)
            at_points = (_transforms().weights @ kernels.T).reshape(-1, weight.shape[1], 1, 1)
            block = [1, _PAIRS * weight.shape[1], 1, _BLOCK]
            self.evaluated = torch.ops.mkldnn._reorder_convolution_weight(
                at_points, [0, 0], [1, 1], [1, 1], _PAIRS, block
            )
        self._tiles_seen += tiles
        return self.evaluated

    def _convolved(self, block: Tensor, weights: Tensor) -> Tensor:
        """Convolve a block of tiles, padded to the packed size: (tiles, 36, in) -> (tiles, 16, out)."""
        block, tiles = functional.pad(block, (0, 0, 0, 0, 0, _BLOCK - len(block))), len(block)
        points = torch.matmul(_transforms().tiles, block)
        as_image = points.view(1, 1, _BLOCK, -1).permute(0, 3, 1, 2)
        products = torch.ops.mkldnn._convolution_pointwise(
            as_image, weights, self._bias, [0, 0], [1, 1], [1, 1], _PAIRS, "none", [], ""
        )
        at_points = products.permute(0, 2, 3, 1).reshape(_BLOCK, _PAIRS, self._channels)
        return torch.matmul(_transforms().results, at_points[:tiles])


def use_winograd(network: nn.Module) -> None:
    """Replace convolutions of a network in place if this is faster and this build of torch supports it.

    Args:
        network: float32 on the CPU, in evaluation mode; afterwards it cannot be trained.
    """
    if not (can_pack() and torch.backends.cpu.get_cpu_capability().startswith("AVX")):
        return  # measured with AVX-512 and AVX2 only
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is not nn.Conv2d or layer.kernel_size != (3, 3) or not pads_with_zeros(layer):
                continue
            plain = (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
            if plain and min(layer.in_channels, layer.out_channels) >= _CHANNELS:
                setattr(module, name, WinogradConvolution(layer))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Transforms:
    """Matrices of the transforms, float32; cells are in row-major order.

    Attributes:
        tiles: (36, 36), from cells of a tile to pairs of points.
        weights: (36, 9), from cells of a kernel to pairs of points.
        results: (16, 36), from pairs of points to cells of a result.
    """

    tiles: Tensor
    weights: Tensor
    results: Tensor


@cache
def _transforms() -> _Transforms:
    """Return the matrices of the Toom-Cook method for both directions at once."""
    points = np.array(_POINTS)
    others = [np.delete(points, number) for number in range(len(points))]
    scales = [np.prod(point - rest) for point, rest in zip(points, others, strict=True)]
    # One row per point: the powers of the point; for infinity, the highest power alone.
    powers = np.vander(points, _RESULTS, increasing=True)
    results = np.vstack([powers, np.eye(_RESULTS)[-1]]).T
    weights = np.vstack([powers[:, :_KERNEL] / np.array(scales)[:, None], np.eye(_KERNEL)[-1]])
    # One row per point: the polynomial that is zero at all others, lowest power first.
    tiles = np.zeros((_TILE, _TILE))
    tiles[:-1, :-1] = [np.poly(rest)[::-1] for rest in others]
    tiles[-1] = np.poly(points)[::-1]
    return _Transforms(tiles=_for_planes(tiles), weights=_for_planes(weights), results=_for_planes(results))


def _for_planes(matrix: NDArray[np.float64]) -> Tensor:
    """Return the matrix for both directions from that for one."""
    return torch.from_numpy(np.kron(matrix, matrix)).float()
