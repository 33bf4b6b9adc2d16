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
from ceir.pipeline.ingest.checking import judge, refuse_failed
from ceir.pipeline.ingest.opening import FileRefusedError, OpenedFile, days_of_name, open_delivery
from ceir.pipeline.ingest.parsing import parser_for
from ceir.pipeline.ingest.work import Stored, Work
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.sources import Source, source_named


class RowsLostError(FileRefusedError):
    """Lines of the file were neither kept, nor folded, nor quarantined: a fault of ours; the file is
    refused."""

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
    catalogue = workspace.catalogue()
    with workspace.staging() as scratch:
        known = frozenset(h for f in source.fields for h in f.headers)
        delimiters = (source.delimiter, *(d for d in (",", "|", ";", "\t") if d != source.delimiter))
        opened = open_delivery(delivery.path, delimiters, known, scratch, progress)
        before = _same_content(catalogue, source, opened, operator, delta=delivery.delta)
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
                catalogue=catalogue,
                workspace=workspace,
                progress=progress,
            )
            stored, results = _store(work, delivery)
            files = {
                kind: tuple(
                    workspace.adopt(file, _place(catalogue.next_ingest, source, operator, kind, file.name))
                    for file in staged
                )
                for kind, staged in stored.files.items()
                if staged
            }
        record = Ingest(
            id=catalogue.next_ingest,
            source=source.name,
            operator=operator,
            delta=delivery.delta,
            file=delivery.path.name,
            sha256=opened.sha256,
            received_on=delivery.received_on,
            counts=stored.counts,
            checks=results,
            # the state after a delta is derived: an undo makes it again
            files={kind: paths for kind, paths in files.items() if kind != "state"},
            months=stored.months,
            days=stored.days,
        )
        workspace.commit(_with(catalogue, record, stored, files))
    return record


def _store(work: Work, delivery: Delivery) -> tuple[Stored, tuple[CheckResult, ...]]:
    """Let the engine do the work of this kind of source, account for every line, and judge the file."""
    stored = {"months": compacting.store, "rows": locating.store, "list": listing.store}[work.source.folded](
        work
    )
    blank = work.blank_lines()
    if work.opened.lines != 1 + blank + stored.counts.read or stored.counts.read != (
        stored.counts.kept + stored.counts.folded + stored.counts.quarantined
    ):
        raise RowsLostError(
            f"{work.opened.name}: of {work.opened.lines} lines, 1 is the header, {blank} are blank and "
            f"{stored.counts} were accounted for.",
            "Please report this with the file's header.",
        )
    measured = stored.measured | _measured_dates(work, stored)
    if stored.counts.read:
        measured["quarantined_share"] = stored.counts.quarantined / stored.counts.read
    results = judge(work.source, work.policy, measured, delivery.accepted)
    refuse_failed(work.opened.name, results)
    return stored, results


def _measured_dates(work: Work, stored: Stored) -> dict[str, float | None]:
    if not work.source.dated_name:
        return {}
    named = days_of_name(work.opened.name)
    if named is None:
        return {"file_dates": 1}
    outside = work.rows_outside(*named) if stored.counts.kept else 0
    return {
        "file_dates": 0,
        "days_outside": outside,
        "from_future": max(0, named[1] - work.received_on),
    }


def _operator(source: Source, policy: Policy, delivery: Delivery) -> str | None:
    if delivery.delta and not source.changes:
        raise UsageError(f"{source.name} has no deltas.", "Leave --delta out and send the whole list.")
    known = ", ".join(o.id for o in policy.operators)
    if not source.per_operator:
        if delivery.operator is not None:
            raise UsageError(f"{source.name} does not belong to an operator.", "Leave --operator out.")
        return None
    if delivery.operator is None:
        guess = delivery.path.name.split("_")[0].lower()
        if policy.operator(guess) is None:
            raise UsageError(
                f"{source.name} needs the operator, and {delivery.path.name} does not begin with one's id.",
                f"Give --operator ID; operators: {known}.",
            )
        return guess
    if policy.operator(delivery.operator.lower()) is None:
        raise UsageError(f"There is no operator {delivery.operator!r}.", f"Operators: {known}.")
    return delivery.operator.lower()


def _same_content(
    catalogue: Catalogue, source: Source, opened: OpenedFile, operator: str | None, *, delta: bool
) -> Ingest | None:
    """The ingest in force that has this content; for a list only if nothing came on it since."""
    found = [i for i in catalogue.live if i.source == source.name and i.operator == operator]
    if source.folded == "list":
        found = found[-1:]
    return next((i for i in reversed(found) if i.sha256 == opened.sha256 and i.delta == delta), None)


def _place(ingest: int, source: Source, operator: str | None, kind: str, name: str) -> str:
    if kind == "quarantine":
        return f"quarantine/{ingest:06d}-{source.name}{Path(name).suffix}"
    if kind == "malformed":
        return f"lake/malformed/{ingest:06d}.parquet"
    if source.folded == "list":
        return f"lake/{source.name}/{ingest:06d}-{name}"
    return f"lake/{source.name}/month={Path(name).stem}/operator={operator}/{ingest:06d}.parquet"


def _with(
    catalogue: Catalogue, record: Ingest, stored: Stored, files: Mapping[str, tuple[str, ...]]
) -> Catalogue:
    lists = dict(catalogue.lists)
    if stored.list_rows is not None:
        before = catalogue.lists.get(record.source)
        lists[record.source] = ListState(
            path=files["state"][0] if "state" in files else files["data"][0],
            rows=stored.list_rows,
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
