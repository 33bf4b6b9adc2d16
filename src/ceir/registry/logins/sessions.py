"""How long a session lasts, by role, and what ends it before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ceir.registry.accounts.models import Account
from ceir.registry.actors import Role

_SESSION = "ceir"
_METHODS = "account_authentication_methods"
_SEEN_EVERY = 60
"""Seconds after which the database is told again that somebody is still there."""


@dataclass(frozen=True)
class Lasting:
    """How long a session goes on.

    Args:
        idle: without anything being done.
        whole: whatever is done.
    """

    idle: timedelta
    whole: timedelta


_OFFICE = Lasting(timedelta(minutes=30), timedelta(hours=10))
_OTHERS = Lasting(timedelta(minutes=60), timedelta(hours=10))

LASTING: Mapping[Role, Lasting] = {
    Role.ADMINISTRATOR: Lasting(timedelta(minutes=15), timedelta(hours=4)),
    Role.OFFICER: _OFFICE,
    Role.REVIEWER: _OFFICE,
    Role.AUDITOR: _OFFICE,
    Role.POLICE: _OFFICE,
    Role.CUSTOMS: _OFFICE,
    Role.OPERATOR: _OTHERS,
    Role.IMPORTER: _OTHERS,
    Role.DEALER: _OTHERS,
    Role.LAB: _OTHERS,
    Role.CONSUMER: Lasting(timedelta(minutes=15), timedelta(hours=1)),
}
"""The less a mistake can be taken back, the shorter."""


def begin(request: HttpRequest, account: Account, at: datetime) -> None:
    """Note when a session began, and in which role."""
    lasting = LASTING[Role(account.role)]
    moment = at.timestamp()
    request.session[_SESSION] = {"began": moment, "seen": moment, "role": account.role}
    request.session.set_expiry(int(lasting.idle.total_seconds()))


def methods(request: HttpRequest) -> list[str]:
    """How somebody showed who he is: `password`, `mfa`, `socialaccount`, `number`."""
    records = request.session.get(_METHODS, [])
    return [str(one.get("method")) for one in records if isinstance(one, dict)]


class SessionMiddleware:
    """Ends sessions whose time is over, whose person changed, or that lack the second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request go on as whoever it is still from."""
        # Programs bring no cookie: for them no session is looked for.
        account = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if account is not None and account.is_authenticated:
            assert isinstance(account, Account)  # there are no others
            at = timezone.now()
            because = _over(request, account, at)
            if because:
                request.ceir_session_ended = because  # type: ignore[attr-defined]
                logout(request)
            else:
                _still_there(request, at)
        return self.get_response(request)


def _over(request: HttpRequest, account: Account, at: datetime) -> str:
    """Why the session is over; empty: it is not."""
    kept = request.session.get(_SESSION)
    if not isinstance(kept, dict) or kept.get("role") != account.role:
        return "role changed"
    lasting, now = LASTING[Role(account.role)], at.timestamp()
    if now - kept["seen"] > lasting.idle.total_seconds():
        return "nothing was done"
    if now - kept["began"] > lasting.whole.total_seconds():
        return "its time was over"
    if account.sessions_since is not None and kept["began"] < account.sessions_since.timestamp():
        return "ended by an administrator"
    if account.needs_second_factor and not _second_factor(request, account):
        return "no second factor"
    return ""


def _second_factor(request: HttpRequest, account: Account) -> bool:
    return any(one.get("method") == "mfa" for one in get_authentication_records(request, account))


def _still_there(request: HttpRequest, at: datetime) -> None:
    kept, now = request.session[_SESSION], at.timestamp()
    if now - kept["seen"] > _SEEN_EVERY:
        request.session[_SESSION] = {**kept, "seen": now}
