"""Who holds which number with which SIM, told by operators: new, swapped, ported, given back."""

from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import StringConstraints

from ceir.api.belonging import organisation_of
from ceir.api.country import NotSetUpError, country
from ceir.api.parsing import ImsiText, In, Moment, MsisdnText, imsi_of, msisdn_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.subscribers.reporting import Holder, ReportRefusedError, report_end, report_line

ROUTER = Router()

_REFUSES = (
    InvalidIdentifierError,
    NotFoundError,
    NotSetUpError,
    ReportRefusedError,
)


class HolderIn(In):
    """Whom SIM registration names."""

    document: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    name: Annotated[str, StringConstraints(max_length=150)] = ""


class LineIn(In):
    """A number with the SIM that it is used with now; without a holder he is who he was."""

    msisdn: MsisdnText
    imsi: ImsiText
    holder: HolderIn | None = None
    active_since: Moment | None = None


class LineOut(Schema):
    """What stands about a line, without its number."""

    id: int


class EndIn(In):
    """A number that was given back."""

    msisdn: MsisdnText


@ROUTER.post(
    "/lines",
    response=LineOut,
    summary="A number is used with a SIM: new, swapped, or ported here",
)
@terms(Permission.SUBSCRIBER_REPORT, refuses=_REFUSES)
def tell_line(request: Request, line: LineIn) -> object:
    """While the holder stays the same, pairings and what else hangs on the number stay."""
    actor = request.auth.actor
    operator = organisation_of(actor)
    plmns = country().plmns.get(operator.code)
    if plmns is None:
        raise NotSetUpError("This operator's networks are not set up.", "The policy names them.")
    return report_line(
        msisdn_of(line.msisdn),
        imsi_of(line.imsi),
        holder=Holder.read(line.holder.document, line.holder.name) if line.holder else None,
        active_since=line.active_since,
        plmns=plmns,
        actor=actor,
        at=timezone.now(),
    )


@ROUTER.post(
    "/ends",
    response={204: None},
    summary="A number was given back",
)
@terms(Permission.SUBSCRIBER_REPORT, refuses=_REFUSES)
def tell_end(request: Request, end: EndIn) -> Status[None]:
    """What hangs on it ends with it."""
    report_end(msisdn_of(end.msisdn), actor=request.auth.actor, at=timezone.now())
    return Status(204, None)
