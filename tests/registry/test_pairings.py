"""Pairings: who may use equipment although it is blocked, and that places are counted once."""

from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

import pytest
from at_once import at_once, need_postgresql
from drawn import counted_draw
from people import NOW, actor
from world import (
    ASKS,
    OTHER_PLMN,
    PLMN,
    POLICY,
    STANDINGS,
    imei,
    number,
    phone,
    proof_of,
    somebody,
    standing_of,
)

from ceir.identifiers import Imei, Imsi, Plmn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.codes.allowing import Limits, TooManyCodesError
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError, Proof
from ceir.registry.exports import Export
from ceir.registry.pairings import exporting
from ceir.registry.pairings.exporting import pairings
from ceir.registry.pairings.models import PairCode, Pairing
from ceir.registry.pairings.pairing import (
    Made,
    PairingError,
    PairingPolicy,
    follow,
    make_code,
    pair,
    propose_release,
    release,
    sweep,
)
from ceir.registry.proposals.deciding import decide
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import NotYoursError
from ceir.registry.registrations.registering import register_own
from ceir.registry.standing import Standing
from ceir.registry.subscribers.reporting import Holder, report_end, report_line

PAIRS = PairingPolicy(places=3)
LISTED = Standing(listed=("shared_identity",))


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()


def told(n: int, sim: int = 0, holder: str = "", at: datetime = NOW, plmn: Plmn = PLMN) -> None:
    """The operator tells the SIM of number `n`."""
    operator = actor(Role.OPERATOR) if plmn is PLMN else actor(Role.OPERATOR, "op2", "operator2")
    report_line(
        number(n),
        Imsi(f"{plmn.prefix}{sim or n:010}"),
        holder=Holder.read(holder) if holder else None,
        plmns=(plmn,),
        actor=operator,
        at=at,
    )


def code_for(serial: int = 1, at: datetime = NOW) -> Made:
    return make_code(
        imei(serial), proof=None, draw=counted_draw(), policy=PAIRS, actor=actor(Role.OFFICER), at=at
    )


def paired(
    code: str,
    n: int = 1,
    serial: int = 1,
    *,
    proof: Proof | None = None,
    at: datetime = NOW,
    limits: Limits = Limits(),  # noqa: B008
    policy: PairingPolicy = PAIRS,
) -> Pairing:
    return pair(
        imei(serial),
        code,
        proof=proof or proof_of(Purpose.PAIRING, n, at=at),
        standing_of=standing_of,
        policy=policy,
        actor=somebody(n),
        at=at,
        limits=limits,
    )


def rows(at: datetime = NOW) -> list[tuple[str, ...]]:
    return list(pairings(at))


def row(n: int, sim: int = 0, serial: int = 1, plmn: str = "11101") -> tuple[str, ...]:
    return (imei(serial).digits, f"{plmn}{sim or n:010}", number(n).digits)


def test_a_pairing_reaches_the_list_once_the_operator_told_the_sim() -> None:
    assert paired(code_for().text.lower()).state == "in_force"
    assert rows() == []
    told(1)
    assert rows() == [row(1)]
    verify()


def test_a_new_sim_and_a_new_operator_take_the_place_of_the_old_ones() -> None:
    told(1)
    paired(code_for().text)
    told(1, 77)
    assert rows() == [row(1, 77)]
    told(1, 88, plmn=OTHER_PLMN)
    assert rows() == [row(1, 88, plmn="11102")]


def test_a_number_that_is_somebody_elses_now_is_paired_no_more() -> None:
    told(1, holder="AB123456")
    paired(code_for().text)
    told(1, 77, holder="XY987654", at=NOW + timedelta(days=1))
    assert rows(NOW + timedelta(days=1)) == []


def test_the_same_person_takes_his_place_along_to_a_new_number_and_nobody_else_does() -> None:
    STANDINGS[imei(1)] = LISTED
    told(1, holder="AB123456")
    pairing = paired(code_for().text)
    decide(Proposal.objects.get().pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    told(2, holder="AB123456")
    told(3, holder="XY987654")
    for n in (3, 1):
        with pytest.raises(PairingError):
            follow(imei(1), proof=proof_of(Purpose.PAIRING, n), actor=somebody(n), at=NOW)
    report_end(number(1), actor=actor(Role.OPERATOR), at=NOW)
    assert rows() == []
    followed = follow(imei(1), proof=proof_of(Purpose.PAIRING, 2), actor=somebody(2), at=NOW)
    assert (followed.pk, followed.place) == (pairing.pk, 1)
    assert rows() == [row(2)]


def test_two_unnamed_people_are_never_the_same() -> None:
    told(1)
    told(2)
    paired(code_for().text)
    with pytest.raises(PairingError):
        follow(imei(1), proof=proof_of(Purpose.PAIRING, 2), actor=somebody(2), at=NOW)


def test_equipment_has_so_many_places_and_a_released_one_is_free_again() -> None:
    code = code_for().text
    made = [paired(code, n) for n in (1, 2, 3)]
    with pytest.raises(PairingError, match="3 numbers already"):
        paired(code, 4)
    with pytest.raises(PairingError, match="with this number already"):
        paired(code, 1)
    release(made[1].pk, proof=proof_of(Purpose.PAIRING, 2), actor=somebody(2), at=NOW)
    assert paired(code, 4).place == 2


def test_the_place_of_an_ended_line_is_kept_until_somebody_needs_it_or_it_is_long_ago() -> None:
    for n in (1, 2, 3):
        told(n)
    code = code_for().text
    for n in (1, 2, 3):
        paired(code, n)
    report_end(number(2), actor=actor(Role.OPERATOR), at=NOW)
    assert paired(code, 4).place == 2
    report_end(number(3), actor=actor(Role.OPERATOR), at=NOW)
    assert sweep(PAIRS, NOW + timedelta(days=89)) == 0
    assert sweep(PAIRS, NOW + timedelta(days=90)) == 1


def test_a_pairing_of_listed_equipment_waits_for_a_second_person() -> None:
    told(1)
    STANDINGS[imei(1)] = LISTED
    pairing = paired(code_for().text)
    assert (pairing.state, rows()) == ("proposed", [])
    proposal = Proposal.objects.get()
    assert "shared_identity" in proposal.reason
    for role in (Role.CONSUMER, Role.OFFICER, Role.OPERATOR):
        with pytest.raises(PermissionDeniedError):
            decide(proposal.pk, accept=True, actor=actor(role, f"x-{role.value}"), reason="seen", at=NOW)
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="receipt", at=NOW)
    assert rows() == [row(1)]


def test_a_refused_pairing_frees_its_place_also_when_it_was_released_meanwhile() -> None:
    STANDINGS[imei(1)] = LISTED
    code = code_for().text
    first, second = paired(code, 1), paired(code, 2)
    release(second.pk, proof=proof_of(Purpose.PAIRING, 2), actor=somebody(2), at=NOW)
    for proposal in Proposal.objects.all():
        decide(proposal.pk, accept=False, actor=actor(Role.REVIEWER), reason="no", at=NOW)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("refused", "released")
    assert paired(code, 3).place == 1


def test_stolen_equipment_is_not_paired_and_its_pairings_leave_the_list_while_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(1)
    code = code_for().text
    paired(code)
    stolen = [(imei(1).printed, "20261120", "blacklist"), ("ABC", "", ""), (imei(2).digits, "", "recovered")]
    cases = Export("stolen", "For tests.", ("imei", "reporting_date", "status"), lambda _: iter(stolen))
    monkeypatch.setattr(exporting, "all_exports", lambda: MappingProxyType({"stolen": cases}))
    assert rows() == []
    stolen[0] = (imei(1).digits, "20261120", "recovered")
    assert rows() == [row(1)]
    STANDINGS[imei(1)] = Standing(missing=True)
    with pytest.raises(PairingError, match="stolen or lost"):
        paired(code, 2)


def test_the_holder_of_a_device_makes_its_code_and_ends_its_pairings_and_a_stranger_does_not() -> None:
    registered = proof_of(Purpose.REGISTRATION, 1)
    register_own(phone(1), proof=registered, policy=POLICY, asks=ASKS, actor=somebody(1), at=NOW)

    def by(n: int) -> Made:
        proof = proof_of(Purpose.PAIRING, n)
        return make_code(imei(1), proof=proof, draw=counted_draw(), policy=PAIRS, actor=somebody(n), at=NOW)

    with pytest.raises(NotYoursError):
        by(2)
    with pytest.raises(NotYoursError):
        make_code(imei(1), proof=None, draw=counted_draw(), policy=PAIRS, actor=actor(Role.OPERATOR), at=NOW)
    pairing = paired(by(1).text, 2)
    for pairing_id in (pairing.pk, 10**9):
        with pytest.raises(PairingError):
            release(pairing_id, proof=proof_of(Purpose.PAIRING, 3), actor=somebody(3), at=NOW)
    release(pairing.pk, proof=proof_of(Purpose.PAIRING, 1), actor=somebody(1), at=NOW)


def test_nobody_ends_anothers_pairing_alone() -> None:
    told(1)
    pairing = paired(code_for().text)
    reason = "asked at the counter"
    for who in (actor(Role.CONSUMER), actor(Role.OPERATOR, "op2", "operator2")):
        with pytest.raises(PairingError):
            propose_release(pairing.pk, reason=reason, actor=who, at=NOW)
    proposal = propose_release(pairing.pk, reason=reason, actor=actor(Role.OPERATOR), at=NOW)
    assert rows() == [row(1)]
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    assert rows() == []
    with pytest.raises(PairingError):
        propose_release(pairing.pk, reason=reason, actor=actor(Role.OFFICER), at=NOW)


def test_a_code_pairs_with_one_imei_for_some_days_and_a_newer_one_replaces_it() -> None:
    first = code_for()
    told_apart = set()
    for text, serial, at in (
        ("WRONG", 1, NOW),
        (first.text, 2, NOW),
        (first.text, 1, NOW + timedelta(days=30)),
    ):
        with pytest.raises(PairingError) as refused:
            paired(text, serial=serial, at=at)
        told_apart.add(str(refused.value))
    assert len(told_apart) == 1
    second = code_for()
    with pytest.raises(PairingError):
        paired(first.text)
    paired(second.text)


def test_without_a_proven_number_nothing_is_paired_and_guessing_ends() -> None:
    code = code_for().text
    with pytest.raises(CodeError):
        paired(code, proof=proof_of(Purpose.TRANSFER))
    with pytest.raises(CodeError):
        paired(code, proof=proof_of(Purpose.PAIRING, 2))
    for _ in range(3):
        with pytest.raises(PairingError):
            paired("AAAA", limits=Limits(wrong_day=3))
    with pytest.raises(TooManyCodesError):
        paired(code, limits=Limits(wrong_day=3))


def test_a_placeholder_can_be_paired_for_many_share_it_and_each_needs_his() -> None:
    digits = Imei("99999999999999")
    told(1)
    made = make_code(digits, proof=None, draw=counted_draw(), policy=PAIRS, actor=actor(Role.OFFICER), at=NOW)
    proof = proof_of(Purpose.PAIRING)
    pair(digits, made.text, proof=proof, standing_of=standing_of, policy=PAIRS, actor=somebody(), at=NOW)
    assert rows() == [("99999999999999", f"11101{1:010}", number(1).digits)]


def test_neither_codes_nor_numbers_are_kept_in_clear() -> None:
    told(1)
    made = code_for()
    paired(made.text)
    kept = repr(list(PairCode.objects.values())) + repr(list(Pairing.objects.values()))
    kept += repr(list(Entry.objects.values())) + repr(made)
    for secret in (made.text, number(1).digits, f"11101{1:010}"):
        assert secret not in kept


@pytest.mark.parametrize("text", ["", "\0", "'; DROP TABLE x", "x" * 9999, "\ud800", "<b>"])
def test_hostile_codes_are_wrong_codes(text: str) -> None:
    code_for()
    with pytest.raises(PairingError):
        paired(text)


@pytest.mark.django_db(transaction=True)
def test_of_several_who_want_the_last_place_at_once_one_has_it() -> None:
    need_postgresql()
    code = code_for().text
    paired(code, 1)
    paired(code, 2)
    proofs = {n: proof_of(Purpose.PAIRING, n) for n in range(3, 9)}
    came_to = at_once(*(partial(paired, code, n, proof=proof) for n, proof in proofs.items()))
    assert sorted(type(one).__name__ for one in came_to) == ["Pairing"] + ["PairingError"] * 5
    assert set(Pairing.objects.values_list("place", flat=True)) == {1, 2, 3}
    assert Pairing.objects.count() == 3
    verify()


@pytest.mark.django_db(transaction=True)
def test_of_several_codes_made_at_once_for_one_device_one_counts() -> None:
    need_postgresql()
    officers = [actor(Role.OFFICER, f"o{n}") for n in range(6)]
    draws = [counted_draw() for _ in officers]
    came_to = at_once(
        *(
            partial(make_code, imei(1), proof=None, draw=draw, policy=PAIRS, actor=who, at=NOW)
            for who, draw in zip(officers, draws, strict=True)
        )
    )
    assert {type(one) for one in came_to} <= {Made, PairingError}
    assert any(isinstance(one, Made) for one in came_to)
    assert PairCode.objects.filter(withdrawn_at=None).count() == 1
    verify()
