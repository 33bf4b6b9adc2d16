"""The folder in which snapshots and deltas arrive, and the newest of them put in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.own_copies import OwnCopies
from ceir.equipment_check.snapshot.delta import Delta, read_delta
from ceir.equipment_check.snapshot.format import SnapshotExpiredError, SnapshotRefusedError
from ceir.equipment_check.snapshot.reading import Snapshot, open_snapshot, read_header
from ceir.equipment_check.snapshot.verifying import verify_content
from ceir.equipment_check.status import Answer

SNAPSHOT_SUFFIX = ".snapshot"
DELTA_SUFFIX = ".delta"

_Seen = tuple[int, int]
"""Size and time of change: a file that was still being copied is looked at again once it has grown."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of a file.

    Args:
        what: put in force, or refused.
        reason: why it was refused, or what is to be known of what is in force; safe to show.
    """

    file: str
    what: Literal["in_force", "refused"]
    sequence: int
    reason: str = ""


class SnapshotShelf:
    """A folder of `*.snapshot` and `*.delta` files, or one snapshot file.

    Files are known by what is signed inside them; names matter only for their endings.

    Args:
        operator: whose snapshots are taken at the start ("" : those for all operators); None: any.
        own: where copies are made that nobody else writes into; None: files are mapped where they lie, which
            is for commands that end soon.
    """

    def __init__(
        self,
        place: Path,
        keys: Mapping[str, Ed25519PublicKey],
        operator: str | None = None,
        own: OwnCopies | None = None,
    ) -> None:
        self._place = place
        self._own = own
        self._keys = keys
        self._operator = operator
        self._seen: dict[str, _Seen] = {}
        self._waiting: dict[str, int] = {}
        """Deltas that follow one which is not here yet, and the sequence that each begins at."""

    def newest(self, now: datetime) -> tuple[Snapshot, list[Arrival]]:
        """The snapshot with the highest sequence that may be served, verified from end to end.

        Expired ones are taken where there is nothing younger: a server that restarts must not be worse off
        than one that went on.

        Returns: the snapshot, and what was refused.

        Raises:
            SnapshotRefusedError: there is none.
        """
        found: list[tuple[int, Path]] = []
        arrivals: list[Arrival] = []
        for file in self._files(SNAPSHOT_SUFFIX):
            self._is_new(file)
            try:
                header = read_header(file, self._keys, now, or_expired=True)
                if self._operator not in (None, header.operator):
                    whose = header.operator or "all operators"
                    arrivals.append(Arrival(file.name, "refused", 0, f"It is for {whose}."))
                    continue
                found.append((header.sequence, file))
            except SnapshotRefusedError as error:
                arrivals.append(Arrival(file.name, "refused", 0, error.detail))
        for sequence, file in sorted(found, key=lambda f: (-f[0], f[1].name)):
            place, remark = self._untouched(file)
            try:
                snapshot = open_snapshot(place, self._keys, now, or_expired=True)
                verify_content(snapshot)
            except SnapshotRefusedError as error:
                arrivals.append(Arrival(file.name, "refused", sequence, error.detail))
                continue
            self._tidy()
            return snapshot, [*arrivals, Arrival(file.name, "in_force", sequence, remark)]
        why = f" {arrivals[0].file}: {arrivals[0].reason}" if arrivals else ""
        raise SnapshotRefusedError(
            f"{self._place} holds no snapshot that may be served.{why}",
            "Fetch one from the register; the register makes them with: ceir publish snapshot",
        )

    def holder(self, now: datetime, when_stale: Answer | None = None) -> tuple[SnapshotHolder, list[Arrival]]:
        """A holder with the newest snapshot and the deltas that follow it.

        Raises:
            SnapshotRefusedError: there is no snapshot.
        """
        snapshot, arrivals = self.newest(now)
        holder = SnapshotHolder(self._keys, snapshot, now, when_stale)
        return holder, [*arrivals, *self.look(holder, now)]

    def look(self, holder: SnapshotHolder, now: datetime) -> list[Arrival]:
        """Put in force what arrived since the last look: deltas that follow, else a newer snapshot.

        A delta for which one before is still missing waits. What is older than the lists in force is passed
        over in silence.

        Returns: what came of the new files.
        """
        arrivals = self._deltas(holder, now)
        for file in self._files(SNAPSHOT_SUFFIX):
            if not self._is_new(file):
                continue
            try:
                sequence = read_header(file, self._keys, now).sequence
                if sequence <= holder.sequence:
                    continue
                place, remark = self._untouched(file)
                holder.offer_snapshot(place, now)
                self._tidy()
                arrivals.append(Arrival(file.name, "in_force", sequence, remark))
            except SnapshotExpiredError as error:
                if error.sequence > holder.sequence:
                    arrivals.append(Arrival(file.name, "refused", error.sequence, error.detail))
            except SnapshotRefusedError as error:
                arrivals.append(Arrival(file.name, "refused", 0, error.detail))
        return [*arrivals, *self._deltas(holder, now)] if arrivals else arrivals

    def _deltas(self, holder: SnapshotHolder, now: datetime) -> list[Arrival]:
        arrivals: list[Arrival] = []
        names = set[str]()
        for file in self._files(DELTA_SUFFIX):
            names.add(file.name)
            if not self._is_new(file):
                continue
            self._waiting.pop(file.name, None)
            try:
                delta = read_delta(file, self._keys, now)
            except SnapshotExpiredError as error:
                if error.sequence > holder.sequence:
                    arrivals.append(Arrival(file.name, "refused", error.sequence, error.detail))
                continue
            except SnapshotRefusedError as error:
                arrivals.append(Arrival(file.name, "refused", 0, error.detail))
                continue
            if delta.base == holder.sequence:
                arrivals.append(self._offer(holder, file.name, delta, now))
            elif delta.base > holder.sequence:
                self._waiting[file.name] = delta.base
        for name, base in list(self._waiting.items()):
            if name not in names or base < holder.sequence:
                del self._waiting[name]
        return arrivals + self._deltas_that_waited(holder, now)

    def _deltas_that_waited(self, holder: SnapshotHolder, now: datetime) -> list[Arrival]:
        """Those whose turn has come; read again, because to keep what they hold would take memory."""
        arrivals: list[Arrival] = []
        while name := next((n for n, base in self._waiting.items() if base == holder.sequence), None):
            del self._waiting[name]
            file = self._place / name
            try:
                self._is_new(file)
                arrivals.append(self._offer(holder, name, read_delta(file, self._keys, now), now))
            except SnapshotRefusedError as error:
                arrivals.append(Arrival(name, "refused", 0, error.detail))
        return arrivals

    @staticmethod
    def _offer(holder: SnapshotHolder, name: str, delta: Delta, now: datetime) -> Arrival:
        try:
            holder.offer_delta(delta, now)
        except SnapshotRefusedError as error:
            return Arrival(name, "refused", delta.sequence, error.detail)
        return Arrival(name, "in_force", holder.sequence)

    def _untouched(self, file: Path) -> tuple[Path, str]:
        """A copy that nobody writes into; for want of one the file itself, and what follows from that."""
        if self._own is None:
            return file, ""
        try:
            return self._own.of(file), ""
        except OSError as error:
            return file, f"It is mapped where it lies ({error.strerror}): do not write into it."

    def _tidy(self) -> None:
        if self._own is not None:
            self._own.tidy()

    def _files(self, suffix: str) -> list[Path]:
        if self._place.is_dir():
            # a dot begins the name of a file that is still being written
            found = (p for p in self._place.glob(f"*{suffix}") if not p.name.startswith("."))
            # to open a pipe would wait for ever
            return sorted(p for p in found if p.is_file())
        return [self._place] if suffix == SNAPSHOT_SUFFIX and self._place.exists() else []

    def _is_new(self, file: Path) -> bool:
        try:
            status = file.stat()
        except OSError:
            return False
        seen = (status.st_size, status.st_mtime_ns)
        if self._seen.get(file.name) == seen:
            return False
        self._seen[file.name] = seen
        return True
