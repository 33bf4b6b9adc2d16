"""What came of a load."""

from collections.abc import Mapping
from dataclasses import dataclass

from ceir.equipment_check import EquipmentStatus

NO_ANSWER = "no answer"
NOT_SENT = "not sent"
_STATUSES = frozenset(status.value for status in EquipmentStatus)


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """What came of one connection.

    Args:
        closed: the server ended it, or it broke, before we took leave.
        outcomes: answers by status or by error, as in `LoadReport`.
    """

    sent: int
    answered: int
    closed: bool
    outcomes: Mapping[str, int]

    @property
    def is_clean(self) -> bool:
        """Every request was answered with a status."""
        return not self.closed and self.answered == self.sent and set(self.outcomes) <= _STATUSES


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What came of all of it.

    Args:
        due: requests that fell due; without a rate, those sent.
        sent: those that found room in a window before the time was over.
        seconds: from the first request to the last answer.
        answers: by everything that an answer can say: "permitted", "tracked", "blocked", "unknown", and
            errors in the words of the interface.
        percentiles: seconds to the answer by percentage, as `Times.percentiles` gives them.
        late: the longest that a request was due before this client came to send it, seconds; much of it
            means that the client, not the server, was slow.
        processor: share of one processor that the client took.
        connections: one by one.
    """

    due: int
    sent: int
    seconds: float
    answers: Mapping[str, int]
    percentiles: Mapping[float, float]
    late: float
    processor: float
    connections: tuple[ConnectionReport, ...]

    @property
    def answered(self) -> int:
        """Requests with an answer, whatever it says."""
        return sum(one.answered for one in self.connections)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Answers that gave a status, unknown among them, by its word."""
        return {word: count for word, count in self.answers.items() if word in _STATUSES}

    @property
    def errors(self) -> Mapping[str, int]:
        """All else by its code, with the requests that were not answered or could not be sent."""
        found = {word: count for word, count in self.answers.items() if word not in _STATUSES}
        for word, count in ((NO_ANSWER, self.sent - self.answered), (NOT_SENT, self.due - self.sent)):
            if count:
                found[word] = count
        return found

    @property
    def closed(self) -> int:
        """Connections that the server ended or that broke."""
        return sum(one.closed for one in self.connections)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0
