"""What laboratories measured on samples of models."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Day, In, Key, KeyIn
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_LISTED
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.documents.media_types import DocumentRefusedError
from ceir.registry.organisations.models import Organisation
from ceir.registry.type_approvals import lab_reports
from ceir.registry.type_approvals.certificates import CertificateRefusedError, CertificateStateError
from ceir.registry.type_approvals.lab_reports import (
    MOST_MEASUREMENTS,
    LabReportRefusedError,
    Measured,
    Specimen,
)
from ceir.registry.type_approvals.models import LabReport, Measurement

ROUTER = Router()

_REFUSES = (
    CertificateRefusedError,
    CertificateStateError,
    CursorError,
    DocumentRefusedError,
    InvalidIdentifierError,
    LabReportRefusedError,
    NotFoundError,
)

Value = Annotated[Decimal, Field(max_digits=14, decimal_places=4)]


class MeasuredIn(In):
    """One measured value with its limits, in the unit of its quantity."""

    quantity: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    value: Value
    clause: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    at_least: Value | None = None
    at_most: Value | None = None
    band: Annotated[str, StringConstraints(max_length=40)] = ""


class LabReportIn(In):
    """A report of a laboratory; the caller's own where none is named."""

    laboratory: KeyIn | None = None
    number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    manufacturer: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    model: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    sample: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    tested_on: Day
    measurements: Annotated[list[MeasuredIn], Field(min_length=1, max_length=MOST_MEASUREMENTS)]
    replaces: KeyIn | None = None


class MeasurementOut(Schema):
    """One measured value; whether it keeps its limits is computed, never claimed."""

    quantity: str
    unit: str
    band: str
    clause: str
    value: Decimal
    at_least: Decimal | None
    at_most: Decimal | None
    passed: bool


class LabReportOut(Schema):
    """A report; never changed, only replaced."""

    id: int
    laboratory: int
    number: str
    manufacturer: str
    model: str
    sample: str
    tested_on: date
    certificate: int | None
    replaces: int | None
    passed: bool
    entered_at: datetime
    measurements: list[MeasurementOut]

    @staticmethod
    def resolve_laboratory(report: LabReport) -> int:
        """Its key."""
        return report.lab_id

    @staticmethod
    def resolve_certificate(report: LabReport) -> int | None:
        """Key of the certificate that rests on it."""
        return report.certificate_id

    @staticmethod
    def resolve_replaces(report: LabReport) -> int | None:
        """Key of the one that it corrects."""
        return report.replaces_id

    @staticmethod
    def resolve_measurements(report: LabReport) -> list[Measurement]:
        """In the order in which they came."""
        return list(report.measurements.all())


class AttachIn(In):
    """The drafted certificate that rests on a report."""

    certificate: KeyIn


@ROUTER.get("", response=Page[LabReportOut], summary="Reports of laboratories")
@terms(Permission.APPROVAL_READ, refuses=_REFUSES)
def list_lab_reports(request: Request, cursor: str = "") -> dict[str, object]:
    """A laboratory's own; all of them for the regulator; none for others."""
    return page_of(_shown(request.auth.actor), cursor)


@ROUTER.post("", response={201: LabReportOut}, summary="Enter a report")
@terms(Permission.APPROVAL_MANAGE, refuses=_REFUSES, most_octets=MOST_LISTED)
def enter_lab_report(request: Request, given: LabReportIn) -> Status[LabReport]:
    """It is never changed, only replaced by another of the same laboratory."""
    return Status(201, _enter(request, given))


@ROUTER.get("/{report_id}", response=LabReportOut, summary="One report")
@terms(Permission.APPROVAL_READ, refuses=_REFUSES)
def one_lab_report(request: Request, report_id: Key) -> LabReport:
    """As it was entered."""
    return _report(request, report_id)


_SEEN = Guard(one_lab_report, LabReport, "report_id")


@ROUTER.post(
    "/{report_id}/certificate",
    response=LabReportOut,
    summary="Say that a drafted certificate rests on a report",
)
@terms(Permission.APPROVAL_PROPOSE, refuses=_REFUSES, guard=_SEEN)
def attach_lab_report(request: Request, report_id: Key, to: AttachIn) -> LabReport:
    """Of a model that the certificate names."""
    _report(request, report_id)
    lab_reports.attach(report_id, to.certificate, actor=request.auth.actor, at=timezone.now())
    return _report(request, report_id)


def _enter(request: Request, given: LabReportIn) -> LabReport:
    actor = request.auth.actor
    lab = Organisation.objects.filter(pk=given.laboratory or actor.organisation or 0).first()
    if lab is None:
        raise LabReportRefusedError("There is no such laboratory.", "Name one by its key.")
    return lab_reports.report(
        lab,
        given.number,
        Specimen(given.manufacturer, given.model, given.sample, given.tested_on),
        [
            Measured(one.quantity, one.value, one.clause, one.at_least, one.at_most, one.band)
            for one in given.measurements
        ],
        replaces=given.replaces,
        actor=actor,
        at=timezone.now(),
    )


def _shown(actor: Actor) -> QuerySet[LabReport]:
    every = LabReport.objects.prefetch_related("measurements")
    if actor.acts_as is Role.LAB:
        return every.filter(lab=actor.organisation)
    return every.none() if actor.acts_as in {Role.CUSTOMS, Role.IMPORTER} else every


def _report(request: Request, report_id: int) -> LabReport:
    found = _shown(request.auth.actor).filter(pk=report_id).first()
    if found is None:
        raise NotFoundError(f"There is no report {report_id} for you.", "List those there are.")
    return found
