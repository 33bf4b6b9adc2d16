"""Accounts of people. What takes rights away, one administrator does; what gives any, takes two people."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from ceir.registry.accounts import invitations
from ceir.registry.accounts.invitations import AccountRefusedError
from ceir.registry.accounts.models import OFFICE, Account
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.accounts.same_person import accounts_of, same_person
from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal


def make_account(
    organisation: Organisation,
    login: str,
    name: str,
    role: Role,
    *,
    email: str = "",
    document: str = "",
    half: str,
    reason: str,
    actor: Actor,
    at: datetime,
) -> Account:
    """Ask for an account: it is out of use until a second person agrees, who sees who it is for.

    Args:
        document: number of the person's document, by which it is known whether he has another account; the
            office's people need one. Only a keyed hash is kept.
        half: of the code with which the person chooses a password; drawn by the caller, handed to the person,
            not kept. The second person gives the other.
        reason: for the second person and the record.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: role and organisation do not fit, the login is taken, or the person has an
            account in use.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    login = free_text(login, "A login", 150, needed=True)
    name = free_text(name, "A name", 150, needed=True)
    paper = "".join(free_text(document, "A document", 100).split()).upper()
    _require_fit(role, organisation)
    if role in OFFICE and not paper:
        raise AccountRefusedError(
            "For people of the office the number of a document is needed.",
            "By it the register knows that nobody has two accounts.",
        )
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise AccountRefusedError("The mail address is none.", "Leave it out, or mend it.") from error
    account = Account(
        login=login, name=name, role=role.value, email=email, organisation=organisation, created_at=at,
        is_active=False, document_key=paper or None,
    )  # fmt: skip
    account.set_unusable_password()
    try:
        with transaction.atomic():
            account.save(force_insert=True)
            _require_only_one(account)
            record(actor, "account.made", f"account:{account.pk}", at=at, detail={"role": role.value})
            invitations.ask(account, half, actor, at)
            propose(OPEN, account.actor.id, {"role": role.value}, actor=actor, reason=reason, at=at)
    except IntegrityError as error:
        raise AccountRefusedError(
            f"There is an account {login!r} already.", "Choose another login."
        ) from error
    return account


def invite(account_id: int, *, half: str, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask that somebody who forgot his password may choose another; the old one goes on until a second person
    agrees.

    Args:
        half: of the code; as of `make_account`.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: there is no such account in use, or it is the actor's own.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        account = locked_account(account_id, actor)
        if not account.is_active:
            raise AccountRefusedError("The account is out of use.", "Let it be put in use first.")
        made = propose(INVITE, account.actor.id, {}, actor=actor, reason=reason, at=at)
        invitations.ask(account, half, actor, at)
        return made


def propose_role(account_id: int, role: Role, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask that somebody be given another role.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: no such account, one's own, or the organisation does not have the role.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        account = locked_account(account_id, actor)
        _require_fit(role, account.organisation)
        wanted = {"before": account.role, "now": role.value}
        return propose(ROLE, account.actor.id, wanted, actor=actor, reason=reason, at=at)


def propose_in_use(account_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask that an account be put in use again.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: no such account out of use, one's own, or the person has another one in use.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        account = locked_account(account_id, actor)
        if account.is_active:
            raise AccountRefusedError("The account is in use.", "There is nothing to ask for.")
        _require_only_one(account)
        return propose(OPEN, account.actor.id, {"role": account.role}, actor=actor, reason=reason, at=at)


def put_out_of_use(account_id: int, *, reason: str, actor: Actor, at: datetime) -> Account:
    """Let nobody come in by an account any more; sessions end at once. One person suffices.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: there is no such account, or it is the actor's own.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        account = locked_account(account_id, actor)
        account.is_active, account.sessions_since = False, at
        account.save()
        record(actor, "account.disabled", f"account:{account.pk}", at=at, basis=basis)
    return account


def say_same_person(account_id: int, of: int, *, reason: str, actor: Actor, at: datetime) -> Account:
    """Note that an account is the same person's as another: from now on they are one pair of eyes.

    One administrator or auditor suffices, for it gives nobody anything; it is not taken back.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: there are no two such accounts, or it is known already.
    """
    require(actor, Permission.RIGHTS_CONFIRM)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        found = {one.pk: one for one in Account.objects.select_for_update().filter(pk__in=(account_id, of))}
        account = found.get(account_id)
        if account is None or len(found) < 2:
            raise AccountRefusedError("There are no two such accounts.", "List them.")
        if of in accounts_of(account_id):
            raise AccountRefusedError("That is known already.", "Nothing has to be done.")
        # Of each group one points nowhere, so that a group is joined to another there.
        last = Account.objects.select_for_update().get(pk=_end_of(account))
        last.same_as_id = of
        last.save()
        record(actor, "account.same_person", f"account:{account_id}", at=at, basis=basis, detail={"of": of})
    return account


def locked_account(account_id: int, actor: Actor) -> Account:
    """An account that is not the actor's own person's, locked.

    Raises:
        AccountRefusedError: there is none, or it is.
    """
    account = (
        Account.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .filter(pk=account_id)
        .first()
    )
    if account is None:
        raise AccountRefusedError(f"There is no account {account_id}.", "List them.")
    if same_person(account.actor.id, actor.id):
        raise AccountRefusedError("Nobody changes his own account.", "Ask another administrator.")
    return account


def account_of(proposal: Proposal) -> Account:
    """The account that a proposal is about, locked."""
    key = proposal.subject_key
    return Account.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=key)


def _opened(proposal: Proposal, actor: Actor, at: datetime) -> None:
    # All of the person's accounts, in one order: two of them do not come into use at once.
    of_person = accounts_of(proposal.subject_key)
    list(Account.objects.select_for_update().filter(pk__in=of_person).order_by("pk").values_list("pk"))
    account = account_of(proposal)
    _require_unchanged(account, proposal.payload["role"])
    _require_only_one(account)
    account.is_active, account.sessions_since = True, at
    account.save()
    invitations.agree(account, actor, at)
    record(actor, "account.enabled", f"account:{account.pk}", at=at, basis=proposal.reason)


def _invited(proposal: Proposal, actor: Actor, at: datetime) -> None:
    account = account_of(proposal)
    if not account.is_active:
        raise AccountRefusedError("The account is out of use meanwhile.", "Reject this.")
    account.set_unusable_password()
    account.sessions_since = at
    account.save()
    invitations.agree(account, actor, at)
    record(actor, "password.ended", f"account:{account.pk}", at=at, basis=proposal.reason)


def _not_invited(proposal: Proposal, _actor: Actor, _at: datetime) -> None:
    invitations.drop(proposal.subject_key)


def _in_role(proposal: Proposal, actor: Actor, at: datetime) -> None:
    account, role = account_of(proposal), Role(proposal.payload["now"])
    _require_unchanged(account, proposal.payload["before"])
    _require_fit(role, account.organisation)
    before, account.role, account.sessions_since = account.role, role.value, at
    account.save()
    record(actor, "account.role", f"account:{account.pk}", at=at, basis=proposal.reason,
           detail={"before": before, "now": role.value})  # fmt: skip


OPEN = ProposalKind(
    name="account.open",
    doc="Let somebody have an account in a role, or have his old one again.",
    may_propose=Permission.ACCOUNT_MANAGE,
    may_decide=Permission.RIGHTS_CONFIRM,
    carry_out=_opened,
    turned_down=_not_invited,
    gives_rights=True,
)

INVITE = ProposalKind(
    name="account.invite",
    doc="Let somebody choose a new password.",
    may_propose=Permission.ACCOUNT_MANAGE,
    may_decide=Permission.RIGHTS_CONFIRM,
    carry_out=_invited,
    turned_down=_not_invited,
    gives_rights=True,
)

ROLE = ProposalKind(
    name="account.role",
    doc="Give somebody another role.",
    may_propose=Permission.ACCOUNT_MANAGE,
    may_decide=Permission.RIGHTS_CONFIRM,
    carry_out=_in_role,
    gives_rights=True,
)


def _end_of(account: Account) -> int:
    """The account at the end of a chain of those that are said to be the same."""
    while account.same_as_id is not None:
        account = Account.objects.get(pk=account.same_as_id)
    return account.pk


def _require_unchanged(account: Account, role: str) -> None:
    if account.role != role:
        raise AccountRefusedError("The account has another role meanwhile.", "Reject this, and ask anew.")


def _require_only_one(account: Account) -> None:
    """Refuse a second account in use of a person of the office."""
    if Role(account.role) not in OFFICE:
        return
    others = accounts_of(account.pk) - {account.pk}
    office = [role.value for role in OFFICE]
    if Account.objects.filter(pk__in=others, is_active=True, role__in=office).exists():
        raise AccountRefusedError(
            "This person has an account in use already: the document or the mail address is the same.",
            "Put that one out of use, or change its role.",
        )


def _require_fit(role: Role, organisation: Organisation) -> None:
    allowed = ROLES_OF[OrganisationKind(organisation.kind)]
    if role not in allowed or role is Role.CONSUMER:
        named = (
            ", ".join(sorted(r.value for r in allowed if r is not Role.CONSUMER)) or "nobody with an account"
        )
        raise AccountRefusedError(
            f"People of a {organisation.kind} are: {named}.", "Choose a role that fits."
        )
