"""Registrations: whose a device is, for how long, and what takes a second person."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from people import NOW, actor, organisation
from world import ASKS, POLICY, STANDINGS, imei, phone, proof_of, somebody

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import CodeError
from ceir.registry.devices.entering import IdentifierTakenError, device_of, imeis_of
from ceir.registry.devices.identifying import Identifiers, IdentifiersRefusedError
from ceir.registry.devices.models import Device, Identifier
from ceir.registry.free_text import TextRefusedError
from ceir.registry.proposals.deciding import decide
from ceir.registry.proposals.deciding import expire as expire_proposals
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import NotYoursError, expire, give_up
from ceir.registry.registrations.exporting import associations, registrations
from ceir.registry.registrations.holding import QuotaExceededError, registered_among
from ceir.registry.registrations.models import Kind, Registration, State
from ceir.registry.registrations.policies import Quota, RegistrationPolicy
from ceir.registry.registrations.registering import (
    RegistrationRefusedError,
    register_own,
    register_traveller,
)
from ceir.registry.registrations.submitting import Outcome, read_rows, submit
from ceir.registry.standing import Standing
from ceir.registry.subscribers.finding import uid_of
from ceir.registry.subscribers.reporting import Holder

PASSPORT = Holder.read("P1234567", "T. Raveller")


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()


def own(serial: int, n: int = 1, **more: object) -> Registration:
    given: dict[str, object] = {"policy": POLICY, "asks": ASKS, "actor": somebody(n), "at": NOW, **more}
    return register_own(phone(serial), proof=proof_of(Purpose.REGISTRATION, n), **given)  # type: ignore[arg-type]


def batch(kind: Kind, serials: range, **more: object) -> Outcome:
    given: dict[str, object] = {
        "organisation": organisation(OrganisationKind.IMPORTER).pk,
        "reason": "arrived by sea",
        "policy": POLICY,
        "asks": ASKS,
        "actor": actor(Role.IMPORTER),
        "at": NOW,
        **more,
    }
    return submit(kind, [phone(s) for s in serials], **given)  # type: ignore[arg-type]


def listed() -> dict[str, str]:
    return {row[0]: row[3] for row in registrations(NOW)}


def test_a_person_registers_his_device_and_both_lists_say_so() -> None:
    mine = register_own(
        Identifiers((imei(2), imei(1, "35675905"))),
        proof=proof_of(Purpose.REGISTRATION),
        policy=POLICY,
        asks=ASKS,
        actor=somebody(),
        at=NOW,
    )
    assert mine.state == "in_force"
    row = ("Oppo", "N1", "whitelist", "N1", "Oppo", "Smartphone", "LTE", str(mine.device_id))
    assert list(registrations(NOW)) == [(imei(2).digits, *row), (imei(1, "35675905").digits, *row)]
    assert mine.person_id is not None
    uid = uid_of(mine.person_id)
    assert list(associations(NOW)) == [(uid, imei(2).digits), (uid, imei(1, "35675905").digits)]
    verify()


def test_without_a_proven_number_nothing_is_registered() -> None:
    proof = proof_of(Purpose.REGISTRATION)
    for by, purpose_proof in (
        (somebody(2), proof),
        (somebody(1), proof_of(Purpose.TRANSFER, 1)),
    ):
        with pytest.raises(CodeError):
            register_own(phone(1), proof=purpose_proof, policy=POLICY, asks=ASKS, actor=by, at=NOW)
    register_own(phone(1), proof=proof, policy=POLICY, asks=ASKS, actor=somebody(1), at=NOW)
    with pytest.raises(CodeError):
        register_own(phone(2), proof=proof, policy=POLICY, asks=ASKS, actor=somebody(1), at=NOW)
    assert Device.objects.count() == Registration.objects.count() == 1


def test_a_registered_device_is_not_registered_again_and_the_holder_is_told_that_it_is_his() -> None:
    own(1)
    with pytest.raises(IdentifierTakenError, match="for you already"):
        own(1)
    with pytest.raises(IdentifierTakenError) as refused:
        own(1, 2)
    assert "for you" not in refused.value.detail
    assert "transfer" in refused.value.hint


def test_a_stolen_device_is_not_registered_but_one_that_is_only_listed_is() -> None:
    STANDINGS[imei(1)] = Standing(missing=True)
    STANDINGS[imei(2)] = Standing(listed=("not_registered",))
    with pytest.raises(RegistrationRefusedError, match="stolen or lost"):
        own(1)
    assert own(2).state == "in_force"


def test_a_person_registers_as_many_as_the_quota_allows_whatever_number_he_uses() -> None:
    few = replace(POLICY, quotas={Kind.PERSON: Quota(2, 365)})
    own(1, policy=few)
    own(2, policy=few)
    with pytest.raises(QuotaExceededError, match="there are 2"):
        own(3, policy=few)
    at_a_time = replace(POLICY, quotas={Kind.PERSON: Quota(2)})
    give_up(imei(1), proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    own(3, policy=at_a_time)
    with pytest.raises(QuotaExceededError):
        own(4, policy=few, at=NOW + timedelta(minutes=1))
    assert Device.objects.count() == 3


def test_what_was_given_up_goes_to_the_next_holder_with_its_history() -> None:
    first = own(1)
    with pytest.raises(NotYoursError):
        give_up(imei(1), proof=proof_of(Purpose.DEVICES, 2), actor=somebody(2), at=NOW)
    with pytest.raises(NotYoursError):
        give_up(imei(99), proof=proof_of(Purpose.DEVICES, 2), actor=somebody(2), at=NOW)
    give_up(imei(1), proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    assert listed() == {}
    second = own(1, 2)
    assert second.device == first.device


def test_one_identifier_of_a_device_that_nobody_holds_makes_it_another_device() -> None:
    first = register_own(
        Identifiers((imei(1), imei(2))),
        proof=proof_of(Purpose.REGISTRATION),
        policy=POLICY,
        asks=ASKS,
        actor=somebody(),
        at=NOW,
    )
    with pytest.raises(IdentifierTakenError):
        own(1, 2)
    give_up(imei(1), proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    second = own(1, 2)
    assert second.device != first.device
    assert list(listed()) == [imei(1).digits]


def test_a_travellers_device_is_registered_for_days_and_then_it_ends_by_itself() -> None:
    customs = actor(Role.CUSTOMS)
    registration = register_traveller(phone(1), PASSPORT, policy=POLICY, asks=ASKS, actor=customs, at=NOW)
    end = NOW + timedelta(days=120)
    assert registration.ends_at == end
    assert len(list(registrations(end - timedelta(seconds=1)))) == 1
    assert list(registrations(end)) == list(associations(end)) == []
    # Nobody swept up: the next holder can register it all the same.
    other = register_own(
        phone(1),
        proof=proof_of(Purpose.REGISTRATION, at=end),
        policy=POLICY,
        asks=ASKS,
        actor=somebody(),
        at=end,
    )
    assert other.device == registration.device
    registration.refresh_from_db()
    assert registration.state == State.EXPIRED.value
    assert expire(end) == 0


def test_the_sweep_ends_what_is_over_once() -> None:
    register_traveller(phone(1), PASSPORT, policy=POLICY, asks=ASKS, actor=actor(Role.CUSTOMS), at=NOW)
    own(2)
    assert expire(NOW + timedelta(days=119)) == 0
    assert expire(NOW + timedelta(days=120)) == 1
    assert expire(NOW + timedelta(days=120)) == 0
    assert Entry.objects.filter(action="registration.expired").count() == 1


def test_a_stranger_with_somebodys_passport_number_registers_nothing() -> None:
    def tried(arrival: date | None, by_number: int | None = 1) -> Registration:
        return register_traveller(
            phone(1),
            PASSPORT,
            proof=proof_of(Purpose.REGISTRATION, by_number) if by_number else None,
            arrival_of=lambda _: arrival,
            policy=POLICY,
            asks=ASKS,
            actor=somebody(),
            at=NOW,
        )

    for attempt in (lambda: tried(None), lambda: tried(NOW.date(), None)):
        with pytest.raises(RegistrationRefusedError, match="no arrival"):
            attempt()
    with pytest.raises(RegistrationRefusedError, match="are over"):
        tried(NOW.date() - timedelta(days=121))
    arrived = NOW.date() - timedelta(days=20)
    made = tried(arrived)
    assert made.ends_at is not None
    assert made.ends_at.date() == arrived + timedelta(days=120)
    with pytest.raises(QuotaExceededError):  # one device a visit, whatever number he uses
        register_traveller(phone(2), PASSPORT, policy=POLICY, asks=ASKS, actor=actor(Role.CUSTOMS), at=NOW)


def test_an_import_waits_for_customs_and_is_pending_until_then() -> None:
    outcome = batch(Kind.IMPORT, range(1, 4), reference="C-1")
    assert (outcome.registered, outcome.refused) == (3, ())
    assert set(listed().values()) == {"pending"}
    assert list(associations(NOW)) == []
    assert outcome.proposal is not None
    with pytest.raises(PermissionDeniedError):
        decide(outcome.proposal, accept=True, actor=actor(Role.IMPORTER), reason="seen", at=NOW)
    decide(outcome.proposal, accept=True, actor=actor(Role.CUSTOMS), reason="seen", at=NOW)
    assert set(listed().values()) == {"whitelist"}
    assert {uid[:2] for uid, _ in associations(NOW)} == {"O-"}
    verify()


@pytest.mark.parametrize("how", ["rejected", "expired"])
def test_what_the_second_person_refuses_frees_the_identifiers(how: str) -> None:
    outcome = batch(Kind.DIPLOMATIC, range(1, 3), actor=actor(Role.OFFICER))
    assert outcome.proposal is not None
    if how == "rejected":
        decide(outcome.proposal, accept=False, actor=actor(Role.REVIEWER), reason="no", at=NOW)
    else:
        assert expire_proposals(NOW + timedelta(days=15)) == 1
    assert listed() == {}
    assert set(Registration.objects.values_list("state", flat=True)) == {"refused"}
    assert own(1).state == "in_force"


@pytest.mark.parametrize("kind", [Kind.DIPLOMATIC, Kind.TEST])
def test_diplomatic_and_test_equipment_always_take_two_people(kind: Kind) -> None:
    tac = "00440001" if kind is Kind.TEST else "35675904"
    outcome = submit(
        kind,
        [phone(1, tac)],
        organisation=organisation(OrganisationKind.LAB).pk,
        reason="mission",
        policy=POLICY,
        asks=ASKS,
        actor=actor(Role.OFFICER),
        at=NOW,
    )
    assert outcome.proposal is not None
    assert set(listed().values()) == {"pending"}
    decide(outcome.proposal, accept=True, actor=actor(Role.REVIEWER), reason="ok", at=NOW)
    assert set(listed().values()) == {"whitelist"}
    ends_at = Registration.objects.get().ends_at
    assert ends_at == (NOW + timedelta(days=365) if kind is Kind.TEST else None)


def test_a_small_fleet_takes_one_person_and_one_cut_into_small_ones_does_not() -> None:
    policy = replace(POLICY, fleet_alone=5)
    officer = actor(Role.OFFICER)
    first = batch(Kind.FLEET, range(1, 4), policy=policy, actor=officer, sms_exempt=True)
    assert (first.registered, first.proposal) == (3, None)
    second = batch(Kind.FLEET, range(10, 13), policy=policy, actor=officer, sms_exempt=True)
    assert second.proposal is not None
    assert Registration.objects.filter(sms_exempt=True).count() == 6


def test_rows_that_are_wrong_cost_no_other_and_each_is_told() -> None:
    own(1)
    STANDINGS[imei(4)] = Standing(missing=True)
    rows = read_rows(
        [
            ((imei(1).digits,), "", ""),
            ((imei(2).digits,), "", ""),
            (("99999999999999",), "", ""),
            ((imei(4).digits,), "", ""),
            (("'; DROP TABLE x", "<b>"), "", ""),
            ((imei(2).digits,), "", ""),
            ((imei(3).digits, ""), "", ""),
            ((imei(5).digits, imei(6, "86123404").digits), "", ""),
            (("=1+1",), "", ""),
        ]
    )
    outcome = submit(
        Kind.IMPORT,
        rows,
        organisation=organisation(OrganisationKind.IMPORTER).pk,
        reason="x",
        policy=POLICY,
        asks=ASKS,
        actor=actor(Role.IMPORTER),
        at=NOW,
    )
    assert outcome.registered == 2
    assert [(one.row, one.code) for one in outcome.refused] == [
        (1, "identifier_taken"),
        (3, "identifiers_refused"),
        (4, "registration_refused"),
        (5, "invalid_identifier"),
        (6, "identifier_taken"),
        (8, "identifiers_refused"),
        (9, "invalid_identifier"),
    ]
    assert all(one.detail and one.hint for one in outcome.refused if one.code != "invalid_identifier")


def test_a_submission_without_a_good_row_leaves_nothing() -> None:
    own(1)
    before = Entry.objects.count()
    outcome = batch(Kind.IMPORT, range(1, 2))
    assert (outcome.submission, outcome.registered, len(outcome.refused)) == (None, 0, 1)
    assert Proposal.objects.count() == 0
    assert Entry.objects.count() == before


def test_an_organisations_quota_counts_what_others_submit_for_it() -> None:
    policy = replace(POLICY, quotas={Kind.IMPORT: Quota(5, 30)})
    batch(Kind.IMPORT, range(1, 5), policy=policy)
    with pytest.raises(QuotaExceededError):
        batch(Kind.IMPORT, range(11, 13), policy=policy, actor=actor(Role.OFFICER))
    batch(Kind.IMPORT, range(11, 13), policy=policy, at=NOW + timedelta(days=31))


def test_an_importer_submits_for_itself_alone() -> None:
    other = organisation(OrganisationKind.IMPORTER, "importer-2").pk
    wrong: list[Callable[[], object]] = [
        lambda: batch(Kind.IMPORT, range(1, 2), organisation=other),
        lambda: batch(Kind.IMPORT, range(1, 2), actor=actor(Role.LAB)),
        lambda: batch(Kind.IMPORT, range(1, 2), actor=actor(Role.AUDITOR)),
    ]
    for attempt in wrong:
        with pytest.raises(PermissionDeniedError):
            attempt()
    for attempt in (
        lambda: batch(Kind.PERSON, range(1, 2)),
        lambda: batch(Kind.IMPORT, range(0)),
        lambda: batch(Kind.IMPORT, range(1, 2), sms_exempt=True),
        lambda: batch(Kind.FLEET, range(1, 2), organisation=10**9, actor=actor(Role.OFFICER)),
    ):
        with pytest.raises(RegistrationRefusedError):
            attempt()
    assert Registration.objects.count() == 0


@pytest.mark.parametrize("text", ["a\0b", "x" * 1000, "\ud800", "a\x1b[2Jb", "abc\u202ecba", "a\nb"])
@pytest.mark.parametrize("name", ["reason", "reference"])
def test_hostile_texts_of_a_submission_are_refused_and_nothing_is_kept(name: str, text: str) -> None:
    with pytest.raises(TextRefusedError):
        batch(Kind.IMPORT, range(1, 2), **{name: text})
    assert Identifier.objects.count() == 0


def test_sql_and_markup_are_only_texts() -> None:
    nasty = "'; DROP TABLE registrations_registration; -- <script>alert(1)</script> {{7*7}} %s"
    outcome = batch(Kind.IMPORT, range(1, 2), reference=nasty, reason=nasty)
    assert Registration.objects.get().submission.reference == nasty
    assert Proposal.objects.get(pk=outcome.proposal).reason == nasty


def test_a_list_has_each_imei_once_however_often_its_device_changed_hands() -> None:
    for n in (1, 2, 3):
        own(1, n)
        give_up(imei(1), proof=proof_of(Purpose.DEVICES, n), actor=somebody(n), at=NOW)
    own(1)
    own(2)
    assert [row[0] for row in registrations(NOW)] == [imei(1).digits, imei(2).digits]
    assert len(list(associations(NOW))) == 2


def test_a_refusal_leaves_no_device_behind() -> None:
    refused: list[tuple[type[CeirError], Identifiers]] = [
        (IdentifiersRefusedError, Identifiers((Imei("12345678901234"),))),
        (IdentifiersRefusedError, phone(1, "00440001")),
        (IdentifiersRefusedError, phone(1, "99000862")),
    ]
    for error, identifiers in refused:
        with pytest.raises(error):
            register_own(
                identifiers,
                proof=proof_of(Purpose.REGISTRATION),
                policy=RegistrationPolicy(),
                asks=ASKS,
                actor=somebody(),
                at=NOW,
            )
    assert Device.objects.count() == 0


def test_a_device_and_its_slots_are_as_registered() -> None:
    own(7)
    assert imeis_of(device_of(imei(7))) == (imei(7),)


def test_what_is_registered_or_waits_for_it_is_told_to_who_checks_a_consignment() -> None:
    own(1)
    batch(Kind.IMPORT, range(2, 4))
    register_traveller(phone(5), PASSPORT, policy=POLICY, asks=ASKS, actor=actor(Role.CUSTOMS), at=NOW)
    numbers = [imei(n).number for n in range(1, 9)]
    assert registered_among(numbers, at=NOW) == {imei(n).number for n in (1, 2, 3, 5)}
    over = NOW + timedelta(days=120)
    assert registered_among(numbers, at=over) == {imei(n).number for n in (1, 2, 3)}
    give_up(imei(1), proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    assert imei(1).number not in registered_among(numbers, at=NOW)
