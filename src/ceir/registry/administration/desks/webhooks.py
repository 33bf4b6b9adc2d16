"""Addresses of programs that are told what happens, and what became of telling them."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.webhooks.models import Delivery, Webhook

_SEES = (Permission.ACCOUNT_MANAGE, Permission.AUDIT_READ)

DESKS = (
    Desk(
        Webhook,
        sees=_SEES,
        shown=("id", "organisation", "role", "url", "made_at", "ended_at"),
        hidden=frozenset({"secret"}),
    ),
    Desk(
        Delivery,
        sees=_SEES,
        shown=("webhook", "event", "state", "tries", "due_at", "ended_at"),
        filters=("state", "event"),
        hidden=frozenset({"body", "answer"}),
    ),
)
