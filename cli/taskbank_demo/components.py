"""gradio's components for uploads, without what they do to files: these hand on a path and open nothing.

gradio's own ones decode an image or a video before a handler sees it, and fetch addresses that a client names
instead of a file. Here both are left to `taskbank_demo.uploads`, which has limits, and addresses are refused.
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
    """gradio's metaclass without its side effect, a `.pyi` file here. No class below adds events."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        """The class alone."""
        return ABCMeta.__new__(cls, name, bases, attrs)


class _LocalOnly:
    """Mixin that keeps a component from fetching addresses and from opening files."""

    def preprocess(self, payload: Any) -> Any:
        """The path of an upload, several paths, or None."""
        if payload is None:
            return None
        if isinstance(payload, list):
            return [one.path for one in payload]
        found = getattr(payload, "root", payload)
        if isinstance(found, list):
            return [one.path for one in found]
        return getattr(found, "video", found).path

    async def async_move_resource_to_block_cache(self, path: Any) -> str | None:
        """The path under which an upload lies; addresses are refused.

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
    """A file that is uploaded; handlers get its path, or paths where several may be chosen, or None."""

    def get_block_name(self) -> str:
        """Return the name of the gradio component that the page draws."""
        return "file"
