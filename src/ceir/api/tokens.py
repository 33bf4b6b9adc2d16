"""Access tokens for programs: OAuth 2.0 client credentials (RFC 6749 clause 4.4), signed, short-lived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from django.conf import settings
from django.http import HttpRequest

from ceir.registry.accounts.clients import ClientRefusedError
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError
from ceir.registry.actors import Actor

LIFETIME = timedelta(minutes=15)
_ALGORITHM = "HS256"
_ISSUER = "openceir"
_AUDIENCE = "openceir-api"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what the token allows."""

    actor: Actor
    scopes: frozenset[str]

    def require(self, permission: Permission) -> Actor:
        """The actor, if the token allows it; what the role allows is asked by whatever is called.

        Raises:
            PermissionDeniedError: the token was not given for this.
        """
        if permission.value not in self.scopes:
            raise PermissionDeniedError(
                f"The token does not cover {permission.value}.", "Ask for a token with that scope."
            )
        return self.actor


class Request(HttpRequest):
    """A request with a token."""

    auth: Caller


def issue(client: Client, scopes: Sequence[str], at: datetime) -> tuple[str, list[str]]:
    """A token for a client.

    Args:
        scopes: those wanted; none: all that it has.

    Returns: the token, and what it allows.

    Raises:
        ClientRefusedError: a scope that the client does not have.
    """
    wanted = sorted(set(scopes) or set(client.scopes))
    beyond = [scope for scope in wanted if scope not in client.scopes]
    if beyond:
        raise ClientRefusedError(
            f"The client does not have: {', '.join(beyond)}.", "Ask the register's administrator."
        )
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": client.actor.id,
        "role": client.role,
        "organisation": client.organisation_id,
        "scope": " ".join(wanted),
        "iat": at,
        "exp": at + LIFETIME,
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=_ALGORITHM), wanted


def read(token: str) -> Caller | None:
    """Who a token speaks for; None: it is not ours, or its time is over."""
    try:
        claims = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            issuer=_ISSUER,
            options={"require": ["exp", "sub", "scope"]},
        )
    except jwt.InvalidTokenError:
        return None
    actor = Actor(str(claims["sub"]), str(claims["role"]), claims.get("organisation"))
    return Caller(actor, frozenset(str(claims["scope"]).split()))
