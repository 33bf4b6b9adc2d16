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
from ceir.registry.runs.merging import merge_decisions
from ceir.registry.runs.models import Head, Run
from ceir.registry.runs.publication import (
    CHANGED,
    DECISIONS,
    Manifest,
    Publication,
    RunIncompleteError,
    RunRefusedError,
    RunTamperedError,
    open_publication,
)
from ceir.registry.runs.rows import RunRowsError, contact_rows, decision_rows

NOTIFICATIONS = "notifications.csv"


class RunKeepsLinesError(RunRefusedError):
    """A run keeps lines of blocked identities working, which the register cannot hand on."""

    code: ClassVar[str] = "run_keeps_lines"


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
        _require_all_exceptions(manifest)
        _require_order(head.run, publication, because)
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


def _require_all_exceptions(manifest: Manifest) -> None:
    """Refuse a run whose exceptions the register would not hand on: it knows its own pairings alone, and the
    people whom the run lets go on would be cut."""
    if manifest.keeps_lines:
        raise RunKeepsLinesError(
            f"Run {manifest.run} lets some lines of blocked identities go on; the register would cut them. "
            f"Conditions: {', '.join(manifest.keeps_lines)}.",
            "Send operators the lists of such a policy from the pipeline, or make these conditions trials.",
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
    listed = manifest.named(NOTIFICATIONS) if whole else manifest.changed(NOTIFICATIONS)

    def read() -> Iterator[Told]:
        for file in listed:
            operator = file.file.split("/")[-2]
            for row in contact_rows(publication, file):
                yield operator, row

    return {**counts, **merge_contacts(read, manifest.run, at, whole=whole)}


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
