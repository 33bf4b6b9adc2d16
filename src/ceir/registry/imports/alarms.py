"""First use before release: a network saw a device that should still stand in a warehouse."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import ClassVar

from django.db import transaction
from django.utils.timezone import localdate

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.imports import findings, sealed_lists
from ceir.registry.imports.findings import Found
from ceir.registry.imports.models import LIVE, Alarm, AlarmState, Consignment, State
from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.receiving import subject
from ceir.registry.imports.states import locked

_LISTED = (*LIVE, State.REFUSED.value)


class AlarmError(CeirError):
    """There is no such alarm, or it was concluded."""

    code: ClassVar[str] = "import_alarm"


def note_first_use(imei: Imei, seen_on: date, *, actor: Actor, at: datetime) -> list[Alarm]:
    """Say that a network saw an IMEI for the first time.

    Returns: new alarms, a consignment each, if the IMEI was on its list by then and not released.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    return note_first_uses([(imei, seen_on)], actor=actor, at=at)


def note_first_uses(seen: Iterable[tuple[Imei, date]], *, actor: Actor, at: datetime) -> list[Alarm]:
    """As `note_first_use`, for any number of them.

    What was seen before a list came is no use before release: it is noted as such, and the pipeline's list
    names the IMEI no more, so that nothing is held against whoever used the device. Files of networks come
    weeks after a list was checked at times.
    """
    require(actor, Permission.IMPORT_NOTE_USE)
    raised: list[Alarm] = []
    for some in _pages(seen):
        rows = sealed_lists.which(some)
        listed = Consignment.objects.in_bulk({owner for _, owner, _ in rows})
        for imei, owner, line in rows:
            if _before_release(listed[owner], some[imei]):
                raised += _raise(listed[owner], imei, some[imei], actor, at)
            elif _before_the_list(listed[owner], some[imei]):
                _keep_back(listed[owner], imei, line, actor, at)
    return raised


def open_alarms(*, actor: Actor, at: datetime) -> list[Alarm]:
    """Alarms that nobody has concluded, newest first; they name IMEIs, so that they were read is recorded.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.IMPORT_LOOK_UP)
    found = list(Alarm.objects.filter(state=AlarmState.OPEN.value).select_related("consignment")[:1000])
    record(actor, "import.alarms_read", "alarms:open", at=at, detail={"count": len(found)})
    return found


def conclude(alarm_id: int, *, confirmed: bool, reason: str, actor: Actor, at: datetime) -> Alarm:
    """Say what came of an alarm: explained (a demonstration device, a mistaken list) or confirmed.

    Raises:
        PermissionDeniedError: the actor may not.
        AlarmError: there is none that is open.
    """
    require(actor, Permission.IMPORT_RELEASE)
    why = free_text(reason, "A reason", 500, needed=True)
    with transaction.atomic():
        alarm = Alarm.objects.select_for_update().filter(pk=alarm_id, state=AlarmState.OPEN.value).first()
        if alarm is None:
            raise AlarmError(f"Alarm {alarm_id} is not open.", "List those that are.")
        alarm.state = (AlarmState.CONFIRMED if confirmed else AlarmState.EXPLAINED).value
        alarm.conclusion, alarm.concluded_by, alarm.concluded_at = why, actor.id, at
        alarm.save()
        record(actor, f"import.alarm_{alarm.state}", f"alarm:{alarm.pk}", at=at, basis=why)
    return alarm


def _before_release(consignment: Consignment, seen_on: date) -> bool:
    return (
        consignment.state in _LISTED
        and consignment.submitted_at is not None
        and seen_on >= localdate(consignment.submitted_at)
        and (consignment.released_at is None or seen_on < localdate(consignment.released_at))
    )


def _before_the_list(consignment: Consignment, seen_on: date) -> bool:
    return (
        consignment.state in _LISTED
        and consignment.submitted_at is not None
        and seen_on < localdate(consignment.submitted_at)
    )


def _keep_back(consignment: Consignment, imei: int, line: int, actor: Actor, at: datetime) -> None:
    with transaction.atomic():
        own = locked(consignment.pk)
        if Reason.SEEN in findings.of_imei(own, imei):
            return
        for round_ in {own.round, own.checked_round} - {0}:
            findings.add(own.pk, round_, [Found(Reason.SEEN, imei, line)])
        own.found = findings.counts(own.pk, own.checked_round)
        own.save(update_fields=["found"])
        record(actor, "import.seen_before", subject(own), at=at, detail={"line": line})


def _raise(consignment: Consignment, imei: int, seen_on: date, actor: Actor, at: datetime) -> list[Alarm]:
    with transaction.atomic():
        alarm, made = Alarm.objects.get_or_create(
            consignment=consignment, imei=imei, defaults={"seen_on": seen_on, "raised_at": at}
        )
        if not made:
            if seen_on < alarm.seen_on:
                Alarm.objects.filter(pk=alarm.pk).update(seen_on=seen_on)
            return []
        record(actor, "import.alarm_raised", subject(consignment), at=at, detail={"alarm": alarm.pk})
    return [alarm]


def _pages(seen: Iterable[tuple[Imei, date]]) -> Iterator[dict[int, date]]:
    waiting = iter(seen)
    while True:
        page: dict[int, date] = {}
        for imei, day in islice(waiting, sealed_lists.PAGE):
            page[imei.number] = min(day, page.get(imei.number, day))
        if not page:
            return
        yield page
