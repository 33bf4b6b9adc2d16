"""Who may ask: access tokens that an NRF signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from ceir.errors import CeirError
from ceir.interfaces.n17.problems import Problem

SCOPE = "n5g-eir-eic"
NF_TYPE = "5G_EIR"

MAX_TOKEN_BYTES = 8192
_REMEMBERED_TOKENS = 4096
_MIN_RSA_BITS = 2048
_SCHEME = "bearer"


class UnusableKeyError(CeirError):
    """A file does not hold a public key that can check access tokens."""

    code: ClassVar[str] = "n17_unusable_key"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key of an NRF, with the one algorithm it may be used with.

    Why one: a token that names its own algorithm could otherwise choose how it is checked.
    """

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithm: str

    @classmethod
    def from_pem(cls, pem: bytes) -> "VerificationKey":
        """The key in a PEM text: a public key or a certificate; RSA of 2048 bits or more, or P-256.

        Raises:
            UnusableKeyError: anything else.
        """
        try:
            if b"BEGIN CERTIFICATE" in pem:
                key: object = load_pem_x509_certificate(pem).public_key()
            else:
                key = load_pem_public_key(pem)
        except ValueError as problem:
            raise UnusableKeyError(
                "The file holds no PEM public key or certificate.", "Export the NRF's public key as PEM."
            ) from problem
        if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
            return cls(key, "RS256")
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            return cls(key, "ES256")
        raise UnusableKeyError(
            "The key is neither RSA of at least 2048 bits nor on the curve P-256.",
            "Access tokens are signed with RS256 or ES256.",
        )


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """What a token must say.

    Args:
        keys: the NRF's keys, all of those in use while they change; at least one.
        instance: this server's NF instance identity; a token may be made out to it.
        issuer: the NRF's NF instance identity; None: any that signs with one of the keys.
        realm: what the challenge names, usually the URI of the API.
        leeway_seconds: how far the clocks may be apart, 0 or more.
    """

    keys: Sequence[VerificationKey]
    instance: str | None = None
    issuer: str | None = None
    realm: str = SCOPE
    leeway_seconds: int = 5


class Authorizer:
    """Checks the bearer token of a request.

    A verified token is remembered until it expires, so that a consumer pays for one signature an hour, not
    one a request. What is remembered is bounded: when full, everything is forgotten at once.

    Args:
        terms: what a token must say.
        now: seconds since 1970, UTC.

    Source: 3GPP TS 33.501 clause 13.4.1; TS 29.510 clause 6.3.5.2.4 (claims); TS 29.500 clause 6.7.3;
        IETF RFC 6750.
    """

    def __init__(self, terms: TokenTerms, now: Callable[[], float]) -> None:
        if not terms.keys:
            raise UnusableKeyError("No key was given to check access tokens with.", "Name the NRF's key.")
        self._terms = terms
        self._now = now
        self._valid_until: dict[str, float] = {}
        realm = terms.realm.replace("\\", "").replace('"', "")
        self._no_token = _refused(401, realm, "The request carries no access token.", None)
        self._bad_token = _refused(401, realm, "The access token is not valid here.", "invalid_token")
        self._bad_scope = _refused(
            403, realm, "The access token does not allow this service.", "insufficient_scope"
        )

    def refusal(self, authorization: str | None) -> Problem | None:
        """Why the request is refused; None when it is allowed.

        Args:
            authorization: the header field of that name; None when there is none.
        """
        if authorization is None:
            return self._no_token
        until = self._valid_until.get(authorization)
        if until is not None:
            return None if self._now() < until else self._bad_token
        return self._examine(authorization)

    def _examine(self, authorization: str) -> Problem | None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != _SCHEME:
            return self._no_token
        if len(token) > MAX_TOKEN_BYTES:
            return self._bad_token
        claims = self._claims(token.strip(" "))
        if claims is None or not self._is_for_us(claims):
            return self._bad_token
        scope = claims.get("scope")
        if not isinstance(scope, str) or SCOPE not in scope.split(" "):
            return self._bad_scope
        if len(self._valid_until) >= _REMEMBERED_TOKENS:
            self._valid_until.clear()
        self._valid_until[authorization] = claims["exp"] + self._terms.leeway_seconds
        return None

    def _claims(self, token: str) -> dict[str, Any] | None:
        for key in self._terms.keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    # Times are judged by our own clock below, the audience by the rules of TS 29.510.
                    options={
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_aud": False,
                        "require": ["iss", "sub", "aud", "scope", "exp"],
                    },
                )
            except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
                continue
            return claims
        return None

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        terms = self._terms
        now = self._now()
        expires = claims["exp"]
        if isinstance(expires, bool) or not isinstance(expires, int) or now >= expires + terms.leeway_seconds:
            return False
        starts = claims.get("nbf", 0)
        if isinstance(starts, bool) or not isinstance(starts, int | float):
            return False
        if now < starts - terms.leeway_seconds:
            return False
        if terms.issuer is not None and claims["iss"] != terms.issuer:
            return False
        # A string is an NF type, a list holds NF instance identities.
        audience = claims["aud"]
        if isinstance(audience, str):
            return audience == NF_TYPE
        return isinstance(audience, list) and terms.instance is not None and terms.instance in audience


def _refused(status: int, realm: str, detail: str, error: str | None) -> Problem:
    challenge = f'Bearer realm="{realm}"'
    if error is not None:
        challenge += f', error="{error}"'
    if error == "insufficient_scope":
        challenge += f', scope="{SCOPE}"'
    return Problem(status, None, detail, headers=(("www-authenticate", challenge),))
