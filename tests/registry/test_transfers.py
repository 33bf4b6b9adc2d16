"""Transfers: a device goes to whoever brings the code, and neither side learns the other's number."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from at_once import at_once, need_postgresql
from drawn import counted_draw
from people import NOW, actor, organisation
from world import ASKS, POLICY, STANDINGS, imei, number, phone, proof_of, somebody, standing_of

from ceir.errors import CeirError
from ceir.registry.actors import SYSTEM, Actor, OrganisationKind, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.codes.allowing import Limits, TooManyCodesError
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError, Proof
from ceir.registry.notices.models import Notice
from ceir.registry.personal.fields import Access
from ceir.registry.proposals.deciding import decide
from ceir.registry.registrations.ending import NotYoursError, give_up
from ceir.registry.registrations.exporting import associations
from ceir.registry.registrations.holding import QuotaExceededError
from ceir.registry.registrations.models import Kind, Registration, Transfer
from ceir.registry.registrations.policies import Quota, RegistrationPolicy
from ceir.registry.registrations.registering import register_own, register_traveller
from ceir.registry.registrations.submitting import Outcome, submit
from ceir.registry.registrations.transferring import Offered, TransferError, accept, expire, offer, withdraw
from ceir.registry.standing import Standing
from ceir.registry.subscribers.reporting import Holder
from ceir.registry.transitions import IllegalTransitionError


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()


def own(serial: int = 1, n: int = 1) -> Registration:
    proof = proof_of(Purpose.REGISTRATION, n)
    return register_own(phone(serial), proof=proof, policy=POLICY, asks=ASKS, actor=somebody(n), at=NOW)


def offered(serial: int = 1, n: int = 1, at: datetime = NOW) -> Offered:
    return offer(
        imei(serial),
        proof=proof_of(Purpose.TRANSFER, n, at=at),
        draw=counted_draw(),
        standing_of=standing_of,
        policy=POLICY,
        actor=somebody(n),
        at=at,
    )


def taken(
    code: str,
    n: int = 2,
    serial: int = 1,
    *,
    proof: Proof | None = None,
    at: datetime = NOW,
    policy: RegistrationPolicy = POLICY,
    limits: Limits = Limits(),  # noqa: B008
) -> Registration:
    return accept(
        imei(serial),
        code,
        proof=proof or proof_of(Purpose.TRANSFER, n, at=at),
        standing_of=standing_of,
        policy=policy,
        actor=somebody(n),
        at=at,
        limits=limits,
    )


def test_a_device_goes_to_who_brings_the_code_and_the_lists_follow() -> None:
    first = own()
    code = offered().text
    became = taken(f" {code[:4].lower()}-{code[4:]} ")
    first.refresh_from_db()
    assert (first.state, became.state, became.follows) == ("ended", "in_force", first)
    assert became.device == first.device
    assert became.person != first.person
    assert len(list(associations(NOW))) == 1
    verify()


def test_neither_number_stands_in_what_is_kept_or_returned() -> None:
    own()
    issued = offered()
    became = taken(issued.text)
    kept = repr(list(Entry.objects.values())) + repr(list(Transfer.objects.values())) + repr(vars(became))
    for secret in (number(1).digits, number(2).digits, issued.text):
        assert secret not in kept
    assert issued.text not in repr(issued)


def test_each_side_is_told_at_its_own_number_and_neither_of_the_others() -> None:
    own()
    taken(offered().text)
    told = {notice.event: notice for notice in Notice.objects.all()}
    assert set(told) == {"transfer_given", "transfer_taken"}
    access = Access(SYSTEM, NOW, "a test")
    for event, n in (("transfer_given", 1), ("transfer_taken", 2)):
        assert told[event].msisdn.reveal(access, "test:1") == number(n).digits
        words = told[event].words.reveal(access, "test:1")
        assert json.loads(words) == {"imei": imei(1).printed}
    verify()


def test_both_sides_prove_their_numbers() -> None:
    own()
    code = offered().text
    with pytest.raises(CodeError):
        taken(code, proof=proof_of(Purpose.REGISTRATION, 2))
    with pytest.raises(CodeError):
        taken(code, proof=proof_of(Purpose.TRANSFER, 3))
    with pytest.raises(NotYoursError):
        offered(n=3)
    with pytest.raises(NotYoursError):
        offered(serial=99)
    taken(code)


def test_one_refusal_says_nothing_about_what_was_wrong() -> None:
    own()
    own(5, 5)
    code = offered().text
    told = set()
    for serial, text in ((1, "WRONG"), (5, code), (99, code)):
        with pytest.raises(TransferError) as refused:
            taken(text, serial=serial)
        told.add(str(refused.value))
    assert len(told) == 1


def test_five_wrong_codes_end_an_offer_and_many_end_the_guessing() -> None:
    own()
    code = offered().text
    for _ in range(5):
        with pytest.raises(TransferError):
            taken("AAAAAAAA")
    with pytest.raises(TransferError):
        taken(code)
    assert Transfer.objects.get().state == "spent"
    offered()
    with pytest.raises(TooManyCodesError):
        taken(code, limits=Limits(wrong_day=6))


def test_an_offer_waits_for_days_and_can_be_taken_back() -> None:
    own()
    first = offered()
    late = NOW + timedelta(days=7)
    with pytest.raises(TransferError):
        taken(first.text, at=late)
    second = offered(at=late)  # nobody swept up
    stranger = proof_of(Purpose.TRANSFER, 2, at=late)
    for key in (second.transfer, 10**9):
        with pytest.raises(NotYoursError):
            withdraw(key, proof=stranger, actor=somebody(2), at=late)
    withdraw(second.transfer, proof=proof_of(Purpose.TRANSFER, at=late), actor=somebody(), at=late)
    with pytest.raises(TransferError):
        taken(second.text, at=late)
    with pytest.raises(IllegalTransitionError):
        withdraw(second.transfer, proof=proof_of(Purpose.TRANSFER, at=late), actor=somebody(), at=late)
    offered(at=late)
    assert expire(late + timedelta(days=7)) == 1


def test_a_device_is_on_offer_once() -> None:
    own()
    offered()
    with pytest.raises(TransferError, match="on offer already"):
        offered()


@pytest.mark.parametrize("standing", [Standing(listed=("duplicate",)), Standing(missing=True)])
def test_what_something_is_held_against_changes_no_hands_also_when_it_came_up_after_the_offer(
    standing: Standing,
) -> None:
    own()
    code = offered().text
    STANDINGS[imei(1)] = standing
    with pytest.raises(TransferError, match="held against"):
        taken(code)
    STANDINGS.clear()
    taken(code)
    STANDINGS[imei(1)] = standing
    with pytest.raises(TransferError, match="held against"):
        offered(n=2)


def test_who_gives_it_up_or_takes_it_himself_ends_nothing_by_mistake() -> None:
    own()
    code = offered().text
    with pytest.raises(TransferError, match="yours already"):
        taken(code, 1)
    give_up(imei(1), proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    with pytest.raises(TransferError):
        taken(code)


def test_one_person_receives_so_many() -> None:
    few = replace(POLICY, transfers=Quota(1, 365))
    own(1)
    own(2)
    taken(offered(1).text, serial=1, policy=few)
    code = offered(2).text
    with pytest.raises(QuotaExceededError):
        taken(code, serial=2, policy=few)


def test_a_travellers_device_does_not_change_hands() -> None:
    holder = Holder.read("P1234567")
    proof = proof_of(Purpose.REGISTRATION)
    register_traveller(
        phone(1), holder, proof=proof, policy=POLICY, asks=ASKS, actor=somebody(), at=NOW,
        arrival_of=lambda _: NOW.date(),
    )  # fmt: skip
    with pytest.raises(TransferError, match="traveller"):
        offered()


def test_an_importer_sells_by_code_and_only_its_own() -> None:
    shop = organisation(OrganisationKind.IMPORTER).pk
    outcome = submit(
        Kind.IMPORT, [phone(1)], organisation=shop, reason="x", policy=POLICY, asks=ASKS,
        actor=actor(Role.IMPORTER), at=NOW,
    )  # fmt: skip

    def sell(by: Actor) -> Offered:
        return offer(
            imei(1), proof=None, draw=counted_draw(), standing_of=standing_of, policy=POLICY, actor=by, at=NOW
        )

    importer = actor(Role.IMPORTER)
    with pytest.raises(TransferError, match="proposed"):
        sell(importer)
    assert outcome.proposal is not None
    decide(outcome.proposal, accept=True, actor=actor(Role.CUSTOMS), reason="seen", at=NOW)
    for by in (actor(Role.OFFICER), actor(Role.IMPORTER, "i2", "importer-2"), somebody(1)):
        with pytest.raises(NotYoursError):
            sell(by)
    became = taken(sell(importer).text)
    assert (became.kind, became.organisation) == ("person", None)


@pytest.mark.parametrize("text", ["", "\0", "'; DROP TABLE x", "x" * 9999, "\ud800", "<b>"])
def test_hostile_codes_are_wrong_codes(text: str) -> None:
    own()
    offered()
    with pytest.raises(TransferError):
        taken(text)
    assert Transfer.objects.get().tries_left == 4


def names(came_to: list[object]) -> list[str]:
    return sorted(type(one).__name__ for one in came_to)


@pytest.mark.django_db(transaction=True)
def test_of_several_who_take_one_device_at_once_one_has_it() -> None:
    need_postgresql()
    own()
    code = offered().text
    proofs = {n: proof_of(Purpose.TRANSFER, n) for n in range(2, 8)}
    came_to = at_once(*(partial(taken, code, n, proof=proof) for n, proof in proofs.items()))
    assert names(came_to) == ["Registration"] + ["TransferError"] * 5
    assert Registration.objects.filter(state="in_force").count() == 1
    assert len(list(associations(NOW))) == 1
    verify()


@pytest.mark.django_db(transaction=True)
def test_who_gives_up_what_another_takes_at_once_leaves_it_with_one_or_nobody() -> None:
    need_postgresql()
    for serial in range(1, 6):
        own(serial)
        code = offered(serial).text
        take = proof_of(Purpose.TRANSFER, 2)
        leave = proof_of(Purpose.DEVICES, 1)
        came_to = at_once(
            partial(taken, code, 2, serial, proof=take, policy=replace(POLICY, transfers=None)),
            partial(give_up, imei(serial), proof=leave, actor=somebody(1), at=NOW),
        )
        assert len([one for one in came_to if isinstance(one, CeirError)]) == 1
    verify()


@pytest.mark.django_db(transaction=True)
def test_two_people_who_exchange_their_devices_at_once_do_not_wait_for_each_other() -> None:
    need_postgresql()
    own(1, 1)
    own(2, 2)
    first, second = offered(1, 1).text, offered(2, 2).text
    two, one = proof_of(Purpose.TRANSFER, 2), proof_of(Purpose.TRANSFER, 1)
    came_to = at_once(partial(taken, first, 2, 1, proof=two), partial(taken, second, 1, 2, proof=one))
    assert names(came_to) == ["Registration", "Registration"]
    verify()


def registering(serial: int, n: int, by: Actor, policy: RegistrationPolicy = POLICY) -> partial[Registration]:
    proof = proof_of(Purpose.REGISTRATION, n, by=by)
    return partial(register_own, phone(serial), proof=proof, policy=policy, asks=ASKS, actor=by, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_several_who_register_one_imei_at_once_one_has_it() -> None:
    need_postgresql()
    came_to = at_once(*[registering(1, n, somebody(n)) for n in range(1, 7)])
    assert names(came_to) == ["IdentifierTakenError"] * 5 + ["Registration"]
    assert Registration.objects.count() == 1
    verify()


@pytest.mark.django_db(transaction=True)
def test_one_person_who_registers_many_at_once_gets_no_more_than_the_quota() -> None:
    need_postgresql()
    few = replace(POLICY, quotas={Kind.PERSON: Quota(2, 365)})
    own(50)  # the person is known, and comes to six counters with one number
    came_to = at_once(*[registering(n, 1, actor(Role.DEALER, f"dealer-{n}"), few) for n in range(6)])
    assert names(came_to) == ["QuotaExceededError"] * 5 + ["Registration"]
    verify()


@pytest.mark.django_db(transaction=True)
def test_of_batches_with_the_same_devices_at_once_each_device_is_in_one() -> None:
    need_postgresql()

    def sent(first: int, step: int) -> partial[Outcome]:
        of = actor(Role.IMPORTER, f"i{first}", f"importer-{first}")
        assert of.organisation is not None
        return partial(
            submit,
            Kind.IMPORT,
            [phone(n) for n in range(first, first + 60 * step, step)],
            organisation=of.organisation,
            reason="at sea",
            policy=POLICY,
            asks=ASKS,
            actor=of,
            at=NOW,
        )

    came_to = at_once(sent(0, 1), sent(30, 1), sent(89, -1), sent(59, -1))
    outcomes = [one for one in came_to if isinstance(one, Outcome)]
    assert len(outcomes) == 4
    assert sum(one.registered for one in outcomes) == Registration.objects.count() == 90
    assert all(one.registered + len(one.refused) == 60 for one in outcomes)
    verify()
