"""Pairings: equipment works with a number although it is blocked; codes go from person to person."""

from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from ceir.api.answers import ProposalRef
from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Because, ImeiText, In, Key, ProofIn, ProvenIn, imei_of, one_of, printed, proof_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.codes.allowing import TooManyCodesError
from ceir.registry.codes.proving import CodeError
from ceir.registry.pairings import pairing
from ceir.registry.pairings.models import Ground, Pairing, State
from ceir.registry.pairings.pairing import PairingError
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.registrations.ending import NotYoursError
from ceir.registry.transitions import IllegalTransitionError

ROUTER = Router()

_REFUSES = (
    CodeError,
    CursorError,
    IllegalTransitionError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    NotYoursError,
    PairingError,
    ProposalError,
    TooManyCodesError,
)

PairingState = Annotated[State, one_of(State)]


class PairCodeIn(In):
    """A device, with the proof of its holder's number for `pairing`; none: an officer saw him with it."""

    imei: ImeiText
    proof: ProofIn | None = None


class PairCodeOut(Schema):
    """A code, told once; who brings it pairs his number."""

    pair_code: int
    code: str
    expires_at: datetime

    @staticmethod
    def resolve_code(made: pairing.Made) -> str:
        """For people to hand on."""
        return made.text


class PairIn(In):
    """A device, its code, and the proof of one's own number for `pairing`."""

    imei: ImeiText
    code: Annotated[str, StringConstraints(max_length=40)]
    proof: ProofIn


class FollowIn(In):
    """A device, and the proof of one's new number for `pairing`."""

    imei: ImeiText
    proof: ProofIn


class PairingOut(Schema):
    """A pairing; the number it is with is not shown."""

    id: int
    imei: str
    ground: Ground
    state: PairingState
    made_at: datetime
    in_force_at: datetime | None
    ended_at: datetime | None

    @staticmethod
    def resolve_imei(found: Pairing) -> str:
        """As printed."""
        return printed(found.imei)


@ROUTER.get(
    "",
    response=Page[PairingOut],
    summary="Pairings that the caller may see",
)
@terms(Permission.PAIRING_MANAGE, refuses=_REFUSES)
def list_pairings(
    request: Request, imei: ImeiText = "", state: PairingState | None = None, cursor: str = ""
) -> dict[str, object]:
    """All of them for officers, those of its subscribers for an operator; a person's are made by himself."""
    found = _pairings_for(request.auth.actor)
    if imei:
        found = found.filter(imei=imei_of(imei).number)
    if state is not None:
        found = found.filter(state=state.value)
    return page_of(found, cursor)


@ROUTER.post(
    "",
    response={201: PairingOut},
    summary="Pair a number with a device",
)
@terms(Permission.PAIRING_MANAGE, refuses=_REFUSES, own_transactions=True)
def pair_number(request: Request, wanted: PairIn) -> Status[Pairing]:
    """In force, or proposed to a second person where something is held against the device."""
    at = timezone.now()
    made = pairing.pair(
        imei_of(wanted.imei),
        wanted.code,
        proof=wanted.proof.value(),
        standing_of=country().standing_at(at),
        policy=country().pairings,
        actor=request.auth.actor,
        at=at,
        limits=country().limits,
    )
    return Status(201, made)


@ROUTER.post(
    "/codes",
    response={201: PairCodeOut},
    summary="Make a code by which numbers are paired with a device",
)
@terms(Permission.PAIRING_MANAGE, refuses=_REFUSES)
def make_pair_code(request: Request, wanted: PairCodeIn) -> Status[pairing.Made]:
    """An older one stops counting."""
    made = pairing.make_code(
        imei_of(wanted.imei),
        proof=proof_of(wanted.proof),
        draw=country().draw,
        policy=country().pairings,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/following",
    response={201: PairingOut},
    summary="Take the place of one's old number",
)
@terms(Permission.PAIRING_MANAGE, refuses=_REFUSES)
def follow_pairing(request: Request, wanted: FollowIn) -> Status[Pairing]:
    """Where the operator has told that both numbers are the same person's."""
    made = pairing.follow(
        imei_of(wanted.imei), proof=wanted.proof.value(), actor=request.auth.actor, at=timezone.now()
    )
    return Status(201, made)


@ROUTER.post(
    "/{pairing_id}/release",
    response={204: None},
    summary="End a pairing",
)
@terms(Permission.PAIRING_MANAGE, refuses=_REFUSES)
def release_pairing(request: Request, pairing_id: Key, proven: ProvenIn) -> Status[None]:
    """By whoever holds its number, or the device."""
    pairing.release(pairing_id, proof=proven.proof.value(), actor=request.auth.actor, at=timezone.now())
    return Status(204, None)


@ROUTER.post(
    "/{pairing_id}/release-proposal",
    response={201: ProposalRef},
    summary="Propose to end somebody else's pairing",
)
@terms(Permission.PAIRING_MANAGE, refuses=_REFUSES)
def propose_pairing_release(request: Request, pairing_id: Key, said: Because) -> Status[object]:
    """A second person decides: without it the device may be blocked for him."""
    if not _pairings_for(request.auth.actor).filter(pk=pairing_id).exists():
        raise NotFoundError(f"There is no pairing {pairing_id} for you.", "List those you may see.")
    made = pairing.propose_release(
        pairing_id, reason=said.reason, actor=request.auth.actor, at=timezone.now()
    )
    return Status(201, made)


def _pairings_for(actor: Actor) -> QuerySet[Pairing]:
    if actor.acts_as is Role.CONSUMER:
        return Pairing.objects.none()
    if actor.acts_as is Role.OPERATOR:
        return Pairing.objects.filter(
            line__sims__operator=actor.organisation, line__sims__ended_at=None
        ).distinct()
    return Pairing.objects.all()
