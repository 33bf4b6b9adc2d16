"""What is owed for registrations: paid, disputed, settled, sent back."""

from decimal import Decimal
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Status
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import ImeiText, In, Key, ProofIn, Reason, imei_of, proof_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.api.v1.registrations import DutyOut
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.codes.proving import CodeError
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.registrations import duties
from ceir.registry.registrations.duties import DutyError
from ceir.registry.registrations.ending import NotYoursError
from ceir.registry.registrations.models import Duty, DutyState
from ceir.registry.transitions import IllegalTransitionError

ROUTER = Router()

_REFUSES = (
    CodeError,
    CursorError,
    DutyError,
    IllegalTransitionError,
    InvalidIdentifierError,
    NotFoundError,
    NotYoursError,
    ProposalError,
)

Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]


class PaymentIn(In):
    """A payment, by the payer's or the bank's reference."""

    amount: Amount
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
    payment: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class RefundIn(In):
    """A payment back."""

    payment: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SettlementIn(In):
    """What is right; 0 waives it."""

    amount: Amount
    reason: Reason


class DisputeIn(In):
    """Why a duty is wrong, with the proof of the holder's number for `devices`; none: an organisation's."""

    imei: ImeiText
    why: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    proof: ProofIn | None = None


@ROUTER.get(
    "",
    response=Page[DutyOut],
    summary="Duties that the caller may see",
)
@terms(Permission.DUTY_SETTLE, others=(Permission.DEVICE_READ,), refuses=_REFUSES)
def list_duties(request: Request, state: DutyState | None = None, cursor: str = "") -> dict[str, object]:
    """An organisation's own; everybody's for officers and customs."""
    found = _shown(request.auth.actor)
    return page_of(found.filter(state=state.value) if state is not None else found, cursor)


@ROUTER.post("/dispute", response=DutyOut, summary="Say that a duty is wrong")
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES)
def dispute_duty(request: Request, said: DisputeIn) -> Duty:
    """Once; until it is settled the device may be used."""
    return duties.dispute(
        imei_of(said.imei),
        said.why,
        proof=proof_of(said.proof),
        actor=request.auth.actor,
        at=timezone.now(),
    )


@ROUTER.get(
    "/{duty_id}",
    response=DutyOut,
    summary="One duty",
)
@terms(Permission.DUTY_SETTLE, others=(Permission.DEVICE_READ,), refuses=_REFUSES)
def one_duty(request: Request, duty_id: Key) -> Duty:
    """As it stands."""
    return _duty(request, duty_id)


_SEEN = Guard(one_duty, Duty, "duty_id")


@ROUTER.post("/{duty_id}/payment", response=DutyOut, summary="Enter a payment")
@terms(Permission.DUTY_SETTLE, refuses=_REFUSES, guard=_SEEN)
def pay_duty(request: Request, duty_id: Key, paid: PaymentIn) -> Duty:
    """The registration comes into force; the same payment entered again changes nothing."""
    _duty(request, duty_id)
    return duties.pay(
        duty_id,
        amount=paid.amount,
        currency=paid.currency,
        payment=paid.payment,
        actor=request.auth.actor,
        at=timezone.now(),
    )


@ROUTER.post(
    "/{duty_id}/settlement",
    response={201: ProposalRef},
    summary="Propose another amount",
)
@terms(Permission.DUTY_SETTLE, refuses=_REFUSES, guard=_SEEN)
def propose_duty_settlement(request: Request, duty_id: Key, said: SettlementIn) -> Status[object]:
    """A second person decides; what was paid too much goes back."""
    _duty(request, duty_id)
    made = duties.propose_settlement(
        duty_id, said.amount, reason=said.reason, actor=request.auth.actor, at=timezone.now()
    )
    return Status(201, made)


@ROUTER.post(
    "/{duty_id}/refund",
    response=DutyOut,
    summary="Enter that money went back",
)
@terms(Permission.DUTY_SETTLE, refuses=_REFUSES, guard=_SEEN)
def refund_duty(request: Request, duty_id: Key, paid: RefundIn) -> Duty:
    """By the reference of the payment back."""
    _duty(request, duty_id)
    return duties.refunded(duty_id, payment=paid.payment, actor=request.auth.actor, at=timezone.now())


def _shown(actor: Actor) -> QuerySet[Duty]:
    every = Duty.objects.all()
    if actor.acts_as is Role.CONSUMER:
        return every.none()
    if actor.acts_as in RULES[Permission.DEVICE_READ].own:
        return every.filter(registration__organisation=actor.organisation)
    return every


def _duty(request: Request, duty_id: int) -> Duty:
    found = _shown(request.auth.actor).filter(pk=duty_id).first()
    if found is None:
        raise NotFoundError(f"There is no duty {duty_id} for you.", "List yours.")
    return found
