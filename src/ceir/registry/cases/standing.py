"""Which devices are blocked as stolen or lost: one answer for lists, for status and for trying to unblock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.utils.timezone import localdate

from ceir.identifiers import Imei
from ceir.registry.cases.models import CaseIdentity
from ceir.registry.cases.states import BLOCKING, ENDED, Mode, State

IN_FORCE, PENDING, FOUND = "", "pending", "recovered"
"""What the stolen list says of a device; only the first blocks it."""

_ORDER = (IN_FORCE, PENDING, FOUND)


@dataclass(frozen=True)
class Standing:
    """What is to be said of a device.

    Args:
        reported_on: day (UTC) of the first report of those that say so.
        cases: those that say so, by number.
    """

    imei: Imei
    status: str
    reported_on: date
    cases: tuple[int, ...]


def standings(at: datetime, imeis: Iterable[Imei] | None = None) -> Iterator[Standing]:
    """Every device of an open case in mode block, by IMEI; where several cases say something, the gravest.

    A provisional block counts until its deadline, whether or not somebody has noticed that it passed.

    Args:
        imeis: only these; None: all.
    """
    rows = CaseIdentity.objects.filter(case__mode=Mode.BLOCK.value).exclude(
        case__state__in=[state.value for state in ENDED]
    )
    if imeis is not None:
        rows = rows.filter(imei__in=[imei.number for imei in imeis])
    values = rows.order_by("imei", "case_id").values_list(
        "imei", "case_id", "case__state", "case__provisional_until", "case__reported_at"
    )
    # A cursor held by the server is for the whole list; a few devices come faster at once.
    found = values.iterator(chunk_size=10_000) if imeis is None else values
    for number, cases in groupby(found, key=lambda row: row[0]):
        said = [(_status(State(state), until, at), reported, key) for _, key, state, until, reported in cases]
        gravest = min((status for status, _, _ in said), key=_ORDER.index)
        saying = [(reported, key) for status, reported, key in said if status == gravest]
        yield Standing(
            Imei.from_number(number),
            gravest,
            localdate(min(reported for reported, _ in saying)),
            tuple(key for _, key in saying),
        )


def blocked_by(imei: Imei, at: datetime) -> tuple[int, ...]:
    """The cases for which a device is blocked, by number; none: it is not."""
    return tuple(key for s in standings(at, [imei]) if s.status == IN_FORCE for key in s.cases)


def _status(state: State, provisional_until: datetime | None, at: datetime) -> str:
    if state in BLOCKING or (provisional_until is not None and provisional_until > at):
        return IN_FORCE
    return FOUND if state is State.RECOVERED else PENDING
