from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from ceir.equipment_check.snapshot.format import Header, SnapshotRefusedError
from ceir.equipment_check.snapshot.reading import Snapshot, open_snapshot, verify_content

__all__ = [
    "Header",
    "Snapshot",
    "SnapshotContent",
    "SnapshotRefusedError",
    "build_snapshot",
    "open_snapshot",
    "verify_content",
]
