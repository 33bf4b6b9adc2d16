"""Audits of the market: samples taken from sale, what was found of them, and what follows."""

from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Day, ImeiText, In, Key, KeyIn, imei_of, printed
from ceir.api.problems import NotFoundError
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.type_approvals import surveillance
from ceir.registry.type_approvals.certificates import CertificateRefusedError, CertificateStateError
from ceir.registry.type_approvals.models import (
    Action,
    Aspect,
    Certificate,
    Finding,
    FollowUp,
    LabReport,
    Sample,
    Surveillance,
    SurveillanceState,
)
from ceir.registry.type_approvals.surveillance import SurveillanceRefusedError

ROUTER = Router()

_REFUSES = (
    CertificateRefusedError,
    CertificateStateError,
    CursorError,
    InvalidIdentifierError,
    NotFoundError,
    ProposalError,
    SurveillanceRefusedError,
)

Told = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class AuditIn(In):
    """An audit to be."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    place: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    on: Day


class SampleIn(In):
    """A device taken from sale, as labelled."""

    manufacturer: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    model: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    imei: ImeiText = ""
    taken_from: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SampleFindingIn(In):
    """What was found of a sample in one aspect."""

    aspect: Aspect
    faulty: bool
    text: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    report: KeyIn | None = None


class FollowUpIn(In):
    """What must be done, and by when; a suspension names its certificate."""

    action: Action
    text: Told
    due_on: Day
    certificate: KeyIn | None = None


class FollowUpOutcomeIn(In):
    """What came of a follow-up."""

    outcome: Told


class AuditConclusionIn(In):
    """What came of an audit."""

    conclusion: Told


class SampleFindingOut(Schema):
    """What was found in one aspect."""

    id: int
    aspect: Aspect
    faulty: bool
    text: str
    report: int | None
    found_at: datetime

    @staticmethod
    def resolve_report(finding: Finding) -> int | None:
        """Key of the laboratory's report that it was found by."""
        return finding.report_id


class SampleOut(Schema):
    """A device taken from sale."""

    id: int
    manufacturer: str
    model: str
    imei: str | None
    taken_from: str
    taken_at: datetime
    findings: list[SampleFindingOut]

    @staticmethod
    def resolve_imei(sample: Sample) -> str | None:
        """As printed; none: it shows none."""
        return None if sample.imei is None else printed(sample.imei)

    @staticmethod
    def resolve_findings(sample: Sample) -> list[Finding]:
        """In the order in which they were found."""
        return list(sample.findings.all())


class FollowUpOut(Schema):
    """What must be done."""

    id: int
    action: Action
    text: str
    due_on: date
    certificate: int | None
    done_at: datetime | None
    outcome: str

    @staticmethod
    def resolve_certificate(follow_up: FollowUp) -> int | None:
        """Its key."""
        return follow_up.certificate_id


class AuditOut(Schema):
    """An audit as it stands."""

    id: int
    number: str
    place: str
    on: date
    state: SurveillanceState
    conclusion: str
    planned_at: datetime
    closed_at: datetime | None
    samples: list[SampleOut]
    follow_ups: list[FollowUpOut]

    @staticmethod
    def resolve_samples(audit: Surveillance) -> list[Sample]:
        """In the order in which they were taken."""
        return sorted(audit.samples.all(), key=lambda sample: sample.pk)

    @staticmethod
    def resolve_follow_ups(audit: Surveillance) -> list[FollowUp]:
        """By the day they are due."""
        return list(audit.follow_ups.all())


@ROUTER.get(
    "",
    response=Page[AuditOut],
    summary="Audits of the market",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES)
def list_audits(
    request: Request, state: SurveillanceState | None = None, cursor: str = ""
) -> dict[str, object]:
    """The newest first, page by page."""
    return page_of(_all().filter(state=state.value) if state is not None else _all(), cursor)


@ROUTER.post(
    "",
    response={201: AuditOut},
    summary="Plan an audit",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES)
def plan_audit(request: Request, audit: AuditIn) -> Status[Surveillance]:
    """It begins with the first sample."""
    made = surveillance.plan(audit.number, audit.place, audit.on, actor=request.auth.actor, at=timezone.now())
    return Status(201, made)


@ROUTER.post(
    "/samples/{sample_id}/findings",
    response={201: SampleFindingOut},
    summary="Note what was found of a sample",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES)
def note_finding(request: Request, sample_id: Key, found: SampleFindingIn) -> Status[Finding]:
    """Once in each aspect."""
    _require(Sample.objects.filter(pk=sample_id), f"sample {sample_id}")
    report = None
    if found.report is not None:
        report = LabReport.objects.filter(pk=found.report).first()
        if report is None:
            raise NotFoundError(f"There is no report {found.report}.", "Enter it first.")
    made = surveillance.find(
        sample_id,
        found.aspect,
        faulty=found.faulty,
        text=found.text,
        report=report,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/follow-ups/{follow_up_id}/outcome",
    response=FollowUpOut,
    summary="Note what came of a follow-up",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES)
def close_follow_up(request: Request, follow_up_id: Key, said: FollowUpOutcomeIn) -> FollowUp:
    """Once."""
    _require(FollowUp.objects.filter(pk=follow_up_id), f"follow-up {follow_up_id}")
    return surveillance.done(follow_up_id, said.outcome, actor=request.auth.actor, at=timezone.now())


@ROUTER.get("/{audit_id}", response=AuditOut, summary="One audit")
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES)
def one_audit(request: Request, audit_id: Key) -> Surveillance:
    """As it stands."""
    return _audit(audit_id)


_SEEN = Guard(one_audit, Surveillance, "audit_id")


@ROUTER.post(
    "/{audit_id}/samples",
    response={201: SampleOut},
    summary="Note a device taken from sale",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def take_sample(request: Request, audit_id: Key, sample: SampleIn) -> Status[Sample]:
    """With the first one the audit has begun."""
    _audit(audit_id)
    made = surveillance.take_sample(
        audit_id,
        sample.manufacturer,
        sample.model,
        imei_of(sample.imei) if sample.imei else None,
        sample.taken_from,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/{audit_id}/follow-ups",
    response={201: FollowUpOut},
    summary="Note what must be done",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def add_follow_up(request: Request, audit_id: Key, due: FollowUpIn) -> Status[FollowUp]:
    """A suspension is then proposed by itself."""
    _audit(audit_id)
    certificate = None
    if due.certificate is not None:
        certificate = Certificate.objects.filter(pk=due.certificate).first()
        if certificate is None:
            raise NotFoundError(f"There is no certificate {due.certificate}.", "List those there are.")
    made = surveillance.follow_up(
        audit_id,
        due.action,
        due.text,
        due.due_on,
        certificate,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/{audit_id}/closing",
    response=AuditOut,
    summary="Close an audit",
)
@terms(Permission.SURVEILLANCE_MANAGE, refuses=_REFUSES, guard=_SEEN)
def close_audit(request: Request, audit_id: Key, said: AuditConclusionIn) -> Surveillance:
    """Once every sample is judged and every follow-up done."""
    _audit(audit_id)
    surveillance.close(audit_id, said.conclusion, actor=request.auth.actor, at=timezone.now())
    return _audit(audit_id)


def _all() -> QuerySet[Surveillance]:
    return Surveillance.objects.prefetch_related("samples__findings", "follow_ups")


def _audit(audit_id: int) -> Surveillance:
    found = _all().filter(pk=audit_id).first()
    if found is None:
        raise NotFoundError(f"There is no audit {audit_id}.", "List those there are.")
    return found


def _require(found: QuerySet[Any], named: str) -> None:
    if not found.exists():
        raise NotFoundError(f"There is no {named}.", "See the audit.")
