from typing import ClassVar

from ceir.errors import CeirError


class InvalidIdentifierError(CeirError):
    """A text is not the identifier it was read as.

    The detail names lengths and positions, not the identifier itself: an IMEI or IMSI points at a person.
    """

    code: ClassVar[str] = "invalid_identifier"
    exit_code: ClassVar[int] = 1
