"""Identity providers as an installer sets them up, read from a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ceir.errors import CeirError

_NEAR = frozenset({"localhost", "127.0.0.1", "::1"})


class IdentityProviderError(CeirError):
    """An identity provider is not set up as one can be."""

    code: ClassVar[str] = "identity_provider"
    exit_code = 2


@dataclass(frozen=True)
class IdentityProvider:
    """One of them.

    Args:
        id: short name, in addresses and at linked identities; never changed later.
        name: as people read it.
        issuer: its address; its discovery document lies beneath it.
        client_id, client_secret: as it gave them to the register.
        claim: by which its people are known; `sub`, or one that it vouches for.
        pages: further origins to which its log-in leads, for the browser to allow.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    claim: str = "sub"
    pages: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"IdentityProvider({self.id})"

    @property
    def origins(self) -> tuple[str, ...]:
        """To which a form that logs in leads."""
        parts = urlsplit(self.issuer)
        return (f"{parts.scheme}://{parts.netloc}", *self.pages)

    def as_allauth_has_it(self) -> dict[str, Any]:
        """Its settings."""
        return {
            "provider_id": self.id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "settings": {
                "server_url": self.issuer.rstrip("/"),
                "scope": ["openid"] if self.claim == "sub" else ["openid", "profile", "email", "phone"],
                "claim": self.claim,
            },
        }


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    name: str = Field(min_length=1, max_length=100)
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret_file: Path
    claim: str = Field("sub", min_length=1)
    pages: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    provider: tuple[_Read, ...]


def read_identity_providers(file: Path) -> tuple[IdentityProvider, ...]:
    """The providers of a file: a table `[[provider]]` each, with the name of a file that holds the secret.

    Raises:
        IdentityProviderError: it cannot be read, an address is not TLS, or two have one name.
    """
    try:
        read = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        found = tuple(
            IdentityProvider(
                one.id,
                one.name,
                one.issuer,
                one.client_id,
                (file.parent / one.client_secret_file).read_text(encoding="utf-8").strip(),
                one.claim,
                one.pages,
            )
            for one in read.provider
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        first = (
            error.errors(include_url=False, include_input=False)[0]
            if isinstance(error, ValidationError)
            else None
        )
        why = f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}" if first else type(error).__name__
        raise IdentityProviderError(f"{file} cannot be used: {why}.", "See docs/admin/logins.md.") from error
    for one in found:
        for address in (one.issuer, *one.pages):
            parts = urlsplit(address)
            if not parts.hostname or (parts.scheme != "https" and parts.hostname not in _NEAR):
                raise IdentityProviderError(f"{one.id}: {address} is not an https address.", "Use TLS.")
    if len({one.id for one in found}) != len(found):
        raise IdentityProviderError("Two providers have the same id.", "Give each its own.")
    return found
