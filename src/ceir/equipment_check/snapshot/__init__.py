"""Snapshots: reading them here; building and comparing, which checkers never do, in modules of their own."""

from ceir.equipment_check.snapshot.format import Header, SnapshotExpiredError, SnapshotRefusedError
from ceir.equipment_check.snapshot.reading import Snapshot, open_snapshot, read_header
from ceir.equipment_check.snapshot.verifying import verify_content

__all__ = [
    "Header",
    "Snapshot",
    "SnapshotExpiredError",
    "SnapshotRefusedError",
    "open_snapshot",
    "read_header",
    "verify_content",
]
