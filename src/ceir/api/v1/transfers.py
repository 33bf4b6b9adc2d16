"""Devices change hands: a code goes from who gives to who takes, and neither learns the other's number."""

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from ceir.api.country import NotSetUpError, country
from ceir.api.parsing import ImeiText, In, Key, MaybeProvenIn, ProofIn, imei_of, proof_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.api.v1.registrations import RegistrationOut
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.codes.allowing import TooManyCodesError
from ceir.registry.codes.proving import CodeError
from ceir.registry.registrations import transferring
from ceir.registry.registrations.ending import NotYoursError
from ceir.registry.registrations.holding import QuotaExceededError
from ceir.registry.registrations.models import Registration
from ceir.registry.registrations.transferring import TransferError
from ceir.registry.transitions import IllegalTransitionError

ROUTER = Router()

_REFUSES = (
    CodeError,
    IllegalTransitionError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    NotYoursError,
    QuotaExceededError,
    TooManyCodesError,
    TransferError,
)


class OfferIn(In):
    """A device to give away, with the proof of its holder's number; none: an organisation's."""

    imei: ImeiText
    proof: ProofIn | None = None


class OfferOut(Schema):
    """A device on offer; the code is told once, and goes from hand to hand."""

    transfer: int
    code: str
    expires_at: datetime

    @staticmethod
    def resolve_code(offered: transferring.Offered) -> str:
        """For whoever takes it."""
        return offered.text


class AcceptIn(In):
    """A device to take: its IMEI, the code, and the proof of one's own number for `transfer`."""

    imei: ImeiText
    code: Annotated[str, StringConstraints(max_length=40)]
    proof: ProofIn


@ROUTER.post("", response={201: OfferOut}, summary="Offer a device")
@terms(Permission.DEVICE_TRANSFER, refuses=_REFUSES)
def offer_transfer(request: Request, offered: OfferIn) -> Status[transferring.Offered]:
    """To whoever brings the code."""
    at = timezone.now()
    made = transferring.offer(
        imei_of(offered.imei),
        proof=proof_of(offered.proof),
        draw=country().draw,
        standing_of=country().standing_at(at),
        policy=country().registrations,
        actor=request.auth.actor,
        at=at,
    )
    return Status(201, made)


@ROUTER.post(
    "/acceptance",
    response={201: RegistrationOut},
    summary="Take a device that is offered",
)
@terms(Permission.DEVICE_TRANSFER, refuses=_REFUSES, own_transactions=True)
def accept_transfer(request: Request, taken: AcceptIn) -> Status[Registration]:
    """It is registered for who takes it from now on; a wrong code uses up a try of the offer."""
    at = timezone.now()
    became = transferring.accept(
        imei_of(taken.imei),
        taken.code,
        proof=taken.proof.value(),
        standing_of=country().standing_at(at),
        policy=country().registrations,
        actor=request.auth.actor,
        at=at,
        limits=country().limits,
    )
    return Status(201, became)


@ROUTER.post(
    "/{transfer_id}/withdrawal",
    response={204: None},
    summary="Take an offer back",
)
@terms(Permission.DEVICE_TRANSFER, refuses=_REFUSES)
def withdraw_transfer(request: Request, transfer_id: Key, proven: MaybeProvenIn) -> Status[None]:
    """By the holder."""
    transferring.withdraw(transfer_id, proof=proven.value(), actor=request.auth.actor, at=timezone.now())
    return Status(204, None)
