"""How often one may fail: counted in the database, so that every process of the register counts together."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from ceir.errors import CeirError
from ceir.registry.logins.models import Failures
from ceir.registry.personal.fields import keys

_MINUTES = timedelta(minutes=1)
_DAY = timedelta(days=1)


class TooManyFailuresError(CeirError):
    """Too many attempts failed; more are not looked at for a while."""

    code: ClassVar[str] = "too_many_failures"


@dataclass(frozen=True)
class Window:
    """So many failures in so long a time."""

    most: int
    within: timedelta


WINDOWS: Mapping[str, tuple[Window, ...]] = {
    "login": (Window(5, 5 * _MINUTES), Window(30, _DAY)),
    "address": (Window(30, 15 * _MINUTES), Window(300, _DAY)),
    "factor": (Window(5, 15 * _MINUTES), Window(20, _DAY)),
    "number": (Window(10, 60 * _MINUTES), Window(60, _DAY)),
}
"""By what is counted: `login`, a name from one address; `address`; `factor`, the second factor of an account
whose password was right; `number`, codes asked for from one address.

Why no limit of a name alone: whoever knows a colleague's name could lock him out. A name guessed at from many
addresses still has a long password and a second factor before it.
"""


@dataclass(frozen=True)
class Taken:
    """Attempts that were counted before they were looked at, so that many at once are no more than many."""

    holders: tuple[str, ...]

    def give_back(self) -> None:
        """They did not fail."""
        Failures.objects.filter(holder__in=self.holders, count__gt=0).update(count=F("count") - 1)


def take(wanted: Mapping[str, str], at: datetime) -> Taken:
    """Count an attempt as failed until it succeeds.

    Args:
        wanted: by kind of `WINDOWS`, whom it is about.

    Raises:
        TooManyFailuresError: with how long to wait; nothing more is counted then.
    """
    windows = {
        f"{kind}/{number}/{_hidden(kind, whom)}": window
        for kind, whom in wanted.items()
        for number, window in enumerate(WINDOWS[kind])
    }
    with transaction.atomic():
        found: list[Failures] = []
        for holder in sorted(windows):
            Failures.objects.get_or_create(holder=holder, defaults={"began": at})
            failures = Failures.objects.select_for_update().get(holder=holder)
            window = windows[holder]
            if at - failures.began >= window.within:
                failures.began, failures.count = at, 0
            if failures.count >= window.most:
                minutes = max(1, -(-(failures.began + window.within - at) // _MINUTES))
                raise TooManyFailuresError("Too many attempts failed.", f"Try again in {minutes} minutes.")
            found.append(failures)
        for failures in found:
            failures.count += 1
            failures.save()
    return Taken(tuple(windows))


def forget(before: datetime) -> int:
    """Delete counts that began before. Returns: how many."""
    return Failures.objects.filter(began__lt=before).delete()[0]


def address_of(request: HttpRequest) -> str:
    """From where a request comes; of IPv6 the network of 64 bits, which is one household's or company's.

    What is written in X-Forwarded-For counts only as far as proxies of the installer's own wrote it.
    """
    proxies = settings.CEIR_PROXIES
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    given = hops[-proxies] if 0 < proxies <= len(hops) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(given.strip("[]"))
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _hidden(kind: str, whom: str) -> str:
    return keys().keyed(f"failures {kind}", whom.casefold()).hex()
