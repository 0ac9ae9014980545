"""Sources: encoders that turn a batch of pictures into feature maps, both ours and third-party ones."""

from taskbank.encoders.source import Source
from taskbank.sources.names import open_sources

__all__ = ["Source", "open_sources"]
