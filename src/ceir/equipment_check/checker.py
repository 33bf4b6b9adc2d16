"""The question every interface asks, and who answers it."""

from typing import NamedTuple, Protocol

from ceir.equipment_check.status import Answer


class Question(NamedTuple):
    """May this equipment be used, with this subscriber?

    Args:
        imei: the first 14 digits as a number; None: the identity on the wire was not 14 digits or more.
        software_version: 0 to 99; None: not told.
        imsi: the subscriber's IMSI as a number with a 1 before its digits (so that leading zeros live);
            None: not told.
    """

    imei: int | None
    software_version: int | None = None
    imsi: int | None = None


Values = tuple[int | None, int | None, int | None]
"""The values of a `Question`, which is such a tuple with names: whoever asks for every attach names none."""


class Checker(Protocol):
    """Answers from a snapshot, in microseconds, without waiting for anything."""

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        """The answer to a question; never raises for any values in range."""
