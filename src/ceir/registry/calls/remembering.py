"""Repeated calls: a program that does not know whether its call arrived makes it again; it counts once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.calls.models import Remembered
from ceir.registry.personal.fields import keys

KEPT = timedelta(hours=24)
"""How long a first answer is given again."""

LONGEST_KEY = 255
_LABEL = "remembered.answer"


class IdempotencyKeyError(CeirError):
    """What stands in `Idempotency-Key` is no key."""

    code: ClassVar[str] = "idempotency_key_invalid"


class IdempotencyKeyReusedError(CeirError):
    """The key was used for another request."""

    code: ClassVar[str] = "idempotency_key_reused"


class RequestInProgressError(CeirError):
    """The same request is being answered, or its answer was lost."""

    code: ClassVar[str] = "request_in_progress"


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent first."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def begin(caller: str, key: str, asked: str, *, at: datetime) -> Remembered | Answer:
    """Begin a call, or find that it was made before.

    Within a transaction nobody else gets past this with the same key until that ends, and then finds the
    answer, or, if it was rolled back, begins anew. Without a transaction the beginning is kept at once.

    Args:
        asked: everything that makes it the same request.

    Returns: what `keep` wants, or the first answer.

    Raises:
        IdempotencyKeyError: no key: 1 to 255 visible ASCII characters.
        IdempotencyKeyReusedError: it was used for another request.
        RequestInProgressError: the first call is not answered yet.
    """
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise IdempotencyKeyError(
            "The idempotency key is none.", f"1 to {LONGEST_KEY} visible ASCII characters, a UUID for one."
        )
    fingerprint = keys().keyed("request", asked)
    while True:
        try:
            with transaction.atomic():
                return Remembered.objects.create(caller=caller, key=key, fingerprint=fingerprint, begun_at=at)
        except IntegrityError:
            there = Remembered.objects.filter(caller=caller, key=key).first()
        if there is None:
            continue
        if there.begun_at <= at - KEPT:
            there.delete()
            continue
        return _first_answer(there, fingerprint)


def keep(begun: Remembered, answer: Answer) -> None:
    """Keep the first answer."""
    text = json.dumps(dict(answer.headers)).encode() + b"\n" + answer.body
    begun.status, begun.answer = answer.status, keys().encrypt_octets(_LABEL, text)
    begun.save(update_fields=["status", "answer"])


def give_up(begun: Remembered) -> None:
    """The call came to nothing: it may be made again."""
    begun.delete()


def forget(at: datetime) -> int:
    """Remove answers that are given no more. Returns: how many."""
    removed, _ = Remembered.objects.filter(begun_at__lte=at - KEPT).delete()
    return removed


def _first_answer(there: Remembered, fingerprint: bytes) -> Answer:
    if bytes(there.fingerprint) != fingerprint:
        raise IdempotencyKeyReusedError(
            "The idempotency key was used for another request.", "Draw a new key for each new request."
        )
    if there.status is None or there.answer is None:
        raise RequestInProgressError(
            "The same request was begun and has no answer yet.",
            "Ask again in some seconds; if it stays so, look up what became of it.",
        )
    headers, _, body = keys().decrypt_octets(_LABEL, bytes(there.answer)).partition(b"\n")
    return Answer(there.status, json.loads(headers), body)
