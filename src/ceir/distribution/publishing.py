"""Publishing snapshots: a signed file for operators' equipment checks, and the delta from the one before."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import ceir
from ceir.distribution.content import Content, Sources, snapshot_content
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.snapshot import Header, SnapshotRefusedError, open_snapshot
from ceir.equipment_check.snapshot.building import build_snapshot
from ceir.equipment_check.snapshot.comparing import delta_between
from ceir.equipment_check.snapshot.delta import write_delta
from ceir.equipment_check.snapshot.format import StatusName
from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import Catalogue, Run, SnapshotRecord
from ceir.pipeline.engines import Engine
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.workspace import Workspace, sha256_of
from ceir.policy import Policy
from ceir.policy.loading import load_policy

KEPT = 3
"""Snapshots of a receiver whose files are kept; older ones can be made again from the lists."""

ALL_OPERATORS = "all"
"""Folder of snapshots with every operator's exceptions."""

_LONGEST_VALIDITY = timedelta(days=366)


class NoListsError(CeirError):
    """There are no published lists that a snapshot could be made of."""

    code = "snapshot_without_lists"


class SnapshotTooOldError(CeirError):
    """The snapshot would be expired when it is made."""

    code = "snapshot_too_old"


@dataclass(frozen=True)
class SnapshotRequest:
    """What is asked for.

    Args:
        now: aware moment.
        operator: whose subscribers' exceptions go in; None: every operator's.
        override: one answer to everything, whatever the lists say: for an emergency; None: none.
        because: why there is an override.
        valid_until: last day of validity; None: the policy's days after the run.
    """

    now: datetime
    operator: str | None = None
    override: StatusName | None = None
    because: str | None = None
    valid_until: date | None = None


@dataclass(frozen=True)
class Published:
    """A snapshot as it was published.

    Args:
        is_new: False: it was there already.
        content: None: it was there already.
    """

    record: SnapshotRecord
    is_new: bool
    content: Content | None


def publish_snapshot(
    workspace: Workspace,
    request: SnapshotRequest,
    key: Ed25519PrivateKey,
    engine: Engine,
    progress: Progress = SILENT,
) -> Published:
    """Write a snapshot of the newest run's lists; call it with the workspace locked.

    Asked again for the same it gives what is there. The same run, policy, request and sequence give the same
    bytes.

    Raises:
        NoListsError: the newest run has no published lists, or retention took them.
        SnapshotTooOldError: it would be expired.
        UsageError: no such operator; an override without a reason; a validity that is too long.
    """
    catalogue = workspace.catalogue()
    run = _chosen(catalogue)
    policy, sha256 = load_policy(workspace.root / "policies" / f"{run.policy_sha256}.toml")
    operators = _operators(policy, request.operator)
    if (request.override is None) != (request.because is None):
        raise UsageError("An override and its reason belong together.", "--override ANSWER --because TEXT")
    expires = _expiry(run, policy, request)
    receiver = request.operator or ALL_OPERATORS
    before = next((s for s in reversed(catalogue.snapshots) if s.receiver == receiver), None)
    wanted = SnapshotRecord(
        sequence=catalogue.next_snapshot,
        receiver=receiver,
        run=run.id,
        as_of=run.as_of,
        expires_at=expires,
        key_id=key_id(key.public_key()),
        override=request.override,
        because=request.because,
    )
    if before is not None and before.path is not None and _same(before, wanted):
        return Published(before, is_new=False, content=None)
    devices = workspace.path(catalogue.devices.path) if catalogue.devices else None
    lists = workspace.path(run.publications[0].path)
    sources = Sources(workspace, run, policy, lists, operators, devices)
    with workspace.staging() as scratch, progress.step("Making the snapshot", 3, "steps") as step:
        content = snapshot_content(sources, engine)
        step.at(1)
        file = scratch / "snapshot"
        header = build_snapshot(content.parts, _header(wanted, policy, sha256, request), key, file)
        step.at(2)
        delta = _delta(workspace, before, file, key, scratch)
        stem = f"snapshots/{receiver}/{wanted.sequence:08d}"
        record = wanted.model_copy(
            update={
                "path": f"{stem}.snapshot",
                "delta": f"{stem}-from-{before.sequence:08d}.delta" if delta and before else None,
                "sha256": sha256_of(file),
                "counts": header.counts,
            }
        )
        workspace.adopt(file, f"{stem}.snapshot")
        if delta is not None and record.delta is not None:
            workspace.adopt(delta, record.delta)
        kept, dropped = _kept([*catalogue.snapshots, record])
        workspace.commit(
            catalogue.model_copy(update={"next_snapshot": record.sequence + 1, "snapshots": kept})
        )
        for path in dropped:
            workspace.path(path).unlink(missing_ok=True)
        step.at(3)
    return Published(record, is_new=True, content=content)


def _chosen(catalogue: Catalogue) -> Run:
    run = catalogue.runs[-1] if catalogue.runs else None
    if run is None or not run.publications:
        raise NoListsError("The newest run has no published lists.", "Make them with: ceir run")
    if run.stripped:
        raise NoListsError(f"The lists of run {run.id} were deleted by retention.", "Make new ones: ceir run")
    return run


def _operators(policy: Policy, operator: str | None) -> tuple[str, ...]:
    every = tuple(o.id for o in policy.operators)
    if operator is None:
        return every
    if operator not in every:
        raise UsageError(f"There is no operator {operator!r}.", f"Operators: {', '.join(every)}.")
    return (operator,)


def _expiry(run: Run, policy: Policy, request: SnapshotRequest) -> datetime:
    last = request.valid_until or run.as_of + timedelta(days=policy.equipment_check.valid_days)
    expires = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    if expires <= request.now:
        raise SnapshotTooOldError(
            f"The lists are of {run.as_of.isoformat()}; a snapshot of them would have expired on "
            f"{expires.date().isoformat()}.",
            "Classify a later day, or say how long old lists may serve: --valid-until YYYY-MM-DD",
        )
    if expires - request.now > _LONGEST_VALIDITY:
        raise UsageError(
            f"{last.isoformat()} is more than a year away.", "Lists that old would cut people by mistake."
        )
    return expires


def _same(before: SnapshotRecord, wanted: SnapshotRecord) -> bool:
    fields = ("run", "expires_at", "key_id", "override", "because")
    return all(getattr(before, f) == getattr(wanted, f) for f in fields)


def _header(record: SnapshotRecord, policy: Policy, sha256: str, request: SnapshotRequest) -> Header:
    return Header(
        country=policy.country.name,
        sequence=record.sequence,
        as_of=record.as_of.isoformat(),
        expires_at=record.expires_at.isoformat(),
        operator=request.operator or "",
        otherwise=policy.unlisted_answer,
        malformed=policy.malformed_answer,
        override=request.override,
        key_id=record.key_id,
        counts={},
        extra={
            "run": record.run,
            "policy": {"name": policy.name, "version": policy.version, "sha256": sha256},
            "override_because": request.because,
            "software": ceir.__version__,
        },
    )


def _delta(
    workspace: Workspace, before: SnapshotRecord | None, file: Path, key: Ed25519PrivateKey, scratch: Path
) -> Path | None:
    """The signed delta from the snapshot before; None: there is none, or it would not do."""
    if before is None or before.path is None:
        return None
    keys = {key_id(key.public_key()): key.public_key()}
    moment = datetime.min.replace(tzinfo=UTC)
    try:
        old = open_snapshot(workspace.path(before.path), keys, moment)
    except SnapshotRefusedError:
        return None  # of another key: whoever changes keys sends whole snapshots
    delta = delta_between(old, open_snapshot(file, keys, moment))
    if delta is None:
        return None
    target = scratch / "delta"
    write_delta(delta, key, target)
    return target


def _kept(records: list[SnapshotRecord]) -> tuple[tuple[SnapshotRecord, ...], list[str]]:
    """All records, the files of older ones struck out; and the paths struck out."""
    left: dict[str, int] = {}
    kept: list[SnapshotRecord] = []
    dropped: list[str] = []
    for record in reversed(records):
        left[record.receiver] = left.get(record.receiver, 0) + 1
        if left[record.receiver] > KEPT:
            dropped += [path for path in (record.path, record.delta) if path]
            kept.append(record.model_copy(update={"path": None, "delta": None}))
        else:
            kept.append(record)
    return tuple(reversed(kept)), dropped
