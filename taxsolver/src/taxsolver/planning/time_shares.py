"""Division of a time limit among several plans."""

from __future__ import annotations

import time

_LEAST = 1e-6  # seconds that are left when none are: time limits are positive


class TimeShares:
    """Time limits of plans that are solved one after the other, in shares of the time that is left.

    Attributes:
        deadline: end of all the time, of `time.perf_counter`; None for no limit.

    Args:
        time_limit: seconds from now on in total; None for no limit.
        plans: number of plans; a more important one counts as several.
        share: part of the time that these plans may take together.
    """

    def __init__(self, time_limit: float | None, plans: int, *, share: float = 0.5) -> None:
        now = time.perf_counter()
        self.deadline = None if time_limit is None else now + time_limit
        self._end = None if time_limit is None else now + share * time_limit
        self._plans = plans

    def next(self, plans: int = 1) -> float | None:
        """Return the seconds of the next plan, which may count as several; None for no limit."""
        if self._end is None:
            return None
        left, self._plans = max(plans, self._plans), self._plans - plans
        return max(_LEAST, (self._end - time.perf_counter()) * plans / left)
