"""Who of an identity provider's people is whom here: said by an administrator, never guessed from a name."""

from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account
from ceir.registry.accounts.people import locked_account
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.logins.models import Identity
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal


class IdentityRefusedError(CeirError):
    """An identity cannot be linked to an account."""

    code: ClassVar[str] = "identity_refused"


def link(account_id: int, provider: str, value: str, *, reason: str, actor: Actor, at: datetime) -> Identity:
    """Ask that whoever a provider vouches for may come in as an account's person; it counts once a second
    person agreed.

    Args:
        value: of the claim by which the provider's people are known; kept as a keyed hash only.

    Raises:
        PermissionDeniedError: the actor may not.
        IdentityRefusedError: the identity or the account is linked already.
        AccountRefusedError: no such account, or one's own.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    known_by = free_text(value, "An identity", 255, needed=True)
    try:
        with transaction.atomic():
            account = locked_account(account_id, actor)
            made = Identity.objects.create(account=account, provider=provider, value=known_by, linked_at=at)
            wanted = {"identity": made.pk, "provider": provider}
            propose(LINK, account.actor.id, wanted, actor=actor, reason=reason, at=at)
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
        .filter(provider=provider, value=value, agreed=True)
        .first()
    )
    if found is None or not found.account.is_active or not found.account.organisation.active:
        return None
    return found.account


def _linked(proposal: Proposal, actor: Actor, at: datetime) -> None:
    if not Identity.objects.filter(pk=proposal.payload["identity"], agreed=False).update(agreed=True):
        raise IdentityRefusedError("It was unlinked meanwhile.", "Reject this.")
    record(actor, "identity.linked", proposal.subject, at=at, basis=proposal.reason,
           detail={"provider": proposal.payload["provider"]})  # fmt: skip


def _not_linked(proposal: Proposal, _actor: Actor, _at: datetime) -> None:
    Identity.objects.filter(pk=proposal.payload["identity"], agreed=False).delete()


LINK = ProposalKind(
    name="identity.link",
    doc="Let somebody whom an identity provider vouches for come in as an account's person.",
    may_propose=Permission.ACCOUNT_MANAGE,
    may_decide=Permission.RIGHTS_CONFIRM,
    carry_out=_linked,
    turned_down=_not_linked,
    gives_rights=True,
)
