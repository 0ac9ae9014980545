"""The errors of the demo, and their conversion to messages on the page.

DemoError             a `taskbank.errors.TaskBankError`, so the command prints it in one line
├── SettingError     a setting of the demo holds a value that is not allowed
├── UploadError      an uploaded file is too large, damaged, or not of the kind that is needed
├── SlowRequestError a request was stopped because it took too long
└── MissingError     a bank, transfer or package that the request needs is not there
"""

from __future__ import annotations

import functools
import html
import inspect
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from taskbank.errors import TaskBankError
from taxsolver.errors import TaxSolverError

_log = logging.getLogger(__name__)
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class DemoError(TaskBankError):
    """Base of every error that the demo raises on purpose."""


class SettingError(DemoError, ValueError):
    """A setting of the demo holds a value that is not allowed."""


class UploadError(DemoError, ValueError):
    """An uploaded file is too large, damaged, or not of the kind that is needed."""


class SlowRequestError(DemoError, TimeoutError):
    """A request was stopped because it took too long."""


class MissingError(DemoError, LookupError):
    """A bank, transfer or package that the request needs is not there."""


_PATH = re.compile(r"(?<![\w.:/\\])(?:/[^\s'\"(),;:/\\]+){2,}/?|\b[A-Za-z]:\\[^\s'\"(),;:]+")

KNOWN = (TaskBankError, TaxSolverError)
"""Errors whose message is meant for users."""


def without_folders(text: str) -> str:
    """Replace absolute paths in a message by their file names."""
    return _PATH.sub(lambda found: found[0].rstrip("/\\").replace("\\", "/").rpartition("/")[2], text)


def message_of(error: Exception) -> str:
    """Return an error's message for the user; an unknown error is logged and its message withheld."""
    if isinstance(error, KNOWN):
        return without_folders(str(error))
    _log.error("a request failed", exc_info=error)
    return "Something went wrong on the server. It is written in its log; please try another input."


@contextmanager
def readable_errors() -> Iterator[None]:
    """Convert any error to a message on the page.

    Raises:
        gradio.Error: with the message, escaped because the page shows it as HTML.
    """
    import gradio as gr

    try:
        yield
    except (gr.Error, GeneratorExit):
        raise
    except Exception as error:
        raise gr.Error(html.escape(message_of(error)), print_exception=False) from error


def readable(handler: _Handler) -> _Handler:
    """Convert errors of an event handler to messages on the page; generators stay generators."""
    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def generate(*given: Any, **named: Any) -> Iterator[Any]:
            with readable_errors():
                yield from handler(*given, **named)

        return cast(_Handler, generate)

    @functools.wraps(handler)
    def call(*given: Any, **named: Any) -> Any:
        with readable_errors():
            return handler(*given, **named)

    return cast(_Handler, call)
