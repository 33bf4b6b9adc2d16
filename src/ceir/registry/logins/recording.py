"""Log-ins and log-outs in the record of deeds."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.utils import timezone

from ceir.registry.accounts.models import Account
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.logins import sessions

VISITOR = Actor("visitor", "visitor")
"""Somebody of whom nothing is known."""


def listen() -> None:
    """Keep every log-in and log-out; once."""
    user_logged_in.connect(_logged_in, dispatch_uid="ceir.logins.in")
    user_logged_out.connect(_logged_out, dispatch_uid="ceir.logins.out")


def failed(account: Account | None, what: str) -> None:
    """Keep that an attempt failed; what was typed is not kept: it may be a password.

    Args:
        account: whose; None: of nobody whom the register knows.
        what: `password`, `second_factor`, `identity`, `number`.
    """
    subject = f"account:{account.pk}" if account is not None else "account:none"
    record(VISITOR, "login.failed", subject, at=timezone.now(), detail={"by": what})


def _logged_in(sender: Any, request: HttpRequest, user: Account, **_: Any) -> None:  # noqa: ARG001 - Django's
    at = timezone.now()
    sessions.begin(request, user, at)
    record(user.actor, "login.made", f"account:{user.pk}", at=at, detail={"by": sessions.methods(request)})


def _logged_out(sender: Any, request: HttpRequest, user: Account | None, **_: Any) -> None:  # noqa: ARG001
    if user is not None:
        because = getattr(request, "ceir_session_ended", "log-out")
        record(user.actor, "login.ended", f"account:{user.pk}", at=timezone.now(), basis=because)
