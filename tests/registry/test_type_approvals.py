"""Certificates: two people put models in force and take them out of force; what they rest on is kept."""

import csv
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from at_once import at_once, need_postgresql
from people import NOW, actor, organisation

from ceir.errors import CeirError
from ceir.identifiers import Tac
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.audit.chain import verify
from ceir.registry.audit.models import Entry
from ceir.registry.exports import write_exports
from ceir.registry.free_text import TextRefusedError
from ceir.registry.proposals.deciding import FourEyesError, ProposalError, decide
from ceir.registry.proposals.models import Proposal
from ceir.registry.type_approvals.certificates import (
    MOST_TACS,
    TRANSITIONS,
    CertificateRefusedError,
    CertificateStateError,
    ModelEntry,
    Wording,
    approved_tacs,
    draft,
    drop,
    redraft,
)
from ceir.registry.type_approvals.exporting import rows
from ceir.registry.type_approvals.models import Certificate, CertificateEvent, CertificateState
from ceir.registry.type_approvals.proposing import propose_extension, propose_state
from ceir.sources import all_sources

State = CertificateState
ONE, TWO, THREE = Tac("35675904"), Tac("01234567"), Tac("86004401")
WORDING = Wording(
    holder="Oppo, Ltd.",
    models=(ModelEntry("Oppo", "N1", (ONE, TWO)),),
    standards=("EN 301 511 V12.5.1", "EN 50360:2017"),
    valid_from=date(2026, 1, 1),
)
TODAY = NOW.date()


def drafted(number: str = "TA-1", wording: Wording = WORDING) -> Certificate:
    return draft(number, wording, actor=actor(Role.OFFICER), at=NOW)


def moved(certificate: Certificate, to: State, reason: str = "because") -> Certificate:
    proposal = propose_state(certificate.pk, to, actor=actor(Role.OFFICER), reason=reason, at=NOW)
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    certificate.refresh_from_db()
    return certificate


def issued(number: str = "TA-1", wording: Wording = WORDING) -> Certificate:
    return moved(drafted(number, wording), State.VALID)


def covered(day: date = TODAY) -> set[str]:
    return set(approved_tacs([ONE.digits, TWO.digits, THREE.digits], day))


def test_what_is_suspended_can_be_put_in_force_again() -> None:
    certificate = issued()
    assert covered() == {ONE.digits, TWO.digits}
    moved(certificate, State.SUSPENDED, "SAR over the limit")
    assert covered() == set()
    moved(certificate, State.VALID, "measured again")
    assert covered() == {ONE.digits, TWO.digits}
    history = [(e.before, e.after, e.reason) for e in certificate.events.all()]
    assert history == [
        ("draft", "valid", "because"),
        ("valid", "suspended", "SAR over the limit"),
        ("suspended", "valid", "measured again"),
    ]
    event = certificate.events.last()
    assert event is not None
    assert (event.asked_by, event.decided_by) == (actor(Role.OFFICER).id, actor(Role.REVIEWER).id)
    assert [e.action for e in Entry.objects.filter(subject=f"certificate:{certificate.pk}")] == [
        "approval.drafted", "approval.valid", "approval.suspended", "approval.valid",
    ]  # fmt: skip


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("to", State)
def test_a_certificate_goes_only_where_the_table_says(before: State, to: State) -> None:
    certificate = drafted()
    Certificate.objects.filter(pk=certificate.pk).update(state=before.value)
    if to in TRANSITIONS[before] and to is not State.DROPPED:
        assert moved(certificate, to).state == to.value
        return
    with pytest.raises(CertificateStateError):
        propose_state(certificate.pk, to, actor=actor(Role.OFFICER), reason="why", at=NOW)
    assert Proposal.objects.count() == CertificateEvent.objects.count() == 0


def test_one_person_alone_changes_nothing() -> None:
    certificate = drafted()
    proposal = propose_state(certificate.pk, State.VALID, actor=actor(Role.OFFICER), reason="why", at=NOW)
    for role, login in ((Role.OFFICER, ""), (Role.OFFICER, "officer-2")):
        with pytest.raises(PermissionDeniedError):
            decide(proposal.pk, accept=True, actor=actor(role, login), reason="seen", at=NOW)
    for role in (Role.POLICE, Role.CUSTOMS):
        with pytest.raises(PermissionDeniedError) as denied:
            decide(proposal.pk, accept=True, actor=actor(role), reason="seen", at=NOW)
        assert not isinstance(denied.value, FourEyesError)
    assert covered() == set()
    decide(proposal.pk, accept=False, actor=actor(Role.REVIEWER), reason="no", at=NOW)
    assert covered() == set()


def test_nobody_else_drafts_or_proposes() -> None:
    certificate = drafted()
    for role in Role:
        if role in (Role.OFFICER, Role.SYSTEM):
            continue
        who = actor(role)
        with pytest.raises(PermissionDeniedError):
            draft("TA-2", WORDING, actor=who, at=NOW)
        with pytest.raises(PermissionDeniedError):
            redraft(certificate.pk, WORDING, actor=who, at=NOW)
        with pytest.raises(PermissionDeniedError):
            drop(certificate.pk, actor=who, reason="x", at=NOW)
        with pytest.raises(PermissionDeniedError):
            propose_state(certificate.pk, State.VALID, actor=who, reason="x", at=NOW)
        with pytest.raises(PermissionDeniedError):
            propose_extension(certificate.pk, valid_until=TODAY, actor=who, reason="x", at=NOW)


def test_a_draft_that_changed_after_it_was_proposed_is_not_issued_by_that_proposal() -> None:
    certificate = drafted()
    proposal = propose_state(certificate.pk, State.VALID, actor=actor(Role.OFFICER), reason="why", at=NOW)
    other = replace(WORDING, models=(ModelEntry("Other", "X", (THREE,)),))
    redraft(certificate.pk, other, actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(CertificateStateError, match="was changed since"):
        decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    assert Proposal.objects.get().state == "open"
    assert covered() == set()
    decide(proposal.pk, accept=False, actor=actor(Role.REVIEWER), reason="changed", at=NOW)
    moved(certificate, State.VALID)
    assert covered() == {THREE.digits}


def test_only_a_draft_is_changed_or_dropped() -> None:
    officer = actor(Role.OFFICER)
    certificate = issued()
    with pytest.raises(CertificateStateError):
        redraft(certificate.pk, WORDING, actor=officer, at=NOW)
    with pytest.raises(CertificateStateError):
        drop(certificate.pk, actor=officer, reason="why", at=NOW)
    other = drafted("TA-2")
    assert drop(other.pk, actor=officer, reason="a mistake", at=NOW).state == "dropped"
    assert covered() == {ONE.digits, TWO.digits}


def test_an_extension_takes_two_people_too_and_only_adds() -> None:
    officer = actor(Role.OFFICER)
    certificate = issued(wording=replace(WORDING, valid_until=date(2026, 12, 31)))
    assert covered(date(2027, 1, 1)) == set()
    more = (ModelEntry("Oppo", "N1", (THREE,)),)
    asked = {"actor": officer, "reason": "a new variant", "at": NOW}
    with pytest.raises(CertificateRefusedError, match="cannot end"):
        propose_extension(certificate.pk, valid_until=date(2026, 6, 1), **asked)  # type: ignore[arg-type]
    with pytest.raises(CertificateRefusedError, match="adds nothing"):
        propose_extension(certificate.pk, **asked)  # type: ignore[arg-type]
    with pytest.raises(CertificateRefusedError, match="named twice"):
        propose_extension(certificate.pk, WORDING.models, **asked)  # type: ignore[arg-type]
    proposal = propose_extension(certificate.pk, more, date(2028, 12, 31), **asked)  # type: ignore[arg-type]
    assert covered() == {ONE.digits, TWO.digits}
    assert certificate.models.count() == 1
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    assert covered(date(2028, 12, 31)) == {ONE.digits, TWO.digits, THREE.digits}
    moved(certificate, State.SUSPENDED)
    with pytest.raises(CertificateStateError):
        propose_extension(certificate.pk, valid_until=date(2029, 1, 1), **asked)  # type: ignore[arg-type]


def test_an_extension_that_waited_while_the_certificate_was_suspended_does_nothing() -> None:
    certificate = issued()
    proposal = propose_extension(
        certificate.pk, (ModelEntry("Oppo", "N1", (THREE,)),), actor=actor(Role.OFFICER), reason="x", at=NOW
    )
    moved(certificate, State.SUSPENDED)
    with pytest.raises(CertificateStateError):
        decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    assert certificate.tacs.count() == 2


def test_it_counts_from_its_first_day_to_its_last() -> None:
    issued(wording=replace(WORDING, valid_from=date(2026, 3, 1), valid_until=date(2026, 3, 31)))
    counted = {day: bool(covered(day)) for day in map(date.fromisoformat, ("2026-02-28", "2026-03-01",
               "2026-03-31", "2026-04-01"))}  # fmt: skip
    assert list(counted.values()) == [False, True, True, False]
    certificate = Certificate.objects.get()
    assert [certificate.in_force_on(day) for day in counted] == [False, True, True, False]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"models": ()}, id="no model"),
        pytest.param({"standards": ()}, id="no standard"),
        pytest.param({"models": (ModelEntry("Oppo", "N1", ()),)}, id="no TAC"),
        pytest.param({"models": (ModelEntry("Oppo", "N1", (Tac("00100100"),)),)}, id="a test TAC"),
        pytest.param({"models": (ModelEntry("Oppo", "N1", (ONE, ONE)),)}, id="a TAC twice"),
        pytest.param(
            {"models": (ModelEntry("A", "1", (ONE,)), ModelEntry("B", "2", (ONE,)))}, id="a TAC of two models"
        ),
        pytest.param({"models": (ModelEntry("Oppo", " ", (ONE,)),)}, id="a model without a name"),
        pytest.param(
            {"models": (ModelEntry("O", "N", tuple(Tac(f"{35000000 + n}") for n in range(MOST_TACS + 1))),)},
            id="all models of a maker",
        ),
        pytest.param({"holder": ""}, id="no holder"),
        pytest.param({"holder": "x" * 201}, id="a long holder"),
        pytest.param({"holder": "a\x00b"}, id="a NUL byte"),
        pytest.param({"holder": "a\nb"}, id="a line end"),
        pytest.param({"holder": "\u202egnp.exe"}, id="letters turned round"),
        pytest.param({"valid_until": date(2025, 1, 1)}, id="days the wrong way round"),
    ],
)
def test_what_does_not_hold_together_is_refused_and_nothing_is_kept(change: dict[str, object]) -> None:
    with pytest.raises((CertificateRefusedError, TextRefusedError)) as refused:
        moved(drafted(wording=replace(WORDING, **change)), State.VALID)  # type: ignore[arg-type]
    assert refused.value.hint
    assert covered() == set()
    assert Proposal.objects.count() == 0


def test_sql_and_html_are_words_like_others() -> None:
    text = "Robert'); DROP TABLE type_approvals_certificate;-- <script>alert(1)</script> =1+1"
    certificate = issued("'; SELECT 1; --", replace(WORDING, holder=text))
    assert Certificate.objects.get(number="'; SELECT 1; --").holder == text
    assert certificate.tacs.count() == 2


def test_a_number_is_given_once() -> None:
    drafted()
    with pytest.raises(CertificateRefusedError, match="already"):
        drafted()


def test_the_list_for_the_pipeline_has_its_columns_and_no_drafts(tmp_path: Path) -> None:
    drafted("TA-0")
    drop(drafted("TA-00").pk, actor=actor(Role.OFFICER), reason="x", at=NOW)
    issued("TA-2", replace(WORDING, valid_until=date(2026, 12, 31), holder='Say "Oppo", Ltd.'))
    moved(issued("TA-10"), State.SUSPENDED)
    moved(issued("TA-1", replace(WORDING, models=(ModelEntry("Oppo", "N1", (ONE,)),))), State.WITHDRAWN)
    source = all_sources()["type-approvals"]
    write_exports(tmp_path, NOW)
    with (tmp_path / "type-approvals.csv").open(encoding="utf-8", newline="") as file:
        header, *found = [tuple(line) for line in csv.reader(file)]
    assert header == tuple(field.headers[0] for field in source.fields)
    assert found == list(rows(NOW)) == [
        ("01234567", "TA-10", "Oppo, Ltd.", "Oppo N1", "suspended", "20260101", ""),
        ("01234567", "TA-2", 'Say "Oppo", Ltd.', "Oppo N1", "valid", "20260101", "20261231"),
        ("35675904", "TA-1", "Oppo, Ltd.", "Oppo N1", "withdrawn", "20260101", ""),
        ("35675904", "TA-10", "Oppo, Ltd.", "Oppo N1", "suspended", "20260101", ""),
        ("35675904", "TA-2", 'Say "Oppo", Ltd.', "Oppo N1", "valid", "20260101", "20261231"),
    ]  # fmt: skip
    keys = [(row[0], row[1]) for row in found]
    assert keys == sorted(set(keys))


@pytest.mark.django_db(transaction=True)
def test_suspending_and_withdrawing_decided_at_once_leave_one_history() -> None:
    need_postgresql()
    certificate = issued()
    officer, reviewer, other = actor(Role.OFFICER), actor(Role.REVIEWER), actor(Role.REVIEWER, "r2")
    one, two = (
        propose_state(certificate.pk, to, actor=officer, reason="why", at=NOW)
        for to in (State.SUSPENDED, State.WITHDRAWN)
    )

    def accept(proposal: Proposal, who: object, at: datetime) -> object:
        return decide(proposal.pk, accept=True, actor=who, reason="seen", at=at).state  # type: ignore[arg-type]

    later = NOW + timedelta(minutes=1)
    came_to = at_once(
        lambda: accept(one, reviewer, later), lambda: accept(one, other, later),
        lambda: accept(two, reviewer, later), lambda: accept(two, other, later),
    )  # fmt: skip
    refused = [error for error in came_to if isinstance(error, CeirError)]
    assert all(isinstance(error, ProposalError | CertificateStateError) for error in refused), came_to
    certificate.refresh_from_db()
    assert certificate.state == "withdrawn"
    steps = [(e.before, e.after) for e in certificate.events.all()][1:]
    assert steps in ([("valid", "suspended"), ("suspended", "withdrawn")], [("valid", "withdrawn")])
    assert len(refused) == 4 - len(steps)
    verify()


@pytest.mark.django_db(transaction=True)
def test_the_same_number_drafted_at_once_is_one_certificate() -> None:
    need_postgresql()
    actor(Role.OFFICER)
    came_to = at_once(*(drafted for _ in range(4)))
    assert sorted(type(c).__name__ for c in came_to) == ["Certificate"] + ["CertificateRefusedError"] * 3
    assert Certificate.objects.get().tacs.count() == 2


def test_an_importer_who_holds_certificates_is_named() -> None:
    acme = organisation(OrganisationKind.IMPORTER, "acme")
    certificate = drafted(wording=replace(WORDING, holder_organisation=acme))
    assert [c.pk for c in acme.certificates.all()] == [certificate.pk]
