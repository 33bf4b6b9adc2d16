"""What of the answers is kept, and how much room it may take."""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar

from ceir.errors import CeirError

_LEAST_SEGMENT = 4096
_LEAST_KEY = 32
INTERFACE = re.compile(r"[a-z0-9-]{1,16}")


class SightingsError(CeirError):
    """Sightings cannot be kept as configured, or a file of them cannot be read."""

    code: ClassVar[str] = "sightings"


class Subscriber(Enum):
    """How a sighting names the subscriber."""

    CLEAR = "clear"
    """By IMSI."""
    KEYED = "keyed"
    """By 32 hexadecimal digits that only the holder of a key can make from an IMSI."""
    NONE = "none"
    """Not at all."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which answers are kept and what of them.

    Blocked and tracked answers, and those that only a pairing permits, are always kept.

    Why the IMSI in clear by default: a sighting exists so that a stolen device can be traced to who uses it
    now, which takes the operator's own records of the subscriber; the spool lies with that operator, whose
    core hands out the same IMSIs, in files that only the server's user can read. Who ships sightings to
    others chooses `KEYED` or `NONE`, here or on the way.

    Args:
        sample_every: of all other answers every so-manieth at each interface of each worker; 0: none. The
            default is none: those subscribers use equipment that nobody asks about.
        subscriber: how the IMSI is written.
        key: of `KEYED`, 32 octets or more; see `subscriber_key`.
        fold_seconds: the same sighting repeated within so many seconds of its first is written once more,
            with the count, when they are over (phones attach again and again); 0: each is a line.
        fold_entries: how many different sightings are remembered for that, 1 or more; when there are more,
            the oldest is written early.

    Raises:
        SightingsError: a value out of range, or `KEYED` without a key.
    """

    sample_every: int = 0
    subscriber: Subscriber = Subscriber.CLEAR
    key: bytes = b""
    fold_seconds: float = 0
    fold_entries: int = 10_000

    def __post_init__(self) -> None:
        if self.sample_every < 0 or self.fold_seconds < 0 or self.fold_entries < 1:
            raise SightingsError(
                "A number that says which sightings are kept is too small.",
                "sample_every and fold_seconds are 0 or more, fold_entries is 1 or more.",
            )
        if self.subscriber is Subscriber.KEYED and len(self.key) < _LEAST_KEY:
            raise SightingsError(
                f"Subscribers are to be keyed; the key has {len(self.key)} octets, {_LEAST_KEY} are needed.",
                "Make a key file with: openssl rand -hex 32",
            )


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How much room sightings may take.

    Args:
        waiting: sightings in memory that are not written yet, for each worker; about 300 octets each.
        write_seconds: how often what waits is written.
        segment_bytes: a file is closed before it would be larger; 4096 or more.
        segment_seconds: a file is closed when it is so old, so that it can be shipped.
        total_bytes: of all files of all workers together. Each open file counts as a full one, so that the
            bound always holds: at least `segment_bytes` for each worker, or some cannot write.
        unshipped: when so many closed files wait, nobody ships them; files are then closed by size alone, so
            that the folder does not fill with tiny ones.
        retry_seconds: after a failure, how long until writing is tried again.

    Raises:
        SightingsError: a value out of range.
    """

    waiting: int = 20_000
    write_seconds: float = 0.25
    segment_bytes: int = 8 << 20
    segment_seconds: float = 60
    total_bytes: int = 1 << 30
    unshipped: int = 1000
    retry_seconds: float = 1

    def __post_init__(self) -> None:
        positive = (
            self.waiting,
            self.write_seconds,
            self.segment_seconds,
            self.unshipped,
            self.retry_seconds,
        )
        if min(positive) <= 0 or self.segment_bytes < _LEAST_SEGMENT or self.total_bytes < self.segment_bytes:
            raise SightingsError(
                "A limit of the sightings is too small.",
                f"segment_bytes is {_LEAST_SEGMENT} or more, total_bytes no less, everything else above 0.",
            )


def subscriber_key(file: Path) -> bytes:
    """The key in a file of hexadecimal digits.

    Raises:
        SightingsError: it cannot be read, is no hexadecimal text, or is shorter than 32 octets. Nothing is
            kept then rather than an IMSI in clear.
    """
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as problem:
        raise SightingsError(
            f"The key file {file.name} cannot be used: {type(problem).__name__}.",
            "Make one with: openssl rand -hex 32",
        ) from problem
    if len(key) < _LEAST_KEY:
        raise SightingsError(
            f"The key file {file.name} holds {len(key)} octets; {_LEAST_KEY} are needed.",
            "Make one with: openssl rand -hex 32",
        )
    return key
