"""Repairs that change what identifies a device, signed by the shop that did them."""

from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import IdentifiersIn, ImeiText, In, Key, ProofIn, imei_of, proof_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Actor
from ceir.registry.codes.proving import CodeError
from ceir.registry.devices.entering import IdentifierTakenError
from ceir.registry.devices.identifying import IdentifiersRefusedError
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.registrations.ending import NotYoursError
from ceir.registry.registrations.models import WorkOrder, WorkState
from ceir.registry.registrations.repairing import Work, WorkOrderError, sign

ROUTER = Router()

_REFUSES = (
    CodeError,
    CursorError,
    IdentifierTakenError,
    IdentifiersRefusedError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    NotYoursError,
    ProposalError,
    WorkOrderError,
)


class WorkIn(In):
    """What a shop did; the holder's number is proven by the shop for `repair`."""

    device: Annotated[ImeiText, Field(description="An IMEI that the device has now.")]
    retired: Annotated[list[ImeiText], Field(max_length=8)]
    bound: IdentifiersIn
    reference: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    what: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    consent: ProofIn | None = None


class WorkOrderOut(Schema):
    """A signed order; `digest` is the SHA-256 of what was signed."""

    id: int
    shop: int
    reference: str
    what: str
    state: WorkState
    signed_at: datetime
    done_at: datetime | None
    digest: str

    @staticmethod
    def resolve_shop(order: WorkOrder) -> int:
        """Its key."""
        return order.shop_id

    @staticmethod
    def resolve_digest(order: WorkOrder) -> str:
        """In hexadecimal digits."""
        return bytes(order.digest).hex()


@ROUTER.post("", response={201: WorkOrderOut}, summary="Sign a repair")
@terms(Permission.REPAIR_SIGN, refuses=_REFUSES)
def sign_repair(request: Request, work: WorkIn) -> Status[WorkOrder]:
    """Done at once, or proposed to a second person where nobody can agree or something speaks against it."""
    at = timezone.now()
    signed = Work(
        imei_of(work.device),
        tuple(imei_of(text) for text in work.retired),
        work.bound.value(),
        work.reference,
        work.what,
    )
    order = sign(
        signed,
        consent=proof_of(work.consent),
        asks=country().asks(at),
        strictness=country().registrations.strictness,
        actor=request.auth.actor,
        at=at,
    )
    return Status(201, order)


@ROUTER.get(
    "",
    response=Page[WorkOrderOut],
    summary="Orders that the caller may see",
)
@terms(Permission.REPAIR_SIGN, others=(Permission.DEVICE_READ,), refuses=_REFUSES)
def list_repairs(request: Request, state: WorkState | None = None, cursor: str = "") -> dict[str, object]:
    """A shop's own; all of them for the regulator."""
    found = _shown(request.auth.actor)
    return page_of(found.filter(state=state.value) if state is not None else found, cursor)


@ROUTER.get(
    "/{order_id}",
    response=WorkOrderOut,
    summary="One order",
)
@terms(Permission.REPAIR_SIGN, others=(Permission.DEVICE_READ,), refuses=_REFUSES)
def one_repair(request: Request, order_id: Key) -> WorkOrder:
    """As it stands."""
    found = _shown(request.auth.actor).filter(pk=order_id).first()
    if found is None:
        raise NotFoundError(f"There is no order {order_id} for you.", "List yours.")
    return found


def _shown(actor: Actor) -> QuerySet[WorkOrder]:
    every = WorkOrder.objects.all()
    own = RULES[Permission.DEVICE_READ].own | RULES[Permission.REPAIR_SIGN].own
    return every.filter(shop=actor.organisation) if actor.acts_as in own else every
