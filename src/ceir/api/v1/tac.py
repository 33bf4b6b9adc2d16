"""Models by Type Allocation Code."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from django.utils import timezone
from ninja import Path, Router, Schema
from pydantic import Field

from ceir.api.problems import NotFoundError
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.references.models import TacRecord
from ceir.registry.type_approvals.models import CertifiedTac

ROUTER = Router()

MOST_AT_ONCE = 1000

Tac = Annotated[str, Field(pattern=r"^[0-9]{8}$")]


class TacOut(Schema):
    """A model as GSMA's list has it, and whether it is approved here today."""

    tac: str
    manufacturer: str
    model_name: str
    brand_name: str
    marketing_name: str
    device_type: str
    bands: str
    radio_interface: str
    operating_system: str
    sim_slots: int
    allocated_on: date | None
    further: dict[str, str]
    certificates: list[str]


class Tacs(Schema):
    """TACs to ask for."""

    tacs: Annotated[list[Tac], Field(min_length=1, max_length=MOST_AT_ONCE)]


class TacRow(Schema):
    """One of many; null: the TAC is not on the list."""

    tac: str
    record: TacOut | None


class TacsOut(Schema):
    """The answers, in the order of the questions."""

    results: list[TacRow]


_ANSWER = {
    "tac": "35674108",
    "manufacturer": "Oppo",
    "model_name": "N1",
    "brand_name": "",
    "marketing_name": "",
    "device_type": "Smartphone",
    "bands": "",
    "radio_interface": "",
    "operating_system": "",
    "sim_slots": 0,
    "allocated_on": None,
    "further": {},
    "certificates": [],
}


@ROUTER.get("/{tac}", response=TacOut, summary="A model")
@terms(
    Permission.STATUS_READ,
    refuses=(NotFoundError,),
    examples=(
        Example("A known model", "a stolen device", Role.DEALER, path={"tac": "35674108"}, answer=_ANSWER),
        Example("No TAC of the list", "nothing", Role.DEALER, path={"tac": "99999999"}, status=404),
    ),
)
def tac_record(request: Request, tac: Annotated[str, Path(pattern=r"^[0-9]{8}$")]) -> TacOut:
    """As GSMA's list has it; `certificates` are those in force here today."""
    found = _records([tac]).get(tac)
    if found is None:
        raise NotFoundError("The TAC is not on the list.", "See whether it was typed right.")
    return found


@ROUTER.post("", response=TacsOut, summary="Up to 1,000 models")
@terms(
    Permission.STATUS_READ,
    cost=20,
    examples=(
        Example(
            "Two, one unknown",
            "a stolen device",
            Role.DEALER,
            body={"tacs": ["35674108", "99999999"]},
            answer={
                "results": [
                    {"tac": "35674108", "record": _ANSWER},
                    {"tac": "99999999", "record": None},
                ]
            },
        ),
    ),
)
def tac_records(request: Request, asked: Tacs) -> TacsOut:
    """Each as if asked alone."""
    found = _records(asked.tacs)
    return TacsOut(results=[TacRow(tac=tac, record=found.get(tac)) for tac in asked.tacs])


def _records(tacs: list[str]) -> Mapping[str, TacOut]:
    today = timezone.localdate()
    certificates: dict[str, list[str]] = {}
    for one in (
        CertifiedTac.objects.filter(tac__in=tacs)
        .select_related("certificate")
        .order_by("certificate__number")
    ):
        if one.certificate.in_force_on(today):
            certificates.setdefault(one.tac, []).append(one.certificate.number)
    found: dict[str, TacOut] = {}
    for record in TacRecord.objects.filter(pk__in=[int(tac) for tac in tacs]):
        text = f"{record.tac:08}"
        fields: dict[str, Any] = {
            name: getattr(record, name) for name in TacOut.model_fields if name not in ("tac", "certificates")
        }
        found[text] = TacOut(tac=text, certificates=certificates.get(text, []), **fields)
    return found
