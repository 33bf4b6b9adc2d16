"""Which snapshot is in force: swapped between two questions, never during one."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ceir.equipment_check.snapshot.delta import PatchedSnapshot, read_delta
from ceir.equipment_check.snapshot.format import SnapshotRefusedError
from ceir.equipment_check.snapshot.reading import open_snapshot, verify_content
from ceir.equipment_check.status import Answer


class SnapshotHolder:
    """A checker whose snapshot can be replaced while it answers.

    A file that is refused changes nothing: the last good one goes on serving, even past its own expiry,
    because an operator without answers would cut everybody or nobody; `expired` is what the alarm asks.
    """

    def __init__(self, keys: Mapping[str, Ed25519PublicKey], path: Path, now: datetime) -> None:
        self._keys = keys
        self._current = self._opened(path, now)

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        """The answer of the snapshot in force."""
        return self._current.verdict(imei, software_version, imsi)

    @property
    def sequence(self) -> int:
        """Sequence of the lists in force."""
        return self._current.sequence

    def expired(self, now: datetime) -> bool:
        """Whether the lists in force are older than the register allows."""
        return datetime.fromisoformat(self._current.expires_at) <= now

    def offer_snapshot(self, path: Path, now: datetime) -> None:
        """Put a newer snapshot in force, once it is verified from end to end.

        Raises:
            SnapshotRefusedError: it may not be served, or is not newer.
        """
        fresh = self._opened(path, now)
        if fresh.sequence <= self.sequence:
            raise SnapshotRefusedError(
                f"The snapshot has sequence {fresh.sequence}; {self.sequence} is in force.",
                "A checker never goes back.",
            )
        verify_content(path)
        self._current = fresh

    def offer_delta(self, path: Path, now: datetime) -> None:
        """Put a delta in force.

        Raises:
            SnapshotRefusedError: it may not be served, or does not follow what is in force.
        """
        self._current = self._current.patched(read_delta(path, self._keys, now))

    def _opened(self, path: Path, now: datetime) -> PatchedSnapshot:
        snapshot = open_snapshot(path, self._keys, now)
        return PatchedSnapshot(snapshot, snapshot.header.sequence, snapshot.header.expires_at, {}, {})
