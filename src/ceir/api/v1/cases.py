"""Stolen and lost devices: reported, verified, blocked, found, given back."""

from datetime import datetime
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef, octets_answer, octets_of, octets_response
from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import (
    Because,
    ImeiText,
    In,
    Key,
    KeyIn,
    Moment,
    MsisdnText,
    ReadOn,
    Reason,
    imei_of,
    msisdn_of,
    one_of,
    printed,
)
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_LISTED, MOST_UPLOADED
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.cases import choosing, leaving, reading, verifying
from ceir.registry.cases.models import Case, CaseIdentity, Trace
from ceir.registry.cases.reporting import MOST_IDENTITIES, Report, report
from ceir.registry.cases.states import CaseError, Loss, Mode, State
from ceir.registry.codes.allowing import TooManyCodesError
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError
from ceir.registry.documents.keeping import DocumentMissingError
from ceir.registry.documents.media_types import DocumentRefusedError
from ceir.registry.documents.models import Document
from ceir.registry.personal.fields import Access
from ceir.registry.personal.keys import PersonalKeyError
from ceir.registry.proposals.deciding import ProposalError

ROUTER = Router()

_REFUSES = (
    CaseError,
    CodeError,
    CursorError,
    DocumentMissingError,
    DocumentRefusedError,
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    PersonalKeyError,
    ProposalError,
    TooManyCodesError,
)

CaseState = Annotated[State, one_of(State)]


class CaseIn(In):
    """What somebody says about a device that he lost; with neither IMEI nor number it names none."""

    loss: Loss
    mode: Mode = Mode.BLOCK
    happened_at: Moment
    place: Annotated[
        str, StringConstraints(max_length=200), Field(description="A town or a district, never an address.")
    ]
    imeis: Annotated[list[ImeiText], Field(default_factory=list, max_length=MOST_IDENTITIES)]
    msisdn: MsisdnText = ""
    description: Annotated[str, StringConstraints(max_length=4000)] = ""
    owner_name: Annotated[str, StringConstraints(max_length=200)] = ""
    contact: MsisdnText = ""
    station: Annotated[KeyIn | None, Field(description="Key of the police station; none: not known.")] = None
    police_reference: Annotated[str, StringConstraints(max_length=100)] = ""


class IdentityOut(Schema):
    """An IMEI of the device of a case."""

    imei: str
    proven: bool

    @staticmethod
    def resolve_imei(identity: CaseIdentity) -> str:
        """As printed."""
        return printed(identity.imei)


class CaseOut(Schema):
    """A case as it stands; whose it is and what he said is read on a legal basis, see `person`."""

    id: int
    loss: Loss
    mode: Mode
    state: CaseState
    reporter: str
    organisation: int
    reported_at: datetime
    happened_at: datetime
    place: str
    station: int | None
    police_reference: str
    identities: list[IdentityOut]
    verified_at: datetime | None
    provisional_until: datetime | None
    no_provisional_block: str
    blocked_at: datetime | None
    seen_at: datetime | None
    ended_at: datetime | None
    changed_at: datetime
    reason: str

    @staticmethod
    def resolve_organisation(case: Case) -> int:
        """Key of who reported."""
        return case.organisation_id

    @staticmethod
    def resolve_station(case: Case) -> int | None:
        """Key of the police station."""
        return case.police_id


class VerifiedOut(Schema):
    """A verified case; in mode block a second person decides the proposal."""

    case: CaseOut
    proposal: ProposalRef | None


class NumberIn(In):
    """The number that was used in the device."""

    msisdn: MsisdnText


class SentOut(Schema):
    """A code is on its way to the number."""

    expires_at: datetime


class TypedCode(In):
    """The code as its reader typed it."""

    msisdn: MsisdnText
    code: Annotated[str, StringConstraints(max_length=40)]


class CandidateOut(Schema):
    """A device seen with the number, as its owner is asked about it."""

    number: int
    make: str
    model: str
    last_digits: str


class CandidatesOut(Schema):
    """Devices of which some may be the lost one."""

    items: list[CandidateOut]


class Chosen(In):
    """Numbers of candidates."""

    numbers: Annotated[list[KeyIn], Field(min_length=1, max_length=50)]


class Verification(In):
    """What was checked."""

    reason: Reason
    police_reference: Annotated[str, StringConstraints(max_length=100)] = ""


class StationIn(In):
    """A police station, by its key."""

    station: KeyIn


class PersonOut(Schema):
    """Whose device it is, and what he said; empty: not given, or shredded."""

    owner_name: str
    msisdn: str
    contact: str
    description: str


class DocumentOut(Schema):
    """A document; what it shows is read on a legal basis."""

    id: int
    media_type: str
    size: int
    sha256: str
    kept_at: datetime

    @staticmethod
    def resolve_media_type(document: Document) -> str:
        """Found in its octets."""
        return document.content.media_type

    @staticmethod
    def resolve_size(document: Document) -> int:
        """Octets."""
        return document.content.size

    @staticmethod
    def resolve_sha256(document: Document) -> str:
        """Of what it shows."""
        return document.content.digest


class DocumentsOut(Schema):
    """The documents of a case, at most ten."""

    items: list[DocumentOut]


class TraceOut(Schema):
    """That the device was used since the block; by whom and where is read on a legal basis."""

    id: int
    case: int
    imei: str
    operator: str
    first_seen_at: datetime
    last_seen_at: datetime

    @staticmethod
    def resolve_case(trace: Trace) -> int:
        """Its key."""
        return trace.case_id

    @staticmethod
    def resolve_imei(trace: Trace) -> str:
        """As printed."""
        return printed(trace.imei)


class WhereaboutsOut(Schema):
    """Who used it, and where; empty: not known."""

    imsi: str
    msisdn: str
    cell: str


@ROUTER.post(
    "",
    response={201: CaseOut},
    summary="Report a device stolen or lost",
)
@terms(Permission.CASE_REPORT, refuses=_REFUSES, most_octets=MOST_LISTED)
def report_case(request: Request, case: CaseIn) -> Status[Case]:
    """A consumer's, an operator's or the police's report; where the policy says so it blocks for a time."""
    said = Report(
        loss=case.loss,
        mode=case.mode,
        happened_at=case.happened_at,
        place=case.place,
        imeis=tuple(imei_of(text) for text in case.imeis),
        msisdn=msisdn_of(case.msisdn) if case.msisdn else None,
        description=case.description,
        owner_name=case.owner_name,
        contact=msisdn_of(case.contact) if case.contact else None,
        station=case.station,
        police_reference=case.police_reference,
    )
    made = report(said, actor=request.auth.actor, at=timezone.now(), provisional=country().provisional)
    return Status(201, made)


@ROUTER.get("", response=Page[CaseOut], summary="Cases that the caller may see")
@terms(Permission.CASE_READ, refuses=_REFUSES)
def list_cases(
    request: Request,
    state: CaseState | None = None,
    imei: ImeiText = "",
    changed_since: Moment | None = None,
    cursor: str = "",
) -> dict[str, object]:
    """The newest first, page by page."""
    found = _shown(request.auth.actor)
    if state is not None:
        found = found.filter(state=state.value)
    if imei:
        found = found.filter(identities__imei=imei_of(imei).number)
    if changed_since is not None:
        found = found.filter(changed_at__gte=changed_since)
    return page_of(found, cursor)


@ROUTER.get("/{case_id}", response=CaseOut, summary="One case")
@terms(Permission.CASE_READ, refuses=_REFUSES)
def one_case(request: Request, case_id: Key) -> Case:
    """As it stands."""
    return _case(request, case_id)


_SEEN = Guard(one_case, Case, "case_id")
_SEEN_FIRST = Guard(one_case, Case, "case_id", required=True)


@ROUTER.post(
    "/{case_id}/code",
    response={202: SentOut},
    summary="Have a code sent to the number of the case",
)
@terms(Permission.CASE_AMEND, refuses=_REFUSES)
def send_case_code(request: Request, case_id: Key, number: NumberIn) -> Status[dict[str, object]]:
    """With it the devices seen with the number are offered."""
    _case(request, case_id)
    msisdn, at, given = msisdn_of(number.msisdn), timezone.now(), country()
    issued = choosing.ask_for_code(
        case_id, msisdn, draw=given.draw, actor=request.auth.actor, at=at, limits=given.limits
    )
    given.send(msisdn, issued.text, Purpose.CASE, at)
    return Status(202, {"expires_at": issued.expires_at})


@ROUTER.post(
    "/{case_id}/candidates",
    response=CandidatesOut,
    summary="The devices seen with the number, for its holder",
)
@terms(Permission.CASE_AMEND, refuses=_REFUSES, own_transactions=True)
def offer_candidates(request: Request, case_id: Key, typed: TypedCode) -> dict[str, object]:
    """Shown without their whole IMEIs; to be chosen from within half an hour."""
    _case(request, case_id)
    given = country()
    offered = choosing.offer_devices(
        msisdn_of(typed.msisdn),
        typed.code,
        case_id=case_id,
        seen_with=given.devices_seen,
        actor=request.auth.actor,
        at=timezone.now(),
        limits=given.limits,
    )
    return {"items": offered}


@ROUTER.post(
    "/{case_id}/choice",
    response=CaseOut,
    summary="Say which candidate was lost",
)
@terms(Permission.CASE_AMEND, refuses=_REFUSES, guard=_SEEN)
def choose_candidates(request: Request, case_id: Key, chosen: Chosen) -> Case:
    """One device may have several identities and so several candidates."""
    _case(request, case_id)
    choosing.choose_devices(
        case_id,
        chosen.numbers,
        actor=request.auth.actor,
        at=timezone.now(),
        provisional=country().provisional,
    )
    return _case(request, case_id)


@ROUTER.post(
    "/{case_id}/verification",
    response=VerifiedOut,
    summary="Confirm a report",
)
@terms(Permission.CASE_VERIFY, refuses=_REFUSES, guard=_SEEN)
def verify_case(request: Request, case_id: Key, said: Verification) -> dict[str, object]:
    """In mode block the block is proposed to a second person."""
    _to_verify(request, case_id)
    proposal = verifying.verify(
        case_id,
        reason=said.reason,
        police_reference=said.police_reference,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return {"case": _case(request, case_id), "proposal": proposal}


@ROUTER.post(
    "/{case_id}/block-proposal",
    response={201: ProposalRef},
    summary="Propose the block anew",
)
@terms(Permission.CASE_VERIFY, refuses=_REFUSES, guard=_SEEN)
def propose_case_block(request: Request, case_id: Key, said: Because) -> Status[object]:
    """After an earlier proposal was rejected or expired."""
    _to_verify(request, case_id)
    made = verifying.ask_for_block(case_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())
    return Status(201, made)


@ROUTER.put(
    "/{case_id}/station",
    response=CaseOut,
    summary="Give a case to a police station",
)
@terms(Permission.CASE_VERIFY, refuses=_REFUSES, guard=_SEEN_FIRST)
def assign_case_station(request: Request, case_id: Key, station: StationIn) -> Case:
    """It follows the traces."""
    _to_verify(request, case_id)
    return verifying.assign_station(case_id, station.station, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{case_id}/withdrawal",
    response=CaseOut,
    summary="Take a report back",
)
@terms(Permission.CASE_AMEND, refuses=_REFUSES, guard=_SEEN)
def withdraw_case(request: Request, case_id: Key, said: Because) -> Case:
    """What it blocked works again."""
    _case(request, case_id)
    return leaving.withdraw(case_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{case_id}/rejection",
    response=CaseOut,
    summary="Find a report untrue",
)
@terms(Permission.CASE_VERIFY, refuses=_REFUSES, guard=_SEEN)
def reject_case(request: Request, case_id: Key, said: Because) -> Case:
    """What it blocked works again."""
    _to_verify(request, case_id)
    return leaving.reject(case_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{case_id}/recovery",
    response=CaseOut,
    summary="Record that the device was found",
)
@terms(Permission.CASE_RECOVER, refuses=_REFUSES, guard=_SEEN)
def recover_case(request: Request, case_id: Key, said: Because) -> Case:
    """It is not blocked any more."""
    _case(request, case_id)
    return leaving.recover(case_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{case_id}/restoration",
    response=CaseOut,
    summary="Record that the owner has the device again",
)
@terms(Permission.CASE_RECOVER, refuses=_REFUSES, guard=_SEEN)
def restore_case(request: Request, case_id: Key, said: Because) -> Case:
    """The case ends."""
    _case(request, case_id)
    return leaving.restore(case_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())


@ROUTER.post(
    "/{case_id}/person",
    response=PersonOut,
    summary="Read whose device it is, on a legal basis",
)
@terms(Permission.PERSONAL_READ, refuses=_REFUSES, own_transactions=True, legal_basis=True)
def read_case_person(request: Request, case_id: Key, on: ReadOn) -> reading.Person:
    """That it was read is kept, with the basis."""
    access = Access(request.auth.actor, timezone.now(), on.basis)
    _case(request, case_id)
    return reading.person_of(case_id, access=access)


@ROUTER.get(
    "/{case_id}/documents",
    response=DocumentsOut,
    summary="The documents of a case",
)
@terms(Permission.CASE_READ, refuses=_REFUSES)
def list_case_documents(request: Request, case_id: Key) -> dict[str, object]:
    """What they are, not what they show."""
    return {"items": list(reading.documents_of(_case(request, case_id)))}


@ROUTER.post(
    "/{case_id}/documents",
    response={201: DocumentOut},
    summary="Add a document to a case",
)
@terms(Permission.CASE_AMEND, refuses=_REFUSES, most_octets=MOST_UPLOADED, uploads=True)
def add_case_document(request: Request, case_id: Key, file: File[UploadedFile]) -> Status[Document]:
    """A JPEG, PNG or PDF of at most 10 MB, whatever its name says."""
    _case(request, case_id)
    kept = reading.add_document(case_id, octets_of(file), actor=request.auth.actor, at=timezone.now())
    return Status(201, kept)


@ROUTER.post(
    "/{case_id}/documents/{document_id}/reading",
    response={200: None},
    summary="Read a document, on a legal basis",
    openapi_extra=octets_answer("What the document shows."),
)
@terms(Permission.PERSONAL_READ, refuses=_REFUSES, own_transactions=True, legal_basis=True)
def read_case_document(request: Request, case_id: Key, document_id: Key, on: ReadOn) -> HttpResponse:
    """That it was read is kept, with the basis."""
    access = Access(request.auth.actor, timezone.now(), on.basis)
    _case(request, case_id)
    media_type, octets = reading.read_document(case_id, document_id, access=access)
    return octets_response(octets, media_type)


@ROUTER.get(
    "/{case_id}/traces",
    response=Page[TraceOut],
    summary="Uses of the device since the block",
)
@terms(Permission.TRACE_READ, refuses=_REFUSES)
def list_case_traces(request: Request, case_id: Key, cursor: str = "") -> dict[str, object]:
    """For the police station of the case; by whom and where is read on a legal basis."""
    return page_of(reading.traces_for(request.auth.actor).filter(case=case_id), cursor)


@ROUTER.post(
    "/{case_id}/traces/{trace_id}/reading",
    response=WhereaboutsOut,
    summary="Read who used the device and where, on a legal basis",
)
@terms(Permission.TRACE_READ, refuses=_REFUSES, own_transactions=True, legal_basis=True)
def read_trace(request: Request, case_id: Key, trace_id: Key, on: ReadOn) -> object:
    """That it was read is kept, with the basis."""
    access = Access(request.auth.actor, timezone.now(), on.basis)
    trace = reading.traces_for(request.auth.actor).filter(case=case_id, pk=trace_id).first()
    if trace is None:
        raise NotFoundError("There is no such trace for you.", "List those of the case.")
    return trace.reveal(access)


def _shown(actor: Actor) -> QuerySet[Case]:
    return reading.cases_for(actor).prefetch_related("identities")


def _case(request: Request, case_id: int) -> Case:
    found = _shown(request.auth.actor).filter(pk=case_id).first()
    if found is None:
        raise _no_case(case_id)
    return found


def _to_verify(request: Request, case_id: int) -> None:
    """Let go on who sees the case, or a police station with one that no station has yet."""
    actor = request.auth.actor
    found = reading.cases_for(actor).filter(pk=case_id)
    if actor.acts_as is Role.POLICE:
        found = found | Case.objects.filter(pk=case_id, police=None).select_related("organisation", "police")
    if not found.exists():
        raise _no_case(case_id)


def _no_case(case_id: int) -> NotFoundError:
    return NotFoundError(f"There is no case {case_id} for you.", "Look for it by its device.")
