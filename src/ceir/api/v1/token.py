"""Access tokens for programs."""

import base64
import binascii

from django.http import HttpRequest
from django.utils import timezone
from ninja import Form, Router, Schema

from ceir.api import tokens
from ceir.api.certificates import thumbprint_of
from ceir.api.terms import Example, terms
from ceir.registry.accounts.clients import ClientRefusedError, client_of

ROUTER = Router()


class Token(Schema):
    """An access token, as RFC 6749 clause 5.1 has it."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - a type
    expires_in: int
    scope: str


@ROUTER.post("", response=Token, auth=None, summary="Get an access token with client credentials")
@terms(
    None,
    refuses=(ClientRefusedError,),
    examples=(
        Example(
            "A token for one scope",
            "a program of an auditor",
            None,
            body={
                "grant_type": "client_credentials",
                "client_id": "program-auditor",
                "client_secret": "the secret that was shown once",
                "scope": "audit.read",
            },
            form=True,
            answer={
                "access_token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
                "token_type": "Bearer",
                "expires_in": 900,
                "scope": "audit.read",
            },
            varies=frozenset({"access_token"}),
        ),
    ),
)
def make_token(
    request: HttpRequest,
    grant_type: Form[str],
    scope: Form[str] = "",
    client_id: Form[str] = "",
    client_secret: Form[str] = "",
) -> Token:
    """Client and secret come in the Authorization header (Basic) or in the form."""
    if grant_type != "client_credentials":
        raise ClientRefusedError("Only client_credentials are granted here.", "Set grant_type.")
    identifier, secret = _basic(request.headers.get("Authorization", "")) or (client_id, client_secret)
    now, certificate = timezone.now(), thumbprint_of(request)
    client = client_of(identifier, secret, now, certificate)
    text, scopes = tokens.issue(client, scope.split(), now, certificate)
    return Token(access_token=text, expires_in=int(tokens.LIFETIME.total_seconds()), scope=" ".join(scopes))


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        identifier, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return identifier, secret
