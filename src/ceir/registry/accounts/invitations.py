"""Codes with which people choose the password of their accounts: one half from each of the two who let them
in, so that neither of these can come in as them."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account, Invitation
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.accounts.same_person import same_person
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record

INVITED_FOR = timedelta(days=3)
"""For so long, after the second person agreed, a code to choose a password is good."""

HALF_LETTERS = 8
"""Letters of a half of such a code, of `codes.drawing.LETTERS`: 39 bits, guessed ten times at most."""

_TRIES = 10


class AccountRefusedError(CeirError):
    """An account cannot be made or changed like that."""

    code: ClassVar[str] = "account_refused"


class InvitationRefusedError(CeirError):
    """The code to choose a password is wrong, used or too old."""

    code: ClassVar[str] = "invitation_refused"


def ask(account: Account, half: str, actor: Actor, at: datetime) -> None:
    """Keep the first half of a code; it counts for nothing before a second person agreed and gave his."""
    _require_half(half)
    Invitation.objects.filter(account=account).delete()
    Invitation.objects.create(
        account=account, code=half, asked_by=actor.id, made_at=at, expires_at=at, tries_left=_TRIES
    )
    record(actor, "account.invited", f"account:{account.pk}", at=at)


def agree(account: Account, actor: Actor, at: datetime) -> None:
    """Let the second person give his half of a code that was asked for; nothing where none was."""
    invitation = Invitation.objects.filter(account=account, given_by="").first()
    if invitation is None:
        return
    if same_person(actor.id, invitation.asked_by):  # he would know both halves
        invitation.delete()
    else:
        invitation.given_by, invitation.expires_at = actor.id, at + INVITED_FOR
        invitation.save()


def drop(account_id: int) -> None:
    """Forget a code that nobody agreed to."""
    Invitation.objects.filter(account=account_id, given_by="").delete()


def hand_out(account_id: int, *, half: str, actor: Actor, at: datetime) -> Account:
    """Give the second half of a code to choose a password: by whoever agreed, to the person himself.

    Done again before the code is used, the half given before counts no more.

    Args:
        half: drawn by the caller, shown to the actor, not kept.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: he is not the second person of an invitation that is good, or it is no half.
    """
    require(actor, Permission.RIGHTS_CONFIRM)
    _require_half(half)
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(of=("self",))
            .select_related("account")
            .filter(account=account_id, given_by=actor.id, expires_at__gt=at)
            .first()
        )
        if invitation is None:
            raise AccountRefusedError(
                "You agreed to no invitation of this account that is still good.",
                "The second half is given by whoever agreed; too late: let it be asked for anew.",
            )
        invitation.second_code = half
        invitation.save()
        record(actor, "invitation.half_given", f"account:{account_id}", at=at)
        return invitation.account


def accept(login: str, code: str, password: str, *, at: datetime) -> Account:
    """Choose the password of one's account with the code whose halves one was handed.

    A wrong code uses up a try for good; therefore this is a transaction of its own.

    Args:
        code: both halves one after the other, the first one first, in the form in which they were drawn.

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
            and len(code) == 2 * HALF_LETTERS
            and Invitation.objects.filter(
                pk=invitation.pk,
                code=code[:HALF_LETTERS],
                second_code=code[HALF_LETTERS:],
                tries_left__gt=0,
            ).exists()
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


def _invitation_of(login: str, at: datetime) -> Invitation | None:
    if "\0" in login:
        return None
    return (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("account__organisation")
        .filter(account__login__iexact=login, account__is_active=True, account__organisation__active=True)
        .filter(expires_at__gt=at, tries_left__gt=0)
        .exclude(second_code=None)
        .first()
    )


def _require_half(half: str) -> None:
    if len(half) != HALF_LETTERS:
        raise AccountRefusedError("This is no half of a code.", f"Draw {HALF_LETTERS} letters.")
