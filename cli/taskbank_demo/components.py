"""gradio's components for uploads, changed to return a path without opening the file.

gradio's own components decode an image or a video before a handler sees it, and download addresses that a
client sends instead of a file. Here `taskbank_demo.uploads` reads files, within limits, and addresses are
rejected.
"""

from __future__ import annotations

import re
from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta

from taskbank_demo.errors import UploadError

_ADDRESS = re.compile(r"\s*[A-Za-z][\w+.-]*:/")


class _NoStubFile(ComponentMeta):
    """gradio's metaclass without its side effect: writing a `.pyi` file here. No class below adds events."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        """Create the class only."""
        return ABCMeta.__new__(cls, name, bases, attrs)


class _LocalOnly:
    """Mixin that keeps a component from fetching addresses and from opening files."""

    def preprocess(self, payload: Any) -> Any:
        """Return the path of an upload, several paths, or None."""
        if payload is None:
            return None
        if isinstance(payload, list):
            return [one.path for one in payload]
        found = getattr(payload, "root", payload)
        if isinstance(found, list):
            return [one.path for one in found]
        return getattr(found, "video", found).path

    async def async_move_resource_to_block_cache(self, path: Any) -> str | None:
        """Return the path of an upload; reject addresses.

        Raises:
            gradio.Error: a client sent an address instead of a file.
        """
        if path is not None and _ADDRESS.match(str(path)):
            raise gr.Error(str(UploadError("Addresses are not fetched here: upload the file itself.")))
        moved: str | None = await super().async_move_resource_to_block_cache(path)  # type: ignore[misc] # of the component beside
        return moved


class PhotographUpload(_LocalOnly, gr.Image, metaclass=_NoStubFile):
    """An image that is uploaded, pasted or taken; handlers get its path or None."""

    def get_block_name(self) -> str:
        """Return the name of the gradio component that the page draws."""
        return "image"


class VideoUpload(_LocalOnly, gr.Video, metaclass=_NoStubFile):
    """A video that is uploaded; handlers get its path or None."""

    def get_block_name(self) -> str:
        """Return the name of the gradio component that the page draws."""
        return "video"


class FileUpload(_LocalOnly, gr.File, metaclass=_NoStubFile):
    """A file that is uploaded; handlers get its path, a list of paths if several may be chosen, or None."""

    def get_block_name(self) -> str:
        """Return the name of the gradio component that the page draws."""
        return "file"
