"""One-time codes: who reads one back holds the number it was sent to."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from ceir.api.country import NotSetUpError, country
from ceir.api.parsing import In, MsisdnText, msisdn_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.codes import proving
from ceir.registry.codes.allowing import TooManyCodesError
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError

ROUTER = Router()

_REFUSES = (
    CodeError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    TooManyCodesError,
)


class ProvenFor(Enum):
    """What a number is proven for; a code for one is none for another. Cases have codes of their own."""

    REGISTRATION = "registration"
    DEVICES = "devices"
    TRANSFER = "transfer"
    REPAIR = "repair"
    PAIRING = "pairing"
    APPEAL = "appeal"


NEEDED: Mapping[ProvenFor, Permission] = {
    ProvenFor.REGISTRATION: Permission.DEVICE_REGISTER,
    ProvenFor.DEVICES: Permission.DEVICE_READ,
    ProvenFor.TRANSFER: Permission.DEVICE_TRANSFER,
    ProvenFor.REPAIR: Permission.REPAIR_SIGN,
    ProvenFor.PAIRING: Permission.PAIRING_MANAGE,
    ProvenFor.APPEAL: Permission.APPEAL_MAKE,
}
"""Whoever may do a thing may have the number proven for it."""

_FIRST, *_OTHERS = NEEDED.values()


class CodeIn(In):
    """A number, and what it is to be proven for."""

    purpose: ProvenFor
    msisdn: MsisdnText


class CodeOut(Schema):
    """A code is on its way; nobody but who reads the phone learns it."""

    expires_at: datetime


class GivenIn(In):
    """A code as its reader typed it."""

    purpose: ProvenFor
    msisdn: MsisdnText
    code: Annotated[str, StringConstraints(max_length=40)]


class ProofOut(Schema):
    """A proof, to be given with the number wherever one is asked for; used once, by whoever asked for it."""

    code: int


@ROUTER.post("", response={202: CodeOut}, summary="Have a code sent to a number")
@terms(_FIRST, others=tuple(_OTHERS), refuses=_REFUSES)
def send_code(request: Request, wanted: CodeIn) -> Status[dict[str, object]]:
    """An earlier code of the same purpose for the number stops counting."""
    actor = _allowed(request, wanted.purpose)
    number, at, given = msisdn_of(wanted.msisdn), timezone.now(), country()
    purpose = Purpose(wanted.purpose.value)
    issued = proving.issue(purpose, number, draw=given.draw, actor=actor, at=at, limits=given.limits)
    given.send(number, issued.text, purpose, at)
    return Status(202, {"expires_at": issued.expires_at})


@ROUTER.post("/proof", response={201: ProofOut}, summary="Give a code back")
@terms(_FIRST, others=tuple(_OTHERS), refuses=_REFUSES, own_transactions=True)
def prove_number(request: Request, typed: GivenIn) -> Status[proving.Proof]:
    """A wrong one uses up a try; after a few the code counts no more."""
    actor = _allowed(request, typed.purpose)
    proof = proving.verify(
        Purpose(typed.purpose.value),
        msisdn_of(typed.msisdn),
        typed.code,
        actor=actor,
        at=timezone.now(),
        limits=country().limits,
    )
    return Status(201, proof)


def _allowed(request: Request, purpose: ProvenFor) -> Actor:
    permission = NEEDED[purpose]
    actor = request.auth.require(permission)
    require(actor, permission)
    return actor
