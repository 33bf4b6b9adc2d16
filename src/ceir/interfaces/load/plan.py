"""What is to be put on a server."""

from dataclasses import dataclass
from typing import ClassVar

from ceir.errors import CeirError


class PlanError(CeirError):
    """The load that was asked for is none that can be put on."""

    code: ClassVar[str] = "load_plan"
    exit_code: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, for how long, over how many connections.

    Args:
        seconds: how long requests are sent, above 0.
        rate: requests a second over all connections, above 0; None: a flood, as many as the windows let
            through. With a rate, times count from when a request was due, so a server that stalls is not
            spared the requests that had to wait for it.
        connections: at a time, 1 or more.
        window: requests a connection may have unanswered, 1 or more.
        wait: seconds for a connection to be made, and again for the last answers; 0 or more.

    Raises:
        PlanError: a number is out of its range.
    """

    seconds: float
    rate: float | None = None
    connections: int = 1
    window: int = 256
    wait: float = 5.0

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.connections >= 1 and self.window >= 1 and self.wait >= 0):
            raise PlanError(
                "Seconds, connections and the window must be above 0.",
                "One connection for 10 seconds will do.",
            )
        if self.rate is not None and not self.rate * self.seconds >= 1:
            raise PlanError(
                f"At {self.rate:g} requests a second not one is due in {self.seconds:g} seconds.",
                "Raise the rate, or leave it out to send as many as are answered.",
            )

    @property
    def total(self) -> int | None:
        """Requests that fall due; None for a flood."""
        return None if self.rate is None else int(self.rate * self.seconds)
