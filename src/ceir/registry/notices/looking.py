"""Looking up who was told what, and whether a message is one of ours."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.identifiers import Imei, Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.allowing import Limits, allow_trying, note_wrong
from ceir.registry.codes.drawing import as_typed
from ceir.registry.notices.models import Event, Notice, NoticeState
from ceir.registry.runs.models import Decision
from ceir.registry.runs.rows import number_of

_TOLD = (
    NoticeState.SENDING.value,
    NoticeState.SENT.value,
    NoticeState.DELIVERED.value,
    NoticeState.UNDELIVERED.value,
    NoticeState.UNCERTAIN.value,
    NoticeState.WAITING.value,
)


class NotOursError(CeirError):
    """A message that somebody got is not from the register."""

    code: ClassVar[str] = "message_unknown"


def notices_of(identity: str, *, actor: Actor) -> list[Notice]:
    """Every notice of a device, oldest first; no number is read by it.

    Raises:
        PermissionDeniedError: the actor may not.
        InvalidIdentifierError: it is no identity.
    """
    require(actor, Permission.NOTICE_READ)
    number, _ = number_of(identity)
    return list(Notice.objects.filter(imei=number).order_by("made_at", "pk").prefetch_related("sendings"))


def notices_about(subject: str, *, actor: Actor) -> list[Notice]:
    """Every notice of a matter, like `case:12`, oldest first; no number is read by it.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.NOTICE_READ)
    return list(Notice.objects.filter(about=subject).order_by("pk").prefetch_related("sendings"))


@dataclass(frozen=True)
class Ours:
    """What whoever checks a message is told of it.

    Args:
        told_at: when it was sent.
        printed: the IMEI as printed or the malformed identity; empty: of another matter than a block.
    """

    event: Event
    told_at: datetime
    printed: str = ""
    block_on: date | None = None


def check_message(
    number: Msisdn,
    code: str,
    *,
    actor: Actor,
    at: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Ours:
    """Whether a message is ours: for who dialled the short code from a number, or proved it at the portal.

    Wrong codes are counted for whoever asks; therefore this is a transaction of its own.

    Raises:
        NotOursError: no message with this code was sent to this number.
        TooManyCodesError: too many wrong ones today.
    """
    with transaction.atomic(durable=True):
        allow_trying(actor, at, limits)
        found = notice_with(number, code)
        if found is None:
            note_wrong(actor, at)
        record(actor, "notice.checked", f"notice:{found.pk}" if found else "notice:none", at=at)
    if found is None:
        raise NotOursError(
            "No message with this code was sent to this number.",
            "Do nothing that the message asks for, and give nobody a code.",
        )
    first = found.sendings.first()
    assert first is not None
    printed = ""
    if found.imei is not None:
        decision = Decision.objects.filter(imei=found.imei).first()
        printed = decision.text if decision is not None else ""
        printed = printed or (Imei.from_number(found.imei).printed if found.imei >= 0 else "")
    return Ours(Event(found.event), first.at, printed, found.block_on)


def notice_with(number: Msisdn, code: str) -> Notice | None:
    """The last notice that this number was sent with this code; None: we sent none. See `check_message`."""
    typed = as_typed(code)
    if not typed:
        return None
    return (
        Notice.objects.filter(msisdn_key=number.digits, code=typed, state__in=_TOLD, tries__gt=0)
        .order_by("-pk")
        .first()
    )
