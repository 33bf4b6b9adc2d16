"""What services have people told: written in their own transaction, sent afterwards by whoever sends notices.

So nobody is told of what was taken back, and nothing that was done goes untold because a gateway was away.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from ceir.identifiers import Msisdn
from ceir.registry.actors import SYSTEM
from ceir.registry.codes.models import Code, Purpose, State
from ceir.registry.codes.proving import CodeError
from ceir.registry.gateways import GatewayError
from ceir.registry.notices.models import Event, Notice, NoticeState, Rank
from ceir.registry.notices.planning import CODE_DIGITS
from ceir.registry.personal.fields import Access, Sealed, keys

BASIS = "to tell whose matter it is"


def tell(
    event: Event,
    about: str,
    to: Msisdn | Sealed | None,
    words: Mapping[str, str],
    *,
    at: datetime,
    send_by: datetime | None = None,
    nth: int = 1,
) -> Notice | None:
    """Have a number told something once, within the transaction of what it is told of.

    Call it after the deed was recorded: a number that is sealed is read for it, which is recorded too.

    Args:
        about: what it is of, as the record names it: `case:12`.
        to: None: nobody is known to be told.
        words: what the event's text names, see `wording.named_by`; `date` as an aware moment in ISO format.
        send_by: it is of no use later.
        nth: the how many-th time that it happens in this matter.

    Returns: None: there is no number, nobody can hold it, or it was told so before.
    """
    number = _number(to, about, at)
    if number is None or not number.is_countable:
        return None
    return _put(
        event, about, number, words, code=_code(event, about, nth, number), at=at, send_by=send_by, nth=nth
    )


def send_code(number: Msisdn, code: str, purpose: Purpose, at: datetime) -> None:
    """Have a one-time code sent to the number that it was issued for, also at quiet hours.

    Within the transaction in which it was issued. It is kept encrypted until it was handed over and then
    forgotten; it is not sent after it ended.

    Args:
        code: as `codes.proving.issue` gave it.

    Raises:
        GatewayError: no gateway is set up.
        CodeError: no such code counts.
    """
    if settings.CEIR_NOTICES is None:
        raise GatewayError("No gateway for messages is set up.", "See docs/notices.md.")
    issued = (
        Code.objects.filter(number=number.digits, purpose=purpose.value, state=State.SENT.value)
        .filter(expires_at__gt=at)
        .order_by("-pk")
        .first()
    )
    if issued is None:
        raise CodeError("No such code counts any more.", "Ask for a new one.")
    minutes = max(int((issued.expires_at - at).total_seconds()) // 60, 1)
    words = {"code": code, "minutes": str(minutes)}
    _put(Event.CODE, f"code:{issued.pk}", number, words, code="", at=at, send_by=issued.expires_at)


def _put(
    event: Event,
    about: str,
    number: Msisdn,
    words: Mapping[str, str],
    *,
    code: str,
    at: datetime,
    send_by: datetime | None,
    nth: int = 1,
) -> Notice | None:
    with transaction.atomic():
        same = Notice.objects.filter(about=about, event=event.value, nth=nth, msisdn_key=number.digits)
        if same.exists():
            return None
        return Notice.objects.create(
            event=event.value,
            rank=(Rank.ASKED_FOR if event is Event.CODE else Rank.MATTER).value,
            about=about,
            nth=nth,
            msisdn=number.digits,
            msisdn_key=number.digits,
            words=json.dumps(dict(words), sort_keys=True),
            code=code,
            state=NoticeState.WAITING.value,
            made_at=at,
            next_at=at,
            send_by=send_by,
        )


def _number(to: Msisdn | Sealed | None, about: str, at: datetime) -> Msisdn | None:
    if isinstance(to, Sealed):
        return Msisdn(to.reveal(Access(SYSTEM, at, BASIS), about))
    return to


def _code(event: Event, about: str, nth: int, number: Msisdn) -> str:
    """By which a message is known to be ours: nobody without the keys can tell it beforehand."""
    octets = keys().keyed("notice code", f"{event.value} {nth} {about} {number.digits}")
    return f"{int.from_bytes(octets, 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}}"
