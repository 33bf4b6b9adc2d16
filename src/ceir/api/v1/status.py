"""How equipment stands: permitted, tracked or blocked, and why."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field
from pydantic_core import to_json

from ceir.api.identities import LONGEST, identity_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.identifiers import EquipmentIdentity, Imei, InvalidIdentifierError
from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import Actor, Role
from ceir.registry.devices.models import IdentifierKind
from ceir.registry.registrations.models import LIVING, Registration
from ceir.registry.status.answering import MOST_AT_ONCE, Answer, Status, status_of

ROUTER = Router()


class ChecksOut(Schema):
    """What the register checks of any equipment."""

    well_formed: bool
    tac_known: bool
    registered: bool
    registration: str | None
    stolen: str | None
    seen_in_network: bool
    first_seen: date | None
    last_seen: date | None
    paired: bool
    exempt: bool
    manufacturer: str
    model: str
    device_type: str


class ConditionOut(Schema):
    """A condition of the policy that is met."""

    label: str
    blocking: bool
    restored: bool


class OwnCaseOut(Schema):
    """A case that the caller may see."""

    case: int
    state: str
    mode: str
    provisional: bool


class GroundsOut(Schema):
    """What the answer rests on; for the regulator."""

    outcome: str | None
    decided_in_run: int | None
    released: str | None
    override: str | None
    conditions: list[ConditionOut]
    registration: int | None
    pairings: int
    appeals: list[int]


class StatusOut(Schema):
    """How equipment stands; what the caller may not be told is null."""

    imei: str
    status: Answer
    reasons: list[str]
    advice: str
    since: date | None
    block_on: date | None
    works_with_paired_numbers: bool
    lines_go_on: bool
    own_pairings: int | None
    own_lines: int | None
    checks: ChecksOut | None
    cases: list[OwnCaseOut] | None
    evidence: GroundsOut | None


class Refused(Schema):
    """Why one of many was not answered."""

    code: str
    detail: str


class BatchRow(Schema):
    """One of many: what was asked, and how it stands or why that cannot be said."""

    asked: str
    status: StatusOut | None
    problem: Refused | None


Asked = Annotated[str, Field(max_length=LONGEST)]


class Batch(Schema):
    """Identities to ask for."""

    imeis: Annotated[list[Asked], Field(min_length=1, max_length=MOST_AT_ONCE)]


class BatchOut(Schema):
    """The answers, in the order of the questions."""

    results: list[BatchRow]


_PUBLIC_BLOCKED = {
    "imei": "35674108000001",
    "status": "blocked",
    "reasons": ["Reported stolen or lost"],
    "advice": "If you bought it, take it with the bill to the police; if it is yours and was found, say so.",
    "since": "2026-11-22",
    "block_on": None,
    "works_with_paired_numbers": False,
    "lines_go_on": False,
    "own_pairings": None,
    "own_lines": None,
    "checks": None,
    "cases": None,
    "evidence": None,
}
_PERMITTED = {
    **_PUBLIC_BLOCKED,
    "imei": "35674108000099",
    "status": "permitted",
    "reasons": [],
    "advice": "",
    "since": None,
}
_CHECKS = {
    "well_formed": True,
    "tac_known": True,
    "registered": False,
    "registration": None,
    "stolen": "blocked",
    "seen_in_network": True,
    "first_seen": "2026-01-05",
    "last_seen": "2026-11-20",
    "paired": False,
    "exempt": False,
    "manufacturer": "Oppo",
    "model": "N1",
    "device_type": "Smartphone",
}


@ROUTER.post("/batch", response=BatchOut, summary="How up to 1,000 pieces of equipment stand")
@terms(
    Permission.STATUS_READ,
    cost=20,
    examples=(
        Example(
            "Three, one of which is none",
            "a stolen device",
            Role.CONSUMER,
            body={"imeis": ["35674108000001", "35674108000099", "356741080000019"]},
            answer={
                "results": [
                    {"asked": "35674108000001", "status": _PUBLIC_BLOCKED, "problem": None},
                    {"asked": "35674108000099", "status": _PERMITTED, "problem": None},
                    {
                        "asked": "356741080000019",
                        "status": None,
                        "problem": {"code": "invalid_identifier", "detail": "The check digit is wrong."},
                    },
                ]
            },
            varies=frozenset({"since", "detail"}),
        ),
    ),
)
def equipment_status_batch(request: Request, batch: Batch) -> HttpResponse:
    """Each is answered as if asked alone; one that is no identity is told so in its place."""
    identities: list[EquipmentIdentity] = []
    refused: dict[int, dict[str, str]] = {}
    for place, text in enumerate(batch.imeis):
        try:
            identities.append(identity_of(text))
        except InvalidIdentifierError as error:
            refused[place] = {"code": error.code, "detail": error.detail}
    found = iter(_asked(identities, request.auth.actor))
    rows = [
        {
            "asked": text,
            "status": None if place in refused else next(found),
            "problem": refused.get(place),
        }
        for place, text in enumerate(batch.imeis)
    ]
    return _told({"results": rows})


@ROUTER.get("/{imei}", response=StatusOut, summary="How one piece of equipment stands")
@terms(
    Permission.STATUS_READ,
    refuses=(InvalidIdentifierError,),
    examples=(
        Example(
            "What everybody is told of a stolen device",
            "a stolen device",
            Role.CONSUMER,
            path={"imei": "356741080000010"},
            answer=_PUBLIC_BLOCKED,
            varies=frozenset({"since"}),
        ),
        Example(
            "What an operator is told of it",
            "a stolen device",
            Role.OPERATOR,
            path={"imei": "35674108000001"},
            answer={**_PUBLIC_BLOCKED, "own_pairings": 0, "own_lines": 0, "checks": _CHECKS, "cases": []},
            varies=frozenset({"since"}),
        ),
        Example(
            "What the regulator is told of it",
            "a stolen device",
            Role.OFFICER,
            path={"imei": "35674108000001"},
            answer={
                **_PUBLIC_BLOCKED,
                "checks": _CHECKS,
                "cases": [{"case": 1, "state": "blocked", "mode": "block", "provisional": False}],
                "evidence": {
                    "outcome": None,
                    "decided_in_run": None,
                    "released": None,
                    "override": None,
                    "conditions": [],
                    "registration": None,
                    "pairings": 0,
                    "appeals": [],
                },
            },
            varies=frozenset({"since", "case"}),
        ),
        Example(
            "No identity",
            "nothing",
            Role.CONSUMER,
            path={"imei": "356741080000019"},
            status=422,
            answer=None,
        ),
    ),
)
def equipment_status(request: Request, imei: str) -> HttpResponse:
    """By IMEI (14 to 16 digits, with or without check digit), or by a malformed identity as reported.

    Everybody is told what networks do and why; partners also what the register checks of any device, and the
    cases and pairings of their own; the regulator also what the answer rests on.
    """
    return _told(_asked([identity_of(imei)], request.auth.actor)[0])


class RegisteredOut(Schema):
    """A registration that is not over, and the device it is of; never whose it is."""

    registration: int
    state: str
    kind: str
    begins_at: datetime | None
    ends_at: datetime | None
    manufacturer: str
    model: str
    brand: str
    device_type: str
    radio_interface: str
    imeis: list[str]
    serial: str | None


@ROUTER.get("/{imei}/registration", response=RegisteredOut, summary="The registration of a device")
@terms(
    Permission.DEVICE_READ,
    refuses=(InvalidIdentifierError, NotFoundError),
    examples=(
        Example(
            "A phone with two IMEIs",
            "a registered device",
            Role.OFFICER,
            path={"imei": "35675904000001"},
            answer={
                "registration": 1,
                "state": "in_force",
                "kind": "person",
                "begins_at": "2026-11-22T09:00:00Z",
                "ends_at": None,
                "manufacturer": "Oppo",
                "model": "N1",
                "brand": "",
                "device_type": "Smartphone",
                "radio_interface": "",
                "imeis": ["35675904000001", "35675904000002"],
                "serial": None,
            },
            varies=frozenset({"registration", "begins_at"}),
        ),
        Example("Not registered", "nothing", Role.OFFICER, path={"imei": "35675904000001"}, status=404),
    ),
)
def equipment_registration(request: Request, imei: str) -> RegisteredOut:
    """What is registered of it; importers and dealers see what is their own organisation's."""
    identity = identity_of(imei)
    actor = request.auth.actor
    found = Registration.objects.filter(
        device__identifiers__imei=identity.number if isinstance(identity, Imei) else -1,
        device__identifiers__ended_at=None,
        state__in=LIVING,
    )
    if actor.acts_as in RULES[Permission.DEVICE_READ].own:
        found = found.filter(organisation=actor.organisation)
    one = found.select_related("device").first()
    if one is None:
        raise NotFoundError("There is no registration of it.", "See its status.")
    living = one.device.identifiers.filter(ended_at=None).order_by("slot")
    device = one.device
    return RegisteredOut(
        registration=one.pk,
        state=one.state,
        kind=one.kind,
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        manufacturer=device.manufacturer,
        model=device.model,
        brand=device.brand,
        device_type=device.device_type,
        radio_interface=device.radio_interface,
        imeis=[f"{row.imei:014}" for row in living if row.imei is not None],
        serial=next((row.value for row in living if row.kind == IdentifierKind.SERIAL.value), None),
    )


def _asked(identities: Sequence[EquipmentIdentity], actor: Actor) -> list[Status]:
    return status_of(identities, actor=actor, at=timezone.now()) if identities else []


def _told(answer: object) -> HttpResponse:
    """The answer as it is sent. Its values are named and typed as the schema says, which tests hold against
    it; to check and copy what our own code said would take longer than the database does."""
    return HttpResponse(to_json(answer), content_type="application/json; charset=utf-8")
