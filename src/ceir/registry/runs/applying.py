"""Taking over a run: all of it in one transaction, or nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from django.db import transaction

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.runs.contacts import Told, merge_contacts
from ceir.registry.runs.keeping import Let, merge_exceptions
from ceir.registry.runs.merging import RunBaseError, merge_decisions
from ceir.registry.runs.models import Head, Run
from ceir.registry.runs.publication import (
    CHANGED,
    DECISIONS,
    ListedFile,
    Manifest,
    Publication,
    RunIncompleteError,
    RunRefusedError,
    RunTamperedError,
    open_publication,
)
from ceir.registry.runs.rows import RunRowsError, contact_rows, decision_rows, exception_rows

NOTIFICATIONS = "notifications.csv"
EXCEPTIONS = "exceptions.csv"
OUTRIGHT = "blocked_outright.csv"


class RunOutOfOrderError(RunRefusedError):
    """A run is older than the one taken over last, or its changes are against another one."""

    code: ClassVar[str] = "run_out_of_order"


@dataclass(frozen=True)
class Applied:
    """A run that was taken over.

    Args:
        is_new: False: it was taken over before, and nothing was changed now.
    """

    run: Run
    is_new: bool


def apply(source: Path | Mapping[str, Path], *, actor: Actor, at: datetime, because: str = "") -> Applied:
    """Take over what the pipeline published of a run.

    Every file is held against the manifest before anything is read, and again as it is read. Another process
    that takes a run over at the same time waits; whoever reads sees the run before until this one is whole.

    Args:
        source: a folder `lists/NNNNN` of a workspace, or `lists/NNNNN-since-BBBBB` with changes only; or
            where each file lies by its name in the manifest.
        because: why whole lists are taken over although their base is another run, whose lists can be had no
            more; empty: they are not.

    Raises:
        PermissionDeniedError: the actor may not.
        RunManifestError, RunTamperedError, RunIncompleteError, RunRowsError: the files are not whole.
        RunOutOfOrderError: it is older, of a day to come, or its base is not what was taken over.
        RunIncompleteError: it lets lines go on and does not say at each operator which.
        RunBaseError: its changes do not fit.
    """
    require(actor, Permission.RUN_APPLY)
    publication = open_publication(source)
    verified = publication.verify()
    manifest = publication.manifest
    with transaction.atomic():
        Head.objects.get_or_create(pk=1)
        head = Head.objects.select_for_update().get(pk=1)
        there = _same_run(publication)
        if there is not None:
            return Applied(there, is_new=False)
        _require_its_day(manifest, at)
        _require_all_exceptions(publication)
        _require_order(head.run, publication, because)
        _require_base_with_exceptions(head.run, publication)
        run = Run.objects.create(
            number=manifest.run,
            as_of=manifest.as_of,
            base=manifest.base.run if manifest.base else None,
            country=manifest.country,
            policy=f"{manifest.policy.name} {manifest.policy.version}",
            policy_sha256=manifest.policy.sha256,
            manifest_sha256=publication.sha256,
            whole=publication.whole,
            files=[f.model_dump() for f in manifest.files],
            keeps_lines=sorted(set(manifest.keeps_lines)),
            outright=[f.file.split("/")[-2] for f in _listed(publication, OUTRIGHT)],
            staged=list(manifest.staged),
            counts={},
            applied_at=at,
            applied_by=actor.id,
        )
        run.counts = _merge(publication, at)
        run.save(update_fields=["counts"])
        head.run = run
        head.save()
        record(actor, "run.applied", f"run:{run.number}", at=at, basis=because,
               detail={"as_of": run.as_of.isoformat(), "manifest": run.manifest_sha256, "files": verified,
                       **run.counts})  # fmt: skip
    return Applied(run, is_new=True)


def _same_run(publication: Publication) -> Run | None:
    """The run, if it was taken over before.

    Raises:
        RunTamperedError: then it said something else.
    """
    manifest = publication.manifest
    there = Run.objects.filter(number=manifest.run).first()
    if there is None or there.manifest_sha256 == publication.sha256:
        return there
    if there.whole != publication.whole:
        return there  # the same run, once as whole lists and once as changes
    raise RunTamperedError(
        f"Run {there.number} was taken over with another manifest.",
        "Find out which of the two the workspace published.",
    )


def _require_all_exceptions(publication: Publication) -> None:
    """Refuse a run that lets lines go on and does not say at each operator which: they would be cut."""
    manifest = publication.manifest
    there = {f.file.split("/")[-2] for f in _listed(publication, EXCEPTIONS)}
    lacking = [operator for operator in manifest.operators if operator not in there]
    if manifest.keeps_lines and (lacking or not there):
        raise RunIncompleteError(
            f"Run {manifest.run} lets lines of blocked identities go on "
            f"({', '.join(manifest.keeps_lines)}) and has no {EXCEPTIONS}"
            f"{' of ' + ', '.join(lacking) if lacking else ''}: they would be cut.",
            "Copy the whole folder of the publication, or publish the run again.",
        )


def _require_base_with_exceptions(last: Run | None, publication: Publication) -> None:
    """Refuse changes of exceptions against a run whose exceptions an earlier version did not take over."""
    if last is not None and not publication.whole and "exceptions" not in last.counts:
        raise RunBaseError(
            f"The exceptions of run {last.number} were not taken over; changes do not fit.",
            f"Take over the whole lists of run {publication.manifest.run} instead.",
        )


def _require_its_day(manifest: Manifest, at: datetime) -> None:
    """Refuse a run of a day to come: it would block people before the day that they were told, and no run of
    a day before it could follow."""
    # Somewhere it may be tomorrow already.
    if manifest.as_of > (at.astimezone(UTC) + timedelta(days=1)).date():
        raise RunOutOfOrderError(
            f"Run {manifest.run} is of {manifest.as_of}: that day has not come.",
            "Take over the run of today; look at the clocks if that is what it should be.",
        )


def _require_order(last: Run | None, publication: Publication, because: str) -> None:
    manifest = publication.manifest
    if last is None:
        if not publication.whole:
            raise RunOutOfOrderError(
                "No run was taken over yet, and these are only changes.",
                "Begin with whole lists: lists/NNNNN",
            )
        return
    if manifest.country != last.country:
        raise RunOutOfOrderError(
            f"The run is of {manifest.country}; this register is of {last.country}.",
            "Give its own workspace.",
        )
    if manifest.run < last.number or manifest.as_of < last.as_of:
        raise RunOutOfOrderError(
            f"Run {manifest.run} of {manifest.as_of} is older than run {last.number} of {last.as_of}.",
            "Only a later run can follow.",
        )
    base = manifest.base.run if manifest.base else None
    if base != last.number and not (publication.whole and because.strip()):
        raise RunOutOfOrderError(
            f"Run {manifest.run} tells what changed since {f'run {base}' if base else 'nothing'}; "
            f"run {last.number} was taken over last.",
            f"Take over the runs between first, or publish it against that one: "
            f"ceir publish --base {last.number}",
        )


def _merge(publication: Publication, at: datetime) -> Mapping[str, int]:
    manifest, whole = publication.manifest, publication.whole
    decisions = manifest.file(DECISIONS if whole else CHANGED + DECISIONS)
    if decisions is None:
        raise RunIncompleteError(
            f"The publication of run {manifest.run} has no {DECISIONS}.", "Publish it with this version."
        )
    counts = merge_decisions(decision_rows(publication, decisions), manifest.run, whole=whole)
    if whole:
        _require_agreement(manifest, counts)

    def to_tell() -> Iterator[Told]:
        for file in _listed(publication, NOTIFICATIONS):
            operator = file.file.split("/")[-2]
            for row in contact_rows(publication, file):
                yield operator, row

    def let() -> Iterator[Let]:
        for file in _listed(publication, EXCEPTIONS):
            operator = file.file.split("/")[-2]
            for row in exception_rows(publication, file):
                yield operator, row

    return {
        **counts,
        **merge_contacts(to_tell, manifest.run, at, whole=whole),
        **merge_exceptions(let, manifest.run, at, whole=whole),
    }


def _listed(publication: Publication, name: str) -> tuple[ListedFile, ...]:
    """The file of every operator with this name: whole lists, or what changed."""
    manifest = publication.manifest
    return manifest.named(name) if publication.whole else manifest.changed(name)


def _require_agreement(manifest: Manifest, counts: Mapping[str, int]) -> None:
    """The lists that networks obey and the decisions are of one mind."""
    tracked = counts.get("tracked", 0) + counts.get("notified", 0)
    for name, decided in (("blocked.csv", counts.get("blocked", 0)), ("tracked.csv", tracked)):
        listed = manifest.file(name)
        if listed is None or listed.rows != decided:
            raise RunRowsError(
                f"{name} names {listed.rows if listed else 'no'} identities; the decisions name {decided}.",
                "Publish the run again; report it as a fault.",
            )
