"""Editions of lists signed with the key that signs snapshots, so that who passes them on cannot change them.

What is signed names the operator, the number and the day of an edition and the SHA-256 of the whole list; by
the digest of each edition, changes that were applied to an earlier one are checked as well.
"""

import base64
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from ceir.equipment_check.keys import key_id, load_signing_key
from ceir.registry.editions.models import Edition, ExceptionEdition

HEADER = "Ceir-List-Signature"


def signed_text(edition: Edition | ExceptionEdition) -> bytes:
    """What is signed of an edition: five lines, each with its end."""
    if isinstance(edition, Edition):
        kind, day = "ceir-list-1", edition.as_of
    else:
        kind, day = "ceir-exceptions-1", edition.made_at.date()
    lines = (kind, edition.operator, str(edition.sequence), day.isoformat(), edition.sha256)
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def signature_of(edition: Edition | ExceptionEdition) -> tuple[str, str] | None:
    """Id of the key, and the signature in base64; None: the installer has no key.

    Raises:
        KeyRefusedError: the key's file cannot be used.
    """
    path: Path | None = settings.CEIR_SIGNING_KEY
    if path is None:
        return None
    key = _key(path)
    return key_id(key.public_key()), base64.b64encode(key.sign(signed_text(edition))).decode("ascii")


def header_of(edition: Edition | ExceptionEdition) -> dict[str, str]:
    """The header that goes with a list (a structured field of RFC 8941); empty: it is not signed.

    Raises:
        KeyRefusedError: as `signature_of`.
    """
    made = signature_of(edition)
    return {} if made is None else {HEADER: f'sig=:{made[1]}:;keyid="{made[0]}"'}


@cache
def _key(path: Path) -> Ed25519PrivateKey:
    return load_signing_key(path)
