"""Certificates of type approval: drafted, issued by two people, extended, suspended, withdrawn."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Annotated

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Because, Day, In, Key, KeyIn, Reason
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_LISTED
from ceir.api.terms import Guard, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError, Tac
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.type_approvals import certificates, proposing
from ceir.registry.type_approvals.certificates import (
    MOST_TACS,
    CertificateRefusedError,
    CertificateStateError,
    ModelEntry,
    Wording,
)
from ceir.registry.type_approvals.models import (
    Certificate,
    CertificateEvent,
    CertificateState,
    CertifiedModel,
)

ROUTER = Router()

_REFUSES = (
    CertificateRefusedError,
    CertificateStateError,
    CursorError,
    InvalidIdentifierError,
    NotFoundError,
    ProposalError,
)

TacText = Annotated[str, StringConstraints(max_length=20), Field(description="8 digits.")]


class Change(Enum):
    """What can be proposed for a certificate."""

    ISSUE = "issue"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    WITHDRAW = "withdraw"


_BECOMES: Mapping[Change, tuple[CertificateState, CertificateState | None]] = {
    Change.ISSUE: (CertificateState.VALID, CertificateState.DRAFT),
    Change.SUSPEND: (CertificateState.SUSPENDED, None),
    Change.REINSTATE: (CertificateState.VALID, CertificateState.SUSPENDED),
    Change.WITHDRAW: (CertificateState.WITHDRAWN, None),
}
"""What it would become, and, where the words could mean another step, from where."""


class ModelIn(In):
    """A model with its TACs."""

    manufacturer: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    tacs: Annotated[list[TacText], Field(min_length=1, max_length=MOST_TACS)]

    def value(self) -> ModelEntry:
        """As services take it.

        Raises:
            InvalidIdentifierError: a TAC is none.
        """
        return ModelEntry(self.manufacturer, self.name, tuple(Tac("".join(t.split())) for t in self.tacs))


class WordingIn(In):
    """What a certificate says; standards with their editions; without a last day it is open."""

    holder: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    holder_organisation: KeyIn | None = None
    models: Annotated[list[ModelIn], Field(max_length=200)]
    standards: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=100)]], Field(max_length=200)
    ]
    valid_from: Day
    valid_until: Day | None = None

    def value(self) -> Wording:
        """As services take it.

        Raises:
            InvalidIdentifierError: a TAC is none.
            CertificateRefusedError: the holder is no organisation here.
        """
        holder = None
        if self.holder_organisation is not None:
            holder = Organisation.objects.filter(pk=self.holder_organisation).first()
            if holder is None:
                raise certificates.CertificateRefusedError(
                    "The holder is no organisation of the register.", "Leave it out, or enter it first."
                )
        return Wording(
            self.holder,
            tuple(model.value() for model in self.models),
            tuple(self.standards),
            self.valid_from,
            self.valid_until,
            holder,
        )


class DraftIn(In):
    """A certificate to be."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    wording: WordingIn


class ModelOut(Schema):
    """A model with its TACs."""

    manufacturer: str
    name: str
    tacs: list[str]

    @staticmethod
    def resolve_tacs(model: CertifiedModel) -> list[str]:
        """8 digits each."""
        return [row.tac for row in model.tacs.all()]


class EventOut(Schema):
    """What happened to a certificate."""

    at: datetime
    before: str
    after: str
    reason: str


class CertificateOut(Schema):
    """A certificate; whether it counts on a day is a matter of state and days."""

    id: int
    number: str
    holder: str
    holder_organisation: int | None
    state: CertificateState
    revision: int
    valid_from: date
    valid_until: date | None
    models: list[ModelOut]
    standards: list[str]
    events: list[EventOut]

    @staticmethod
    def resolve_holder_organisation(certificate: Certificate) -> int | None:
        """Its key."""
        return certificate.holder_organisation_id

    @staticmethod
    def resolve_models(certificate: Certificate) -> list[CertifiedModel]:
        """By maker and name."""
        return list(certificate.models.all())

    @staticmethod
    def resolve_standards(certificate: Certificate) -> list[str]:
        """Designations."""
        return [row.designation for row in certificate.standards.all()]

    @staticmethod
    def resolve_events(certificate: Certificate) -> list[CertificateEvent]:
        """The oldest first."""
        return list(certificate.events.all())


class ChangeIn(In):
    """What is to become of a certificate, and why."""

    change: Change
    reason: Reason


class ExtensionIn(In):
    """More models or TACs, or a later last day."""

    models: Annotated[list[ModelIn], Field(default_factory=list, max_length=200)]
    valid_until: Day | None = None
    reason: Reason


@ROUTER.get("", response=Page[CertificateOut], summary="Certificates")
@terms(Permission.APPROVAL_READ, refuses=_REFUSES)
def list_certificates(
    request: Request,
    state: CertificateState | None = None,
    tac: TacText = "",
    cursor: str = "",
) -> dict[str, object]:
    """Drafts are shown to the regulator and to laboratories only."""
    found = _shown(request.auth.actor)
    if state is not None:
        found = found.filter(state=state.value)
    if tac:
        found = found.filter(tacs__tac=Tac("".join(tac.split())).digits)
    return page_of(found, cursor)


@ROUTER.post("", response={201: CertificateOut}, summary="Draft a certificate")
@terms(Permission.APPROVAL_PROPOSE, refuses=_REFUSES, most_octets=MOST_LISTED)
def draft_certificate(request: Request, drafted: DraftIn) -> Status[Certificate]:
    """Not in force until two people issue it."""
    made = certificates.draft(
        drafted.number, drafted.wording.value(), actor=request.auth.actor, at=timezone.now()
    )
    return Status(201, made)


@ROUTER.get(
    "/{certificate_id}",
    response=CertificateOut,
    summary="One certificate",
)
@terms(Permission.APPROVAL_READ, refuses=_REFUSES)
def one_certificate(request: Request, certificate_id: Key) -> Certificate:
    """As it stands."""
    return _certificate(request, certificate_id)


_SEEN = Guard(one_certificate, Certificate, "certificate_id")
_SEEN_FIRST = Guard(one_certificate, Certificate, "certificate_id", required=True)


@ROUTER.put(
    "/{certificate_id}",
    response=CertificateOut,
    summary="Change what a draft says",
)
@terms(Permission.APPROVAL_PROPOSE, refuses=_REFUSES, most_octets=MOST_LISTED, guard=_SEEN_FIRST)
def redraft_certificate(request: Request, certificate_id: Key, wording: WordingIn) -> Certificate:
    """A proposal to issue it counts no more."""
    _certificate(request, certificate_id)
    certificates.redraft(certificate_id, wording.value(), actor=request.auth.actor, at=timezone.now())
    return _certificate(request, certificate_id)


@ROUTER.post(
    "/{certificate_id}/dropping",
    response=CertificateOut,
    summary="Give a draft up",
)
@terms(Permission.APPROVAL_PROPOSE, refuses=_REFUSES, guard=_SEEN)
def drop_certificate(request: Request, certificate_id: Key, said: Because) -> Certificate:
    """It stays known as dropped."""
    _certificate(request, certificate_id)
    certificates.drop(certificate_id, actor=request.auth.actor, reason=said.reason, at=timezone.now())
    return _certificate(request, certificate_id)


@ROUTER.post(
    "/{certificate_id}/changes",
    response={201: ProposalRef},
    summary="Propose to issue, suspend, reinstate or withdraw",
)
@terms(Permission.APPROVAL_PROPOSE, refuses=_REFUSES, guard=_SEEN)
def propose_certificate_change(request: Request, certificate_id: Key, said: ChangeIn) -> Status[object]:
    """A second person decides."""
    certificate = _certificate(request, certificate_id)
    to, only_from = _BECOMES[said.change]
    if only_from is not None and certificate.state != only_from.value:
        raise certificates.CertificateStateError(
            f"The certificate is {certificate.state}.", f"Only one that is {only_from.value} can do that."
        )
    made = proposing.propose_state(
        certificate_id, to, actor=request.auth.actor, reason=said.reason, at=timezone.now()
    )
    return Status(201, made)


@ROUTER.post(
    "/{certificate_id}/extensions",
    response={201: ProposalRef},
    summary="Propose that a certificate cover more, or last longer",
)
@terms(Permission.APPROVAL_PROPOSE, refuses=_REFUSES, most_octets=MOST_LISTED, guard=_SEEN)
def propose_certificate_extension(request: Request, certificate_id: Key, more: ExtensionIn) -> Status[object]:
    """A second person decides."""
    _certificate(request, certificate_id)
    made = proposing.propose_extension(
        certificate_id,
        [model.value() for model in more.models],
        more.valid_until,
        actor=request.auth.actor,
        reason=more.reason,
        at=timezone.now(),
    )
    return Status(201, made)


def _shown(actor: Actor) -> QuerySet[Certificate]:
    found = Certificate.objects.prefetch_related("models__tacs", "standards", "events")
    if actor.acts_as in {Role.CUSTOMS, Role.IMPORTER}:
        hidden = [CertificateState.DRAFT.value, CertificateState.DROPPED.value]
        return found.exclude(state__in=hidden)
    return found


def _certificate(request: Request, certificate_id: int) -> Certificate:
    found = _shown(request.auth.actor).filter(pk=certificate_id).first()
    if found is None:
        raise NotFoundError(f"There is no certificate {certificate_id} for you.", "List those there are.")
    return found
