"""Consignments of importers with their lists of IMEIs: submitted, checked, released by customs, on sale.

Lists of goods that are not released are sealed: who asks for one IMEI is answered, and recorded.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef, source_of
from ceir.api.belonging import organisation_of
from ceir.api.country import NotSetUpError, country
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Basis, Because, Day, ImeiText, In, Key, KeyIn, Reason, imei_of, one_of, printed
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_UPLOADED_LIST
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Actor
from ceir.registry.imports import alarms, checking, licences, looking_up, receiving, releasing, reporting
from ceir.registry.imports.alarms import AlarmError
from ceir.registry.imports.imei_files import ImportFileRefusedError
from ceir.registry.imports.licences import LicenceError
from ceir.registry.imports.looking_up import LookUpRefusedError
from ceir.registry.imports.models import Alarm, AlarmState, Consignment, Licence, State
from ceir.registry.imports.proposing import propose_release
from ceir.registry.imports.reading import found_shown, visible
from ceir.registry.imports.reasons import Reason as Finding
from ceir.registry.imports.receiving import QuotaError, SameFileError
from ceir.registry.imports.releasing import SecondPersonNeededError
from ceir.registry.imports.states import ConsignmentStateError, ConsignmentUnknownError
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import ProposalError

ROUTER = Router()

_REFUSES = (
    AlarmError,
    ConsignmentStateError,
    ConsignmentUnknownError,
    CursorError,
    ImportFileRefusedError,
    InvalidIdentifierError,
    LicenceError,
    LookUpRefusedError,
    NotFoundError,
    NotSetUpError,
    ProposalError,
    QuotaError,
    SameFileError,
    SecondPersonNeededError,
)

ConsignmentState = Annotated[State, one_of(State)]

Told = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class ConsignmentIn(In):
    """What an importer says of a consignment; its number is his own."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    declared: Annotated[int, Field(ge=1, le=10_000_000, description="IMEIs on the list.")]
    port: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    customs_reference: Annotated[str, StringConstraints(max_length=64)] = ""


class ConsignmentOut(Schema):
    """A consignment as it stands; its IMEIs are never shown. What is found is shown as far as the caller is
    told it."""

    id: int
    number: str
    importer: int
    state: ConsignmentState
    declared: int
    rows: int
    rejected: dict[str, int]
    port: str
    customs_reference: str
    submitted_at: datetime | None
    sha256: str
    checked_at: datetime | None
    found: dict[str, int]
    not_made: list[str]
    released_at: datetime | None
    on_sale_at: datetime | None
    reason: str
    held_from: int | None

    @staticmethod
    def resolve_importer(consignment: Consignment) -> int:
        """Its key."""
        return consignment.importer_id

    @staticmethod
    def resolve_held_from(consignment: Consignment) -> int | None:
        """Key of the consignment out of whose release these goods were left."""
        return consignment.held_from_id


class ReleaseProposalIn(In):
    """Why a consignment is released although checks speak against it, and what is left out."""

    leave_out: Annotated[list[Finding], Field(default_factory=list, max_length=len(Finding))]
    reason: Reason


class LookUpIn(In):
    """One IMEI, and why it is asked for."""

    imei: ImeiText
    basis: Basis


class ConsignedOut(Schema):
    """A consignment that lists the IMEI."""

    consignment: int
    number: str
    importer: str
    state: ConsignmentState
    released_on: date | None
    reasons: list[Finding]


class LookedUpOut(Schema):
    """None, mostly one."""

    items: list[ConsignedOut]


class AlarmOut(Schema):
    """A network saw an IMEI that was on a list and not released."""

    id: int
    consignment: int
    imei: str
    seen_on: date
    raised_at: datetime
    state: AlarmState
    conclusion: str

    @staticmethod
    def resolve_consignment(alarm: Alarm) -> int:
        """Its key."""
        return alarm.consignment_id

    @staticmethod
    def resolve_imei(alarm: Alarm) -> str:
        """As printed."""
        return printed(alarm.imei)


class AlarmsOut(Schema):
    """Those that nobody has concluded, at most 1,000."""

    items: list[AlarmOut]


class AlarmConclusion(In):
    """What came of an alarm: explained, or confirmed."""

    confirmed: bool
    reason: Told


class LicenceIn(In):
    """Permission of an importer to import."""

    importer: KeyIn
    number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    valid_from: Day
    valid_until: Day | None = None
    most_a_year: Annotated[int, Field(ge=1, le=2_000_000_000)]


class LicenceOut(Schema):
    """A licence as it stands; `left`: IMEIs that may still be listed within the year."""

    id: int
    importer: int
    number: str
    valid_from: date
    valid_until: date | None
    most_a_year: int
    left: int
    ended_at: datetime | None

    @staticmethod
    def resolve_importer(licence: Licence) -> int:
        """Its key."""
        return licence.importer_id

    @staticmethod
    def resolve_left(licence: Licence) -> int:
        """Of the last 365 days."""
        return licences.left(licence, timezone.now())


@ROUTER.get(
    "",
    response=Page[ConsignmentOut],
    summary="Consignments that the caller may see",
)
@terms(Permission.IMPORT_READ, refuses=_REFUSES)
def list_consignments(
    request: Request, state: ConsignmentState | None = None, cursor: str = ""
) -> dict[str, object]:
    """An importer's own; never their IMEIs."""
    found = visible(request.auth.actor)
    page = page_of(found.filter(state=state.value) if state is not None else found, cursor)
    items = page["items"]
    assert isinstance(items, list)
    return {**page, "items": [_as_shown(one, request.auth.actor) for one in items]}


@ROUTER.post(
    "",
    response={201: ConsignmentOut},
    summary="Submit a consignment with its list",
)
@terms(Permission.IMPORT_SUBMIT, refuses=_REFUSES, most_octets=MOST_UPLOADED_LIST, uploads=True)
def submit_consignment(
    request: Request, said: Form[ConsignmentIn], file: File[UploadedFile]
) -> Status[Consignment]:
    """Plain text or CSV in UTF-8, an IMEI a line, at most 10 million; the same again changes nothing."""
    actor = request.auth.actor
    importer = organisation_of(actor)
    declaration = receiving.Declaration(
        importer, said.number, said.declared, said.port, said.customs_reference
    )
    made = receiving.submit(declaration, source_of(file), actor=actor, at=timezone.now())
    return Status(201, _as_shown(made, actor))


@ROUTER.post(
    "/look-up",
    response=LookedUpOut,
    summary="Ask whether one IMEI is in a sealed list",
)
@terms(Permission.IMPORT_LOOK_UP, refuses=_REFUSES)
def look_up_import(request: Request, asked: LookUpIn) -> dict[str, object]:
    """Each question is recorded, whatever the answer; an actor has some hundred a day."""
    found = looking_up.look_up(
        imei_of(asked.imei), actor=request.auth.actor, basis=asked.basis, at=timezone.now()
    )
    return {"items": found}


@ROUTER.get(
    "/alarms",
    response=AlarmsOut,
    summary="Uses before release that nobody has concluded",
)
@terms(Permission.IMPORT_LOOK_UP, refuses=_REFUSES)
def list_alarms(request: Request) -> dict[str, object]:
    """They name IMEIs: that they were read is recorded."""
    return {"items": alarms.open_alarms(actor=request.auth.actor, at=timezone.now())}


@ROUTER.post(
    "/alarms/{alarm_id}/conclusion",
    response=AlarmOut,
    summary="Say what came of an alarm",
)
@terms(Permission.IMPORT_RELEASE, refuses=_REFUSES)
def conclude_alarm(request: Request, alarm_id: Key, said: AlarmConclusion) -> Alarm:
    """Explained (a demonstration device, a mistaken list) or confirmed."""
    if not Alarm.objects.filter(pk=alarm_id).exists():
        raise NotFoundError(f"There is no alarm {alarm_id}.", "List those there are.")
    return alarms.conclude(
        alarm_id, confirmed=said.confirmed, reason=said.reason, actor=request.auth.actor, at=timezone.now()
    )


@ROUTER.get(
    "/licences",
    response=Page[LicenceOut],
    summary="Licences that the caller may see",
)
@terms(Permission.IMPORT_READ, refuses=_REFUSES)
def list_licences(request: Request, cursor: str = "") -> dict[str, object]:
    """An importer's own."""
    return page_of(_licences(request.auth.actor), cursor)


@ROUTER.post(
    "/licences",
    response={201: LicenceOut},
    summary="License an importer",
)
@terms(Permission.IMPORT_LICENSE, refuses=_REFUSES)
def grant_licence(request: Request, given: LicenceIn) -> Status[Licence]:
    """With the most IMEIs that he may list within a year."""
    importer = Organisation.objects.filter(pk=given.importer).first()
    if importer is None:
        raise NotFoundError(f"There is no organisation {given.importer}.", "Enter it first.")
    made = licences.grant(
        importer,
        given.number,
        given.valid_from,
        given.valid_until,
        given.most_a_year,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/licences/{licence_id}/end",
    response={204: None},
    summary="End a licence",
)
@terms(Permission.IMPORT_LICENSE, refuses=_REFUSES)
def end_licence(request: Request, licence_id: Key, said: Because) -> Status[None]:
    """Consignments that are submitted go on."""
    if not Licence.objects.filter(pk=licence_id).exists():
        raise NotFoundError(f"There is no licence {licence_id}.", "List those there are.")
    licences.end(licence_id, actor=request.auth.actor, reason=said.reason, at=timezone.now())
    return Status(204, None)


@ROUTER.get(
    "/{consignment_id}",
    response=ConsignmentOut,
    summary="One consignment",
)
@terms(Permission.IMPORT_READ, refuses=_REFUSES)
def one_consignment(request: Request, consignment_id: Key) -> Consignment:
    """As it stands."""
    return _consignment(request, consignment_id)


_SEEN = Guard(one_consignment, Consignment, "consignment_id")


@ROUTER.get(
    "/{consignment_id}/report",
    response={200: None},
    summary="What is wrong with the list, row by row",
    openapi_extra={
        "responses": {200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}}}
    },
)
@terms(Permission.IMPORT_SUBMIT, refuses=_REFUSES)
def report_consignment(request: Request, consignment_id: Key) -> StreamingHttpResponse:
    """For the importer only; no cell of it is a formula."""
    _consignment(request, consignment_id)
    rows = reporting.report(consignment_id, actor=request.auth.actor, at=timezone.now())
    return StreamingHttpResponse(_csv(rows), content_type="text/csv; charset=utf-8")


@ROUTER.post(
    "/{consignment_id}/check",
    response=ConsignmentOut,
    summary="Have a consignment checked",
)
@terms(Permission.IMPORT_CHECK, refuses=_REFUSES)
def check_consignment(request: Request, consignment_id: Key) -> Consignment:
    """Against TACs, certificates, cases, registrations and what networks saw; again as often as needed."""
    _consignment(request, consignment_id)
    at = timezone.now()
    checked = checking.check(consignment_id, country().checks(at), actor=request.auth.actor, at=at)
    return _as_shown(checked, request.auth.actor)


@ROUTER.post(
    "/{consignment_id}/release",
    response=ConsignmentOut,
    summary="Release a consignment that nothing speaks against",
)
@terms(Permission.IMPORT_RELEASE, refuses=_REFUSES, guard=_SEEN)
def release_consignment(request: Request, consignment_id: Key) -> Consignment:
    """By customs; where something speaks against it, two people decide: see release-proposal."""
    _consignment(request, consignment_id)
    released = releasing.release(consignment_id, actor=request.auth.actor, at=timezone.now())
    return _as_shown(released, request.auth.actor)


@ROUTER.post(
    "/{consignment_id}/release-proposal",
    response={201: ProposalRef},
    summary="Propose a release that checks speak against",
)
@terms(Permission.IMPORT_RELEASE, refuses=_REFUSES, guard=_SEEN)
def propose_consignment_release(
    request: Request, consignment_id: Key, said: ReleaseProposalIn
) -> Status[object]:
    """A second person decides; what is left out waits as a consignment of its own."""
    _consignment(request, consignment_id)
    made = propose_release(
        consignment_id, said.leave_out, actor=request.auth.actor, reason=said.reason, at=timezone.now()
    )
    return Status(201, made)


@ROUTER.post(
    "/{consignment_id}/refusal",
    response=ConsignmentOut,
    summary="Refuse a consignment",
)
@terms(Permission.IMPORT_RELEASE, refuses=_REFUSES, guard=_SEEN)
def refuse_consignment(request: Request, consignment_id: Key, said: Because) -> Consignment:
    """Its list stays, for alarms."""
    _consignment(request, consignment_id)
    refused = releasing.refuse(
        consignment_id, actor=request.auth.actor, reason=said.reason, at=timezone.now()
    )
    return _as_shown(refused, request.auth.actor)


@ROUTER.post(
    "/{consignment_id}/sale",
    response=ConsignmentOut,
    summary="Say that released goods are on sale",
)
@terms(Permission.IMPORT_SUBMIT, refuses=_REFUSES, guard=_SEEN)
def sell_consignment(request: Request, consignment_id: Key) -> Consignment:
    """By the importer."""
    _consignment(request, consignment_id)
    sold = releasing.put_on_sale(consignment_id, actor=request.auth.actor, at=timezone.now())
    return _as_shown(sold, request.auth.actor)


@ROUTER.post(
    "/{consignment_id}/withdrawal",
    response=ConsignmentOut,
    summary="Take a consignment back that is not released",
)
@terms(Permission.IMPORT_SUBMIT, refuses=_REFUSES, guard=_SEEN)
def withdraw_consignment(request: Request, consignment_id: Key, said: Because) -> Consignment:
    """Its list is destroyed."""
    _consignment(request, consignment_id)
    gone = receiving.withdraw(consignment_id, actor=request.auth.actor, reason=said.reason, at=timezone.now())
    return _as_shown(gone, request.auth.actor)


def _consignment(request: Request, consignment_id: int) -> Consignment:
    found = visible(request.auth.actor).filter(pk=consignment_id).first()
    if found is None:
        raise NotFoundError(f"There is no consignment {consignment_id} for you.", "List yours.")
    return _as_shown(found, request.auth.actor)


def _as_shown(consignment: Consignment, actor: Actor) -> Consignment:
    """With what was found as far as the actor is told it; never saved."""
    consignment.found = dict(found_shown(consignment, actor=actor))
    return consignment


def _licences(actor: Actor) -> QuerySet[Licence]:
    every = Licence.objects.all()
    return every.filter(importer=actor.organisation) if actor.acts_as in _OWN else every


def _csv(rows: Iterator[tuple[str, ...]]) -> Iterator[bytes]:
    yield _line(reporting.HEADER)
    for row in rows:
        yield _line(row)


def _line(row: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(row)
    return text.getvalue().encode()


_OWN = RULES[Permission.IMPORT_READ].own
