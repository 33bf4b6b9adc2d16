"""Taking a file in: read, check, quarantine, store, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ceir.clock import day_number
from ceir.errors import UsageError
from ceir.pipeline.catalogue import Catalogue, CheckResult, Ingest, ListState
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.ingest import compacting, listing, locating
from ceir.pipeline.ingest.checking import judge, refuse_failed, refuse_unknown, refused
from ceir.pipeline.ingest.opening import FileRefusedError, days_of_name, open_delivery
from ceir.pipeline.ingest.parsing import parser_for
from ceir.pipeline.ingest.quarantining import faulty_rows, save_quarantine
from ceir.pipeline.ingest.work import Read, Work, nothing_left_behind
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.sources import Source, source_named


class RowsLostError(FileRefusedError):
    """Lines of the file were neither kept, nor folded, nor quarantined; the file is refused.

    It changed while it was read, or it shows a fault of ours.
    """

    code = "rows_lost"


@dataclass(frozen=True)
class Delivery:
    """A file and what its bringer says of it.

    Args:
        received_on: the day it counts as received: entries of a list are on it since then.
        accepted: reasons to take it although a check fails, by check.
    """

    source: str
    path: Path
    received_on: date
    operator: str | None = None
    delta: bool = False
    accepted: Mapping[str, str] = field(default_factory=dict)


def take_in(workspace: Workspace, delivery: Delivery, limits: Limits, progress: Progress = SILENT) -> Ingest:
    """Take a file into the workspace; call it with the workspace locked.

    Returns: its record; the same content again gives the record of the first time, and changes nothing.

    Raises:
        UsageError: no such source, an operator missing or unknown, a delta where there are none.
        FileRefusedError: it cannot be read as a file of the source.
        ChecksFailedError: it failed a check that nobody accepted.
    """
    source = source_named(delivery.source)
    policy, _ = workspace.policy()
    operator = _operator(source, policy, delivery)
    refuse_unknown(source, delivery.accepted)
    catalogue = workspace.catalogue()
    with workspace.staging() as scratch:
        known = frozenset(h for f in source.fields for h in f.headers)
        delimiters = (source.delimiter, *(d for d in (",", "|", ";", "\t") if d != source.delimiter))
        opened = open_delivery(delivery.path, delimiters, known, scratch, progress)
        before = _same_content(catalogue, source, opened.text.sha256, operator, delta=delivery.delta)
        if before is not None:
            return before
        parser = parser_for(source, opened, delta=delivery.delta)
        with _engine(limits, scratch) as engine:
            work = Work(
                source=source,
                policy=policy,
                operator=operator,
                delta=delivery.delta,
                opened=opened,
                parser=parser,
                engine=engine,
                scratch=scratch,
                received_on=day_number(delivery.received_on),
                named_days=days_of_name(opened.name) if source.dated_name else None,
                catalogue=catalogue,
                workspace=workspace,
                progress=progress,
            )
            kind = {"months": compacting, "rows": locating, "list": listing}[source.folded]
            read = kind.read(work)
            results = _accounted_and_judged(work, read, delivery)
            staged = kind.save(work, read) | {"quarantine": save_quarantine(work, read)}
        with nothing_left_behind(workspace):
            files = {
                kind: tuple(
                    workspace.adopt(file, _place(catalogue.next_ingest, source, operator, kind, file.name))
                    for file in parts
                )
                for kind, parts in staged.items()
                if parts
            }
            record = Ingest(
                id=catalogue.next_ingest,
                source=source.name,
                operator=operator,
                delta=delivery.delta,
                file=delivery.path.name,
                sha256=opened.text.sha256,
                received_on=delivery.received_on,
                counts=read.counts,
                checks=results,
                # the state after a delta is derived: an undo makes it again
                files={kind: paths for kind, paths in files.items() if kind != "state"},
                months=read.months,
                days=read.days,
            )
            workspace.commit(_with(catalogue, record, read, files))
    if read.list_rows is not None:
        workspace.sweep()  # the state that this one replaced
    return record


def _accounted_and_judged(work: Work, read: Read, delivery: Delivery) -> tuple[CheckResult, ...]:
    """Account for every line, and hold the file against the limits before anything of it is stored."""
    text, counts = work.opened.text, read.counts
    if text.lines != 1 + text.blank + counts.read or counts.read != (
        counts.kept + counts.folded + counts.quarantined
    ):
        raise RowsLostError(
            f"{work.opened.name}: of {text.lines} lines, 1 is the header, {text.blank} are blank and "
            f"{counts} were accounted for.",
            "Take it in again if it was still being written; if not, please report this with its header.",
        )
    measured = dict(read.measured)
    if work.source.dated_name:
        measured["file_dates"] = 0 if work.named_days else 1
    if work.named_days:
        measured["from_future"] = max(0, work.named_days[1] - work.received_on)
    results = judge(work.source, work.policy, measured, delivery.accepted)
    refuse_failed(work.opened.name, results, faulty_rows(work) if refused(results) else ())
    return results


def _operator(source: Source, policy: Policy, delivery: Delivery) -> str | None:
    if delivery.delta and not source.changes:
        raise UsageError(f"{source.name} has no deltas.", "Leave --delta out and send the whole list.")
    known = ", ".join(o.id for o in policy.operators)
    if not source.per_operator:
        if delivery.operator is not None:
            raise UsageError(f"{source.name} does not belong to an operator.", "Leave --operator out.")
        return None
    if delivery.operator is None:
        name = delivery.path.name.lower()
        named = [o.id for o in policy.operators if name.startswith(f"{o.id}_")]
        if not named:
            raise UsageError(
                f"{source.name} needs the operator, and {delivery.path.name} does not begin with one's id.",
                f"Give --operator ID; operators: {known}.",
            )
        return max(named, key=len)  # an id may have an underscore and so begin with another's
    if policy.operator(delivery.operator.lower()) is None:
        raise UsageError(f"There is no operator {delivery.operator!r}.", f"Operators: {known}.")
    return delivery.operator.lower()


def _same_content(
    catalogue: Catalogue, source: Source, sha256: str, operator: str | None, *, delta: bool
) -> Ingest | None:
    """The ingest in force that has this content; for a list only if nothing came on it since."""
    found = [i for i in catalogue.live if i.source == source.name and i.operator == operator]
    if source.folded == "list":
        found = found[-1:]
    return next((i for i in reversed(found) if i.sha256 == sha256 and i.delta == delta), None)


def _place(ingest: int, source: Source, operator: str | None, kind: str, name: str) -> str:
    if kind == "quarantine":
        return f"quarantine/{ingest:06d}-{source.name}{Path(name).suffix}"
    if kind == "malformed":
        return f"lake/malformed/{ingest:06d}.parquet"
    if source.folded == "list":
        return f"lake/{source.name}/{ingest:06d}-{name}"
    return f"lake/{source.name}/month={Path(name).stem}/operator={operator}/{ingest:06d}.parquet"


def _with(
    catalogue: Catalogue, record: Ingest, read: Read, files: Mapping[str, tuple[str, ...]]
) -> Catalogue:
    lists = dict(catalogue.lists)
    if read.list_rows is not None:
        before = catalogue.lists.get(record.source)
        lists[record.source] = ListState(
            path=files["state"][0] if "state" in files else files["data"][0],
            rows=read.list_rows,
            ingests=(*(before.ingests if before and record.delta else ()), record.id),
        )
    return catalogue.model_copy(
        update={
            "next_ingest": record.id + 1,
            "ingests": (*catalogue.ingests, record),
            "lists": lists,
        }
    )


class _engine:  # noqa: N801 - reads as a function where it is used
    """An engine for one file, that keeps the order of its lines."""

    def __init__(self, limits: Limits, scratch: Path) -> None:
        self._engine = DuckEngine(
            Limits(scratch=scratch, threads=limits.threads, memory_gb=limits.memory_gb), ordered=True
        )

    def __enter__(self) -> DuckEngine:
        return self._engine

    def __exit__(self, *exc: object) -> None:
        self._engine.close()
