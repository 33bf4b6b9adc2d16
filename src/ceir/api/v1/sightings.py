"""Where lost devices were seen, told by networks."""

from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field, StringConstraints

from ceir.api.parsing import ImeiText, ImsiText, In, Moment, MsisdnText, imei_of, imsi_of, msisdn_of
from ceir.api.problems import NotFoundError
from ceir.api.sizes import MOST_LISTED
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.cases.states import CaseError
from ceir.registry.cases.tracing import Sighting, take_sightings

ROUTER = Router()

_REFUSES = (
    CaseError,
    InvalidIdentifierError,
    NotFoundError,
)


class SightingIn(In):
    """That a network saw a device."""

    imei: ImeiText
    seen_at: Moment
    operator: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    imsi: ImsiText = ""
    msisdn: MsisdnText = ""
    cell: Annotated[str, StringConstraints(max_length=100)] = ""


class SightingsIn(In):
    """Some of them."""

    items: Annotated[list[SightingIn], Field(min_length=1, max_length=1000)]


class TakenOut(Schema):
    """What they came to."""

    traces_opened: int


@ROUTER.post("", response=TakenOut, summary="Tell where devices were seen")
@terms(Permission.SIGHTING_TELL, refuses=_REFUSES, most_octets=MOST_LISTED)
def tell_sightings(request: Request, told: SightingsIn) -> dict[str, object]:
    """Of devices that no case looks for nothing is kept; told twice it changes nothing."""
    sightings = [
        Sighting(
            imei_of(one.imei),
            one.seen_at,
            one.operator,
            imsi_of(one.imsi) if one.imsi else None,
            msisdn_of(one.msisdn) if one.msisdn else None,
            one.cell,
        )
        for one in told.items
    ]
    opened = take_sightings(sightings, actor=request.auth.actor, at=timezone.now())
    return {"traces_opened": opened}
