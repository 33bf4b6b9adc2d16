"""Emergency overrides: while one is in force networks block nothing, whatever was decided."""

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import Field, StringConstraints

from ceir.api.answers import ProposalRef
from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Because, In, Key, Moment, Reason
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.proposals.deciding import ProposalError
from ceir.registry.releases.models import Override, OverrideAnswer
from ceir.registry.releases.overriding import OverrideError, propose_end, propose_override

ROUTER = Router()

_REFUSES = (
    CursorError,
    InvalidIdentifierError,
    NotFoundError,
    OverrideError,
    ProposalError,
)


class OverrideIn(In):
    """What networks are told of every device, until when, and why; at one operator, or at all."""

    answer: OverrideAnswer
    until: Moment
    operator: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9_]{0,16}$"), Field(description="Empty: at all.")
    ] = ""
    reason: Reason


class OverrideOut(Schema):
    """An override that was begun."""

    id: int
    operator: str
    answer: OverrideAnswer
    reason: str
    begun_at: datetime
    until: datetime
    ended_at: datetime | None


@ROUTER.get("", response=Page[OverrideOut], summary="Overrides")
@terms(Permission.RELEASE_READ, refuses=_REFUSES)
def list_overrides(request: Request, cursor: str = "") -> dict[str, object]:
    """The newest first, page by page."""
    return page_of(Override.objects.all(), cursor)


@ROUTER.post(
    "",
    response={201: ProposalRef},
    summary="Propose an override",
)
@terms(Permission.OVERRIDE_PROPOSE, refuses=_REFUSES)
def propose_an_override(request: Request, wanted: OverrideIn) -> Status[object]:
    """A second person begins it; it ends by itself."""
    made = propose_override(
        wanted.answer,
        wanted.until,
        operator=wanted.operator,
        reason=wanted.reason,
        actor=request.auth.actor,
        at=timezone.now(),
    )
    return Status(201, made)


@ROUTER.post(
    "/{override_id}/end-proposal",
    response={201: ProposalRef},
    summary="Propose to end an override before its time",
)
@terms(Permission.OVERRIDE_PROPOSE, refuses=_REFUSES)
def propose_override_end(request: Request, override_id: Key, said: Because) -> Status[object]:
    """A second person ends it: what is blocked is blocked again."""
    if not Override.objects.filter(pk=override_id).exists():
        raise NotFoundError(f"There is no override {override_id}.", "List those there are.")
    made = propose_end(override_id, reason=said.reason, actor=request.auth.actor, at=timezone.now())
    return Status(201, made)
