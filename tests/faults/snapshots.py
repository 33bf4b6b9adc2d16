"""Publishing a snapshot as a command to be killed."""

from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.distribution import SnapshotRequest, publish_snapshot
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.workspace import Workspace

from .commands import limits

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def publish_snapshot_until(root: Path, day: str) -> None:
    """Publish a snapshot of the newest run that is good until a day."""
    workspace = Workspace.open(root)
    request = SnapshotRequest(datetime(2026, 11, 1, tzinfo=UTC), valid_until=date.fromisoformat(day))
    with workspace.locked(wait_seconds=120):
        engine = DuckEngine(limits(root))
        try:
            publish_snapshot(workspace, request, KEY, engine)
        finally:
            engine.close()
