"""Sightings of lost devices: for the station of the case, with a legal basis, and for nobody else."""

from datetime import timedelta

import pytest
from django.db import transaction
from lost import (
    CONTACT,
    NUMBER,
    THIEF,
    THIEF_IMSI,
    TWO,
    blocked,
    fresh,
    in_state,
    police,
    reported,
    reviewer,
    seen,
    sighting,
    verified,
)
from people import NOW, actor, organisation

from ceir.errors import CeirError
from ceir.identifiers import Imei, Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, OrganisationKind, Role
from ceir.registry.audit.models import Entry
from ceir.registry.cases.leaving import recover
from ceir.registry.cases.models import Case, Trace, Whereabouts
from ceir.registry.cases.reading import traces_for
from ceir.registry.cases.states import CaseError, Mode, State
from ceir.registry.cases.tracing import ask_users, take_sightings
from ceir.registry.cases.verifying import assign_station
from ceir.registry.notices.outbox import BASIS
from ceir.registry.personal.fields import Access

LATER = NOW + timedelta(hours=5)
LAW = "Penal Code 12"


def test_a_sighting_after_the_block_opens_a_trace_for_the_station_of_the_case() -> None:
    case = seen(blocked(), LATER)
    assert (case.state, case.seen_at) == ("seen", LATER)
    trace = traces_for(police("p2")).get()
    found = trace.reveal(Access(police("p2"), LATER, LAW))
    assert found == Whereabouts(THIEF_IMSI.digits, THIEF.digits, "11101-77-1234")
    assert THIEF.digits not in repr(found)
    read = Entry.objects.filter(action="personal.read").exclude(basis=BASIS)
    assert {(e.subject, e.basis, e.actor) for e in read} == {(f"trace:{trace.pk}", LAW, police("p2").id)}
    assert read.count() == 3


def test_no_one_but_the_station_reads_a_trace() -> None:
    seen(blocked())
    trace = Trace.objects.get()
    readers = [actor(role) for role in Role if role not in (Role.SYSTEM, Role.POLICE)]
    readers += [SYSTEM, police("p9", "station-9")]
    for reader in readers:
        with pytest.raises(PermissionDeniedError):
            trace.reveal(Access(reader, NOW, LAW))
    assert not traces_for(police("p9", "station-9")).exists()
    assert not Entry.objects.filter(action="personal.read").exclude(basis=BASIS).exists()
    with pytest.raises(CeirError, match="legal basis"):
        trace.reveal(Access(police(), NOW, " "))


def test_a_case_without_a_station_keeps_its_traces_until_it_gets_one() -> None:
    case = reported(by=actor(Role.CONSUMER))
    blocked_by_regulator(case)
    seen(case)
    trace = Trace.objects.get()
    with pytest.raises(PermissionDeniedError):
        trace.reveal(Access(police(), NOW, LAW))
    for wrong in (4711, organisation(OrganisationKind.OPERATOR).pk):
        with pytest.raises(CaseError):
            assign_station(case.pk, wrong, actor=reviewer(), at=NOW)
    station = police().organisation
    assert station
    assign_station(case.pk, station, actor=reviewer(), at=NOW)
    assert Trace.objects.get().reveal(Access(police(), NOW, LAW)).msisdn == THIEF.digits


def blocked_by_regulator(case: Case) -> None:
    from ceir.registry.cases.verifying import verify
    from ceir.registry.proposals.deciding import decide

    proposal = verify(case.pk, reason="x", actor=reviewer(), at=NOW)
    assert proposal
    decide(proposal.pk, accept=True, actor=police(), reason="x", at=NOW)
    assert fresh(case).police_id is None


@pytest.mark.django_db(transaction=True)
def test_that_somebody_read_is_kept_whatever_fails_afterwards() -> None:
    seen(blocked())
    trace = Trace.objects.get()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        trace.reveal(Access(police(), NOW, LAW))


def test_sightings_told_twice_late_or_out_of_order_make_one_trace() -> None:
    case = blocked()
    moments = [LATER, NOW, LATER + timedelta(hours=1), LATER]
    opened = [
        take_sightings([sighting(at, cell=f"cell {at:%H}")], actor=SYSTEM, at=LATER) for at in moments * 2
    ]
    assert opened == [1, 0, 0, 0, 0, 0, 0, 0]
    trace = Trace.objects.get()
    assert (trace.first_seen_at, trace.last_seen_at) == (NOW, moments[2])
    assert trace.reveal(Access(police(), NOW, LAW)).cell == f"cell {moments[2]:%H}"
    assert Entry.objects.filter(action="case.seen").count() == 1
    assert fresh(case).state == "seen"


def test_another_user_number_or_identity_is_another_trace() -> None:
    blocked()
    told = [
        sighting(),
        sighting(imei=TWO),
        sighting(msisdn=None),
        sighting(imsi=None, msisdn=None, cell=""),
        sighting(msisdn=Msisdn("220000000777")),
    ]
    assert take_sightings(told, actor=SYSTEM, at=LATER) == 5
    assert take_sightings(told, actor=SYSTEM, at=LATER) == 0
    empty = Trace.objects.get(imsi_key=None)
    assert empty.reveal(Access(police(), NOW, LAW)) == Whereabouts("", "", "")


def test_what_was_seen_before_the_block_or_is_no_lost_device_leaves_nothing_behind() -> None:
    case = blocked(at=NOW)
    early = sighting(NOW - timedelta(seconds=1))
    other = sighting(imei=Imei("35674108000077"))
    assert take_sightings([early, other], actor=SYSTEM, at=LATER) == 0
    assert fresh(case).state == "blocked"
    assert not Trace.objects.exists()


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        (mode, state)
        for mode in Mode
        for state in State
        if (mode, state)
        not in (
            (Mode.BLOCK, State.BLOCKED),
            (Mode.BLOCK, State.SEEN),
            (Mode.RECOVERY, State.VERIFIED),
            (Mode.RECOVERY, State.SEEN),
            (Mode.RECOVERY, State.BLOCKED),
        )
    ],
    ids=lambda v: v.value,
)
def test_a_device_that_nobody_looks_for_is_not_traced(mode: Mode, state: State) -> None:
    in_state(mode, state)
    before = Trace.objects.count()
    assert take_sightings([sighting(LATER, msisdn=CONTACT)], actor=SYSTEM, at=LATER) == 0
    assert Trace.objects.count() == before


def test_many_sightings_of_many_devices_come_in_one_go() -> None:
    imeis = [Imei(f"3567410801{n:04}") for n in range(1200)]
    case = blocked(imeis=tuple(imeis[:1000]))
    told = [sighting(imei=imei) for imei in imeis]
    assert take_sightings(iter(told), actor=SYSTEM, at=LATER) == 1000
    assert case.traces.count() == 1000


def test_who_uses_a_device_in_recovery_mode_is_asked_once_to_come_forward() -> None:
    case = verified(mode=Mode.RECOVERY)
    take_sightings([sighting(), sighting(imei=TWO), sighting(msisdn=None)], actor=SYSTEM, at=NOW)
    blocked(imeis=(Imei("35674108000077"),))
    seen(case, imei=Imei("35674108000077"))
    asked: list[tuple[Msisdn, int]] = []
    assert ask_users(lambda number, about: asked.append((number, about.pk)), at=LATER) == 2
    assert asked == [(THIEF, case.pk)] * 2
    assert ask_users(lambda number, about: asked.append((number, about.pk)), at=LATER) == 0
    reads = Entry.objects.filter(action="personal.read", actor="system").exclude(basis=BASIS)
    assert {e.basis for e in reads} == {f"recovery mode of case:{case.pk}"}


def test_nobody_is_asked_when_sending_fails_or_after_the_device_came_back() -> None:
    case = seen(verified(mode=Mode.RECOVERY))

    def failing(_number: Msisdn, _about: Case) -> None:
        raise OSError("no gateway")

    with pytest.raises(OSError, match="no gateway"), transaction.atomic():
        ask_users(failing, at=NOW)
    assert Trace.objects.get().asked_at is None
    recover(case.pk, reason="x", actor=police(), at=NOW)
    assert ask_users(failing, at=NOW) == 0


def test_an_operator_tells_of_its_own_network_only() -> None:
    blocked()
    own = actor(Role.OPERATOR, "o1", "operator1")
    assert take_sightings([sighting()], actor=own, at=NOW) == 1
    with pytest.raises(PermissionDeniedError):
        take_sightings([sighting(operator="operator2")], actor=own, at=NOW)
    for role in set(Role) - {Role.OPERATOR, Role.SYSTEM}:
        with pytest.raises(PermissionDeniedError):
            take_sightings([sighting()], actor=actor(role), at=NOW)


def test_a_trace_keeps_nothing_in_clear() -> None:
    seen(blocked())
    kept = repr(list(Trace.objects.values_list())) + repr(list(Case.objects.values_list()))
    kept += repr(list(Entry.objects.values_list()))
    for secret in (THIEF.digits, THIEF_IMSI.digits, "11101-77-1234", NUMBER.digits, "Amina", "crack"):
        assert secret not in kept
    assert THIEF.digits not in repr(sighting())
