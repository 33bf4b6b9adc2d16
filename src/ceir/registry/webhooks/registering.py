"""Registering addresses, and what each may be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import RULES, Permission, PermissionDeniedError, require
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import keys
from ceir.registry.webhooks.models import Delivery, DeliveryState, Webhook

SECRET_LABEL = "webhook.secret"  # noqa: S105 - what binds it to its field
MOST = 10
"""Addresses of one organisation."""

EVENTS: Mapping[str, Permission] = {
    "run.": Permission.RUN_READ,
    "release.": Permission.RELEASE_READ,
    "outgoing.": Permission.RUN_READ,
    "case.": Permission.CASE_READ,
    "proposal.": Permission.PROPOSAL_READ,
    "appeal.": Permission.APPEAL_EXAMINE,
    "consignment.": Permission.IMPORT_READ,
    "certificate.": Permission.APPROVAL_READ,
    "bulk.": Permission.STATUS_READ,
}
"""Beginnings of events' names, and who may be told of them. Where a role has a permission for its own things
only, and for `bulk.`, it is told of what its own organisation did."""

_ALWAYS_OWN = frozenset({"bulk."})
_LONGEST_URL = 500


class WebhookError(CeirError):
    """An address cannot be registered."""

    code: ClassVar[str] = "webhook_refused"


class WebhookUnknownError(CeirError):
    """There is no such webhook or message, or it is another organisation's."""

    code: ClassVar[str] = "webhook_unknown"


def register(url: str, events: Sequence[str], *, secret: str, actor: Actor, at: datetime) -> Webhook:
    """Have an address told of events.

    Args:
        url: `https://...`; where it leads is looked at each time something is sent.
        events: of `EVENTS`.
        secret: drawn by the caller, shown once.

    Raises:
        PermissionDeniedError: the actor may not, or may not be told of one of the events.
        WebhookError: no address, no event, or too many addresses.
    """
    require(actor, Permission.WEBHOOK_MANAGE)
    check_url(url)
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise WebhookError("An event is none of those there are.", f"There are: {', '.join(EVENTS)}")
    for event in events:
        require(actor, EVENTS[event])
    if len(secret) < 32:
        raise WebhookError("The secret is too short.", "Draw 32 characters or more.")
    with transaction.atomic():
        organisation = Organisation.objects.select_for_update().get(pk=actor.organisation or 0)
        if Webhook.objects.filter(organisation=organisation, ended_at=None).count() >= MOST:
            raise WebhookError(f"There are {MOST} webhooks already.", "End one first.")
        made = Webhook.objects.create(
            organisation=organisation,
            role=actor.role,
            made_by=actor.id,
            made_at=at,
            url=url,
            secret=keys().encrypt(SECRET_LABEL, secret),
            events=sorted(set(events)),
        )
        record(actor, "webhook.made", f"webhook:{made.pk}", at=at, detail={"events": made.events})
    return made


def webhooks_of(actor: Actor) -> QuerySet[Webhook]:
    """Those of the actor's organisation that are told of things.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.WEBHOOK_MANAGE)
    return Webhook.objects.filter(organisation=actor.organisation, role=actor.role, ended_at=None)


def webhook_of(key: UUID, *, actor: Actor) -> Webhook:
    """One of them.

    Raises:
        WebhookUnknownError: there is none.
    """
    found = webhooks_of(actor).filter(pk=key).first()
    if found is None:
        raise WebhookUnknownError("There is no such webhook.", "List those of this organisation.")
    return found


def end(key: UUID, *, actor: Actor, at: datetime) -> None:
    """Tell an address nothing more; what waits is not sent.

    Raises:
        WebhookUnknownError: there is none.
    """
    found = webhook_of(key, actor=actor)
    with transaction.atomic():
        found.ended_at = at
        found.save(update_fields=["ended_at"])
        waiting = Delivery.objects.filter(webhook=found, state=DeliveryState.WAITING.value)
        waiting.update(state=DeliveryState.DEAD.value, due_at=None, answer="ended", ended_at=at)
        record(actor, "webhook.ended", f"webhook:{found.pk}", at=at)


def send_again(key: UUID, *, actor: Actor, at: datetime) -> Delivery:
    """Try a dead message anew.

    Raises:
        WebhookUnknownError: there is no such message that is dead.
    """
    dead = Delivery.objects.filter(webhook__in=webhooks_of(actor), pk=key, state=DeliveryState.DEAD.value)
    with transaction.atomic():
        if not dead.update(state=DeliveryState.WAITING.value, due_at=at, tries=0, ended_at=None):
            raise WebhookUnknownError("There is no such dead message.", "List those of the webhook.")
        record(actor, "webhook.sent_again", f"delivery:{key}", at=at)
    return Delivery.objects.get(pk=key)


def check_url(url: str) -> None:
    """Refuse what is no address to send to.

    Raises:
        WebhookError: not https, a user in it, a fragment, or characters that no address has.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    schemes = ("https", "http") if settings.CEIR_WEBHOOKS_PRIVATE else ("https",)
    visible = len(url) <= _LONGEST_URL and url.isascii() and all("!" <= character <= "~" for character in url)
    if (
        not visible
        or parts.scheme not in schemes
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
        or parts.fragment
        or port == 0
    ):
        raise WebhookError("This is no address to send to.", "https://host/path, without user and fragment.")


def may_be_told(webhook: Webhook, action: str, organisation: int | None) -> bool:
    """Whether an event, done by somebody of an organisation, is told to a webhook."""
    beginning = next((event for event in webhook.events if action.startswith(event)), None)
    if beginning is None or beginning not in EVENTS:
        return False
    actor = Actor(webhook.made_by, webhook.role, webhook.organisation_id)
    rule = RULES[EVENTS[beginning]]
    try:
        require(actor, EVENTS[beginning])
    except PermissionDeniedError:
        return False
    own = Role(webhook.role) in rule.own or beginning in _ALWAYS_OWN
    return organisation == webhook.organisation_id if own else True
