"""Issuing a code to a number, taking it back, and using what it proved."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.identifiers import Msisdn
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.allowing import Limits, allow_sending, allow_trying, note_wrong
from ceir.registry.codes.drawing import Draw, as_typed
from ceir.registry.codes.models import Allowance, Code, Purpose, State
from ceir.registry.personal.fields import keys


class CodeError(CeirError):
    """A code is wrong, used up or too old, or proves something else."""

    code: ClassVar[str] = "code_refused"


@dataclass(frozen=True)
class Issued:
    """A code on its way.

    Args:
        code: its number; not the code.
        text: what is sent to the phone, and kept nowhere.
    """

    code: int
    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Issued(code={self.code})"


@dataclass(frozen=True)
class Proof:
    """That somebody holds a number: as good as the row it names, which is looked at when it is used.

    Args:
        code: number of the code that was given.
        number: in clear; whoever gave the code typed it.
    """

    code: int
    number: Msisdn

    def __repr__(self) -> str:
        return f"Proof(code={self.code})"


def issue(
    purpose: Purpose,
    number: Msisdn,
    *,
    subject: str = "",
    draw: Draw,
    actor: Actor,
    at: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Issued:
    """Make a code for a number; the caller has it sent there and shows it to nobody.

    Whether the number is known to the register makes no difference that could be seen.
    An earlier code of the same purpose for the number stops counting.

    Args:
        subject: what it is about, as the record names it; it then proves nothing about anything else.

    Raises:
        TooManyCodesError: for the number or from the actor; says how long to wait.
        CodeError: nobody can hold such a number.
    """
    if not number.is_countable:
        raise CodeError("Nobody can receive a code at this number.", "Give the number with its country code.")
    text, salt = draw.digits(limits.digits), draw.octets(16)
    with transaction.atomic():
        allow_sending(number, actor, at, limits)
        Code.objects.filter(
            number=number.digits, purpose=purpose.value, state__in=(State.SENT.value, State.PROVEN.value)
        ).filter(asked_by=actor.id).update(state=State.REPLACED.value)
        made = Code.objects.create(
            purpose=purpose.value,
            subject=subject,
            number=number.digits,
            salt=salt,
            digest=_digest(salt, text),
            tries_left=limits.tries,
            asked_by=actor.id,
            sent_at=at,
            expires_at=at + limits.given_within,
        )
        record(actor, "code.issued", f"code:{made.pk}", at=at, detail={"purpose": purpose.value})
    return Issued(made.pk, text, made.expires_at)


def verify(
    purpose: Purpose,
    number: Msisdn,
    given: str,
    *,
    subject: str = "",
    actor: Actor,
    at: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Proof:
    """Take a code back from whoever asked for it.

    A wrong one uses up a try for good; therefore this is a transaction of its own and refuses to run within
    another, whose failure would give the try back.

    Args:
        given: as typed; spaces and dashes may stand in it, digits of any script are understood.

    Raises:
        CodeError: wrong, too old, used up, for something else, or none was sent. One message for all: nobody
            learns which.
        TooManyCodesError: too many wrong ones today.
    """
    wanted = as_typed(given)
    with transaction.atomic(durable=True):
        allow_trying(actor, at, limits)
        found = (
            Code.objects.select_for_update()
            .filter(number=number.digits, purpose=purpose.value, subject=subject, asked_by=actor.id)
            .filter(state=State.SENT.value, expires_at__gt=at)
            .first()
        )
        right = found is not None and hmac.compare_digest(
            bytes(found.digest), _digest(bytes(found.salt), wanted)
        )
        if found is not None and right:
            found.state, found.proven_until = State.PROVEN.value, at + limits.used_within
            found.save()
        else:
            note_wrong(actor, at)
            if found is not None:
                found.tries_left -= 1
                found.state = State.SENT.value if found.tries_left else State.SPENT.value
                found.save()
        subject_of_entry = f"code:{found.pk}" if found is not None else "code:none"
        record(actor, "code.proven" if right else "code.wrong", subject_of_entry, at=at,
               detail={"purpose": purpose.value})  # fmt: skip
    if found is None or not right:
        raise CodeError("The code is wrong or no longer counts.", "Read it again, or ask for a new one.")
    return Proof(found.pk, number)


def use(proof: Proof, purpose: Purpose, *, subject: str = "", actor: Actor, at: datetime) -> None:
    """Spend a proof on the one thing it was made for; within the transaction of that thing.

    Lock what the thing changes before: entries of the record are written here.

    Raises:
        CodeError: it is for something or somebody else, was used, or is too old.
    """
    with transaction.atomic():
        found = _in_force(proof, purpose, subject, actor, at, lock=True)
        found.state = State.USED.value
        found.save()
        record(actor, "code.used", f"code:{found.pk}", at=at, detail={"purpose": purpose.value})


def check(proof: Proof, purpose: Purpose, *, subject: str = "", actor: Actor, at: datetime) -> None:
    """Let somebody look at what belongs to the number, as often as he likes while the proof counts.

    Raises:
        CodeError: as `use`.
    """
    _in_force(proof, purpose, subject, actor, at, lock=False)


def _in_force(
    proof: Proof, purpose: Purpose, subject: str, actor: Actor, at: datetime, *, lock: bool
) -> Code:
    codes = Code.objects.select_for_update() if lock else Code.objects.all()
    found = codes.filter(
        pk=proof.code,
        number=proof.number.digits,
        purpose=purpose.value,
        subject=subject,
        asked_by=actor.id,
        state=State.PROVEN.value,
        proven_until__gt=at,
    ).first()
    if found is None:
        raise CodeError("That the number is yours is not proven, or no longer.", "Ask for a new code.")
    return found


def forget(before: datetime) -> int:
    """Delete codes that were sent earlier, and counts of then. Returns: codes deleted.

    They hold nothing that could be read, and nothing that anybody needs.
    """
    Allowance.objects.filter(day_began__lt=before - timedelta(days=1)).delete()
    return Code.objects.filter(sent_at__lt=before, expires_at__lt=before).delete()[0]


def _digest(salt: bytes, text: str) -> bytes:
    return keys().keyed("code", f"{salt.hex()}{text}")
