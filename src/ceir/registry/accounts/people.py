"""Accounts of people: made by an administrator with a code, with which the person chooses the password."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account, Invitation
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation

INVITED_FOR = timedelta(days=3)
"""For so long a code to choose a password is good."""

CODE_LETTERS = 16
"""Letters of such a code, of `codes.drawing.LETTERS`: 78 bits."""

_TRIES = 10


class AccountRefusedError(CeirError):
    """An account cannot be made or changed like that."""

    code: ClassVar[str] = "account_refused"


class InvitationRefusedError(CeirError):
    """The code to choose a password is wrong, used or too old."""

    code: ClassVar[str] = "invitation_refused"


def make_account(
    organisation: Organisation,
    login: str,
    name: str,
    role: Role,
    *,
    email: str = "",
    code: str,
    actor: Actor,
    at: datetime,
) -> Account:
    """Make an account without a password, and a code with which the person chooses one.

    Args:
        code: drawn by the caller, handed to the person, not kept.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: role and organisation do not fit, or the login is taken.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    login = free_text(login, "A login", 150, needed=True)
    name = free_text(name, "A name", 150, needed=True)
    _require_fit(role, organisation)
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise AccountRefusedError("The mail address is none.", "Leave it out, or mend it.") from error
    account = Account(
        login=login, name=name, role=role.value, email=email, organisation=organisation, created_at=at
    )
    account.set_unusable_password()
    try:
        with transaction.atomic():
            account.save(force_insert=True)
            record(actor, "account.made", f"account:{account.pk}", at=at, detail={"role": role.value})
            _invite(account, code, actor, at)
    except IntegrityError as error:
        raise AccountRefusedError(
            f"There is an account {login!r} already.", "Choose another login."
        ) from error
    return account


def invite(account_id: int, *, code: str, actor: Actor, at: datetime) -> Account:
    """Let somebody choose a new password, who forgot it; the old one ends, and so do sessions.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: there is no such account, or it is the actor's own.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        account = _locked(account_id, actor)
        account.set_unusable_password()
        account.sessions_since = at
        account.save()
        _invite(account, code, actor, at)
    return account


def accept(login: str, code: str, password: str, *, at: datetime) -> Account:
    """Choose the password of one's account with the code one was handed.

    A wrong code uses up a try for good; therefore this is a transaction of its own.

    Args:
        code: in the form in which it was drawn.

    Raises:
        InvitationRefusedError: there is no such account or code, or it was used: which, is not said.
        AccountRefusedError: the password is too easy; the code stays good.
    """
    refused = InvitationRefusedError(
        "The code is wrong or no longer good.", "Type it as it was given, or ask your administrator."
    )
    with transaction.atomic(durable=True):
        invitation = _invitation_of(login, at)
        right = (
            invitation is not None
            and Invitation.objects.filter(pk=invitation.pk, code=code, tries_left__gt=0).exists()
        )
        if invitation is not None and not right and invitation.tries_left:
            invitation.tries_left -= 1
            invitation.save()
            record(invitation.account.actor, "invitation.wrong", f"account:{invitation.account_id}", at=at)
        elif invitation is not None and right:
            account = invitation.account
            try:
                validate_password(password, account)
            except ValidationError as error:
                raise AccountRefusedError(
                    " ".join(error.messages), "12 characters or more; a sentence is easy to keep."
                ) from error
            account.set_password(password)
            account.sessions_since = at
            account.save()
            invitation.delete()
            record(account.actor, "password.chosen", f"account:{account.pk}", at=at)
            return account
    raise refused


def change_role(account_id: int, role: Role, *, reason: str, actor: Actor, at: datetime) -> Account:
    """Give somebody another role; sessions end at once.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: no such account, one's own, or the organisation does not have the role.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        account = _locked(account_id, actor)
        _require_fit(role, account.organisation)
        before, account.role, account.sessions_since = account.role, role.value, at
        account.save()
        record(actor, "account.role", f"account:{account.pk}", at=at, basis=basis,
               detail={"before": before, "now": role.value})  # fmt: skip
    return account


def set_in_use(account_id: int, *, active: bool, reason: str, actor: Actor, at: datetime) -> Account:
    """Put an account out of use, or in use again; sessions end at once.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: there is no such account, or it is the actor's own.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        account = _locked(account_id, actor)
        account.is_active, account.sessions_since = active, at
        account.save()
        done = "account.enabled" if active else "account.disabled"
        record(actor, done, f"account:{account.pk}", at=at, basis=basis)
    return account


def _invitation_of(login: str, at: datetime) -> Invitation | None:
    if "\0" in login:
        return None
    return (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("account__organisation")
        .filter(account__login__iexact=login, account__is_active=True, account__organisation__active=True)
        .filter(expires_at__gt=at, tries_left__gt=0)
        .first()
    )


def _invite(account: Account, code: str, actor: Actor, at: datetime) -> None:
    if len(code) < CODE_LETTERS:
        raise AccountRefusedError("The code is too short.", f"Draw {CODE_LETTERS} letters.")
    Invitation.objects.filter(account=account).delete()
    Invitation.objects.create(
        account=account, code=code, made_at=at, expires_at=at + INVITED_FOR, tries_left=_TRIES
    )
    record(actor, "account.invited", f"account:{account.pk}", at=at)


def _locked(account_id: int, actor: Actor) -> Account:
    account = (
        Account.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .filter(pk=account_id)
        .first()
    )
    if account is None:
        raise AccountRefusedError(f"There is no account {account_id}.", "List them.")
    if account.actor.id == actor.id:
        raise AccountRefusedError("Nobody changes his own account.", "Ask another administrator.")
    return account


def _require_fit(role: Role, organisation: Organisation) -> None:
    allowed = ROLES_OF[OrganisationKind(organisation.kind)]
    if role not in allowed or role is Role.CONSUMER:
        named = (
            ", ".join(sorted(r.value for r in allowed if r is not Role.CONSUMER)) or "nobody with an account"
        )
        raise AccountRefusedError(
            f"People of a {organisation.kind} are: {named}.", "Choose a role that fits."
        )
