"""Which snapshot is in force: swapped between two questions, never during one."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ceir.equipment_check.snapshot.delta import Delta, PatchedSnapshot
from ceir.equipment_check.snapshot.format import Header, SnapshotRefusedError
from ceir.equipment_check.snapshot.reading import Snapshot, Verdict, open_snapshot
from ceir.equipment_check.snapshot.verifying import verify_content
from ceir.equipment_check.status import Answer


class Always:
    """A checker with one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:  # noqa: ARG002
        """The one answer."""
        return self.answer


class SnapshotHolder:
    """A checker whose snapshot can be replaced while it answers.

    A file that is refused changes nothing: the last good one goes on serving, even past its own expiry,
    unless `when_stale` says what is answered then. An operator without answers would cut everybody or nobody.

    Args:
        snapshot: the first one, verified from end to end.
        when_stale: the answer to everything once the lists in force are expired; None: theirs.
    """

    def __init__(
        self,
        keys: Mapping[str, Ed25519PublicKey],
        snapshot: Snapshot,
        now: datetime,
        when_stale: Answer | None = None,
    ) -> None:
        self._keys = keys
        self._when_stale = when_stale
        self._current = _plain(snapshot)
        self.verdict: Verdict = self._current.verdict
        """The answer of the snapshot in force; a new function after each change: ask for it each time."""
        self.watch_age(now)

    @classmethod
    def of_file(cls, keys: Mapping[str, Ed25519PublicKey], path: Path, now: datetime) -> "SnapshotHolder":
        """A holder that begins with a file.

        Raises:
            SnapshotRefusedError: it may not be served.
        """
        snapshot = open_snapshot(path, keys, now)
        verify_content(snapshot)
        return cls(keys, snapshot, now)

    @property
    def header(self) -> Header:
        """What the whole snapshot under the deltas says of itself."""
        return self._current.base.header

    @property
    def sequence(self) -> int:
        """Sequence of the lists in force."""
        return self._current.sequence

    @property
    def as_of(self) -> date:
        """Day of the run that the lists in force come from."""
        return date.fromisoformat(self._current.as_of)

    @property
    def expires_at(self) -> datetime:
        """When the lists in force are older than the register allows."""
        return datetime.fromisoformat(self._current.expires_at)

    def expired(self, now: datetime) -> bool:
        """Whether the lists in force are older than the register allows."""
        return self.expires_at <= now

    def age(self, now: datetime) -> timedelta:
        """How old the lists are: since the end of their day."""
        return now - datetime(self.as_of.year, self.as_of.month, self.as_of.day, tzinfo=now.tzinfo) - _DAY

    def watch_age(self, now: datetime) -> bool:
        """Answer as configured for lists that are too old, or from the lists again.

        Returns: whether they are too old.
        """
        stale = self.expired(now)
        instead = self._when_stale if stale else None
        self.verdict = self._current.quickest() if instead is None else Always(instead).verdict
        return stale

    def offer_snapshot(self, path: Path, now: datetime) -> None:
        """Put a newer snapshot in force, once it is verified from end to end.

        Raises:
            SnapshotRefusedError: it may not be served, or is not newer.
        """
        fresh = open_snapshot(path, self._keys, now)
        if fresh.header.sequence <= self.sequence:
            raise SnapshotRefusedError(
                f"The snapshot has sequence {fresh.header.sequence}; {self.sequence} is in force.",
                "A checker never goes back.",
            )
        before = self.header
        if (fresh.header.country, fresh.header.operator) != (before.country, before.operator):
            raise SnapshotRefusedError(
                f"The snapshot is for {_whose(fresh.header)}; one for {_whose(before)} is in force.",
                "Another operator's snapshot lacks the pairings of your subscribers: fetch your own.",
            )
        verify_content(fresh)
        self._current = _plain(fresh)
        self.watch_age(now)

    def offer_delta(self, delta: Delta, now: datetime) -> None:
        """Put a delta in force, as `read_delta` gave it.

        Raises:
            SnapshotRefusedError: it does not follow what is in force.
        """
        self._current = self._current.patched(delta)
        self.watch_age(now)


_DAY = timedelta(days=1)


def _whose(header: Header) -> str:
    return f"{header.operator or 'all operators'} of {header.country}"


def _plain(snapshot: Snapshot) -> PatchedSnapshot:
    header = snapshot.header
    return PatchedSnapshot(snapshot, header.sequence, header.as_of, header.expires_at, {}, {})
