"""A small register for tests of the API: a country, and one of each thing that endpoints act on."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from calling import program
from django.utils import timezone
from lost import NUMBER, police, said, sighting
from people import actor, organisation
from registry_publications import decided, imeis, publish
from world import LOOSE, MODELS, PLMN, POLICY, counted_draw, model_of, number, phone

from ceir.api.country import Country
from ceir.identifiers import Imsi, Msisdn
from ceir.registry.actors import SYSTEM, Actor, OrganisationKind, Role
from ceir.registry.appeals.appealing import AppealPolicy
from ceir.registry.cases.reporting import report
from ceir.registry.cases.tracing import take_sightings
from ceir.registry.cases.verifying import verify
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, issue
from ceir.registry.codes.proving import verify as prove
from ceir.registry.proposals.deciding import decide
from ceir.registry.registrations.models import Kind
from ceir.registry.registrations.registering import register_own
from ceir.registry.registrations.submitting import submit
from ceir.registry.releases.planning import Stage, Terms
from ceir.registry.runs.applying import apply
from ceir.registry.subscribers.reporting import Holder, report_line

TERMS = Terms((Stage(Decimal("0.5")), Stage(Decimal(1))), {"appeals": Decimal(5)}, alone_share=Decimal(1))


class Phones:
    """What was sent to phones."""

    def __init__(self) -> None:
        self.sent: list[tuple[Msisdn, str]] = []

    def send(self, to: Msisdn, text: str, purpose: Purpose, at: object) -> None:  # noqa: ARG002 - as a gateway
        self.sent.append((to, text))

    @property
    def last(self) -> str:
        return self.sent[-1][1]


def country(phones: Phones, **more: Any) -> Country:
    """A country that has everything set up."""
    return Country(
        **{
            "registrations": POLICY,
            "appeals": AppealPolicy(frozenset({"stolen"})),
            "terms": TERMS,
            "limits": LOOSE,
            "draw": counted_draw(),
            "send_code": phones.send,
            "plmns": {"operator": {PLMN}},
            "model_of": model_of,
            **more,
        }
    )


def speaks_for(role: Role, of: str = "") -> Actor:
    """As whom a program of that role acts."""
    return program(role, of=of).actor


def proof(purpose: Purpose, by: Actor, n: int = 1) -> dict[str, object]:
    """The proof of number `n`, as bodies hold one."""
    made = proven(purpose, by, n)
    return {"code": made.code, "msisdn": f"+{made.number}"}


def proven(purpose: Purpose, by: Actor, n: int = 1) -> Proof:
    at = timezone.now()
    text = issue(purpose, number(n), draw=counted_draw(), actor=by, at=at, limits=LOOSE).text
    return prove(purpose, number(n), text, actor=by, at=at, limits=LOOSE)


def blocked_case(of: str = "station-1") -> int:
    """A case that two people blocked, seen since then; its police station is `of`."""
    at = timezone.now()
    station = organisation(OrganisationKind.POLICE, of)
    made = report(said(happened_at=at - timedelta(hours=3), station=station.pk), actor=police(of, of), at=at)
    proposal = verify(made.pk, reason="the bill fits", actor=police(of, of), at=at)
    assert proposal is not None
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=at)
    take_sightings([sighting(at)], actor=SYSTEM, at=at)
    return made.pk


def registered(n: int = 1, serial: int = 1) -> int:
    """A device of whoever holds number `n`."""
    at = timezone.now()
    who = speaks_for(Role.CONSUMER)
    known = proven(Purpose.REGISTRATION, who, n)
    asks = country(Phones()).asks(at)
    return register_own(phone(serial), proof=known, policy=POLICY, asks=asks, actor=who, at=at).pk


def fleet(by: Actor, *serials: int) -> int | None:
    """Devices of an organisation."""
    at = timezone.now()
    assert by.organisation is not None
    return submit(
        Kind.FLEET, [phone(n, "35209900") for n in serials], organisation=by.organisation, reason="meters",
        policy=POLICY, asks=country(Phones()).asks(at), actor=by, at=at,
    ).submission  # fmt: skip


def line(n: int = 1) -> None:
    """Number `n` with its SIM, as its operator told."""
    report_line(
        number(n), Imsi(f"11101{n:010}"), plmns=(PLMN,), actor=speaks_for(Role.OPERATOR),
        at=timezone.now(), holder=Holder.read(f"AB12345{n}"),
    )  # fmt: skip


def run(folder: Path) -> None:
    """A run that blocked 20 devices."""
    apply(publish(folder / "run", 1, [decided(one) for one in imeis(20)]), actor=SYSTEM, at=timezone.now())


KNOWN: Mapping[str, str] = {"imei": "356759040000017", "tac": next(iter(MODELS)), "number": str(NUMBER)}
