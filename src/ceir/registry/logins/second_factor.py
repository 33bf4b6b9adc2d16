"""The second factor: codes that change every half minute (RFC 6238), and recovery codes for a lost phone."""

import hmac
from datetime import datetime
from typing import ClassVar

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account
from ceir.registry.accounts.people import account_of, locked_account
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.drawing import as_typed
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal

PERIOD = 30
"""Seconds that a code counts: RFC 6238 clause 5.2; the one before and the one after count too."""

_TOTP, _RECOVERY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES


class SecondFactorError(CeirError):
    """The second factor is wrong, used already, or set up already."""

    code: ClassVar[str] = "second_factor"


def is_set_up(account: Account) -> bool:
    """Whether the account has one."""
    return Authenticator.objects.filter(user_id=account.pk, type=_TOTP).exists()


def set_up(account: Account, secret: str, typed: str, *, at: datetime) -> list[str]:
    """Bind an authenticator to an account that has none, once it gave a right code.

    Args:
        secret: base32, drawn by the caller, shown to the person.

    Returns: recovery codes, to be shown once.

    Raises:
        SecondFactorError: the code is wrong, or there is one already.
    """
    step = _step(secret, typed, at)
    if step is None:
        raise _wrong()
    try:
        with transaction.atomic():
            Authenticator.objects.create(
                user=account, type=_TOTP, data={"secret": encrypt(secret), "last_step": step}, created_at=at
            )
            codes = _new_recovery_codes(account)
            record(account.actor, "second_factor.set_up", f"account:{account.pk}", at=at)
    except IntegrityError as error:
        raise SecondFactorError(
            "There is a second factor already.", "Let an administrator ask for its reset if it is lost."
        ) from error
    return codes


def check(account: Account, typed: str, *, at: datetime) -> Authenticator:
    """Take a code of the authenticator, or a recovery code; each counts once.

    Raises:
        SecondFactorError: it is wrong, or was used.
    """
    code = as_typed(typed)
    with transaction.atomic():
        found = {
            one.type: one for one in Authenticator.objects.select_for_update().filter(user_id=account.pk)
        }
        totp = found.get(_TOTP)
        if totp is None:
            raise _wrong()
        step = _step(decrypt(totp.data["secret"]), code, at)
        if step is not None and step > totp.data.get("last_step", -1):
            totp.data["last_step"], totp.last_used_at = step, at
            totp.save()
            return totp
        spare = found.get(_RECOVERY)
        if spare is not None and len(code) > 6 and RecoveryCodes(spare).validate_code(code):
            record(account.actor, "second_factor.recovered", f"account:{account.pk}", at=at)
            return spare
    raise _wrong()


def renew_recovery_codes(account: Account, *, at: datetime) -> list[str]:
    """New recovery codes; those from before end. Returns: them, to be shown once."""
    with transaction.atomic():
        codes = _new_recovery_codes(account)
        record(account.actor, "second_factor.renewed", f"account:{account.pk}", at=at)
    return codes


def propose_reset(account_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask that the second factor of somebody who lost it be taken away: he sets up another one when he
    logs in next. It goes on until a second person agrees.

    Raises:
        PermissionDeniedError: the actor may not.
        AccountRefusedError: no such account, or one's own.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        account = locked_account(account_id, actor)
        return propose(RESET, account.actor.id, {}, actor=actor, reason=reason, at=at)


def _reset(proposal: Proposal, actor: Actor, at: datetime) -> None:
    account = account_of(proposal)
    Authenticator.objects.filter(user=account).delete()
    account.sessions_since = at
    account.save()
    record(actor, "second_factor.reset", f"account:{account.pk}", at=at, basis=proposal.reason)


RESET = ProposalKind(
    name="second_factor.reset",
    doc="Take a second factor away that was lost.",
    may_propose=Permission.ACCOUNT_MANAGE,
    may_decide=Permission.RIGHTS_CONFIRM,
    carry_out=_reset,
    gives_rights=True,
)


def _new_recovery_codes(account: Account) -> list[str]:
    Account.objects.select_for_update().get(pk=account.pk)
    Authenticator.objects.filter(user=account, type=_RECOVERY).delete()
    codes: list[str] = RecoveryCodes.activate(account).generate_codes()
    return codes


def _step(secret: str, typed: str, at: datetime) -> int | None:
    """The step whose code it is; None: of none that counts now."""
    code, now = as_typed(typed), int(at.timestamp()) // PERIOD
    found = None
    for step in (now - 1, now, now + 1):
        if hmac.compare_digest(code.encode(), format_hotp_value(hotp_value(secret, step)).encode()):
            found = step
    return found


def _wrong() -> SecondFactorError:
    return SecondFactorError("The code is wrong, or was used already.", "Wait for the next one.")
