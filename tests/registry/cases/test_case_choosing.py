"""A report by number only: who proves the number sees its devices, not enough of them to learn an IMEI."""

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from django.db import transaction
from drawn import counted_draw
from lost import CONTACT, NUMBER, ONE, TWO, fresh, in_force, listed, police, reported, verified
from people import NOW, actor

from ceir.errors import CeirError
from ceir.identifiers import Imei, Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.models import Entry
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.choosing import (
    OfferedDevice,
    SeenDevice,
    ask_for_code,
    choose_devices,
    forget_offers,
    offer_devices,
)
from ceir.registry.cases.deadlines import pass_deadlines
from ceir.registry.cases.models import Case, CaseIdentity, Offer
from ceir.registry.cases.states import CaseError, Reporter
from ceir.registry.cases.verifying import verify
from ceir.registry.codes.proving import CodeError

TODAY = NOW.date()
MINE = SeenDevice(ONE, "Examplia", "X1", TODAY)
SECOND_SLOT = SeenDevice(TWO, "Examplia", "X1", TODAY - timedelta(days=1))
OLD = SeenDevice(Imei("35674108000003"), "Examplia", "X0", TODAY - timedelta(days=91))
FILLER = SeenDevice(Imei("0" * 14), "", "", TODAY)


def seen_with(number: Msisdn) -> Iterable[SeenDevice]:
    return [SECOND_SLOT, OLD, MINE, FILLER, MINE] if number == NUMBER else []


def me() -> Actor:
    return actor(Role.CONSUMER, "c1")


def by_number(by: Actor | None = None) -> Case:
    return reported(by=by or me(), imeis=(), msisdn=NUMBER)


def offered(case: Case, by: Actor | None = None, at=NOW) -> tuple[OfferedDevice, ...]:  # type: ignore[no-untyped-def]
    code = ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=by or me(), at=at)
    return offer_devices(NUMBER, code.text, case_id=case.pk, seen_with=seen_with, actor=by or me(), at=at)


def test_who_proves_the_number_chooses_among_its_devices() -> None:
    case = by_number()
    assert listed() == {}
    shown = offered(case)
    assert shown == (
        OfferedDevice(1, "Examplia", "X1", ONE.printed[-4:]),
        OfferedDevice(2, "Examplia", "X1", TWO.printed[-4:]),
    )
    choose_devices(case.pk, [1, 2], actor=me(), at=NOW)
    kept = fresh(case)
    assert sorted(kept.identities.values_list("imei", "proven")) == [(ONE.number, True), (TWO.number, True)]
    assert kept.number_proven_at == NOW
    assert not Offer.objects.exists()
    assert listed() == dict.fromkeys((ONE.digits, TWO.digits), "pending")
    verify(case.pk, reason="the bill fits", actor=police(), at=NOW)


def test_what_is_shown_holds_no_whole_imei() -> None:
    shown = offered(by_number())
    assert ONE.digits not in repr(shown)
    assert all(len(device.last_digits) == 4 for device in shown)
    assert not {"imei", "imsi"} & set(OfferedDevice.__dataclass_fields__)


def test_neither_a_device_of_an_earlier_holder_nor_a_filler_is_offered() -> None:
    offered(by_number())
    assert set(Offer.objects.values_list("imei", flat=True)) == {ONE.number, TWO.number}


def test_the_number_is_proven_before_anything_is_looked_up() -> None:
    asked: list[Msisdn] = []

    def looked_up(number: Msisdn) -> Iterable[SeenDevice]:
        asked.append(number)
        return [MINE]

    case = by_number()
    with pytest.raises(CodeError):
        offer_devices(NUMBER, "123456", case_id=case.pk, seen_with=looked_up, actor=me(), at=NOW)
    code = ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=me(), at=NOW)
    for n in range(5):
        with pytest.raises(CodeError):
            offer_devices(NUMBER, f"00000{n}", case_id=case.pk, seen_with=looked_up, actor=me(), at=NOW)
    with pytest.raises(CodeError):
        offer_devices(NUMBER, code.text, case_id=case.pk, seen_with=looked_up, actor=me(), at=NOW)
    assert asked == []
    assert fresh(case).number_proven_at is None


def test_a_code_is_of_one_case_one_number_and_one_person() -> None:
    mine, other = by_number(), by_number(actor(Role.CONSUMER, "c2"))
    code = ask_for_code(mine.pk, NUMBER, draw=counted_draw(), actor=me(), at=NOW)
    with pytest.raises(PermissionDeniedError):
        offer_devices(NUMBER, code.text, case_id=other.pk, seen_with=seen_with, actor=me(), at=NOW)
    with pytest.raises(CodeError):
        offer_devices(
            NUMBER, code.text, case_id=other.pk, seen_with=seen_with, actor=actor(Role.CONSUMER, "c2"), at=NOW
        )
    for number in (CONTACT, Msisdn("220000000099")):
        with pytest.raises(CaseError, match="another number"):
            ask_for_code(mine.pk, number, draw=counted_draw(), actor=me(), at=NOW)
        with pytest.raises(CaseError, match="another number"):
            offer_devices(number, code.text, case_id=mine.pk, seen_with=seen_with, actor=me(), at=NOW)
    offer_devices(NUMBER, code.text, case_id=mine.pk, seen_with=seen_with, actor=me(), at=NOW)
    with pytest.raises(CodeError):  # used
        offer_devices(NUMBER, code.text, case_id=mine.pk, seen_with=seen_with, actor=me(), at=NOW)


@pytest.mark.parametrize("numbers", [[], [3], [1, 3], [0], [-1]], ids=str)
def test_only_what_was_offered_can_be_chosen(numbers: list[int]) -> None:
    case = by_number()
    with pytest.raises(CaseError):
        choose_devices(case.pk, [1], actor=me(), at=NOW)
    offered(case)
    with pytest.raises(CaseError, match="not one of the devices offered"):
        choose_devices(case.pk, numbers, actor=me(), at=NOW)
    assert not CaseIdentity.objects.exists()


def test_an_offer_is_for_half_an_hour_and_forgotten_then() -> None:
    case = by_number()
    offered(case)
    late = NOW + timedelta(minutes=30)
    with pytest.raises(CaseError):
        choose_devices(case.pk, [1], actor=me(), at=late)
    assert forget_offers(NOW) == 0
    assert pass_deadlines(late) == 0
    assert not Offer.objects.exists()


def test_devices_stand_once_somebody_verified_the_case() -> None:
    case = verified(by=police(), imeis=(ONE,), msisdn=NUMBER)
    with pytest.raises(CaseError, match="its devices stand"):
        ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=police(), at=NOW)
    with pytest.raises(CaseError, match="its devices stand"):
        choose_devices(case.pk, [1], actor=police(), at=NOW)


def test_a_device_that_a_consumer_typed_is_not_blocked_at_once_until_the_number_shows_it_is_his() -> None:
    policy = ProvisionalBlock(reporters=frozenset(Reporter))
    case = reported(by=me(), imeis=(ONE,), msisdn=NUMBER)
    offered(case)
    choose_devices(case.pk, [2], actor=me(), at=NOW, provisional=policy)
    assert fresh(case).no_provisional_block == "number_not_proven"  # ONE was only typed
    assert in_force() == set()
    later = NOW + timedelta(minutes=5)
    offered(case, at=later)
    choose_devices(case.pk, [1], actor=me(), at=later, provisional=policy)
    assert fresh(case).no_provisional_block == ""
    assert in_force(later) == {ONE.digits, TWO.digits}


def test_a_device_of_another_open_case_of_the_same_person_is_not_chosen_again() -> None:
    reported(by=me(), imeis=(ONE,))
    case = by_number()
    offered(case)
    with pytest.raises(CaseError, match="reported this device already"):
        choose_devices(case.pk, [1], actor=me(), at=NOW)


def test_neither_code_nor_number_nor_whole_imei_of_an_offer_stands_in_the_record() -> None:
    case = by_number()
    code = ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=me(), at=NOW)
    offer_devices(NUMBER, code.text, case_id=case.pk, seen_with=seen_with, actor=me(), at=NOW)
    kept = repr(list(Entry.objects.values()))
    for secret in (code.text, NUMBER.digits, ONE.digits):
        assert secret not in kept


def test_a_stranger_is_offered_nothing() -> None:
    case = by_number()
    for stranger in (actor(Role.CONSUMER, "c2"), actor(Role.OPERATOR), actor(Role.AUDITOR), police()):
        with pytest.raises(PermissionDeniedError):
            ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=stranger, at=NOW)
        with pytest.raises(PermissionDeniedError):
            choose_devices(case.pk, [1], actor=stranger, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_wrong_code_counts_whatever_fails_around_it() -> None:
    case = by_number()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        offer_devices(NUMBER, "000000", case_id=case.pk, seen_with=seen_with, actor=me(), at=NOW)


@pytest.mark.parametrize(
    "text", ["", "'; DROP TABLE cases_case; --", "<script>alert(1)</script>", "\0", "1" * 99]
)
def test_hostile_codes_are_wrong_codes(text: str) -> None:
    case = by_number()
    with pytest.raises(CeirError):
        offer_devices(NUMBER, text, case_id=case.pk, seen_with=seen_with, actor=me(), at=NOW)
    assert Case.objects.count() == 1


def test_days_count_from_the_day_of_the_offer() -> None:
    day = date(2026, 8, 24)
    edge = SeenDevice(ONE, "E", "X", day)
    assert (TODAY - day).days == 90
    case = by_number()
    for minute, days, shown in ((0, 90, 1), (5, 89, 0)):
        at = NOW + timedelta(minutes=minute)
        code = ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=me(), at=at)
        offers = offer_devices(
            NUMBER, code.text, case_id=case.pk, seen_with=lambda _: [edge], actor=me(), at=at, seen_days=days
        )
        assert len(offers) == shown
