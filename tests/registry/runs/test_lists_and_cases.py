"""What runs and cases say reaches registering, transferring, pairing and appealing."""

from datetime import timedelta
from pathlib import Path

import pytest
from drawn import counted_draw
from lost import accept, blocked, in_state, reported, said
from people import NOW, actor
from registry_publications import decided, publish, told
from world import PLMN, POLICY, imei, model_of, number, phone, proof_of, somebody

from ceir.identifiers import Imei, Imsi, MalformedImei
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.appeals.appealing import AppealError, AppealPolicy, make
from ceir.registry.appeals.deciding import recommend, run_clocks
from ceir.registry.appeals.models import Appeal
from ceir.registry.appeals.restoring import restored
from ceir.registry.cases.reporting import report
from ceir.registry.cases.states import Mode, State
from ceir.registry.codes.models import Purpose
from ceir.registry.lists_and_cases import REPORTED, decision_in_force, seen_with_contacts, standing_at
from ceir.registry.pairings.exporting import pairings
from ceir.registry.pairings.pairing import PairingPolicy, make_code, pair
from ceir.registry.personal.shredding import shred
from ceir.registry.proposals.deciding import decide
from ceir.registry.registrations.ending import give_up
from ceir.registry.registrations.leaving import let_people_go
from ceir.registry.registrations.registering import RegistrationRefusedError, Surroundings, register_own
from ceir.registry.registrations.transferring import TransferError, offer
from ceir.registry.runs.applying import apply
from ceir.registry.standing import CLEAR, Standing
from ceir.registry.subscribers.models import Line, Person, Sim
from ceir.registry.subscribers.reporting import Holder, report_end, report_line

ASKS = Surroundings(model_of, standing_at(NOW))
ONE = imei(1)
APPEALS = AppealPolicy(theft=frozenset({"stolen"}))


def took(tmp_path: Path, run: int = 1, *rows: tuple[str, ...], base: int | None = None) -> None:
    """A run is taken over that notifies user 1 of IMEI 1."""
    every = rows or (
        decided(ONE.digits, "notified", "20261201", conditions="shared_identity|not_registered"),
        decided(imei(2).digits, "trial"),
        decided(imei(3).digits, "blocked", conditions="stolen"),
        decided("ABC", "notified", "20261201", conditions="malformed"),
    )
    contacts = [
        told(digits, f"11101{1:010}", number(1).digits)
        for digits in (ONE.digits, "ABC")
        if any(row[0] == digits and row[1] == "notified" for row in every)
    ]
    folder = publish(tmp_path / str(run), run, every, base=base, notifications={"operator1": contacts})
    apply(folder, actor=SYSTEM, at=NOW)


def standing(of: Imei = ONE) -> Standing:
    return standing_at(NOW)([of])[of]


def named(n: int = 1, document: str = "AB123456") -> Line:
    return report_line(
        number(n), Imsi(f"11101{n:010}"), holder=Holder.read(document), plmns=(PLMN,),
        actor=actor(Role.OPERATOR), at=NOW,
    )  # fmt: skip


def own(serial: int = 1, n: int = 1) -> None:
    proof = proof_of(Purpose.REGISTRATION, n)
    register_own(phone(serial), proof=proof, policy=POLICY, asks=ASKS, actor=somebody(n), at=NOW)


def test_what_a_run_decided_is_held_against_a_device_and_what_is_on_trial_is_not(tmp_path: Path) -> None:
    took(tmp_path)
    assert standing() == Standing(("not_registered", "shared_identity"), missing=False, ever_listed=True)
    assert standing(imei(2)) == CLEAR
    took(tmp_path, 2, decided(imei(2).digits, "trial"), base=1)
    assert standing() == Standing(ever_listed=True)
    assert standing(imei(9)) == CLEAR


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("state", list(State))
def test_a_case_makes_a_device_missing_only_once_somebody_verified_it(mode: Mode, state: State) -> None:
    if mode is Mode.RECOVERY and state is State.BLOCKED:
        return  # there is no such case
    case = in_state(mode, state)
    of = Imei.from_number(case.identities.first().imei)  # type: ignore[union-attr]
    found = standing(of)
    assert found.missing == (state in (State.VERIFIED, State.BLOCKED, State.SEEN))
    assert (found.listed == (REPORTED,)) == (state in (State.REPORTED, State.RECOVERED))
    assert found.ever_listed


def test_a_device_on_a_list_can_be_registered_and_not_sold_and_a_stolen_one_neither(tmp_path: Path) -> None:
    took(tmp_path)
    own()
    with pytest.raises(TransferError, match="held against"):
        offer(
            ONE, proof=proof_of(Purpose.TRANSFER), draw=counted_draw(), standing_of=standing_at(NOW),
            policy=POLICY, actor=somebody(), at=NOW,
        )  # fmt: skip
    blocked(imeis=(imei(7),))
    with pytest.raises(RegistrationRefusedError):
        own(7)


def test_a_pairing_leaves_the_list_while_a_case_blocks_the_device() -> None:
    named()
    code = make_code(
        ONE, proof=None, draw=counted_draw(), policy=PairingPolicy(), actor=actor(Role.OFFICER), at=NOW
    )
    pair(
        ONE, code.text, proof=proof_of(Purpose.PAIRING), standing_of=standing_at(NOW),
        policy=PairingPolicy(), actor=somebody(), at=NOW,
    )  # fmt: skip
    assert len(list(pairings(NOW))) == 1
    case = reported(imeis=(ONE,))
    assert len(list(pairings(NOW))) == 1
    accept(case)
    assert list(pairings(NOW)) == []


def test_who_was_told_appeals_is_not_heard_in_time_and_works_again(tmp_path: Path) -> None:
    took(tmp_path)
    named()
    assert decision_in_force(ONE, "shared_identity") == 1
    assert decision_in_force(ONE, "shared") is None
    assert decision_in_force(imei(2), "unallocated") is None

    def appealed(identity: Imei | MalformedImei, condition: str, n: int = 1) -> Appeal:
        return make(
            identity, condition, "Mine.", proof=proof_of(Purpose.APPEAL, n), decision_of=decision_in_force,
            seen_with=seen_with_contacts, policy=APPEALS, actor=somebody(n), at=NOW,
        )  # fmt: skip

    appeal = appealed(ONE, "shared_identity")
    appealed(MalformedImei("ABC"), "malformed")
    for identity, condition, n in ((imei(3), "stolen", 1), (ONE, "shared_identity", 2), (imei(9), "x", 1)):
        with pytest.raises(AppealError):
            appealed(identity, condition, n)
    late = NOW + timedelta(days=15)
    assert run_clocks(late) == 2
    assert [row[0] for row in pairings(late)] == [ONE.digits]
    assert sorted(one.identity for one in restored(late)) == ["ABC"], "the other works by its pairing"
    assert standing().listed == ("not_registered", "shared_identity")
    proposal = recommend(appeal.pk, uphold=True, reason="bill", actor=actor(Role.OFFICER), at=late)
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=late)
    assert standing().listed == ("not_registered",)


def test_who_holds_nothing_any_more_is_forgotten_in_time_and_who_comes_back_is_not() -> None:
    day = timedelta(days=1)
    with_device, without = named(1), named(2, "XY987654")
    own(1, 1)
    own(2, 2)
    assert let_people_go(NOW + day) == 0
    give_up(imei(2), proof=proof_of(Purpose.DEVICES, 2), actor=somebody(2), at=NOW)
    assert let_people_go(NOW + day) == 0  # he holds a number
    for n in (1, 2):
        report_end(number(n), actor=actor(Role.OPERATOR), at=NOW + day)
    assert let_people_go(NOW + day) == 1
    assert let_people_go(NOW + day) == 0
    assert Person.objects.get(ended_at=NOW + day).pk == without.person_id
    named(3, "XY987654")
    assert Person.objects.filter(ended_at=None).count() == 2
    report_end(number(3), actor=actor(Role.OPERATOR), at=NOW + 4 * day)
    let_people_go(NOW + 4 * day)
    shred(NOW + 400 * day)
    assert Line.objects.exclude(number=None).count() == 0
    assert Sim.objects.exclude(imsi=None).count() == 0
    kept = Person.objects.exclude(document=None)
    assert [person.pk for person in kept] == [with_device.person_id]


def test_a_report_that_nobody_verified_does_not_keep_anybody_from_registering() -> None:
    report(said(imeis=(ONE,)), actor=actor(Role.POLICE, "p1", "station-1"), at=NOW)
    own()
