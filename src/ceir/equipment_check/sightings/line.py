"""A sighting as a line of a file, there and back."""

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ceir.equipment_check.checker import Values
from ceir.equipment_check.sightings.keeping import INTERFACE, Keeping, SightingsError, Subscriber
from ceir.equipment_check.status import Answer, EquipmentStatus, Reason

HEADER = b"moment,interface,imei,software_version,imsi,status,reason,count\n"
CLOSED = re.compile(r"sightings-[0-9]{8}T[0-9]{9}Z-w[0-9]{3,}\.csv")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_SUBSCRIBER = re.compile(r"(?:[0-9]{1,15}|[0-9a-f]{32})?")
_IMEI = re.compile(r"(?:[0-9]{14})?")
_VERSION = re.compile(r"(?:[0-9]{2})?")
_KEYED_OCTETS = 16
_LONGEST_LINE = 256
_KNOWN_ANSWERS = 256
_IMEIS, _VERSIONS, _IMSIS = 10**14, 100, 2 * 10**15


@dataclass(frozen=True, slots=True)
class Sighting:
    """Equipment that a network asked about.

    Grain: one answer; where repeats are folded, all equal answers since the line before.

    Args:
        moment: of the answer, the last one where several are folded; UTC, whole milliseconds.
        interface: which asked, like `s13`.
        imei: the first 14 digits as a number; None: the identity was malformed.
        software_version: 0 to 99; None: not told.
        subscriber: IMSI digits, or 32 hexadecimal digits where keyed; empty: not told, or not kept.
        status, reason: of the answer.
        count: how many answers the line stands for.
    """

    moment: datetime
    interface: str
    imei: int | None
    software_version: int | None
    subscriber: str
    status: EquipmentStatus
    reason: Reason
    count: int = 1


class Wording:
    """Makes the line of a sighting in two parts: when it was, and all else, by which repeats are known."""

    def __init__(self, keeping: Keeping) -> None:
        self._subscriber = keeping.subscriber
        self._key = keeping.key
        self._second = -1
        self._text = ""
        # By identity, as in `MetricsBoard.observer`: reading the names of two enumerations costs as much as
        # the rest of the line. The object is kept, so its identity cannot pass to another.
        self._answers: dict[int, tuple[Answer, str]] = {}

    def moment(self, at: float) -> str:
        """A moment's text.

        Args:
            at: seconds since 1970, UTC.
        """
        second, millisecond = divmod(int(at * 1000), 1000)
        if second != self._second:  # the calendar is asked once a second, not once a sighting
            self._text = (_EPOCH + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = second
        return f"{self._text}.{millisecond:03}Z"

    def rest(self, interface: str, answer: Answer, question: Values) -> str:
        """Everything but the moment and the count.

        Raises:
            ValueError: a number that no question may hold; written, it would spoil the file for its reader.
        """
        imei, version, imsi = question
        if not (
            (imei is None or 0 <= imei < _IMEIS)
            and (version is None or 0 <= version < _VERSIONS)
            and (imsi is None or 0 < imsi < _IMSIS)
        ):
            raise ValueError("a number is out of its range")
        known = self._answers.get(id(answer))
        if known is None:
            known = (answer, f"{answer.status.value},{answer.reason.value}")
            if len(self._answers) < _KNOWN_ANSWERS:
                self._answers[id(answer)] = known
        equipment = "" if imei is None else f"{imei:014}"
        software = "" if version is None else f"{version:02}"
        return f"{interface},{equipment},{software},{'' if imsi is None else self._named(imsi)},{known[1]}"

    def _named(self, imsi: int) -> str:
        digits = str(imsi)[1:]
        if self._subscriber is Subscriber.CLEAR:
            return digits
        if self._subscriber is Subscriber.NONE:
            return ""
        return hmac.digest(self._key, digits.encode("ascii"), "sha256")[:_KEYED_OCTETS].hex()


def parse_line(line: str) -> Sighting:
    """The sighting of a line, without its line end.

    Raises:
        SightingsError: it is not one.
    """
    fields = line.split(",")
    try:
        moment, interface, imei, version, subscriber, status, reason, count = fields
        forms = (
            (_MOMENT, moment),
            (INTERFACE, interface),
            (_IMEI, imei),
            (_VERSION, version),
            (_SUBSCRIBER, subscriber),
        )
        if len(line) > _LONGEST_LINE or not all(form.fullmatch(text) for form, text in forms):
            raise ValueError("a field has another form")
        if not count.isascii() or not count.isdigit() or count.startswith("0"):
            raise ValueError("the count is no number from 1")
        return Sighting(
            datetime.fromisoformat(moment),
            interface,
            int(imei) if imei else None,
            int(version) if version else None,
            subscriber,
            EquipmentStatus(status),
            Reason(reason),
            int(count),
        )
    except ValueError:
        raise SightingsError(
            f"A line of {len(fields)} fields is no sighting.", "Look whether the file was changed or cut off."
        ) from None


def closed_segments(folder: Path) -> list[Path]:
    """Files that are whole and will not change, the oldest first; whoever has shipped one deletes it."""
    return sorted(file for file in folder.iterdir() if CLOSED.fullmatch(file.name))


def read_sightings(file: Path) -> Iterator[Sighting]:
    """The sightings of a closed segment, in the order in which they were written.

    Raises:
        SightingsError: the file is not one, or a line of it is damaged.
    """
    with file.open("r", encoding="utf-8", errors="replace", newline="\n") as lines:
        if lines.readline(len(HEADER)).encode() != HEADER:
            raise SightingsError(
                f"{file.name} does not begin as sightings do.", "Only closed segments can be read."
            )
        while line := lines.readline(_LONGEST_LINE):
            if not line.endswith("\n"):
                raise SightingsError(
                    f"A line of {file.name} is cut off.", "Look whether the file was changed."
                )
            yield parse_line(line[:-1])
