"""How many calls a caller may make in a minute, counted together by all processes.

A process takes a twentieth of the allowance at a time from the database and counts it down by itself: never
are more calls let through than allowed, and the database is written to twenty times a minute, not each time.
"""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import ClassVar

from django.conf import settings
from django.db import connection

from ceir.errors import CeirError
from ceir.registry.calls.models import ClientRate

WINDOW = 60
"""Seconds after which an allowance is whole again."""

_LEASES_A_MINUTE = 20
_MOST_CALLERS = 10_000
_TAKE = (
    "INSERT INTO calls_allowance (caller, minute, used) VALUES (%s, %s, %s) ON CONFLICT (caller) DO UPDATE "
    "SET used = CASE WHEN calls_allowance.minute = excluded.minute THEN calls_allowance.used + excluded.used "
    "ELSE excluded.used END, minute = excluded.minute "
    "WHERE calls_allowance.minute <> excluded.minute OR calls_allowance.used + excluded.used <= %s "
    "RETURNING used"
)


class TooManyRequestsError(CeirError):
    """The caller used up its allowance."""

    code: ClassVar[str] = "too_many_requests"

    def __init__(self, left: "Left") -> None:
        super().__init__(f"{left.limit} calls are allowed in a minute.", f"Go on in {left.seconds} seconds.")
        self.left = left


@dataclass(frozen=True)
class Left:
    """What a caller has left.

    Args:
        limit: calls a minute.
        calls: left in this minute, as far as this process knows.
        seconds: until the allowance is whole again.
    """

    limit: int
    calls: int
    seconds: int


@dataclass
class _Lease:
    minute: int
    limit: int
    left: int = 0
    used: int = 0


_leases: dict[str, _Lease] = {}
_lock = Lock()


def take(caller: str, cost: int, *, at: datetime, limit: int | None = None) -> Left:
    """Count a call.

    Args:
        caller: `client:3`, or an address.
        cost: in calls; a call that does the work of many counts as many.
        limit: a minute; None: the caller's own, or the register's.

    Raises:
        TooManyRequestsError: with when to go on.
    """
    moment = int(at.timestamp())
    minute, second = divmod(moment, WINDOW)
    with _lock:
        lease = _leases.get(caller)
        if lease is None or lease.minute != minute:
            if len(_leases) >= _MOST_CALLERS:
                _leases.clear()  # what was leased and not used is lost until the minute is over
            lease = _leases[caller] = _Lease(minute, _limit_of(caller) if limit is None else limit)
        if lease.left < cost:
            _renew(caller, lease, cost)
        enough = lease.left >= cost
        if enough:
            lease.left -= cost
        left = Left(lease.limit, max(lease.limit - lease.used + lease.left, 0), WINDOW - second)
    if not enough:
        raise TooManyRequestsError(Left(left.limit, 0, left.seconds))
    return left


def forget_leases() -> None:
    """Let the next call take from the database again: for tests, and after an allowance was changed."""
    with _lock:
        _leases.clear()


def _renew(caller: str, lease: _Lease, cost: int) -> None:
    """Take as much as a lease holds, or else only what the call needs."""
    missing = cost - lease.left
    for wanted in dict.fromkeys((max(lease.limit // _LEASES_A_MINUTE, missing), missing)):
        if wanted > lease.limit:
            continue
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, (caller, lease.minute, wanted, lease.limit))
            row = cursor.fetchone()
        if row is not None:
            lease.left += wanted
            lease.used = int(row[0])
            return
    lease.used = lease.limit


def _limit_of(caller: str) -> int:
    kind, _, number = caller.partition(":")
    if kind == "client" and number.isdecimal():
        own = ClientRate.objects.filter(client_id=int(number)).values_list("per_minute", flat=True).first()
        if own is not None:
            return own
    return int(settings.CEIR_API_PER_MINUTE)
