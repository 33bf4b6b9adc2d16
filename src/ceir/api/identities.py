"""Equipment identities as callers write them."""

from ceir.identifiers import EquipmentIdentity, Imei, InvalidIdentifierError
from ceir.registry.equipment_keys import read_identity

LONGEST = 32
"""Characters that are looked at: 17 digits with blanks and hyphens between them."""


def identity_of(text: str) -> EquipmentIdentity:
    """The identity in a path or a list: as on a label, as networks report it, or malformed as reported.

    Fifteen digits that end in 0 without being a check digit are what networks send: the last is spare.

    Raises:
        InvalidIdentifierError: none of them.
    """
    if len(text) > LONGEST:
        raise InvalidIdentifierError(
            f"An identity has at most {LONGEST} characters; {len(text)} came.", "Dial *#06# to see the IMEI."
        )
    try:
        return read_identity(text)
    except InvalidIdentifierError:
        compact = text.strip()
        if len(compact) == 15 and compact.isascii() and compact.isdigit() and compact.endswith("0"):
            return Imei.from_wire(compact)
        raise
