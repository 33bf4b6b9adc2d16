"""Programs that act for an organisation: made with a secret that is shown once, known by its hash."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import RULES, Permission, require
from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.organisations.models import Organisation

_LEAST_SECRET = 32


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
        ClientRefusedError: role or scopes do not fit, or the secret is short.
    """
    require(actor, Permission.ACCOUNT_MANAGE)
    asked = sorted(set(scopes), key=lambda scope: scope.value)
    if role not in ROLES_OF[OrganisationKind(organisation.kind)]:
        raise ClientRefusedError(
            f"A program of a {organisation.kind} cannot act as {role.value}.", "Choose a role of its kind."
        )
    too_much = [scope.value for scope in asked if role not in RULES[scope].roles]
    if too_much:
        raise ClientRefusedError(
            f"A {role.value} may not: {', '.join(too_much)}.", "Leave out what the role may not do."
        )
    if len(secret) < _LEAST_SECRET:
        raise ClientRefusedError("The secret is too short.", f"Draw {_LEAST_SECRET} characters or more.")
    with transaction.atomic():
        client = Client.objects.create(
            name=name,
            identifier=identifier,
            secret_hash=make_password(secret),
            organisation=organisation,
            role=role.value,
            scopes=[scope.value for scope in asked],
            created_at=at,
        )
        record(actor, "client.made", f"client:{client.pk}", at=at, detail={"scopes": client.scopes})
    return client


def client_of(identifier: str, secret: str) -> Client:
    """The client with these credentials.

    Raises:
        ClientRefusedError: there is none, it is out of use, or the secret is wrong: which, is not said.
    """
    client = Client.objects.filter(identifier=identifier).select_related("organisation").first()
    # Hashed for nobody too, so that the time it takes does not tell whether a client exists.
    known = check_password(secret, client.secret_hash if client else _nobody())
    if client is None or not known or not client.active or not client.organisation.active:
        raise ClientRefusedError("The client's credentials are wrong.", "Ask the register's administrator.")
    return client


def _nobody() -> str:
    global _NOBODY  # noqa: PLW0603 - hashing takes as long as checking: once
    if _NOBODY is None:
        _NOBODY = make_password("nobody")
    return _NOBODY


_NOBODY: str | None = None
