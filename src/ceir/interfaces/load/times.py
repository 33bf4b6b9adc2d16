"""Many durations in little memory."""

from array import array
from collections.abc import Mapping
from math import ceil, log, log1p
from typing import Final

import numpy as np

PERCENTAGES: Final = (50.0, 90.0, 99.0, 99.9)

PRECISION: Final = 0.01
"""A percentile is given by at most this share too high, never too low."""

_SHORTEST: Final = 1e-6
_LONGEST: Final = 1e4
_STEP: Final = log1p(PRECISION)
_BUCKETS: Final = ceil(log(_LONGEST / _SHORTEST) / _STEP) + 2
_HELD: Final = 65_536


class Times:
    """A distribution of seconds.

    Memory does not grow with the number of durations: they are put into buckets whose bounds are 1 % apart,
    from a microsecond to three hours; the longest is kept as it is.

    Attributes:
        add: takes one duration in seconds; call `settle` now and then.
    """

    def __init__(self) -> None:
        self._fresh = array("d")
        self._counts = np.zeros(_BUCKETS, dtype=np.int64)
        self._longest = 0.0
        self.add = self._fresh.append

    def __len__(self) -> int:
        """How many durations."""
        return int(self._counts.sum()) + len(self._fresh)

    def settle(self) -> None:
        """Puts what came since into buckets, once it is worth while."""
        if len(self._fresh) >= _HELD:
            self._sort_in()

    def absorb(self, other: "Times") -> None:
        """Adds the durations of another distribution."""
        other._sort_in()
        self._counts += other._counts
        self._longest = max(self._longest, other._longest)

    @property
    def longest(self) -> float:
        """The longest of all; 0 without any."""
        self._sort_in()
        return self._longest

    def percentile(self, percent: float) -> float:
        """The shortest time within which so many per cent lie, at most 1 % too high; 0 without any.

        Args:
            percent: above 0, at most 100.
        """
        self._sort_in()
        total = int(self._counts.sum())
        if not total:
            return 0.0
        # A share of a whole number can come out a hair too high: 99 % of 100 is 99, not 99.00000000000001.
        rank = ceil(total * percent / 100 - 1e-9)
        bucket = int(np.searchsorted(np.cumsum(self._counts), rank))
        return min(self._longest, _SHORTEST * (1 + PRECISION) ** bucket)

    def percentiles(self) -> Mapping[float, float]:
        """Seconds by percentage: 50, 90, 99, 99.9, and 100 for the longest; empty without any."""
        if not len(self):
            return {}
        return {**{percent: self.percentile(percent) for percent in PERCENTAGES}, 100.0: self.longest}

    def _sort_in(self) -> None:
        if not self._fresh:
            return
        fresh = np.array(self._fresh)
        del self._fresh[:]
        self._longest = max(self._longest, float(fresh.max()))
        # Bucket n holds what is above the bound of n - 1 and not above its own, _SHORTEST * 1.01 ** n.
        places = np.ceil(np.log(np.maximum(fresh, _SHORTEST) / _SHORTEST) / _STEP - 1e-9)
        self._counts += np.bincount(places.astype(np.int64).clip(0, _BUCKETS - 1), minlength=_BUCKETS)
