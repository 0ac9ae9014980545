"""Sources: encoders that turn a batch of pictures into feature maps, both ours and third-party ones."""

from taskbank.sources.names import open_sources
from taskbank.sources.source import Source

__all__ = ["Source", "open_sources"]
