"""Whom tokens speak for, kept for seconds: a program that asks often is not looked up at each call.

What an administrator changes counts at once in the process that changed it, and after at most `KEPT` in all
others: a token that was revoked lives no longer than that.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from ceir.registry.accounts.models import Client
from ceir.registry.actors import Actor
from ceir.registry.organisations.models import Organisation

KEPT = 5.0
"""Seconds for which a token that was found good is not looked at again."""

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """Who a token speaks for, and until when it does.

    Args:
        expires: seconds since 1970, as the token says.
    """

    actor: Actor
    scopes: frozenset[str]
    expires: float


_Key = tuple[str, str | None]
_known: dict[_Key, tuple[Known, float]] = {}
_lock = Lock()
_forgotten = 0


def look_up(token: str, certificate: str | None, now: float) -> Known | None:
    """Who a token speaks for, if that was found out within the last seconds.

    Args:
        certificate: thumbprint of the one that the connection came with: with another it is another question.
        now: seconds since 1970.
    """
    found = _known.get((token, certificate))
    if found is None:
        return None
    known, since = found
    return known if since <= now < since + KEPT and now < known.expires else None


def generation() -> int:
    """What `keep` wants: read it before the database is asked."""
    return _forgotten


def keep(token: str, certificate: str | None, known: Known, asked_in: int, now: float) -> None:
    """Keep what was found, unless something changed while it was being looked up."""
    with _lock:
        if asked_in != _forgotten:
            return
        if len(_known) >= _MOST:
            _known.clear()
        _known[(token, certificate)] = (known, now)


def forget() -> None:
    """Look every token up anew."""
    global _forgotten  # noqa: PLW0603 - one for the process, as what is known is
    with _lock:
        _forgotten += 1
        _known.clear()


def _changed(**_: Any) -> None:
    # At once, for whoever reads in the same transaction; and after it, for what others read meanwhile.
    forget()
    transaction.on_commit(forget)


for _model in (Client, Organisation):
    for _signal in (post_save, post_delete):
        _signal.connect(_changed, sender=_model, dispatch_uid=f"known callers {_model.__name__}")
