"""Lost devices for tests: cases brought to where they stand by the register's own functions."""

from collections.abc import Callable
from datetime import datetime, timedelta

from people import NOW, actor

from ceir.identifiers import Imei, Imsi, Msisdn
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.cases.exporting import rows
from ceir.registry.cases.leaving import recover, reject, restore, withdraw
from ceir.registry.cases.models import Case
from ceir.registry.cases.reporting import Report, report
from ceir.registry.cases.states import Loss, Mode, State
from ceir.registry.cases.tracing import Sighting, take_sightings
from ceir.registry.cases.verifying import verify
from ceir.registry.proposals.deciding import decide

ONE = Imei("35674108000001")
TWO = Imei("35674108000002")
NUMBER = Msisdn("220000000001")
CONTACT = Msisdn("220000000002")
THIEF = Msisdn("220000000666")
THIEF_IMSI = Imsi("111010000000666")


def police(login: str = "p1", of: str = "station-1") -> Actor:
    return actor(Role.POLICE, login, of)


def reviewer(login: str = "r1") -> Actor:
    return actor(Role.REVIEWER, login)


def said(**more: object) -> Report:
    given: dict[str, object] = {
        "loss": Loss.STOLEN,
        "mode": Mode.BLOCK,
        "happened_at": NOW - timedelta(hours=3),
        "place": "Old Market",
        "imeis": (ONE, TWO),
        "msisdn": NUMBER,
        "contact": CONTACT,
        "owner_name": "Amina Yusuf",
        "description": "Black, a crack in the glass.",
        "police_reference": "OM 12/2026",
        **more,
    }
    return Report(**given)  # type: ignore[arg-type]


def reported(by: Actor | None = None, at: datetime = NOW, **more: object) -> Case:
    return report(said(**more), actor=by or police(), at=at)


def verified(by: Actor | None = None, at: datetime = NOW, **more: object) -> Case:
    case = reported(at=at, **more)
    verify(case.pk, reason="the bill fits", actor=by or police(), at=at)
    return fresh(case)


def blocked(at: datetime = NOW, **more: object) -> Case:
    case = reported(at=at, **more)
    accept(case, at)
    return fresh(case)


def accept(case: Case, at: datetime = NOW) -> None:
    """Two people: the police verify, a reviewer accepts."""
    proposal = verify(case.pk, reason="the bill fits", actor=police(), at=at)
    assert proposal is not None
    decide(proposal.pk, accept=True, actor=reviewer(), reason="seen", at=at)


def seen(case: Case, at: datetime = NOW, imei: Imei = ONE) -> Case:
    take_sightings([sighting(at, imei)], actor=SYSTEM, at=at)
    return fresh(case)


def sighting(at: datetime = NOW, imei: Imei = ONE, **more: object) -> Sighting:
    given: dict[str, object] = {
        "imei": imei,
        "seen_at": at,
        "operator": "operator1",
        "imsi": THIEF_IMSI,
        "msisdn": THIEF,
        "cell": "11101-77-1234",
        **more,
    }
    return Sighting(**given)  # type: ignore[arg-type]


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def in_state(mode: Mode, state: State) -> Case:
    """A case of a mode that stands there, by the shortest way."""
    at = NOW
    case = reported(mode=mode)
    ways: dict[State, tuple[Callable[[], object], ...]] = {
        State.REPORTED: (),
        State.VERIFIED: (lambda: verify(case.pk, reason="x", actor=police(), at=at),),
        State.BLOCKED: (lambda: accept(case),),
        State.RECOVERED: (
            lambda: verify(case.pk, reason="x", actor=police(), at=at),
            lambda: recover(case.pk, reason="x", actor=police(), at=at),
        ),
        State.WITHDRAWN: (lambda: withdraw(case.pk, reason="x", actor=police(), at=at),),
        State.REJECTED: (lambda: reject(case.pk, reason="x", actor=police(), at=at),),
    }
    before = State.BLOCKED if mode is Mode.BLOCK else State.VERIFIED
    ways[State.SEEN] = (*ways[before], lambda: seen(case))
    ways[State.RESTORED] = (
        *ways[State.RECOVERED],
        lambda: restore(case.pk, reason="x", actor=police(), at=at),
    )
    for step in ways[state]:
        step()
    found = fresh(case)
    assert State(found.state) is state
    return found


def listed(at: datetime = NOW) -> dict[str, str]:
    """The stolen list: status by IMEI."""
    return {imei: status for imei, _, status in rows(at)}


def in_force(at: datetime = NOW) -> set[str]:
    """IMEIs that the stolen list blocks."""
    return {imei for imei, status in listed(at).items() if not status}
