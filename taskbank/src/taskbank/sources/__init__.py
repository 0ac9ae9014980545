"""Sources: encoders that turn a batch of pictures into feature maps, ours and other people's alike."""

from taskbank.sources.names import open_sources
from taskbank.sources.source import Source

__all__ = ["Source", "open_sources"]
