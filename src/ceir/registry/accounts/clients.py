"""Programs that act for an organisation: made with a secret that is shown once, known by its hash."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import RULES, Permission, require
from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation

LONGEST_OVERLAP = timedelta(days=30)
"""For so long an old secret may go on beside a new one."""

_LEAST_SECRET = 32
_MOST_SECRET = 200
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
    secret: str,
    actor: Actor,
    at: datetime,
) -> Client:
    """Give a program credentials.

    Args:
        scopes: what it may do; nothing that its role may not.
        identifier, secret: drawn by the caller; the secret is shown to people once and not kept.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: role or scopes do not fit, the secret is short, or the identifier is taken.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    name = free_text(name, "The name of a program", 100, needed=True)
    if role not in ROLES_OF[OrganisationKind(organisation.kind)]:
        raise ClientRefusedError(
            f"A program of a {organisation.kind} cannot act as {role.value}.", "Choose a role of its kind."
        )
    asked = _scopes_of(role, scopes)
    _require_secret(secret)
    try:
        with transaction.atomic():
            client = Client.objects.create(
                name=name,
                identifier=identifier,
                secret_hash=make_password(secret),
                organisation=organisation,
                role=role.value,
                scopes=asked,
                created_at=at,
            )
            record(actor, "client.made", f"client:{client.pk}", at=at, detail={"scopes": asked})
    except IntegrityError as error:
        raise ClientRefusedError(f"There is a client {identifier} already.", "Draw another one.") from error
    return client


def rotate_secret(client_id: int, *, secret: str, overlap: timedelta, actor: Actor, at: datetime) -> Client:
    """Give a program a new secret; the one before goes on for a while, so that nothing stands still.

    Args:
        secret: drawn by the caller, shown once.
        overlap: how long the one before goes on, 0 to `LONGEST_OVERLAP`; one before that ends at once.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client, or the overlap or the secret is none.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    _require_secret(secret)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ClientRefusedError(
            "An old secret cannot go on for that long.", f"0 to {LONGEST_OVERLAP.days} days."
        )
    with transaction.atomic():
        client = _locked(client_id)
        client.previous_hash = client.secret_hash if overlap else ""
        client.previous_until = at + overlap if overlap else None
        client.secret_hash = make_password(secret)
        client.save()
        record(actor, "client.rotated", f"client:{client.pk}", at=at,
               detail={"overlap_seconds": int(overlap.total_seconds())})  # fmt: skip
    return client


def set_scopes(client_id: int, scopes: Iterable[Permission], *, actor: Actor, at: datetime) -> Client:
    """Change what a program may do; its tokens do not allow more from now on.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client, or its role may not do that.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    with transaction.atomic():
        client = _locked(client_id)
        client.scopes = _scopes_of(Role(client.role), scopes)
        client.save()
        record(actor, "client.changed", f"client:{client.pk}", at=at, detail={"scopes": client.scopes})
    return client


def bind_to_certificates(client_id: int, thumbprints: Iterable[str], *, actor: Actor, at: datetime) -> Client:
    """Make a program come with one of these certificates (RFC 8705); none: without one again.

    Args:
        thumbprints: SHA-256 of each certificate as `x5t#S256` has it: base64url without padding, 43
            characters. Two while a certificate is renewed.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client, or one is no thumbprint.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    wanted = sorted(set(thumbprints))
    if len(wanted) > _MOST_CERTIFICATES or not all(_THUMBPRINT.fullmatch(one) for one in wanted):
        raise ClientRefusedError(
            "These are not thumbprints of certificates.",
            f"At most {_MOST_CERTIFICATES}; SHA-256 in base64url, 43 characters each.",
        )
    with transaction.atomic():
        client = _locked(client_id)
        client.certificates = wanted
        client.save()
        record(actor, "client.bound", f"client:{client.pk}", at=at, detail={"certificates": wanted})
    return client


def set_in_use(client_id: int, *, active: bool, reason: str, actor: Actor, at: datetime) -> Client:
    """Put a program out of use, or in use again; its tokens end at once.

    Raises:
        PermissionDeniedError: the actor may not.
        ClientRefusedError: there is no such client.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        client = _locked(client_id)
        client.active = active
        client.save()
        done = "client.enabled" if active else "client.disabled"
        record(actor, done, f"client:{client.pk}", at=at, basis=basis)
    return client


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


def _locked(client_id: int) -> Client:
    client = Client.objects.select_for_update().filter(pk=client_id).first()
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


def _require_secret(secret: str) -> None:
    if not _LEAST_SECRET <= len(secret) <= _MOST_SECRET:
        raise ClientRefusedError(
            "The secret is too short or too long.",
            f"Draw {_LEAST_SECRET} characters or more; at most {_MOST_SECRET}.",
        )


def _nobody() -> str:
    global _NOBODY  # noqa: PLW0603 - hashing takes as long as checking: once
    if _NOBODY is None:
        _NOBODY = make_password("nobody")
    return _NOBODY


_NOBODY: str | None = None
