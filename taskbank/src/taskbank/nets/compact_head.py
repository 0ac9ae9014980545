"""The `compact` head for classes and numbers: convolve, pool, narrow, join.

It takes the place of the original's layers of 2048 and more, which hold four million weights and work at one
image size only.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from taskbank.nets.compact import CompactWidths, convolved
from taskbank.nets.encoder import CODE_CHANNELS

_POOLED = 4  # rows and columns kept: layouts and poses need to know where things are


class CompactHead(nn.Module):
    """Numbers from one or several representations.

    Args:
        outputs: numbers given.
        num_encodings: representations that are joined for one prediction.
        in_channels: 8, or 16 after a transfer network.
        widths: the numbers of the network.
        dropout: share of hidden numbers dropped in training.
    """

    def __init__(
        self,
        outputs: int,
        num_encodings: int = 1,
        in_channels: int = CODE_CHANNELS,
        *,
        widths: CompactWidths | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        channels, narrow, hidden = (widths or CompactWidths()).head
        self.dropout = dropout
        self.features = nn.Sequential(
            convolved(in_channels, channels // 2, stride=2), convolved(channels // 2, channels, stride=2)
        )
        self.narrow = nn.Linear(channels * _POOLED * _POOLED, narrow)
        self.join = nn.Linear(narrow * num_encodings, hidden)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, codes: Tensor) -> Tensor:
        """Numbers from representations of any size.

        Args:
            codes: float (B, C, h, w), or (B, P, C, h, w) where P representations are joined.

        Returns:
            float (B, outputs): logits, or whitened numbers.
        """
        x = self.features(codes.reshape(-1, *codes.shape[-3:]))
        x = functional.adaptive_avg_pool2d(x, _POOLED).flatten(1)
        x = functional.relu(self.narrow(x)).reshape(codes.shape[0], -1)
        x = functional.relu(self.join(x))
        numbers: Tensor = self.output(functional.dropout(x, self.dropout, self.training))
        return numbers
