"""Asking about many identifiers, and answering part by part: a worker that is killed loses one part only."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import F

from ceir.errors import CeirError
from ceir.identifiers import EquipmentIdentity, InvalidIdentifierError
from ceir.registry.accounts.clients import in_use
from ceir.registry.accounts.models import Account, Client
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.bulk.models import Part, Question, State
from ceir.registry.status.answering import MOST_AT_ONCE, Status, status_of

MOST = 100_000
"""Identifiers of one question."""

KEPT = timedelta(days=7)
"""How long answers can be fetched."""

MOST_WAITING = 20
"""Questions of one organisation that are not answered yet."""

_ENDED = (State.DONE.value, State.FAILED.value, State.CANCELLED.value)

ReadIdentity = Callable[[str], EquipmentIdentity]


class BulkError(CeirError):
    """A question of many identifiers cannot be taken, or its answers cannot be had."""

    code: ClassVar[str] = "bulk_refused"


class BulkUnknownError(CeirError):
    """There is no such question, or it is another organisation's."""

    code: ClassVar[str] = "bulk_unknown"


def ask(imeis: Sequence[str], *, actor: Actor, at: datetime) -> Question:
    """Take a question; whoever calls puts `carry_out` into the queue.

    Args:
        imeis: as they were written, 1 to `MOST`; each of at most 32 characters.

    Raises:
        PermissionDeniedError: the actor may not.
        BulkError: too many identifiers, or too many questions wait.
    """
    require(actor, Permission.STATUS_READ)
    if not 1 <= len(imeis) <= MOST:
        raise BulkError(f"{len(imeis)} identifiers came.", f"1 to {MOST:,} at once.")
    with transaction.atomic():
        waiting = Question.objects.filter(organisation=actor.organisation).exclude(state__in=_ENDED).count()
        if waiting >= MOST_WAITING:
            raise BulkError(f"{waiting} questions wait already.", "Wait for one, or cancel one.")
        made = Question.objects.create(
            asked_by=actor.id,
            role=actor.role,
            organisation=actor.organisation,
            asked_at=at,
            asked=gzip.compress("\n".join(one.replace("\n", " ") for one in imeis).encode(), 6, mtime=0),
            total=len(imeis),
            expires_at=at + KEPT,
        )
        record(actor, "bulk.asked", f"bulk:{made.pk}", at=at, detail={"identifiers": made.total})
    return made


def question_of(key: UUID, *, actor: Actor) -> Question:
    """A question of the actor's organisation.

    Raises:
        BulkUnknownError: there is none.
    """
    found = Question.objects.filter(pk=key, organisation=actor.organisation, role=actor.role).first()
    if found is None:
        raise BulkUnknownError("There is no such job.", "List those of this organisation.")
    return found


def carry_out(key: UUID, read: ReadIdentity, now: Callable[[], datetime]) -> str:
    """Answer what is not answered yet; begun again after a crash it goes on where it was.

    Args:
        read: the identity in what was written.

    Returns: the state it came to.
    """
    with transaction.atomic():
        question = Question.objects.select_for_update().filter(pk=key).first()
        if question is None or question.state in _ENDED:
            return question.state if question else "gone"
        actor = Actor(question.asked_by, question.role, question.organisation)
        question.state = State.RUNNING.value
        if not _may_still(actor):
            question.state, question.why = State.FAILED.value, "Who asked may not ask any more."
            question.ended_at = now()
        question.save(update_fields=["state", "why", "ended_at"])
    if question.state == State.FAILED.value:
        return question.state
    asked = gzip.decompress(bytes(question.asked)).decode().split("\n")
    there = set(Part.objects.filter(question=question).values_list("number", flat=True))
    for number, begin in enumerate(range(0, len(asked), MOST_AT_ONCE)):
        if number in there:
            continue
        if not _answer_part(question, number, asked[begin : begin + MOST_AT_ONCE], actor, read, now()):
            return _state_of(key)  # cancelled, or another worker has been faster
    with transaction.atomic():
        changed = Question.objects.filter(pk=key, state=State.RUNNING.value).update(
            state=State.DONE.value, ended_at=now()
        )
        if changed:
            record(actor, "bulk.answered", f"bulk:{key}", at=now(), detail={"identifiers": question.total})
    return _state_of(key)


def cancel(key: UUID, *, actor: Actor, at: datetime) -> None:
    """Stop answering and remove what was answered.

    Raises:
        BulkUnknownError: there is no such question.
    """
    question = question_of(key, actor=actor)
    with transaction.atomic():
        Question.objects.filter(pk=question.pk).update(state=State.CANCELLED.value, ended_at=at)
        Part.objects.filter(question=question).delete()
        record(actor, "bulk.cancelled", f"bulk:{key}", at=at)


def answers_of(question: Question) -> Iterator[bytes]:
    """The answers, a JSON value in each line, in the order of the questions; part by part.

    Raises:
        BulkError: they are not all there yet, or never will be.
    """
    if question.state != State.DONE.value:
        raise BulkError(
            f"The job is {question.state}.",
            "Ask again when it is done." if not question.why else question.why,
        )
    return _parts(question)


def forget(at: datetime) -> int:
    """Remove questions whose time is over. Returns: how many."""
    over = Question.objects.filter(expires_at__lte=at)
    count = over.count()
    over.delete()
    return count


def _state_of(key: UUID) -> str:
    return Question.objects.filter(pk=key).values_list("state", flat=True).first() or "gone"


def _parts(question: Question) -> Iterator[bytes]:
    for number in range(-(-question.total // MOST_AT_ONCE)):
        part = Part.objects.filter(question=question, number=number).values_list("answers", flat=True).first()
        if part is not None:
            yield gzip.decompress(bytes(part))


def _answer_part(
    question: Question, number: int, texts: list[str], actor: Actor, read: ReadIdentity, at: datetime
) -> bool:
    """Answer some. Returns: whether the question still stands."""
    identities: list[EquipmentIdentity] = []
    refused: dict[int, InvalidIdentifierError] = {}
    for place, text in enumerate(texts):
        try:
            identities.append(read(text))
        except InvalidIdentifierError as error:
            refused[place] = error
    found = iter(status_of(identities, actor=actor, at=at) if identities else ())
    lines = []
    for place, text in enumerate(texts):
        why = refused.get(place)
        lines.append(
            {
                "asked": text,
                "status": None if why else _plain(next(found)),
                "problem": {"code": why.code, "detail": why.detail} if why else None,
            }
        )
    octets = "".join(
        json.dumps(line, default=_value, separators=(",", ":")) + "\n" for line in lines
    ).encode()
    with transaction.atomic():
        standing = Question.objects.select_for_update().filter(pk=question.pk, state=State.RUNNING.value)
        if standing.first() is None:
            return False
        _, new = Part.objects.get_or_create(
            question=question, number=number, defaults={"answers": gzip.compress(octets, 6, mtime=0)}
        )
        if new:  # another worker may have been as far
            Question.objects.filter(pk=question.pk).update(
                done=F("done") + len(texts), refused=F("refused") + len(refused)
            )
    return True


def _may_still(actor: Actor) -> bool:
    """Whether who asked is still in use, in the same role."""
    kind, _, number = actor.id.partition(":")
    if kind == "client":
        client = Client.objects.select_related("organisation").filter(pk=int(number)).first()
        return (
            client is not None
            and in_use(client)
            and client.role == actor.role
            and Permission.STATUS_READ.value in client.scopes
        )
    if kind == "account":
        return Account.objects.filter(pk=int(number), is_active=True, role=actor.role).exists()
    return True


def _plain(status: Status) -> dict[str, Any]:
    return asdict(status)


def _value(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
