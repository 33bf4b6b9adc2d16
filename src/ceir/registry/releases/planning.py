"""Planning a release: which devices, in which stages, within which limits.

Blocks that the pipeline lets out step by step are not staged a second time: a release of them has one stage.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.releases.models import LIVE, MILLION, Member, Release, Step
from ceir.registry.releases.signals import Signal, all_signals
from ceir.registry.runs import loading
from ceir.registry.runs.models import Grounds, Head, Outcome, Run

_LEAST_SALT = 16


class ReleaseError(CeirError):
    """A release cannot be planned, or cannot go where it is sent."""

    code: ClassVar[str] = "release_refused"


@dataclass(frozen=True)
class Stage:
    """A step of a release.

    Args:
        share: of the release's devices that are out when the stage is full, above 0 to 1, in millionths.
        days: between the stage's last device and the next stage.
        operators: ids of those at which the block holds; none: at all.
    """

    share: Decimal
    days: int = 1
    operators: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        buckets = self.share * MILLION
        if not 0 < self.share <= 1 or buckets != int(buckets) or self.days < 0:
            raise ReleaseError(
                "A stage's share lies above 0 and up to 1, in millionths; its days are 0 or more.",
                "A canary of one in a hundred is 0.01.",
            )

    @property
    def buckets(self) -> int:
        """The share as a number of buckets."""
        return int(self.share * MILLION)


@dataclass(frozen=True)
class Terms:
    """The policy's numbers for a release.

    Args:
        stages: shares do not fall, operators do not become fewer.
        daily_cap: devices that go out within 24 hours; None: no cap.
        budgets: by signal (`appeals`, `sightings`), so many for 1,000 released devices are borne; above it
            the release stops by itself.
        tolerated: so many of a signal are borne however few devices are out: of three devices one appeal is
            no 333 for 1,000.
        alone_share: up to which share of the devices one person alone may start it.
    """

    stages: tuple[Stage, ...]
    budgets: Mapping[str, Decimal]
    daily_cap: int | None = None
    tolerated: int = 0
    alone_share: Decimal = field(default=Decimal(0))

    def __post_init__(self) -> None:
        if not self.stages or any(b < 0 for b in self.budgets.values()) or not 0 <= self.alone_share <= 1:
            raise ReleaseError("A release has a stage, budgets of 0 or more, and shares up to 1.", _SEE)
        if not self.budgets:
            raise ReleaseError("Without a budget a release would never stop by itself.", _SEE)
        if self.daily_cap is not None and self.daily_cap < 1:
            raise ReleaseError("A daily cap of less than one device lets nothing out.", "Pause it instead.")
        for before, after in zip(self.stages, self.stages[1:], strict=False):
            narrower = after.operators and not set(before.operators) <= set(after.operators)
            if after.share < before.share or narrower or (after.operators and not before.operators):
                raise ReleaseError(
                    "A later stage has a smaller share, or lacks an operator of an earlier one.",
                    "Stages only widen; what must be taken back is undone.",
                )


_SEE = "See the policy for its numbers."


def plan(
    run: int,
    terms: Terms,
    *,
    salt: bytes,
    reason: str,
    actor: Actor,
    at: datetime,
    conditions: tuple[str, ...] = (),
    again: bool = False,
    signals: Mapping[str, Signal] | None = None,
) -> Release:
    """Gather the devices that are blocked and not out; nothing goes out yet.

    Devices that came step by step from the pipeline go out together once the release runs: stages, operators
    and daily cap of the terms would hold them back a second time. Its budgets and who may start it stay.

    Args:
        run: devices that became blocked in it or before.
        salt: 16 octets or more, drawn at random: nobody must know beforehand who comes first.
        conditions: only devices that one of these conditions (labels) matches; none: all.
        again: also devices of releases that were undone.
        signals: who counts what the budgets speak of.

    Raises:
        PermissionDeniedError: the actor may not.
        ReleaseError: no such run, no device, or a budget that nobody counts; of the devices only some came
            step by step from the pipeline.
    """
    require(actor, Permission.RELEASE_MANAGE)
    why = free_text(reason, "The reason", 500, needed=True)
    counted = all_signals() if signals is None else signals
    uncounted = sorted(set(terms.budgets) - set(counted))
    if uncounted:
        raise ReleaseError(
            f"Nobody counts {', '.join(uncounted)}: the budget would never stop anything.",
            f"Counted are: {', '.join(sorted(counted)) or 'none'}.",
        )
    if len(salt) < _LEAST_SALT:
        raise ReleaseError("The salt is too short.", f"Draw {_LEAST_SALT} octets.")
    with transaction.atomic():
        # No other plan, and no run, comes in between: two plans would gather the same devices.
        Head.objects.select_for_update().filter(pk=1).first()
        source = Run.objects.filter(number=run).first()
        if source is None:
            raise ReleaseError(f"Run {run} was not taken over.", "Take it over first.")
        gathered = _waiting(run, conditions, again=again)
        stepped = _came_step_by_step({blocked_run for _, blocked_run in gathered})
        if stepped:
            terms = replace(terms, stages=(Stage(Decimal(1), 0),), daily_cap=None)
        release = Release.objects.create(
            run=source,
            by_operator=any(s.operators for s in terms.stages),
            conditions=list(conditions),
            stages=[
                {"buckets": s.buckets, "days": s.days, "operators": sorted(s.operators)} for s in terms.stages
            ],
            daily_cap=terms.daily_cap,
            budgets={name: str(budget) for name, budget in terms.budgets.items()},
            tolerated=terms.tolerated,
            alone_share=int(terms.alone_share * MILLION),
            salt=salt,
            reason=why,
            planned_by=actor.id,
            planned_at=at,
        )
        columns = ("release_id", "imei", "blocked_run", "bucket", "everywhere")
        devices = loading.load(
            Member._meta.db_table,
            columns,
            ((release.pk, imei, blocked_run, bucket_of(salt, imei), False) for imei, blocked_run in gathered),
        )
        if not devices:
            raise ReleaseError("No blocked device waits for a release.", "See what is out already.")
        loading.analyse(Member._meta.db_table)
        more = {"staged_by": "pipeline"} if stepped else {}
        note(release, "planned", actor, at, devices=devices, because=why, **more)
    return release


def waiting(run: int) -> int:
    """How many devices that became blocked in a run or before are in no release: nobody cuts them yet."""
    sql, values = _waiting_sql(run, again=False)
    ((count,),) = loading.select(f"SELECT COUNT(*) FROM ({sql}) AS waiting", values)
    return int(count)


def bucket_of(salt: bytes, imei: int) -> int:
    """Where in a release a device stands, 0 to 999,999; always the same for the same salt."""
    digest = hashlib.blake2b(f"{imei:015}".encode("ascii"), key=salt, digest_size=8).digest()
    return int.from_bytes(digest, "big") * MILLION >> 64


def note(
    release: Release,
    what: str,
    actor: Actor,
    at: datetime,
    *,
    devices: int = 0,
    because: str = "",
    **more: Any,
) -> None:
    """Keep what was done with a release, among its steps and in the record."""
    Step.objects.create(
        release=release, at=at, by=actor.id, what=what, devices=devices, because=because[:500]
    )
    record(actor, f"release.{what}", f"release:{release.pk}", at=at, basis=because[:300],
           detail={"devices": devices, **more})  # fmt: skip


def _waiting(run: int, conditions: tuple[str, ...], *, again: bool) -> list[tuple[int, int]]:
    """The devices to gather, with the run in which they became blocked."""
    wanted = set(conditions)
    labels = Grounds.objects.values_list("pk", "conditions")
    chosen = {pk for pk, told in labels if not wanted or wanted & set(told.split("|"))}
    sql, values = _waiting_sql(run, again=again)
    return [(imei, blocked) for imei, blocked, grounds in loading.stream(sql, values) if grounds in chosen]


def _came_step_by_step(runs: set[int]) -> bool:
    """Whether the pipeline staged the blocks that came in these runs.

    Raises:
        ReleaseError: only in some of them.
    """
    staged = {
        number for number, labels in Run.objects.filter(pk__in=runs).values_list("number", "staged") if labels
    }
    if staged and staged != runs:
        ordered = sorted(runs)
        first = next(n for n, run in enumerate(ordered) if (run in staged) != (ordered[0] in staged))
        raise ReleaseError(
            "Of some of these devices the pipeline staged the blocks already; one release cannot hold both.",
            f"Plan those of run {ordered[first - 1]} and before first, then the others.",
        )
    return bool(staged)


def _waiting_sql(run: int, *, again: bool) -> tuple[str, tuple[Any, ...]]:
    """Blocked devices that are in no live release and out by none; and the values of its marks.

    A device whose release ended before it went out is gathered again; one that was let out and taken back
    only when asked for.
    """
    marks = ", ".join(["%s"] * len(LIVE))
    out = "m.stage IS NOT NULL" + (" AND r.undone_at IS NULL" if again else "")
    return (
        "SELECT d.imei, d.outcome_run_id, d.grounds_id FROM runs_decision AS d "
        "WHERE d.outcome = %s AND d.outcome_run_id <= %s AND NOT EXISTS ("
        "SELECT 1 FROM releases_member AS m JOIN releases_release AS r ON r.id = m.release_id "
        "WHERE m.imei = d.imei AND m.blocked_run = d.outcome_run_id "
        f"AND (r.state IN ({marks}) OR ({out})))",
        (Outcome.BLOCKED.value, run, *LIVE),
    )
