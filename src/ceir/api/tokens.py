"""Access tokens for programs: OAuth 2.0 client credentials (RFC 6749 clause 4.4), signed, short-lived.

A token says who somebody is; what he may do is looked up, so that what an administrator changes or ends holds
within seconds (`known_callers`) and not when the token is over. A secret that is replaced takes its tokens
along.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from django.conf import settings
from django.http import HttpRequest

from ceir.api import known_callers
from ceir.registry.accounts.clients import ClientRefusedError, comes_rightly, in_use
from ceir.registry.accounts.models import Client
from ceir.registry.accounts.permissions import Permission, PermissionDeniedError
from ceir.registry.actors import Actor

LIFETIME = timedelta(minutes=15)
_ALGORITHM = "HS256"
_ISSUER = "openceir"
_AUDIENCE = "openceir-api"
_THUMBPRINT = "x5t#S256"
"""Names the certificate that a token is bound to: RFC 8705 clause 3.1."""
_SECRET = "sec"  # noqa: S105 - the name of a claim
"""Names the secret that was the client's when the token was made; by a hash of its salted hash."""


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


def issue(
    client: Client, scopes: Sequence[str], at: datetime, certificate: str | None = None
) -> tuple[str, list[str]]:
    """A token for a client.

    Args:
        scopes: those wanted; none: all that it has.
        certificate: thumbprint of the one that it came with, if it has certificates: the token is good with
            this one only.

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
    claims: dict[str, object] = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": client.actor.id,
        "role": client.role,
        "organisation": client.organisation_id,
        "scope": " ".join(wanted),
        _SECRET: _digest(client.secret_hash),
        "iat": at,
        "exp": at + LIFETIME,
    }
    if client.certificates and certificate is not None:
        claims["cnf"] = {_THUMBPRINT: certificate}
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=_ALGORITHM), wanted


def read(token: str, certificate: str | None = None, *, at: datetime) -> Caller | None:
    """Who a token speaks for; None: it is not good here and now.

    Args:
        certificate: thumbprint of the one that the connection came with.
    """
    found = known_callers.look_up(token, certificate, at.timestamp())
    if found is None:
        asked_in = known_callers.generation()
        found = _read(token, certificate, at)
        if found is None:
            return None
        known_callers.keep(token, certificate, found, asked_in, at.timestamp())
    return Caller(found.actor, found.scopes)


def _read(token: str, certificate: str | None, at: datetime) -> known_callers.Known | None:
    try:
        claims = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            issuer=_ISSUER,
            # Of when it is, the caller is asked, not the clock.
            options={"require": ["exp", "iat", "sub", "scope"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    if not _holds_at(claims, at.timestamp()):
        return None
    kind, _, number = str(claims["sub"]).partition(":")
    if kind != "client" or not number.isdecimal():
        return None
    client = Client.objects.select_related("organisation").filter(pk=int(number)).first()
    if client is None or not _still_holds(client, claims, certificate, at):
        return None
    given = frozenset(str(claims["scope"]).split())
    return known_callers.Known(client.actor, given & frozenset(client.scopes), claims["exp"])


def _holds_at(claims: dict[str, object], now: float) -> bool:
    made, over = claims["iat"], claims["exp"]
    return isinstance(made, int) and isinstance(over, int) and made <= now < over


def _still_holds(client: Client, claims: dict[str, object], certificate: str | None, at: datetime) -> bool:
    """Whether the client is what it was when the token was made, and comes as it must."""
    bound_to = claims.get("cnf")
    wanted = bound_to.get(_THUMBPRINT) if isinstance(bound_to, dict) else None
    return (
        in_use(client)
        and (client.role, client.organisation_id) == (claims.get("role"), claims.get("organisation"))
        and _secret_holds(client, claims.get(_SECRET), at)
        and comes_rightly(client, certificate)
        and (wanted == certificate if client.certificates or bound_to is not None else True)
    )


def _secret_holds(client: Client, named: object, at: datetime) -> bool:
    """Whether the secret that a token was made with is still good, be it as the one before."""
    if named == _digest(client.secret_hash):
        return True
    return (
        client.previous_until is not None
        and at < client.previous_until
        and named == _digest(client.previous_hash)
    )


def _digest(secret_hash: str) -> str:
    return hashlib.sha256(secret_hash.encode()).hexdigest()[:32]
