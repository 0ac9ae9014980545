"""Deadline of a request."""

from __future__ import annotations

from time import monotonic

from taskbank_demo.errors import SlowRequestError


class Deadline:
    """The time limit of one request, which work checks between its steps.

    Args:
        seconds: time limit, from now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._end - monotonic())

    def check(self) -> None:
        """Raise an error if the request took too long.

        Raises:
            SlowRequestError: no time is left.
        """
        if self.left == 0:
            raise SlowRequestError(
                f"This took longer than {self.seconds:g} seconds, so it was stopped. Try a smaller input, "
                "or the command line, which has no such limit."
            )
