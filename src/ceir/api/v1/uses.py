"""Who uses equipment, and which equipment a number is used with; always with a legal basis.

Numbers stand in the body of the request, never in its address: addresses end in logs.
"""

from datetime import date
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from ceir.api.identities import LONGEST, identity_of
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.identifiers import InvalidIdentifierError, Msisdn
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.personal.fields import Access
from ceir.registry.status.people import Known, SeenModel, Use, equipment_of, users_of

ROUTER = Router()

Basis = Annotated[str, Field(min_length=1, max_length=300)]


class UseOut(Schema):
    """That a subscriber uses equipment; empty: not known."""

    imei: str
    known: Known
    imsi: str
    msisdn: str
    last_seen: date | None
    operator: str
    in_force: bool


class EquipmentOut(Schema):
    """What is known of equipment that a number is used with."""

    imei: str
    manufacturer: str
    model: str
    registered: bool
    first_seen: date | None
    last_seen: date | None


class NumberAsked(Schema):
    """A number in international form, and why it is asked for."""

    msisdn: Annotated[str, Field(max_length=20)]
    basis: Basis


class EquipmentAsked(Schema):
    """Equipment, and why it is asked for."""

    imei: Annotated[str, Field(max_length=LONGEST)]
    basis: Basis


class UsesOut(Schema):
    """At most 200 of each kind."""

    seen_with: list[UseOut]
    paired_with: list[UseOut]
    goes_on_with: list[UseOut]


class NumberOut(Schema):
    """Uses, and the equipment they are of."""

    uses: list[UseOut]
    equipment: list[EquipmentOut]


_NETWORK = {
    "imei": "35000000000000",
    "known": "network",
    "imsi": "111010000000001",
    "msisdn": "220000000001",
    "last_seen": "2026-11-02",
    "operator": "operator1",
    "in_force": True,
}


@ROUTER.post("/by-number", response=NumberOut, summary="Equipment that a number is used with")
@terms(
    Permission.PERSONAL_READ,
    refuses=(InvalidIdentifierError,),
    legal_basis=True,
    own_transactions=True,
    cost=5,
    examples=(
        Example(
            "Seen by a network",
            "subscribers were named",
            Role.OFFICER,
            body={"msisdn": "+220000000001", "basis": "Order 12/2026 of the district court"},
            answer={
                "uses": [_NETWORK],
                "equipment": [
                    {
                        "imei": "35000000000000",
                        "manufacturer": "",
                        "model": "",
                        "registered": False,
                        "first_seen": None,
                        "last_seen": None,
                    }
                ],
            },
        ),
        Example(
            "Without a basis",
            "nothing",
            Role.OFFICER,
            body={"msisdn": "+220000000001", "basis": " "},
            status=422,
        ),
    ),
)
def look_up_number(request: Request, asked: NumberAsked) -> dict[str, list[Use] | list[SeenModel]]:
    """The regulator is told everything that is known; an operator what concerns its own subscribers, the
    police where a case of their station is open. That it was asked is recorded first, whatever is found.
    """
    number = Msisdn.from_people(asked.msisdn, None)
    uses, equipment = equipment_of(number, access=_access(request, asked.basis))
    return {"uses": uses, "equipment": equipment}


@ROUTER.post("/by-equipment", response=UsesOut, summary="Who uses equipment")
@terms(
    Permission.PERSONAL_READ,
    refuses=(InvalidIdentifierError,),
    legal_basis=True,
    own_transactions=True,
    cost=5,
    examples=(
        Example(
            "Seen with one subscriber",
            "subscribers were named",
            Role.REVIEWER,
            body={"imei": "35000000000000", "basis": "Order 12/2026 of the district court"},
            answer={"seen_with": [_NETWORK], "paired_with": [], "goes_on_with": []},
        ),
    ),
)
def look_up_users(request: Request, asked: EquipmentAsked) -> dict[str, list[Use]]:
    """Whom a run named as seen with it, the lines that it is paired with, and those that a run lets go on
    with it although its identity is blocked."""
    uses = users_of(identity_of(asked.imei), access=_access(request, asked.basis))
    return {
        "seen_with": [use for use in uses if use.known is Known.NETWORK],
        "paired_with": [use for use in uses if use.known is Known.PAIRING],
        "goes_on_with": [use for use in uses if use.known is Known.EXCEPTION],
    }


def _access(request: Request, basis: str) -> Access:
    return Access(request.auth.require(Permission.PERSONAL_READ), timezone.now(), basis)
