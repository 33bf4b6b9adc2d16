"""Keys of equipment identities in the register's tables, the same as in the pipeline's."""

import hashlib
from dataclasses import dataclass

from ceir.identifiers import EquipmentIdentity, Imei, InvalidIdentifierError, normalise_imei


@dataclass(frozen=True)
class StoredIdentity:
    """An equipment identity as two columns hold it.

    Args:
        key: the 14 digits of an IMEI as a number; of a malformed identity a negative number.
        malformed: text of a malformed identity; else empty.
    """

    key: int
    malformed: str = ""

    @classmethod
    def of(cls, identity: EquipmentIdentity) -> "StoredIdentity":
        """The columns of an identity."""
        if isinstance(identity, Imei):
            return cls(identity.number)
        digest = hashlib.md5(identity.text.encode("ascii"), usedforsecurity=False).digest()
        return cls(-1 - (int.from_bytes(digest[8:], "little") >> 2), identity.text)

    @property
    def text(self) -> str:
        """The identity as files hold it: 14 digits, or the malformed text."""
        return self.malformed or f"{self.key:014}"


def read_identity(text: str) -> EquipmentIdentity:
    """The identity in what somebody typed: an IMEI from a label or a file, or a malformed one as reported.

    Raises:
        InvalidIdentifierError: none of them, or a label's check digit is wrong.
    """
    try:
        return Imei.from_printed(text)
    except InvalidIdentifierError:
        compact = "".join(text.split())
        if len(compact) in (15, 17) and compact.isascii() and compact.isdigit():
            raise
    identity = normalise_imei(text)
    if identity is None:
        raise InvalidIdentifierError("There is no identity here.", "Dial *#06# to see the IMEI of a phone.")
    return identity
