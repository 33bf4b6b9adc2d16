"""Registrations: of people's own devices, travellers', fleets', importers', missions' and test equipment."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

from django.db.models import Q, QuerySet
from django.utils import timezone
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field, StringConstraints

from ceir.api.answers import source_of
from ceir.api.country import NotSetUpError, country
from ceir.api.device_files import DeviceFileError, rows_of
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import (
    IdentifiersIn,
    ImeiText,
    In,
    Key,
    KeyIn,
    ProofIn,
    Reason,
    imei_of,
    one_of,
    printed,
    proof_of,
)
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_LISTED, MOST_UPLOADED_ROWS
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.errors import CeirError
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.codes.proving import CodeError
from ceir.registry.devices.entering import IdentifierTakenError
from ceir.registry.devices.identifying import Identifiers, IdentifiersRefusedError
from ceir.registry.devices.models import IdentifierKind
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.registrations.ending import NotYoursError, give_up
from ceir.registry.registrations.holding import QuotaExceededError
from ceir.registry.registrations.models import LIVING, Kind, Registration, State
from ceir.registry.registrations.registering import RegistrationRefusedError, register_own, register_traveller
from ceir.registry.registrations.submitting import Outcome, read_rows, submit
from ceir.registry.subscribers.reporting import Holder, ReportRefusedError
from ceir.registry.transitions import IllegalTransitionError

ROUTER = Router()

_REFUSES = (
    CodeError,
    CursorError,
    DeviceFileError,
    IdentifierTakenError,
    IdentifiersRefusedError,
    IllegalTransitionError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    NotYoursError,
    ProposalError,
    QuotaExceededError,
    RegistrationRefusedError,
    ReportRefusedError,
)

RegistrationState = Annotated[State, one_of(State)]

_MOST_IN_A_BODY = 1000


class OfOrganisations(Enum):
    """Grounds on which an organisation's devices are registered."""

    IMPORT = "import"
    FLEET = "fleet"
    DIPLOMATIC = "diplomatic"
    TEST = "test"


class OwnIn(In):
    """A person's device, with the proof of his number for `registration`."""

    device: IdentifiersIn
    proof: ProofIn


class TravellerIn(In):
    """A traveller's device; his number is proven unless an officer or customs saw the passport."""

    device: IdentifiersIn
    document: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    name: Annotated[str, StringConstraints(max_length=150)] = ""
    proof: ProofIn | None = None


class BatchIn(In):
    """Devices of an organisation; the caller's own where none is named."""

    kind: OfOrganisations
    devices: Annotated[list[IdentifiersIn], Field(min_length=1, max_length=_MOST_IN_A_BODY)]
    reason: Reason
    reference: Annotated[str, StringConstraints(max_length=100)] = ""
    organisation: KeyIn | None = None
    sms_exempt: bool = False


class DeviceFileIn(In):
    """What goes with a file of devices."""

    kind: OfOrganisations
    reason: Reason
    reference: Annotated[str, StringConstraints(max_length=100)] = ""
    organisation: KeyIn | None = None
    sms_exempt: bool = False


class RefusedRowOut(Schema):
    """A device that was not taken: its row from 1, and why."""

    row: int
    code: str
    detail: str
    hint: str


class OutcomeOut(Schema):
    """What became of them; where a second person has to decide, they are not in force until then."""

    submission: int | None
    registered: int
    refused: list[RefusedRowOut]
    proposal: int | None


class DutyOut(Schema):
    """What is owed for a registration."""

    id: int
    registration: int
    amount: Decimal
    currency: str
    ground: str
    state: str
    assessed_at: datetime
    due_by: datetime
    paid_at: datetime | None
    disputed_at: datetime | None
    refund: Decimal | None
    refunded_at: datetime | None

    @staticmethod
    def resolve_registration(duty: object) -> int:
        """Its key."""
        key: int = duty.registration_id  # type: ignore[attr-defined]
        return key


class RegistrationOut(Schema):
    """A registration as it stands; of a person it does not say whose."""

    id: int
    kind: Kind
    state: RegistrationState
    imeis: list[str]
    organisation: int | None
    submission: int
    entered_at: datetime
    begins_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    ended_because: str
    sms_exempt: bool
    duty: DutyOut | None

    @staticmethod
    def resolve_imeis(registration: Registration) -> list[str]:
        """As printed, by slot; those of before a repair are left out."""
        rows = registration.device.identifiers.all()
        living = [r for r in rows if r.kind == IdentifierKind.IMEI.value and r.ended_at is None]
        return [printed(r.imei) for r in sorted(living, key=lambda r: r.slot) if r.imei is not None]

    @staticmethod
    def resolve_organisation(registration: Registration) -> int | None:
        """Key of whose it is."""
        return registration.organisation_id

    @staticmethod
    def resolve_submission(registration: Registration) -> int:
        """Key of what it came with."""
        return registration.submission_id

    @staticmethod
    def resolve_duty(registration: Registration) -> object:
        """None: nothing is owed."""
        return getattr(registration, "duty", None)


class GiveUpIn(In):
    """A device, with the proof of its holder's number for `devices`; none: an organisation's own device."""

    imei: ImeiText
    proof: ProofIn | None = None


class QuotaOut(Schema):
    """How many devices one holder registers on a ground, and how many the caller's organisation has."""

    kind: Kind
    devices: int
    days: int | None
    living: int


class QuotasOut(Schema):
    """Of each ground that has one."""

    items: list[QuotaOut]


@ROUTER.post(
    "",
    response={201: RegistrationOut},
    summary="Register a person's own device",
)
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES)
def register_device(request: Request, wanted: OwnIn) -> Status[Registration]:
    """In force at once, or due where the country wants something paid first."""
    at = timezone.now()
    made = register_own(
        wanted.device.value(),
        proof=wanted.proof.value(),
        policy=country().registrations,
        asks=country().asks(at),
        actor=request.auth.actor,
        at=at,
    )
    return Status(201, made)


@ROUTER.post(
    "/traveller",
    response={201: RegistrationOut},
    summary="Register a traveller's device for some days",
)
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES)
def register_traveller_device(request: Request, wanted: TravellerIn) -> Status[Registration]:
    """Then it ends by itself."""
    at = timezone.now()
    made = register_traveller(
        wanted.device.value(),
        Holder.read(wanted.document, wanted.name),
        proof=proof_of(wanted.proof),
        arrival_of=country().arrival_of,
        policy=country().registrations,
        asks=country().asks(at),
        actor=request.auth.actor,
        at=at,
    )
    return Status(201, made)


@ROUTER.post(
    "/batch",
    response={201: OutcomeOut},
    summary="Register an organisation's devices",
)
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES, most_octets=MOST_LISTED)
def register_batch(request: Request, batch: BatchIn) -> Status[Outcome]:
    """A device that is wrong costs no other. Longer lists come as files."""
    read = [_identifiers(one) for one in batch.devices]
    return Status(201, _submit(request.auth.actor, batch, read))


@ROUTER.post(
    "/file",
    response={201: OutcomeOut},
    summary="Register an organisation's devices from a file",
)
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES, most_octets=MOST_UPLOADED_ROWS, uploads=True)
def register_file(request: Request, batch: Form[DeviceFileIn], file: File[UploadedFile]) -> Status[Outcome]:
    """CSV in UTF-8 with the columns imei (or imei1 to imei4), eid, serial; at most 100,000 rows."""
    return Status(201, _submit(request.auth.actor, batch, read_rows(rows_of(source_of(file)))))


@ROUTER.get(
    "",
    response=Page[RegistrationOut],
    summary="Registrations that the caller may see",
)
@terms(Permission.DEVICE_READ, refuses=_REFUSES)
def list_registrations(
    request: Request,
    imei: ImeiText = "",
    state: RegistrationState | None = None,
    kind: Kind | None = None,
    cursor: str = "",
) -> dict[str, object]:
    """An organisation's own; to people their devices are shown by `devices/mine`."""
    found = _shown(request.auth.actor)
    if imei:
        found = found.filter(device__identifiers__imei=imei_of(imei).number).distinct()
    if state is not None:
        found = found.filter(state=state.value)
    if kind is not None:
        found = found.filter(kind=kind.value)
    return page_of(found, cursor)


@ROUTER.get(
    "/quotas",
    response=QuotasOut,
    summary="How many devices one holder may register",
)
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES)
def list_quotas(request: Request) -> dict[str, object]:
    """By ground, with how many the caller's organisation has registered now."""
    actor = request.auth.actor
    items = []
    for kind, quota in country().registrations.quotas.items():
        own = Registration.objects.filter(_own(actor), kind=kind.value, state__in=LIVING)
        items.append({"kind": kind, "devices": quota.devices, "days": quota.days, "living": own.count()})
    return {"items": items}


@ROUTER.post(
    "/giving-up",
    response=RegistrationOut,
    summary="Say that a device is one's own no more",
)
@terms(Permission.DEVICE_REGISTER, refuses=_REFUSES)
def give_up_device(request: Request, given: GiveUpIn) -> Registration:
    """Its registration ends."""
    return give_up(
        imei_of(given.imei), proof=proof_of(given.proof), actor=request.auth.actor, at=timezone.now()
    )


@ROUTER.get(
    "/{registration_id}",
    response=RegistrationOut,
    summary="One registration",
)
@terms(Permission.DEVICE_READ, refuses=_REFUSES)
def one_registration(request: Request, registration_id: Key) -> Registration:
    """As it stands."""
    found = _shown(request.auth.actor).filter(pk=registration_id).first()
    if found is None:
        raise NotFoundError(f"There is no registration {registration_id} for you.", "List yours.")
    return found


def _submit(actor: Actor, batch: BatchIn | DeviceFileIn, read: list[Identifiers | CeirError]) -> Outcome:
    at = timezone.now()
    return submit(
        Kind(batch.kind.value),
        read,
        organisation=batch.organisation or actor.organisation or 0,
        reason=batch.reason,
        reference=batch.reference,
        sms_exempt=batch.sms_exempt,
        policy=country().registrations,
        asks=country().asks(at),
        actor=actor,
        at=at,
    )


def _identifiers(one: IdentifiersIn) -> Identifiers | CeirError:
    try:
        return one.value()
    except CeirError as error:
        return error


def _own(actor: Actor) -> Q:
    """What an organisation has; a consumer's is a person's, and shown to whoever proves the number."""
    if actor.acts_as is Role.CONSUMER:
        return Q(pk__in=())
    return Q(organisation=actor.organisation)


def _shown(actor: Actor) -> QuerySet[Registration]:
    found = Registration.objects.select_related("duty").prefetch_related("device__identifiers")
    return found.filter(_own(actor)) if actor.acts_as in RULES[Permission.DEVICE_READ].own else found
