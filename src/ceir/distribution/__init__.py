"""From published lists to what operators' equipment checks answer from: signed snapshots and deltas."""

from ceir.distribution.publishing import SnapshotRequest, publish_snapshot

__all__ = ["SnapshotRequest", "publish_snapshot"]
