"""Reports of test laboratories: measured values with the limits that they must keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO, ClassVar

from django.db import transaction
from django.utils.timezone import localdate

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, OrganisationKind
from ceir.registry.audit.chain import record
from ceir.registry.documents.keeping import keep
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.type_approvals.certificates import CertificateStateError, locked
from ceir.registry.type_approvals.models import Certificate, CertificateState, LabReport, Measurement
from ceir.registry.type_approvals.quantities import QUANTITIES

MOST_MEASUREMENTS = 2000
"""Of one report; bands times channels times temperatures stay well below."""

_PLACES = Decimal("0.0001")
_MOST = Decimal(10) ** 10


class LabReportRefusedError(CeirError):
    """What a laboratory reports does not hold together."""

    code: ClassVar[str] = "lab_report_refused"


@dataclass(frozen=True)
class Measured:
    """One measured value, as a laboratory gives it.

    Args:
        quantity: a name of `QUANTITIES`; value and limits are in its unit.
        clause: the standard and clause that set the limits.
        at_least, at_most: the limits; one or both.
    """

    quantity: str
    value: Decimal
    clause: str
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    band: str = ""


@dataclass(frozen=True)
class Specimen:
    """What was tested.

    Args:
        sample: what tells the sample apart from others of the model.
    """

    manufacturer: str
    model: str
    sample: str
    tested_on: date


def report(
    lab: Organisation,
    number: str,
    tested: Specimen,
    measured: Sequence[Measured],
    *,
    paper: bytes | BinaryIO | None = None,
    replaces: int | None = None,
    actor: Actor,
    at: datetime,
) -> LabReport:
    """Enter a report; it is never changed, only replaced by another of the same laboratory.

    Args:
        paper: the report as it was signed: PDF or pictures.
        replaces: key of the report that this one corrects; takes its place on the certificate.

    Raises:
        PermissionDeniedError: the actor may not, or belongs to another laboratory.
        LabReportRefusedError: no laboratory, the number is taken, or values do not hold together.
        CertificateStateError: a report on an issued certificate would be replaced.
        DocumentRefusedError: the paper is none.
    """
    require(actor, Permission.APPROVAL_MANAGE, owner=lab.pk)
    if lab.kind != OrganisationKind.LAB.value or not lab.active:
        raise LabReportRefusedError(f"{lab.code} is no laboratory in use.", "Name a laboratory.")
    if not 0 < len(measured) <= MOST_MEASUREMENTS:
        raise LabReportRefusedError(
            f"The report has {len(measured)} measurements.", f"Give 1 to {MOST_MEASUREMENTS}."
        )
    if tested.tested_on > localdate(at):
        raise LabReportRefusedError("The day of the test is not yet.", "Correct the day.")
    number = free_text(number, "A report's number", 64, needed=True)
    with transaction.atomic():
        if LabReport.objects.filter(lab=lab, number=number).exists():
            raise LabReportRefusedError(
                f"There is a report {number} of {lab.code} already.", "Give a correction a number of its own."
            )
        made = LabReport(
            lab=lab,
            number=number,
            manufacturer=free_text(tested.manufacturer, "A manufacturer", 128, needed=True),
            model=free_text(tested.model, "A model", 128, needed=True),
            sample=free_text(tested.sample, "A sample", 100, needed=True),
            tested_on=tested.tested_on,
            entered_by=actor.id,
            entered_at=at,
        )
        if replaces is not None:
            made.replaces = _replaceable(replaces, lab)
            made.certificate = made.replaces.certificate
        made.save(force_insert=True)
        Measurement.objects.bulk_create([_measurement(made, entry) for entry in measured])
        if paper is not None:
            made.paper = keep(paper, f"lab-report:{made.pk}", actor=actor, at=at)
            made.save(update_fields=["paper"])
        record(
            actor, "lab_report.entered", f"lab-report:{made.pk}", at=at,
            detail={"number": number, "passed": made.passed, "replaces": replaces},
        )  # fmt: skip
    return made


def attach(report_id: int, certificate_id: int, *, actor: Actor, at: datetime) -> LabReport:
    """Say that a drafted certificate rests on a report.

    Raises:
        PermissionDeniedError: the actor may not.
        LabReportRefusedError: there is no such report, it was replaced, it belongs to another certificate, or
            it is of a model that the certificate does not name.
        CertificateStateError: the certificate is no draft.
    """
    require(actor, Permission.APPROVAL_PROPOSE)
    with transaction.atomic():
        certificate = locked(certificate_id)
        _require_draft(certificate)
        found = LabReport.objects.select_for_update().filter(pk=report_id).first()
        if found is None or LabReport.objects.filter(replaces=found).exists():
            raise LabReportRefusedError(
                f"Report {report_id} is not there or was replaced.", "Name the newest."
            )
        if found.certificate_id not in (None, certificate.pk):
            raise LabReportRefusedError(
                f"Report {found.number} belongs to another certificate.", "Test a sample for this one."
            )
        if not certificate.models.filter(manufacturer=found.manufacturer, name=found.model).exists():
            raise LabReportRefusedError(
                f"The certificate names no {found.manufacturer} {found.model}.", "Complete the draft first."
            )
        found.certificate = certificate
        found.save(update_fields=["certificate"])
        certificate.revision += 1
        certificate.save(update_fields=["revision"])
        record(actor, "lab_report.attached", f"lab-report:{found.pk}", at=at,
               detail={"certificate": certificate.pk})  # fmt: skip
    return found


def _replaceable(report_id: int, lab: Organisation) -> LabReport:
    old = LabReport.objects.select_for_update().filter(pk=report_id, lab=lab).first()
    if old is None or LabReport.objects.filter(replaces=old).exists():
        raise LabReportRefusedError(f"Report {report_id} is not there or was replaced.", "Name the newest.")
    if old.certificate_id is not None:
        certificate = locked(old.certificate_id)
        _require_draft(certificate)
        certificate.revision += 1
        certificate.save(update_fields=["revision"])
    return old


def _require_draft(certificate: Certificate) -> None:
    if certificate.state != CertificateState.DRAFT.value:
        raise CertificateStateError(
            f"Certificate {certificate.number} is {certificate.state}.",
            "What an issued certificate rests on stays; enter the report without it.",
        )


def _measurement(made: LabReport, entry: Measured) -> Measurement:
    if entry.quantity not in QUANTITIES:
        raise LabReportRefusedError(
            f"There is no quantity {entry.quantity[:40]!r}.", f"One of: {', '.join(QUANTITIES)}."
        )
    if entry.at_least is None and entry.at_most is None:
        raise LabReportRefusedError(f"A value of {entry.quantity} has no limit.", "Give at_least or at_most.")
    value = _number(entry.value, entry.quantity)
    at_least = None if entry.at_least is None else _number(entry.at_least, entry.quantity)
    at_most = None if entry.at_most is None else _number(entry.at_most, entry.quantity)
    if at_least is not None and at_most is not None and at_least > at_most:
        raise LabReportRefusedError(
            f"The limits of {entry.quantity} leave no room.", "Give them the other way round."
        )
    return Measurement(
        report=made,
        quantity=entry.quantity,
        band=free_text(entry.band, "A band", 40),
        clause=free_text(entry.clause, "A clause", 100, needed=True),
        value=value,
        at_least=at_least,
        at_most=at_most,
    )


def _number(value: Decimal, name: str) -> Decimal:
    # Never rounded: 2.00004 over a limit of 2 must not become 2.
    if not value.is_finite() or abs(value) >= _MOST or value != value.quantize(_PLACES):
        raise LabReportRefusedError(
            f"A value of {name} is no number of at most 10 digits and 4 decimals.",
            "Round it as the standard says.",
        )
    return value
