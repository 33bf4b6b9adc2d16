"""Carrying a release out: what goes out, when it stops, and taking it all back."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError, require
from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.free_text import free_text
from ceir.registry.releases.holding import HELD
from ceir.registry.releases.models import MILLION, TRANSITIONS, Member, Release, ReleaseState
from ceir.registry.releases.planning import ReleaseError, note
from ceir.registry.releases.signals import Signal, all_signals
from ceir.registry.runs import loading
from ceir.registry.runs.models import Head, Outcome

_DAY = timedelta(hours=24)
_LATELY = timedelta(days=30)
"""For so long what one person started counts with what one starts next: many small releases are one large."""


class SecondPersonError(PermissionDeniedError):
    """One person alone may not start a release of this size."""

    code = "release_needs_second_person"


class NotCarriedOnError(CeirError):
    """Some running releases could not be carried on; the others were."""

    code = "release_not_carried_on"


_log = logging.getLogger("ceir.registry.releases")


@dataclass(frozen=True)
class Progress:
    """What carrying on came to.

    Args:
        moved: devices that went out now.
        stopped_by: the signal that was above its budget; empty: none.
    """

    release: Release
    moved: int
    stopped_by: str = ""


def start(release_id: int, *, actor: Actor, at: datetime) -> Release:
    """Begin to let devices out, alone.

    Raises:
        PermissionDeniedError: the actor may not.
        SecondPersonError: its last stage, with those of releases that one person started lately, is larger
            than the policy leaves to one person.
        ReleaseError: it is not planned.
    """
    require(actor, Permission.RELEASE_MANAGE)
    with transaction.atomic():
        release = _locked(release_id)
        # Whoever starts alone waits here, so that two shares are not each found small enough.
        Head.objects.select_for_update().filter(pk=1).first()
        lately = Release.objects.filter(started_alone=True, started_at__gt=at - _LATELY)
        shares = sum(one.stages[-1]["buckets"] for one in (release, *lately))
        if release.alone_share < min(shares, MILLION):
            raise SecondPersonError(
                "The release lets out more than one person may decide.", "Propose it: release.start"
            )
        release.started_alone = True
        return begin(release, actor, at)


def begin(release: Release, actor: Actor, at: datetime) -> Release:
    """Begin a release that whoever had to has decided on; within a transaction that holds it locked."""
    _go(release, ReleaseState.RUNNING)
    release.started_at = at
    release.save()
    note(release, "started", actor, at)
    return release


def pause(release_id: int, *, reason: str, actor: Actor, at: datetime) -> Release:
    """Let nothing more out for now; what is out stays out.

    Raises:
        PermissionDeniedError, ReleaseError: as `start`.
    """
    return _turned(release_id, ReleaseState.PAUSED, "paused", reason, actor, at)


def resume(release_id: int, *, reason: str, actor: Actor, at: datetime) -> Release:
    """Go on after a pause; the next `carry_on` looks at the budgets first.

    Raises:
        PermissionDeniedError, ReleaseError: as `start`.
    """
    require(actor, Permission.RELEASE_MANAGE)
    with transaction.atomic():
        if _locked(release_id).state != ReleaseState.PAUSED.value:
            raise ReleaseError(f"Release {release_id} is not paused.", "Only a paused one goes on.")
        return _turned(release_id, ReleaseState.RUNNING, "resumed", reason, actor, at)


def stop(release_id: int, *, reason: str, actor: Actor, at: datetime) -> Release:
    """Let nothing more out for good; what is out stays out until it is undone.

    Raises:
        PermissionDeniedError, ReleaseError: as `start`.
    """
    return _turned(release_id, ReleaseState.STOPPED, "stopped", reason, actor, at)


def undo(release_id: int, *, reason: str, actor: Actor, at: datetime) -> int:
    """Take back all that a release let out: nothing of it is blocked any more. Returns: devices taken back.

    One person suffices, for it restores. The release's history stays, and it lets nothing out again.

    Raises:
        PermissionDeniedError: the actor may not.
        ReleaseError: it let nothing out, or was undone before.
    """
    require(actor, Permission.RELEASE_MANAGE)
    why = free_text(reason, "The reason", 500, needed=True)
    with transaction.atomic():
        release = _locked(release_id)
        out = released_devices(release.pk).count()
        if release.undone_at is not None or not out:
            raise ReleaseError(f"Release {release_id} has nothing out.", "There is nothing to take back.")
        if ReleaseState.STOPPED in TRANSITIONS[ReleaseState(release.state)]:
            _go(release, ReleaseState.STOPPED)
            release.ended_at = at
        release.undone_at = at
        release.save()
        note(release, "undone", actor, at, devices=out, because=why)
    return out


def carry_on(
    release_id: int, *, actor: Actor, at: datetime, signals: Mapping[str, Signal] | None = None
) -> Progress:
    """Look at the budgets, then let out what the stage and the daily cap allow; done as often as one likes.

    Args:
        signals: who counts what the budgets speak of.

    Raises:
        PermissionDeniedError: the actor may not.
        ReleaseError: there is no such release.
    """
    require(actor, Permission.RELEASE_CARRY_ON)
    counted = all_signals() if signals is None else signals
    with transaction.atomic():
        release = _locked(release_id)
        if release.state != ReleaseState.RUNNING.value:
            return Progress(release, 0)
        above = _above_budget(release, counted, at)
        if above:
            name, told = above
            _go(release, ReleaseState.STOPPED)
            release.ended_at = at
            release.save()
            note(release, "stopped", SYSTEM, at, because=told, signal=name)
            return Progress(release, 0, name)
        moved = _let_out(release, at)
        release.save()
        if moved:
            note(release, "released", actor, at, devices=moved, stage=release.stage)
        if release.state == ReleaseState.DONE.value:
            note(release, "done", actor, at)
        return Progress(release, moved)


def carry_on_all(
    *, actor: Actor, at: datetime, signals: Mapping[str, Signal] | None = None
) -> list[Progress]:
    """Carry on with every running release by itself, the oldest first.

    Why: one that cannot be looked at must not keep another from being stopped at its budget.

    Raises:
        PermissionDeniedError: the actor may not.
        NotCarriedOnError: some could not, once all others went on; nothing more of those went out.
    """
    require(actor, Permission.RELEASE_CARRY_ON)
    running = Release.objects.filter(state=ReleaseState.RUNNING.value).order_by("pk")
    progress: list[Progress] = []
    failed: dict[int, Exception] = {}
    for pk in list(running.values_list("pk", flat=True)):
        try:
            progress.append(carry_on(pk, actor=actor, at=at, signals=signals))
        except Exception as error:  # noqa: BLE001 - raised below
            # The job tells only the error's kind: its text may hold a row.
            _log.exception("release_not_carried_on", extra={"release": pk})
            failed[pk] = error
    if failed:
        told = "; ".join(f"release {pk}: {_kind(error)}" for pk, error in failed.items())
        raise NotCarriedOnError(
            f"{told}. The others: {told_of(progress)}",
            "Nothing more of it goes out until it can; look into the log, then stop or mend it.",
        ) from next(iter(failed.values()))
    return progress


def told_of(progress: Sequence[Progress]) -> str:
    """What carrying on with some releases came to, in words."""
    moved = sum(one.moved for one in progress)
    stopped = sum(bool(one.stopped_by) for one in progress)
    return f"{len(progress)} releases, {moved} devices let out, {stopped} stopped"


def _kind(error: Exception) -> str:
    return f"{error.code}: {error.detail}" if isinstance(error, CeirError) else type(error).__name__


def released_devices(release_id: int) -> QuerySet[Member]:
    """The devices that a release let out and that were not taken back, for counting what came of it."""
    return Member.objects.filter(release_id=release_id, stage__isnull=False, release__undone_at__isnull=True)


def _turned(
    release_id: int, state: ReleaseState, what: str, reason: str, actor: Actor, at: datetime
) -> Release:
    require(actor, Permission.RELEASE_MANAGE)
    why = free_text(reason, "The reason", 500, needed=True)
    with transaction.atomic():
        release = _locked(release_id)
        _go(release, state)
        if state is ReleaseState.STOPPED:
            release.ended_at = at
        release.save()
        note(release, what, actor, at, because=why)
    return release


def _locked(release_id: int) -> Release:
    release = Release.objects.select_for_update().filter(pk=release_id).first()
    if release is None:
        raise ReleaseError(f"There is no release {release_id}.", "List them.")
    return release


def _go(release: Release, state: ReleaseState) -> None:
    if state not in TRANSITIONS[ReleaseState(release.state)]:
        raise ReleaseError(
            f"Release {release.pk} is {release.state}; it cannot become {state.value}.",
            "Plan another one." if not TRANSITIONS[ReleaseState(release.state)] else "See where it stands.",
        )
    release.state = state.value


def _above_budget(release: Release, signals: Mapping[str, Signal], at: datetime) -> tuple[str, str] | None:
    """The first signal above its budget, and how far, in words."""
    out = released_devices(release.pk).count()
    for name, text in sorted(release.budgets.items()):
        signal = signals.get(name)
        if signal is None:  # who counted it is gone: without its guard nothing goes out
            return name, f"Nobody counts {name} any more."
        count, budget = signal.count(release.pk, at), Decimal(text)
        if count > release.tolerated and count * 1000 > budget * out:
            return name, f"{count} {name} of {out} released devices; {text} for 1,000 are borne."
    return None


def _let_out(release: Release, at: datetime) -> int:
    """Move devices to the stage, and the release to the next one where that is due."""
    moved = 0
    while True:
        left = None
        if release.daily_cap is not None:
            recent = Member.objects.filter(release=release, moved_at__gt=at - _DAY).count()
            left = release.daily_cap - recent
            if left <= 0:
                return moved
        now = _move(release, at, left)
        moved += now
        if left is not None and now == left:
            return moved  # whether the stage is full shows when there is room again
        if release.stage_out_at is None or now:
            release.stage_out_at = at
        if release.stage + 1 == len(release.stages):
            if _waits_for_held(release):
                return moved
            _go(release, ReleaseState.DONE)
            release.ended_at = at
            return moved
        if at < release.stage_out_at + timedelta(days=release.stages[release.stage]["days"]):
            return moved
        release.stage += 1
        release.stage_out_at = None


def _waits_for_held(release: Release) -> bool:
    """Whether a device that is held back is still to come."""
    return bool(
        loading.select(
            "SELECT 1 FROM releases_member AS m JOIN runs_decision AS d ON d.imei = m.imei "
            "WHERE m.release_id = %s AND m.stage IS NULL AND d.outcome = %s "
            f"AND d.outcome_run_id = m.blocked_run AND {HELD.format('m')} LIMIT 1",
            (release.pk, Outcome.BLOCKED.value),
        )
    )


def _move(release: Release, at: datetime, most: int | None) -> int:
    """Let out devices of the stage's share that are still blocked, the first buckets first."""
    stages: list[dict[str, Any]] = release.stages
    stage = stages[release.stage]
    narrower = [n for n in range(release.stage) if stages[n]["operators"] != stage["operators"]]
    held = "m.stage IS NULL" + (f" OR m.stage IN ({', '.join(map(str, narrower))})" if narrower else "")
    limit = "" if most is None else f" LIMIT {int(most)}"
    return loading.execute(
        "UPDATE releases_member SET stage = %s, everywhere = %s, moved_at = %s WHERE id IN ("
        "SELECT m.id FROM releases_member AS m JOIN runs_decision AS d ON d.imei = m.imei "
        f"WHERE m.release_id = %s AND m.bucket < %s AND ({held}) AND d.outcome = %s "
        f"AND d.outcome_run_id = m.blocked_run AND NOT {HELD.format('m')} ORDER BY m.bucket, m.imei{limit})",
        (release.stage, not stage["operators"], at, release.pk, stage["buckets"], Outcome.BLOCKED.value),
    )
