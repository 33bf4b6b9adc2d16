"""Who of an identity provider's people is whom here: said by an administrator, never guessed from a name."""

from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.logins.models import Identity


class IdentityRefusedError(CeirError):
    """An identity cannot be linked to an account."""

    code: ClassVar[str] = "identity_refused"


def link(account_id: int, provider: str, value: str, *, actor: Actor, at: datetime) -> Identity:
    """Let whoever a provider vouches for come in as an account's person.

    Args:
        value: of the claim by which the provider's people are known; kept as a keyed hash only.

    Raises:
        PermissionDeniedError: the actor may not.
        IdentityRefusedError: no such account, one's own, or the identity or the account is linked already.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    known_by = free_text(value, "An identity", 255, needed=True)
    account = Account.objects.filter(pk=account_id).first()
    if account is None or account.actor.id == actor.id:
        raise IdentityRefusedError("There is no other account of that number.", "List them.")
    try:
        with transaction.atomic():
            made = Identity.objects.create(account=account, provider=provider, value=known_by, linked_at=at)
            record(actor, "identity.linked", f"account:{account_id}", at=at, detail={"provider": provider})
    except IntegrityError as error:
        raise IdentityRefusedError(
            "The identity, or the account, is linked at this provider already.", "Unlink it first."
        ) from error
    return made


def unlink(account_id: int, provider: str, *, actor: Actor, at: datetime) -> None:
    """Let nobody come in by this provider any more.

    Raises:
        PermissionDeniedError: the actor may not.
        IdentityRefusedError: it is not linked.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        deleted, _ = Identity.objects.filter(account_id=account_id, provider=provider).delete()
        if not deleted:
            raise IdentityRefusedError("The account is not linked at this provider.", "List what is.")
        Account.objects.filter(pk=account_id).update(sessions_since=at)
        record(actor, "identity.unlinked", f"account:{account_id}", at=at, detail={"provider": provider})


def account_of(provider: str, value: str) -> Account | None:
    """Whose identity it is; None: nobody's, or of an account that is out of use."""
    found = (
        Identity.objects.select_related("account__organisation")
        .filter(provider=provider, value=value)
        .first()
    )
    if found is None or not found.account.is_active or not found.account.organisation.active:
        return None
    return found.account
