"""When not to answer: more requests than agreed, or nothing to answer from."""

from collections.abc import Callable
from math import ceil

from ceir.interfaces.n17.problems import Problem, overloaded, unavailable

_LONGEST_PAUSE = 60


class RateLimit:
    """Lets so many requests a second pass, with a reserve for bursts; refuses the rest with 429.

    It counts per worker process: divide the limit of a site by its workers.

    Args:
        per_second: sustained rate, above 0.
        burst: how many may come at once after a quiet time, 1 or more.
        monotonic: seconds of a monotonic clock.

    Source: 3GPP TS 29.500 clause 6.4.3.
    """

    def __init__(self, per_second: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._monotonic = monotonic
        self._left = self._burst
        self._filled_at = monotonic()
        self._refusal = overloaded(max(1, min(_LONGEST_PAUSE, ceil(1 / per_second))))

    def __call__(self) -> Problem | None:
        """None, or why this request is refused."""
        now = self._monotonic()
        self._left = min(self._burst, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._left < 1:
            return self._refusal
        self._left -= 1
        return None


class Readiness:
    """Refuses everything with 503 while there is nothing to answer from.

    Args:
        ready: asked before every request, so it must be cheap.
        retry_after: seconds that a consumer is told to wait, 1 or more.

    Source: 3GPP TS 29.500 clause 6.4.
    """

    def __init__(self, ready: Callable[[], bool], retry_after: int = 5) -> None:
        self._ready = ready
        self._refusal = unavailable(retry_after, "The server has no valid lists to answer from.")

    def __call__(self) -> Problem | None:
        """None, or why this request is refused."""
        return None if self._ready() else self._refusal


def all_of(*gates: Callable[[], Problem | None]) -> Callable[[], Problem | None]:
    """One gate of several: the first refusal counts."""

    def gate() -> Problem | None:
        for one in gates:
            problem = one()
            if problem is not None:
                return problem
        return None

    return gate
