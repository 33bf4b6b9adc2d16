"""Addresses that are told when something happens."""

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field

from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.webhooks.models import Delivery
from ceir.registry.webhooks.registering import (
    WebhookError,
    WebhookUnknownError,
    end,
    register,
    send_again,
    webhook_of,
    webhooks_of,
)

ROUTER = Router()

LISTED = 100
_LONGEST = 500


class WebhookOut(Schema):
    """A webhook; never its secret."""

    id: UUID
    url: str
    events: list[str]
    made_at: datetime


class NewWebhookOut(WebhookOut):
    """A webhook just made, with the secret that its messages are signed with: shown this once."""

    secret: str


class WebhooksOut(Schema):
    """Those of the organisation."""

    items: list[WebhookOut]


class NewWebhook(Schema):
    """An address, and what it is told of."""

    url: Annotated[str, Field(max_length=_LONGEST)]
    events: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=20)]


class DeliveryOut(Schema):
    """A message, and what became of it."""

    id: UUID
    event: str
    state: str
    tries: int
    answer: str
    made_at: datetime
    due_at: datetime | None
    ended_at: datetime | None


class DeliveriesOut(Schema):
    """The newest 100."""

    items: list[DeliveryOut]


_ID = "0b6f6a1c-6d0e-4a9b-9f53-3a1c7a1f9f10"
_HOOK = {
    "id": _ID,
    "url": "https://operator.example/ceir",
    "events": ["run."],
    "made_at": "2026-11-22T09:00:00Z",
}
_DEAD = {
    "id": _ID,
    "event": "run.applied",
    "state": "dead",
    "tries": 8,
    "answer": "status 500",
    "made_at": "2026-11-22T09:00:00Z",
    "due_at": None,
    "ended_at": "2026-11-24T06:00:00Z",
}
_VARIES = frozenset({"id", "made_at", "secret", "due_at", "ended_at"})


@ROUTER.post("", response={201: NewWebhookOut}, summary="Have an address told of events")
@terms(
    Permission.WEBHOOK_MANAGE,
    refuses=(WebhookError,),
    examples=(
        Example(
            "Told of runs",
            "nothing",
            Role.OPERATOR,
            body={"url": "https://operator.example/ceir", "events": ["run."]},
            status=201,
            answer={**_HOOK, "secret": "the secret, shown once"},
            varies=_VARIES,
        ),
    ),
)
def make_webhook(request: Request, asked: NewWebhook) -> Status[dict[str, Any]]:
    """Messages bear `Ceir-Timestamp` and `Ceir-Signature: v1=` HMAC-SHA-256 with the secret over timestamp,
    dot and body. A message says what happened to what; the rest is asked for over the API.
    """
    secret = secrets.token_urlsafe(32)
    made = register(asked.url, asked.events, secret=secret, actor=request.auth.actor, at=timezone.now())
    told = {"id": made.pk, "url": made.url, "events": made.events, "made_at": made.made_at}
    return Status(HTTPStatus.CREATED, {**told, "secret": secret})


@ROUTER.get("", response=WebhooksOut, summary="Webhooks of the organisation")
@terms(
    Permission.WEBHOOK_MANAGE,
    examples=(Example("One", "a webhook", Role.OPERATOR, answer={"items": [_HOOK]}, varies=_VARIES),),
)
def list_webhooks(request: Request) -> dict[str, Any]:
    """Those that are told of things."""
    return {"items": list(webhooks_of(request.auth.actor))}


@ROUTER.delete("/{webhook}", response={204: None}, summary="End a webhook")
@terms(
    Permission.WEBHOOK_MANAGE,
    refuses=(WebhookUnknownError,),
    examples=(Example("Ended", "a webhook", Role.OPERATOR, path={"webhook": _ID}, status=204),),
)
def end_webhook(request: Request, webhook: UUID) -> Status[None]:
    """What waits is not sent."""
    end(webhook, actor=request.auth.actor, at=timezone.now())
    return Status(HTTPStatus.NO_CONTENT, None)


@ROUTER.get("/{webhook}/deliveries", response=DeliveriesOut, summary="What a webhook was told")
@terms(
    Permission.WEBHOOK_MANAGE,
    refuses=(WebhookUnknownError,),
    examples=(
        Example(
            "A dead message",
            "a dead message",
            Role.OPERATOR,
            path={"webhook": _ID},
            query={"state": "dead"},
            answer={"items": [_DEAD]},
            varies=_VARIES,
        ),
    ),
)
def list_deliveries(request: Request, webhook: UUID, state: str = "") -> dict[str, Any]:
    """The newest first; `dead` are those that were tried as often as it is."""
    found = Delivery.objects.filter(webhook=webhook_of(webhook, actor=request.auth.actor))
    if state:
        found = found.filter(state=state)
    return {"items": list(found[:LISTED])}


@ROUTER.post("/deliveries/{delivery}/again", response=DeliveryOut, summary="Try a dead message anew")
@terms(
    Permission.WEBHOOK_MANAGE,
    refuses=(WebhookUnknownError,),
    examples=(
        Example(
            "Tried anew",
            "a dead message",
            Role.OPERATOR,
            path={"delivery": _ID},
            answer={**_DEAD, "state": "waiting", "tries": 0},
            varies=_VARIES,
        ),
    ),
)
def deliver_again(request: Request, delivery: UUID) -> Delivery:
    """With the same id, so that the receiver can tell."""
    return send_again(delivery, actor=request.auth.actor, at=timezone.now())
