"""Organisations of the register, and the credentials of their programs."""

import secrets
from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import In, Key
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.clients import ClientRefusedError, make_client
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.free_text import TextRefusedError
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import FourEyesError, ProposalError

ROUTER = Router()

_REFUSES = (
    ClientRefusedError,
    CursorError,
    InvalidIdentifierError,
    NotFoundError,
    FourEyesError,
    ProposalError,
    TextRefusedError,
)


class OrganisationOut(Schema):
    """An organisation; never deleted, only put out of use."""

    id: int
    kind: OrganisationKind
    name: str
    code: str
    place: str
    active: bool
    created_at: datetime


class ClientIn(In):
    """A program that acts for an organisation, in a role of its kind and with no more than that may do."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    role: Role
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    responsible: Annotated[int, Field(ge=1, lt=2**63)]
    """Account of the person who answers for what the program does: to four eyes the two are one."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=300)]


class ClientOut(Schema):
    """A program's credentials, without its secret."""

    id: int
    name: str
    identifier: str
    role: Role
    scopes: list[str]
    active: bool
    created_at: datetime


class ClientMadeOut(Schema):
    """A program's credentials, out of use until a second person agrees; the first half of its secret is told
    this once, and who agrees gives the second."""

    client: ClientOut
    first_half: str


@ROUTER.get(
    "",
    response=Page[OrganisationOut],
    summary="Organisations",
)
@terms(Permission.ORGANISATION_MANAGE, refuses=_REFUSES)
def list_organisations(
    request: Request,
    kind: OrganisationKind | None = None,
    cursor: str = "",
) -> dict[str, object]:
    """The newest first, page by page."""
    found = Organisation.objects.all()
    return page_of(found.filter(kind=kind.value) if kind is not None else found, cursor)


@ROUTER.get(
    "/{organisation_id}",
    response=OrganisationOut,
    summary="One organisation",
)
@terms(Permission.ORGANISATION_MANAGE, refuses=_REFUSES)
def one_organisation(request: Request, organisation_id: Key) -> Organisation:
    """As it stands."""
    return _organisation(organisation_id)


@ROUTER.get(
    "/{organisation_id}/clients",
    response=Page[ClientOut],
    summary="The programs of an organisation",
)
@terms(Permission.ACCOUNT_MANAGE, refuses=_REFUSES)
def list_clients(request: Request, organisation_id: Key, cursor: str = "") -> dict[str, object]:
    """Without their secrets: of these only hashes are kept."""
    return page_of(Client.objects.filter(organisation=_organisation(organisation_id)), cursor)


@ROUTER.post(
    "/{organisation_id}/clients",
    response={201: ClientMadeOut},
    summary="Ask for a program's credentials",
)
@terms(Permission.ACCOUNT_MANAGE, refuses=_REFUSES)
def make_program(request: Request, organisation_id: Key, wanted: ClientIn) -> Status[dict[str, object]]:
    """Proposes `client.open`: a second administrator, or an auditor, decides at the office's pages."""
    half = secrets.token_urlsafe(18)
    client = make_client(
        _organisation(organisation_id),
        wanted.name,
        wanted.role,
        wanted.scopes,
        identifier=secrets.token_hex(12),
        half=half,
        responsible=wanted.responsible,
        reason=wanted.reason,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, {"client": client, "first_half": half})


def _organisation(organisation_id: int) -> Organisation:
    found = Organisation.objects.filter(pk=organisation_id).first()
    if found is None:
        raise NotFoundError(f"There is no organisation {organisation_id}.", "List those there are.")
    return found
