"""Rights take two people: one administrator alone decides nothing, whichever way round he tries."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from at_once import at_once, need_postgresql
from django.db import transaction
from people import NOW, account, actor, agreed, credentials, organisation, second

from ceir.errors import CeirError
from ceir.registry.accounts import clients, invitations, people
from ceir.registry.accounts.clients import ClientRefusedError, client_of
from ceir.registry.accounts.invitations import AccountRefusedError, InvitationRefusedError
from ceir.registry.accounts.models import Account, Client, Invitation
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError
from ceir.registry.accounts.same_person import same_person
from ceir.registry.actors import Actor, OrganisationKind, Role
from ceir.registry.audit.models import Entry
from ceir.registry.logins import identities, second_factor
from ceir.registry.organisations import entering
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import FourEyesError, all_kinds, decide, expire, propose, withdraw
from ceir.registry.proposals.models import Proposal

PASSWORD = "a heron stands in the reeds"
SECRET = "correct horse battery staple, and more of it"
ONE, TWO = "ABCDEFGH", "JKMNPQRS"


def admin() -> Actor:
    return actor(Role.ADMINISTRATOR)


def auditor() -> Actor:
    return actor(Role.AUDITOR)


def regulator() -> Organisation:
    return organisation(OrganisationKind.REGULATOR)


def asked(login: str = "amina", role: Role = Role.OFFICER, document: str = "C 1", **more: Any) -> Account:
    return people.make_account(
        regulator(), login, login, role, document=document, half=ONE, reason="she begins",
        actor=more.pop("by", None) or admin(), at=NOW, **more,
    )  # fmt: skip


def waiting(subject: str = "") -> Proposal:
    found = Proposal.objects.filter(state="open")
    return found.get(subject=subject) if subject else found.get()


def accept(by: Actor, proposal: Proposal | None = None) -> Proposal:
    return decide((proposal or waiting()).pk, accept=True, actor=by, reason="seen", at=NOW)


def program(role: Role, answers: Account, name: str) -> Client:
    every = [p for p in (Permission.ACCOUNT_MANAGE, Permission.PROPOSAL_DECIDE, Permission.STATUS_READ)
             if people_may(role, p)]  # fmt: skip
    return credentials(
        answers.organisation, name, role, every, identifier=name, secret=SECRET, responsible=answers
    )


def people_may(role: Role, permission: Permission) -> bool:
    from ceir.registry.accounts.permissions import RULES

    return role in RULES[permission].roles


# --- nothing that gives rights holds before a second person agreed


GIVING: dict[str, Callable[[Account], object]] = {
    "account.open": lambda _: asked(),
    "account.invite": lambda who: people.invite(who.pk, half=ONE, reason="x", actor=admin(), at=NOW),
    "account.role": lambda who: people.propose_role(
        who.pk, Role.REVIEWER, reason="x", actor=admin(), at=NOW
    ),
    "second_factor.reset": lambda who: second_factor.propose_reset(
        who.pk, reason="x", actor=admin(), at=NOW
    ),
    "identity.link": lambda who: identities.link(
        who.pk, "state", "citizen-7", reason="x", actor=admin(), at=NOW
    ),
    "organisation.open": lambda _: entering.enter(
        OrganisationKind.POLICE, "p9", "Police 9", reason="x", actor=admin(), at=NOW
    ),
    "client.open": lambda who: clients.make_client(
        regulator(), "p", Role.OFFICER, [Permission.STATUS_READ], identifier="p", half=SECRET[:22],
        responsible=who.pk, reason="x", actor=admin(), at=NOW,
    ),
    "client.secret": lambda who: clients.propose_secret(
        program(Role.OFFICER, who, "p").pk, half=SECRET[:22], overlap=timedelta(0), reason="x",
        actor=admin(), at=NOW,
    ),
    "client.scopes": lambda who: clients.set_scopes(
        program(Role.OFFICER, who, "p").pk, [Permission.CASE_READ], reason="x", actor=admin(), at=NOW
    ),
    "client.certificates": lambda who: (
        clients.bind_to_certificates(
            program(Role.OFFICER, who, "p").pk, ["A" * 43], reason="x", actor=admin(), at=NOW
        ),
        clients.bind_to_certificates(Client.objects.get().pk, [], reason="x", actor=admin(), at=NOW),
    ),
}  # fmt: skip


def test_every_kind_that_gives_rights_is_tried_here() -> None:
    assert set(GIVING) == {name for name, kind in all_kinds().items() if kind.gives_rights}
    for name in GIVING:
        assert all_kinds()[name].may_decide is Permission.RIGHTS_CONFIRM


@pytest.mark.parametrize("kind", sorted(GIVING))
def test_what_gives_rights_waits_for_another_administrator_or_an_auditor(kind: str) -> None:
    who = account(Role.OFFICER, "fatou")
    GIVING[kind](who)
    proposal = Proposal.objects.get(state="open")
    assert proposal.kind == kind
    for by in (admin(), actor(Role.OFFICER), actor(Role.REVIEWER), actor(Role.POLICE)):
        with pytest.raises(PermissionDeniedError):
            accept(by, proposal)
    assert Proposal.objects.get(pk=proposal.pk).state == "open"
    for nobody in (Role.OFFICER, Role.AUDITOR):
        with pytest.raises(CeirError):
            propose(all_kinds()[kind], "x:1", {}, actor=actor(nobody), reason="x", at=NOW)
    accept(auditor(), proposal)


@pytest.mark.parametrize("kind", sorted(GIVING))
def test_what_nobody_agreed_to_gives_nothing(kind: str) -> None:
    who = account(Role.OFFICER, "fatou")
    password, before = who.password, who.role
    GIVING[kind](who)
    later = NOW + timedelta(days=15)
    assert expire(later) == 1
    who.refresh_from_db()
    assert (who.password, who.role) == (password, before)
    assert not Account.objects.filter(login="amina", is_active=True).exists()
    assert not Organisation.objects.filter(code="p9", active=True).exists()
    assert not Client.objects.exclude(first_half=None).exists()
    assert not Invitation.objects.exists()
    assert identities.account_of("state", "citizen-7") is None
    if kind == "client.certificates":
        assert Client.objects.get().certificates == ["A" * 43]
    if kind == "client.scopes":
        assert Client.objects.get().scopes == []


@pytest.mark.parametrize("kind", ["account.invite", "account.role", "second_factor.reset", "identity.link"])
def test_nobody_has_a_say_in_his_own_rights(kind: str) -> None:
    other = account(Role.ADMINISTRATOR, "administrator-2")
    GIVING[kind](other) if kind != "account.role" else people.propose_role(
        other.pk, Role.REVIEWER, reason="x", actor=admin(), at=NOW
    )
    with pytest.raises(FourEyesError, match="own rights"):
        accept(second())
    accept(auditor())


# --- one person with several accounts is one pair of eyes


def test_a_person_is_known_by_document_mail_address_or_by_what_somebody_said() -> None:
    first, other = account(Role.OFFICER, "a"), account(Role.REVIEWER, "b")
    assert not same_person(first.actor.id, other.actor.id)
    for change in ({"document_key": "C1"}, {"email": "Binta@example.org"}):
        Account.objects.filter(pk=first.pk).update(**change)
        Account.objects.filter(pk=other.pk).update(**{k: v.lower() if k == "email" else v
                                                      for k, v in change.items()})  # fmt: skip
        assert same_person(first.actor.id, other.actor.id)
        Account.objects.update(document_key=None, email="")
    third = account(Role.POLICE, "c")
    people.say_same_person(first.pk, other.pk, reason="seen", actor=auditor(), at=NOW)
    people.say_same_person(other.pk, third.pk, reason="seen", actor=auditor(), at=NOW)
    assert same_person(first.actor.id, third.actor.id)
    assert same_person(third.actor.id, first.actor.id)
    with pytest.raises(AccountRefusedError, match="already"):
        people.say_same_person(third.pk, first.pk, reason="x", actor=auditor(), at=NOW)
    with pytest.raises(PermissionDeniedError):
        people.say_same_person(first.pk, auditor_account().pk, reason="x", actor=first.actor, at=NOW)
    assert not same_person("system", "system:1")
    assert not same_person(first.actor.id, "account:999999")


def auditor_account() -> Account:
    return account(Role.AUDITOR)


def test_nobody_decides_what_his_other_account_proposed() -> None:
    officer, reviewer = account(Role.OFFICER), account(Role.REVIEWER)
    from ceir.registry.releases.overriding import BEGIN

    proposal = propose(BEGIN, "country:1", {}, actor=officer.actor, reason="x", at=NOW)
    people.say_same_person(officer.pk, reviewer.pk, reason="twins they are not", actor=auditor(), at=NOW)
    with pytest.raises(FourEyesError, match="by another account"):
        decide(proposal.pk, accept=True, actor=reviewer.actor, reason="x", at=NOW)


def test_an_administrator_who_is_also_an_auditor_is_no_second_person() -> None:
    Account.objects.filter(pk=account(Role.ADMINISTRATOR).pk).update(document_key="C9")
    Account.objects.filter(pk=auditor_account().pk).update(document_key="C9")
    asked()
    with pytest.raises(FourEyesError):
        accept(auditor())
    accept(second())


def test_nobody_of_the_office_gets_a_second_account() -> None:
    asked()
    accept(second())
    for role in (Role.REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(AccountRefusedError, match="in use already"):
            asked(f"amina-{role.value}", role, document="c1")
    people.put_out_of_use(Account.objects.get(login="amina").pk, reason="left", actor=admin(), at=NOW)
    asked("amina-2", Role.REVIEWER, document="C1")
    accept(second())
    with pytest.raises(AccountRefusedError, match="in use already"):
        people.propose_in_use(Account.objects.get(login="amina").pk, reason="back", actor=admin(), at=NOW)
    assert not Account.objects.filter(login__startswith="amina-r").exists()


def test_two_that_wait_for_one_person_do_not_both_come_into_use() -> None:
    asked("one")
    asked("two", Role.REVIEWER)
    first, last = Proposal.objects.order_by("pk")
    accept(second(), first)
    with pytest.raises(AccountRefusedError, match="in use already"), transaction.atomic():
        accept(second(), last)


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_for_one_person_accepted_at_once_one_comes_into_use() -> None:
    need_postgresql()
    asked("one")
    asked("two", Role.REVIEWER)
    first, last = Proposal.objects.order_by("pk")
    by = second(), auditor()
    came_to = at_once(partial(accept, by[0], first), partial(accept, by[1], last))
    assert sorted(type(one).__name__ for one in came_to) == ["AccountRefusedError", "Proposal"]
    assert Account.objects.filter(login__in=("one", "two"), is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_several_who_agree_at_once_one_is_the_second_person() -> None:
    need_postgresql()
    asked()
    proposal = waiting()
    by = second(), auditor(), actor(Role.AUDITOR, "auditor-2")
    came_to = at_once(*(partial(accept, who, proposal) for who in by))
    assert sorted(type(one).__name__ for one in came_to) == ["Proposal", "ProposalError", "ProposalError"]
    assert Invitation.objects.get().given_by == Proposal.objects.get().decided_by


# --- programs


def test_a_program_is_the_person_who_answers_for_it() -> None:
    officer = account(Role.OFFICER)
    one, two = program(Role.OFFICER, officer, "one"), program(Role.REVIEWER, officer, "two")
    from ceir.registry.releases.overriding import BEGIN

    proposal = propose(BEGIN, "country:1", {}, actor=one.actor, reason="x", at=NOW)
    with pytest.raises(FourEyesError):
        decide(proposal.pk, accept=True, actor=two.actor, reason="x", at=NOW)
    Client.objects.filter(pk=two.pk).update(responsible=None)
    with pytest.raises(FourEyesError, match="Nobody is known to answer"):
        decide(proposal.pk, accept=True, actor=two.actor, reason="x", at=NOW)
    assert Proposal.objects.get(pk=proposal.pk).state == "open"


def test_a_program_is_no_second_person_for_rights_and_its_own_person_neither() -> None:
    mine = program(Role.ADMINISTRATOR, account(Role.ADMINISTRATOR), "mine")
    theirs = program(Role.ADMINISTRATOR, account(Role.ADMINISTRATOR, "administrator-4"), "theirs")
    asked(by=mine.actor)
    with pytest.raises(FourEyesError, match="by people"):
        accept(theirs.actor)
    with pytest.raises(FourEyesError):
        accept(admin())
    accept(second())


def test_a_program_needs_somebody_of_its_organisation_who_answers_for_it() -> None:
    for responsible in (account(Role.POLICE).pk, 999_999):
        with pytest.raises(ClientRefusedError, match="answers"):
            clients.make_client(
                regulator(), "p", Role.OFFICER, [], identifier="p", half=SECRET, responsible=responsible,
                reason="x", actor=admin(), at=NOW,
            )  # fmt: skip


# --- neither of the two has the whole of a code or a secret


def test_neither_of_two_administrators_can_come_in_as_whom_they_let_in() -> None:
    who = asked()
    with pytest.raises(AccountRefusedError):
        invitations.hand_out(who.pk, half=TWO, actor=admin(), at=NOW)
    accept(second())
    with pytest.raises(AccountRefusedError):
        invitations.hand_out(who.pk, half=TWO, actor=admin(), at=NOW)
    with pytest.raises(InvitationRefusedError):
        invitations.accept("amina", ONE, PASSWORD, at=NOW)
    invitations.hand_out(who.pk, half=TWO, actor=second(), at=NOW)
    for half in (ONE + ONE, TWO + TWO, TWO + ONE, ONE, TWO):
        with pytest.raises(InvitationRefusedError):
            invitations.accept("amina", half, PASSWORD, at=NOW)
    assert invitations.accept("amina", ONE + TWO, PASSWORD, at=NOW).pk == who.pk
    assert ONE not in json.dumps([str(entry) for entry in Entry.objects.values()])


def test_whoever_asked_for_a_code_does_not_become_its_second_person_by_another_proposal() -> None:
    who = account(Role.OFFICER, "fatou")
    people.invite(who.pk, half=ONE, reason="x", actor=second(), at=NOW)
    people.put_out_of_use(who.pk, reason="x", actor=admin(), at=NOW)
    opening = people.propose_in_use(who.pk, reason="x", actor=admin(), at=NOW)
    accept(second(), opening)
    with pytest.raises(AccountRefusedError):
        invitations.hand_out(who.pk, half=TWO, actor=second(), at=NOW)
    assert not Invitation.objects.filter(account=who).exists()


def test_whoever_asked_for_a_secret_does_not_become_its_second_person_by_another_proposal() -> None:
    made = program(Role.OFFICER, account(Role.OFFICER), "p")
    clients.propose_secret(
        made.pk, half=SECRET[:22], overlap=timedelta(0), reason="x", actor=second(), at=NOW
    )
    clients.put_out_of_use(made.pk, reason="x", actor=admin(), at=NOW)
    opening = clients.propose_in_use(made.pk, reason="x", actor=admin(), at=NOW)
    accept(second(), opening)
    with pytest.raises(ClientRefusedError):
        clients.hand_out(made.pk, half=SECRET[:22], actor=second(), at=NOW)
    assert client_of("p", SECRET, NOW).pk == made.pk


def test_half_a_secret_opens_nothing_and_the_second_half_is_given_once() -> None:
    made = program(Role.OFFICER, account(Role.OFFICER), "p")
    for wrong in (SECRET[:22], SECRET[22:], SECRET[22:] + SECRET[:22]):
        with pytest.raises(ClientRefusedError):
            client_of("p", wrong, NOW)
    with pytest.raises(ClientRefusedError):
        clients.hand_out(made.pk, half=SECRET[22:], actor=second(), at=NOW)


# --- what takes away needs one


def test_one_administrator_puts_accounts_programs_and_organisations_out_of_use_at_once() -> None:
    who, made = account(Role.OFFICER, "fatou"), program(Role.OFFICER, account(Role.OFFICER), "p")
    lab = organisation(OrganisationKind.LAB)
    people.put_out_of_use(who.pk, reason="left", actor=admin(), at=NOW)
    clients.put_out_of_use(made.pk, reason="lost", actor=admin(), at=NOW)
    entering.put_out_of_use(lab.pk, reason="closed", actor=admin(), at=NOW)
    clients.set_scopes(made.pk, [], reason="less", actor=admin(), at=NOW)
    assert not Proposal.objects.filter(state="open").exists()
    for row in (who, made, lab):
        row.refresh_from_db()
    assert (who.is_active, made.active, lab.active, made.scopes) == (False, False, False, [])


def test_of_a_change_of_scopes_what_is_taken_away_is_gone_and_the_rest_waits() -> None:
    made = program(Role.REVIEWER, account(Role.REVIEWER), "p")
    wanted = [Permission.STATUS_READ, Permission.CASE_READ]
    clients.set_scopes(made.pk, wanted, reason="x", actor=admin(), at=NOW)
    assert Client.objects.get(pk=made.pk).scopes == ["status.read"]
    assert agreed(made.actor.id) == ["client.scopes"]
    assert Client.objects.get(pk=made.pk).scopes == ["case.read", "status.read"]


def test_a_role_that_changed_meanwhile_is_not_changed_by_an_old_proposal() -> None:
    who = account(Role.OFFICER, "fatou")
    people.propose_role(who.pk, Role.REVIEWER, reason="x", actor=admin(), at=NOW)
    Account.objects.filter(pk=who.pk).update(role=Role.AUDITOR.value)
    with pytest.raises(AccountRefusedError, match="another role"), transaction.atomic():
        accept(second())


def test_what_is_taken_back_leaves_no_code_behind() -> None:
    who = asked()
    withdraw(waiting().pk, actor=admin(), at=NOW)
    assert not Invitation.objects.exists()
    assert not Account.objects.get(pk=who.pk).is_active
    people.propose_in_use(who.pk, reason="after all", actor=admin(), at=NOW)
    accept(second())
    with pytest.raises(AccountRefusedError):
        invitations.hand_out(who.pk, half=TWO, actor=second(), at=NOW)
