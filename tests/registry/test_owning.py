"""My devices, and what is not mine."""

from collections.abc import Collection
from datetime import timedelta

import pytest
from people import NOW, actor, organisation
from world import ASKS, PLMN, POLICY, STANDINGS, imei, number, phone, proof_of, somebody

from ceir.errors import CeirError
from ceir.identifiers import Imsi, Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError
from ceir.registry.registrations.ending import NotYoursError, give_up
from ceir.registry.registrations.exporting import associations, registrations
from ceir.registry.registrations.models import Kind, Registration, Review
from ceir.registry.registrations.owning import (
    MyDevice,
    ReviewError,
    Seen,
    decide_review,
    is_sms_exempt,
    my_devices,
    not_mine,
)
from ceir.registry.registrations.registering import register_own, register_traveller
from ceir.registry.registrations.submitting import submit
from ceir.registry.subscribers.reporting import Holder, report_line
from ceir.registry.transitions import IllegalTransitionError

SEEN: dict[Msisdn, list[Seen]] = {}


def seen_with(of: Msisdn) -> Collection[Seen]:
    return SEEN.get(of, [])


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()
    SEEN.clear()


def own(serial: int = 1, n: int = 1) -> Registration:
    proof = proof_of(Purpose.REGISTRATION, n)
    return register_own(phone(serial), proof=proof, policy=POLICY, asks=ASKS, actor=somebody(n), at=NOW)


def mine(n: int = 1) -> tuple[MyDevice, ...]:
    return my_devices(proof_of(Purpose.DEVICES, n), seen_with=seen_with, actor=somebody(n), at=NOW)


def disowned(serial: int = 1, n: int = 1, remark: str = "never had it") -> Review:
    proof = proof_of(Purpose.DEVICES, n)
    return not_mine(imei(serial), remark, proof=proof, seen_with=seen_with, actor=somebody(n), at=NOW)


def test_i_see_what_is_registered_for_me_and_what_my_number_is_used_with() -> None:
    own(1)
    own(2)
    own(3, 2)
    SEEN[number(1)] = [Seen(imei(2), NOW), Seen(imei(9), NOW - timedelta(days=1))]
    devices = mine()
    assert [(d.identities, d.state, d.last_seen) for d in devices] == [
        ((imei(1),), "in_force", None),
        ((imei(2),), "in_force", NOW),
        ((imei(9),), "seen", NOW - timedelta(days=1)),
    ]
    assert devices[0].model == "N1"


def test_what_i_gave_up_or_what_is_over_is_not_shown() -> None:
    own(1)
    give_up(imei(1), proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    proof = proof_of(Purpose.REGISTRATION)
    register_traveller(
        phone(2), Holder.read("P1234567"), proof=proof, arrival_of=lambda _: NOW.date(),
        policy=POLICY, asks=ASKS, actor=somebody(), at=NOW,
    )  # fmt: skip
    assert [d.identities for d in mine()] == [(imei(2),)]
    late = NOW + timedelta(days=121)
    proof = proof_of(Purpose.DEVICES, at=late)
    assert my_devices(proof, seen_with=seen_with, actor=somebody(), at=late) == ()


def test_a_person_with_two_numbers_sees_the_same_with_both_once_the_operator_named_him() -> None:
    own(1, 1)
    own(2, 2)
    holder = Holder.read("AB123456")
    for n in (1, 2):
        report_line(
            number(n), Imsi(f"11101{n:010}"), holder=holder, plmns=(PLMN,), actor=actor(Role.OPERATOR), at=NOW
        )
    assert [d.identities for d in mine(1)] == [d.identities for d in mine(2)] == [(imei(1),), (imei(2),)]
    assert len({uid for uid, _ in associations(NOW)}) == 1


def test_nobody_sees_anothers_devices() -> None:
    own(1)
    assert mine(2) == ()
    with pytest.raises(CodeError):
        my_devices(proof_of(Purpose.DEVICES, 1), seen_with=seen_with, actor=somebody(2), at=NOW)
    with pytest.raises(CodeError):
        my_devices(proof_of(Purpose.CASE, 1), seen_with=seen_with, actor=somebody(1), at=NOW)
    for role in (Role.POLICE, Role.OPERATOR, Role.CUSTOMS):
        with pytest.raises(PermissionDeniedError):
            my_devices(proof_of(Purpose.DEVICES, 1), seen_with=seen_with, actor=actor(role), at=NOW)


def test_not_mine_opens_a_review_and_changes_nothing_by_itself() -> None:
    own(1)
    before = (list(registrations(NOW)), list(associations(NOW)))
    review = disowned()
    assert (list(registrations(NOW)), list(associations(NOW))) == before
    assert [d.in_review for d in mine()] == [True]
    with pytest.raises(ReviewError, match="said so already"):
        disowned()
    decide_review(review.pk, detach=False, reason="bought it in May", actor=actor(Role.OFFICER), at=NOW)
    assert (list(registrations(NOW)), list(associations(NOW))) == before
    assert [d.in_review for d in mine()] == [False]
    with pytest.raises(IllegalTransitionError):
        decide_review(review.pk, detach=True, reason="no", actor=actor(Role.OFFICER), at=NOW)


def test_a_detached_device_goes_on_working_as_nobodys_until_its_user_registers_it() -> None:
    first = own(1)
    before = list(registrations(NOW))
    decide_review(disowned().pk, detach=True, reason="forged", actor=actor(Role.REVIEWER), at=NOW)
    assert list(registrations(NOW)) == before
    assert [uid[:2] for uid, _ in associations(NOW)] == ["N-"]
    assert mine() == ()
    second = own(1, 2)
    assert second.device == first.device
    assert [uid[:2] for uid, _ in associations(NOW)] == ["P-"]


def test_a_device_only_seen_with_the_number_can_be_disowned_too_and_others_cannot() -> None:
    own(3, 2)
    SEEN[number(1)] = [Seen(imei(9), NOW)]
    review = disowned(9)
    assert review.registration is None
    decide_review(review.pk, detach=True, reason="clone", actor=actor(Role.OFFICER), at=NOW)
    for serial in (3, 77):
        with pytest.raises(NotYoursError):
            disowned(serial)


@pytest.mark.parametrize("text", ["a\0", "x" * 501, "\ud800", "\x1b[31m"])
def test_hostile_texts_are_refused(text: str) -> None:
    own(1)
    with pytest.raises(CeirError):
        disowned(remark=text)
    review = disowned(remark="<script>'; DROP TABLE x; --")
    with pytest.raises(CeirError):
        decide_review(review.pk, detach=True, reason=text, actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(ReviewError):
        decide_review(10**9, detach=True, reason="x", actor=actor(Role.OFFICER), at=NOW)
    for role in (Role.CONSUMER, Role.POLICE, Role.DEALER):
        with pytest.raises(PermissionDeniedError):
            decide_review(review.pk, detach=True, reason="x", actor=actor(role), at=NOW)


def test_nobody_reads_messages_on_a_fleet() -> None:
    submit(
        Kind.FLEET,
        [phone(1, "35209900")],
        organisation=organisation(OrganisationKind.IMPORTER).pk,
        reason="meters",
        sms_exempt=True,
        policy=POLICY,
        asks=ASKS,
        actor=actor(Role.OFFICER),
        at=NOW,
    )
    own(2)
    assert is_sms_exempt(imei(1, "35209900"), at=NOW)
    assert not is_sms_exempt(imei(2), at=NOW)
    assert not is_sms_exempt(imei(77), at=NOW)
