"""Bottlenecks of `resnet50` whose last convolution also adds the shortcut and applies the ReLU, on a CPU.

The sums of a batch do not fit the caches: as separate steps, they took 40 of the encoder's 550 ms (eight
images of 256 px, two threads).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from taskbank.nets.encoder import Bottleneck
from taskbank.nets.pack import PackedConvolution, can_pack


class FusedBottleneck(nn.Module):
    """A bottleneck for inference on a CPU. It overwrites its input if that is the shortcut.

    Args:
        block: with its batch norms folded.
    """

    def __init__(self, block: Bottleneck) -> None:
        super().__init__()
        self.conv1 = block.conv1
        self.conv2 = block.conv2
        self.conv3 = PackedConvolution(block.conv3)
        self.downsample = block.downsample

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 planes, ceil(H / stride), ceil(W / stride)), non-negative."""
        inner = functional.relu(self.conv1(x), inplace=True)
        inner = functional.relu(self.conv2(inner), inplace=True)
        return self.conv3.add_and_rectify(inner, self.downsample(x))


def fuse_bottlenecks(network: nn.Module) -> None:
    """Replace a network's bottlenecks in place, if this build of torch supports it.

    Args:
        network: float32 on the CPU, with its batch norms folded; afterwards it cannot be trained.
    """
    if not can_pack():
        return
    for module in list(network.modules()):
        for name, block in list(module.named_children()):
            if isinstance(block, Bottleneck):
                setattr(module, name, FusedBottleneck(block))
