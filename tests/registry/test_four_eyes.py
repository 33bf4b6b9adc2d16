"""What makes a device blocked or permitted takes two people of two roles."""

from datetime import datetime, timedelta

import pytest
from people import NOW, actor

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import RULES, Permission, PermissionDeniedError, matrix, require
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.audit.models import Entry
from ceir.registry.proposals import deciding
from ceir.registry.proposals.deciding import (
    FourEyesError,
    ProposalError,
    ProposalKind,
    decide,
    expire,
    propose,
    seen_by,
    withdraw,
)
from ceir.registry.proposals.models import Proposal

DONE: list[str] = []
BACK: list[tuple[str, str, str]] = []


def carry_out(proposal: Proposal, by: Actor, at: datetime) -> None:
    assert by.id
    assert at == NOW
    DONE.append(proposal.subject)


KIND = ProposalKind(
    "override.begin", "For tests.", Permission.OVERRIDE_PROPOSE, Permission.PROPOSAL_DECIDE, carry_out
)

REVIEWED = ProposalKind(
    "case.reviewed", "For tests.", Permission.PROPOSAL_DECIDE, Permission.PROPOSAL_DECIDE, carry_out
)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    DONE.clear()
    monkeypatch.setattr(deciding, "all_kinds", lambda: {KIND.name: KIND, REVIEWED.name: REVIEWED})


def made(by: Role = Role.OFFICER, subject: str = "country:1") -> Proposal:
    return propose(KIND, subject, {}, actor=actor(by), reason="an emergency", at=NOW)


def test_a_second_person_of_another_role_carries_it_out_once() -> None:
    proposal = made()
    decided = decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    assert (decided.state, DONE) == ("accepted", ["country:1"])
    with pytest.raises(ProposalError, match="accepted already"):
        decide(proposal.pk, accept=True, actor=actor(Role.POLICE), reason="again", at=NOW)
    assert DONE == ["country:1"]
    assert [e.action for e in Entry.objects.all()] == ["proposal.made", "proposal.accepted"]


def test_neither_the_same_person_nor_the_same_role_decides() -> None:
    one = propose(REVIEWED, "a:1", {}, actor=actor(Role.REVIEWER, "r1"), reason="why", at=NOW)
    for login in ("r1", "r2"):
        with pytest.raises(FourEyesError):
            decide(one.pk, accept=True, actor=actor(Role.REVIEWER, login), reason="seen", at=NOW)
    assert DONE == []


def test_others_than_the_regulator_see_the_proposals_that_they_have_a_part_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = ProposalKind(
        "office.only", "For tests.", Permission.RELEASE_MANAGE, Permission.APPEAL_DECIDE, carry_out
    )
    monkeypatch.setattr(deciding, "all_kinds", lambda: {KIND.name: KIND, kind.name: kind})
    made()
    propose(kind, "release:1", {}, actor=actor(Role.OFFICER), reason="x", at=NOW)
    for role, number in ((Role.REVIEWER, 2), (Role.AUDITOR, 2), (Role.POLICE, 1), (Role.CUSTOMS, 1)):
        assert seen_by(actor(role)).count() == number
    with pytest.raises(PermissionDeniedError):
        seen_by(actor(Role.IMPORTER))


def test_a_rejected_withdrawn_or_expired_proposal_changes_nothing() -> None:
    decide(made(subject="a:1").pk, accept=False, actor=actor(Role.REVIEWER), reason="no", at=NOW)
    two = made(subject="a:2")
    with pytest.raises(ProposalError):
        withdraw(two.pk, actor=actor(Role.REVIEWER), at=NOW)
    withdraw(two.pk, actor=actor(Role.OFFICER), at=NOW)
    three = made(subject="a:3")
    late = NOW + timedelta(days=15)
    assert expire(late) == 1
    with pytest.raises(ProposalError):
        decide(three.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=late)
    assert DONE == []


def test_one_proposal_of_a_kind_waits_for_a_subject() -> None:
    made()
    with pytest.raises(ProposalError, match="waits already"):
        made()
    made(subject="country:2")


def test_who_may_not_is_refused_and_nothing_is_kept() -> None:
    for role in (Role.CONSUMER, Role.AUDITOR, Role.OPERATOR):
        with pytest.raises(PermissionDeniedError):
            made(role)
    with pytest.raises(CeirError, match="needs a reason"):
        propose(KIND, "a:1", {}, actor=actor(Role.OFFICER), reason=" ", at=NOW)
    assert Proposal.objects.count() == Entry.objects.count() == 0


def test_every_permission_has_one_rule_that_says_what_it_allows() -> None:
    assert set(RULES) == set(Permission)
    assert all(rule.doc.endswith(".") for rule in RULES.values())
    assert all(rule.roles for rule in RULES.values())
    assert set(matrix()) == set(Permission)


def test_what_is_ones_own_is_not_anothers() -> None:
    mine = actor(Role.IMPORTER, "i1", "importer-1")
    require(mine, Permission.IMPORT_SUBMIT, owner=mine.organisation)
    with pytest.raises(PermissionDeniedError):
        require(mine, Permission.IMPORT_SUBMIT, owner=-1)
    with pytest.raises(PermissionDeniedError):
        require(SYSTEM, Permission.IMPORT_SUBMIT)


def test_what_stood_until_somebody_decided_goes_back_when_he_does_not_want_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = ProposalKind(
        "override.trial",
        "For tests.",
        Permission.OVERRIDE_PROPOSE,
        Permission.PROPOSAL_DECIDE,
        carry_out,
        turned_down=lambda proposal, by, _at: BACK.append((proposal.subject, proposal.state, by.id)),
    )
    BACK.clear()
    monkeypatch.setattr(deciding, "all_kinds", lambda: {kind.name: kind})
    officer, reviewer, late = actor(Role.OFFICER), actor(Role.REVIEWER), NOW + timedelta(days=15)
    waiting = [propose(kind, f"a:{n}", {}, actor=officer, reason="why", at=NOW).pk for n in range(4)]
    decide(waiting[0], accept=False, actor=reviewer, reason="no", at=NOW)
    withdraw(waiting[1], actor=officer, at=NOW)
    decide(waiting[2], accept=True, actor=reviewer, reason="seen", at=NOW)
    assert expire(late) == 1
    expected = [
        ("a:0", "rejected", reviewer.id),
        ("a:1", "withdrawn", officer.id),
        ("a:3", "expired", "system"),
    ]
    assert expected == BACK
    assert DONE == ["a:2"]


def test_a_reason_is_as_long_as_the_record_keeps_it() -> None:
    propose(KIND, "a:1", {}, actor=actor(Role.OFFICER), reason="x" * 300, at=NOW)
    for reason in ("x" * 301, "a\0b"):
        with pytest.raises(CeirError):
            propose(KIND, "a:2", {}, actor=actor(Role.OFFICER), reason=reason, at=NOW)
    with pytest.raises(CeirError):
        decide(Proposal.objects.get().pk, accept=True, actor=actor(Role.REVIEWER), reason="x" * 301, at=NOW)
    assert DONE == []
