"""Programs that act for an organisation. What gives them rights takes two people, of whom each is shown one
half of the secret, once: neither can act as the program. Of the whole only a hash is kept."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.hashers import check_password, is_password_usable, make_password
from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Account, Client
from ceir.registry.accounts.permissions import RULES, Permission, require
from ceir.registry.accounts.same_person import same_person
from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import keys
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal

CarryOut = Callable[[Proposal, Actor, datetime], None]

LONGEST_OVERLAP = timedelta(days=30)
"""For so long an old secret may go on beside a new one."""

_LEAST_HALF = 16
_MOST_HALF = 100
_MOST_SECRET = 2 * _MOST_HALF
_HALF = "client secret"
_MOST_CERTIFICATES = 5
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


class ClientRefusedError(CeirError):
    """The credentials are wrong, or what is asked for goes beyond them."""

    code: ClassVar[str] = "client_refused"


def make_client(
    organisation: Organisation,
    name: str,
    role: Role,
    scopes: Iterable[Permission],
    *,
    identifier: str,
    half: str,
    responsible: int,
    reason: str,
    actor: Actor,
    at: datetime,
) -> Client:
    """Ask for a program's credentials: they are out of use until a second person agrees.

    Args:
        scopes: what it may do; nothing that its role may not.
        identifier: drawn by the caller.
        half: the first one of the secret, drawn by the caller, shown to the actor once; whoever agrees gives
            the second one with `hand_out`.
        responsible: account of the person of the organisation who answers for what it does; to four eyes the
            program and that person are one.
        reason: for the second person and the record.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: role, scopes or who answers do not fit, the half is short, or the identifier is
            taken.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    name = free_text(name, "The name of a program", 100, needed=True)
    if role not in ROLES_OF[OrganisationKind(organisation.kind)]:
        raise ClientRefusedError(
            f"A program of a {organisation.kind} cannot act as {role.value}.", "Choose a role of its kind."
        )
    asked = _scopes_of(role, scopes)
    _require_half(half)
    if not Account.objects.filter(pk=responsible, is_active=True, organisation=organisation).exists():
        raise ClientRefusedError(
            "Who answers for the program has no account in use at its organisation.", "Name one who has."
        )
    try:
        with transaction.atomic():
            client = Client.objects.create(
                name=name,
                identifier=identifier,
                secret_hash=make_password(None),
                organisation=organisation,
                role=role.value,
                scopes=asked,
                responsible_id=responsible,
                active=False,
                first_half=keys().encrypt(_HALF, half),
                asked_by=actor.id,
                created_at=at,
            )
            record(actor, "client.made", f"client:{client.pk}", at=at,
                   detail={"scopes": asked, "responsible": responsible})  # fmt: skip
            propose(OPEN, client.actor.id, {"scopes": asked}, actor=actor, reason=reason, at=at)
    except IntegrityError as error:
        raise ClientRefusedError(f"There is a client {identifier} already.", "Draw another one.") from error
    return client


def propose_secret(
    client_id: int, *, half: str, overlap: timedelta, reason: str, actor: Actor, at: datetime
) -> Proposal:
    """Ask for a new secret of a program; the one before goes on until both halves of the new one are given,
    and then for a while, so that nothing stands still.

    Args:
        half: as of `make_client`.
        overlap: how long the one before goes on, 0 to `LONGEST_OVERLAP`; one before that ends at once.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client, or the overlap or the half is none.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    _require_half(half)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ClientRefusedError(
            "An old secret cannot go on for that long.", f"0 to {LONGEST_OVERLAP.days} days."
        )
    with transaction.atomic():
        client = _locked(client_id)
        made = propose(SECRET, client.actor.id, {}, actor=actor, reason=reason, at=at)
        client.first_half = keys().encrypt(_HALF, half)
        client.asked_by, client.given_by = actor.id, ""
        client.overlap_seconds = int(overlap.total_seconds())
        client.save()
        return made


def hand_out(client_id: int, *, half: str, actor: Actor, at: datetime) -> Client:
    """Give the second half of a program's secret: by whoever agreed to it, once. From now on it is good.

    Args:
        half: drawn by the caller, shown to the actor once.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: he did not agree to a secret whose second half is not given yet, or it is short.
    """
    require(actor, Permission.RIGHTS_CONFIRM)
    _require_half(half)
    with transaction.atomic():
        client = _locked(client_id)
        if client.first_half is None or client.given_by != actor.id:
            raise ClientRefusedError(
                "You agreed to no secret of this program that waits for its second half.",
                "The second half is given once, by whoever agreed; if it was lost, ask for a new secret.",
            )
        goes_on = bool(client.overlap_seconds) and is_password_usable(client.secret_hash)
        client.previous_hash = client.secret_hash if goes_on else ""
        client.previous_until = at + timedelta(seconds=client.overlap_seconds) if goes_on else None
        client.secret_hash = make_password(keys().decrypt(_HALF, bytes(client.first_half)) + half)
        client.first_half, client.asked_by, client.given_by = None, "", ""
        client.save()
        record(actor, "client.rotated", f"client:{client.pk}", at=at,
               detail={"overlap_seconds": client.overlap_seconds})  # fmt: skip
    return client


def set_scopes(
    client_id: int, scopes: Iterable[Permission], *, reason: str, actor: Actor, at: datetime
) -> Proposal | None:
    """Change what a program may do; its tokens do not allow more from now on.

    What is taken away is gone at once; what comes to it waits for a second person.

    Returns: what waits; None: nothing does.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client, or its role may not do that.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        client = _locked(client_id)
        wanted = _scopes_of(Role(client.role), scopes)
        kept = [scope for scope in wanted if scope in client.scopes]
        if kept != client.scopes:
            client.scopes = kept
            client.save()
            record(
                actor, "client.changed", f"client:{client.pk}", at=at, basis=basis, detail={"scopes": kept}
            )
        if kept == wanted:
            return None
        return propose(SCOPES, client.actor.id, {"scopes": wanted}, actor=actor, reason=basis, at=at)


def bind_to_certificates(
    client_id: int, thumbprints: Iterable[str], *, reason: str, actor: Actor, at: datetime
) -> Proposal | None:
    """Make a program come with one of these certificates (RFC 8705); none: without one again.

    One person may bind a program that was not, and take certificates away but the last; what lets it come
    with another one, or without any, waits for a second person.

    Args:
        thumbprints: SHA-256 of each certificate as `x5t#S256` has it: base64url without padding, 43
            characters. Two while a certificate is renewed.

    Returns: what waits; None: nothing does.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client, or one is no thumbprint.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    wanted = sorted(set(thumbprints))
    if len(wanted) > _MOST_CERTIFICATES or not all(_THUMBPRINT.fullmatch(one) for one in wanted):
        raise ClientRefusedError(
            "These are not thumbprints of certificates.",
            f"At most {_MOST_CERTIFICATES}; SHA-256 in base64url, 43 characters each.",
        )
    with transaction.atomic():
        client = _locked(client_id)
        narrower = bool(wanted) and set(wanted) <= set(client.certificates)
        if wanted == client.certificates:
            return None
        if client.certificates and not narrower:
            return propose(
                CERTIFICATES, client.actor.id, {"certificates": wanted}, actor=actor, reason=basis, at=at
            )
        _bind(client, wanted, actor, basis, at)
    return None


def put_out_of_use(client_id: int, *, reason: str, actor: Actor, at: datetime) -> Client:
    """Put a program out of use; its tokens end at once. One person suffices.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        client = _locked(client_id)
        client.active = False
        client.save()
        record(actor, "client.disabled", f"client:{client.pk}", at=at, basis=basis)
    return client


def propose_in_use(client_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask that a program be put in use again.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client out of use.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        client = _locked(client_id)
        if client.active:
            raise ClientRefusedError("The program is in use.", "There is nothing to ask for.")
        wanted = {"scopes": client.scopes}
        return propose(OPEN, client.actor.id, wanted, actor=actor, reason=reason, at=at)


def client_of(identifier: str, secret: str, at: datetime, certificate: str | None = None) -> Client:
    """The client with these credentials.

    Args:
        certificate: thumbprint of the certificate that the connection came with.

    Raises:
        ClientRefusedError: there is none, it is out of use, the secret is wrong, or it came without the
            certificate it must have: which, is not said.
    """
    found = Client.objects.filter(identifier=identifier) if "\0" not in identifier else Client.objects.none()
    client = found.select_related("organisation").first()
    # Hashed for nobody too, so that the time it takes does not tell whether a client exists.
    given = secret if len(secret) <= _MOST_SECRET else ""
    known = check_password(given, client.secret_hash if client else _nobody())
    if client is not None and not known and client.previous_until is not None and at < client.previous_until:
        known = check_password(given, client.previous_hash)
    if client is None or not known or not in_use(client) or not comes_rightly(client, certificate):
        raise ClientRefusedError("The client's credentials are wrong.", "Ask the register's administrator.")
    return client


def in_use(client: Client) -> bool:
    """Whether it may act now."""
    return client.active and client.organisation.active


def comes_rightly(client: Client, certificate: str | None) -> bool:
    """Whether it came with a certificate that it may have; a client without any may come as it likes."""
    return not client.certificates or certificate in client.certificates


def _opened(proposal: Proposal, actor: Actor, at: datetime) -> None:
    client = _of(proposal)
    if set(client.scopes) - set(proposal.payload["scopes"]):
        raise ClientRefusedError("The program may do more meanwhile.", "Reject this, and ask anew.")
    client.active = True
    _agreed(client, actor)
    client.save()
    record(actor, "client.enabled", f"client:{client.pk}", at=at, basis=proposal.reason)


def _secret_agreed(proposal: Proposal, actor: Actor, at: datetime) -> None:
    client = _of(proposal)
    _agreed(client, actor)
    client.save()
    record(actor, "client.secret_agreed", f"client:{client.pk}", at=at, basis=proposal.reason)


def _agreed(client: Client, actor: Actor) -> None:
    if client.first_half is None or client.given_by:
        return
    if same_person(actor.id, client.asked_by):  # he would know both halves
        client.first_half = None
    else:
        client.given_by = actor.id


def _no_secret(proposal: Proposal, _actor: Actor, _at: datetime) -> None:
    client = _of(proposal)
    if not client.given_by:
        client.first_half = None
        client.save()


def _widened(proposal: Proposal, actor: Actor, at: datetime) -> None:
    client = _of(proposal)
    client.scopes = _scopes_of(Role(client.role), map(Permission, proposal.payload["scopes"]))
    client.save()
    record(actor, "client.changed", f"client:{client.pk}", at=at, basis=proposal.reason,
           detail={"scopes": client.scopes})  # fmt: skip


def _rebound(proposal: Proposal, actor: Actor, at: datetime) -> None:
    _bind(_of(proposal), proposal.payload["certificates"], actor, proposal.reason, at)


def _kind(name: str, doc: str, carry_out: CarryOut, turned_down: CarryOut | None = None) -> ProposalKind:
    return ProposalKind(
        name=name,
        doc=doc,
        may_propose=Permission.ACCOUNT_MANAGE,
        may_decide=Permission.RIGHTS_CONFIRM,
        carry_out=carry_out,
        turned_down=turned_down,
        gives_rights=True,
    )


OPEN = _kind("client.open", "Let a program act in a role, or act again.", _opened, _no_secret)
SECRET = _kind("client.secret", "Give a program a new secret.", _secret_agreed, _no_secret)
SCOPES = _kind("client.scopes", "Let a program do more.", _widened)
CERTIFICATES = _kind("client.certificates", "Let a program come with another certificate, or none.", _rebound)


def _bind(client: Client, certificates: list[str], actor: Actor, basis: str, at: datetime) -> None:
    client.certificates = certificates
    client.save()
    record(actor, "client.bound", f"client:{client.pk}", at=at, basis=basis,
           detail={"certificates": certificates})  # fmt: skip


def _of(proposal: Proposal) -> Client:
    return _locked(proposal.subject_key)


def _locked(client_id: int) -> Client:
    client = Client.objects.select_for_update(of=("self",)).filter(pk=client_id).first()
    if client is None:
        raise ClientRefusedError(f"There is no client {client_id}.", "List them.")
    return client


def _scopes_of(role: Role, scopes: Iterable[Permission]) -> list[str]:
    asked = sorted(set(scopes), key=lambda scope: scope.value)
    too_much = [scope.value for scope in asked if role not in RULES[scope].roles]
    if too_much:
        raise ClientRefusedError(
            f"A {role.value} may not: {', '.join(too_much)}.", "Leave out what the role may not do."
        )
    return [scope.value for scope in asked]


def _require_half(half: str) -> None:
    if not _LEAST_HALF <= len(half) <= _MOST_HALF:
        raise ClientRefusedError(
            "The half of the secret is too short or too long.",
            f"Draw {_LEAST_HALF} characters or more; at most {_MOST_HALF}.",
        )


def _nobody() -> str:
    global _NOBODY  # noqa: PLW0603 - hashing takes as long as checking: once
    if _NOBODY is None:
        _NOBODY = make_password("nobody")
    return _NOBODY


_NOBODY: str | None = None
