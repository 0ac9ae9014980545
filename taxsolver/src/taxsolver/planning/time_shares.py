"""Division of a time limit among several plans."""

from __future__ import annotations

import time

_LEAST = 1e-6  # seconds that are left when none are: time limits are positive


class TimeShares:
    """Time limits of plans that are solved one after the other, in equal shares of the time that is left.

    Attributes:
        deadline: end of all the time, of `time.perf_counter`; None for no limit.

    Args:
        time_limit: seconds from now on in total; None for no limit.
        plans: number of plans.
        share: part of the time that these plans may take together.
    """

    def __init__(self, time_limit: float | None, plans: int, share: float = 0.5) -> None:
        now = time.perf_counter()
        self.deadline = None if time_limit is None else now + time_limit
        self._end = None if time_limit is None else now + share * time_limit
        self._plans = plans

    def next(self) -> float | None:
        """Return the seconds of the next plan; None for no limit."""
        if self._end is None:
            return None
        left, self._plans = max(1, self._plans), self._plans - 1
        return max(_LEAST, self._end - time.perf_counter()) / left
