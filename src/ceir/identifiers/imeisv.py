from dataclasses import dataclass
from typing import Self

from ceir.identifiers._digits import require_digits
from ceir.identifiers.imei import Imei

ANY_SOFTWARE_VERSION = "99"
"""No equipment carries it: TS 23.003 clause 6.3 reserves it, and EIR products write it for "any version"."""


@dataclass(frozen=True, slots=True, order=True)
class Imeisv:
    """An IMEI with the version of the software that the equipment runs.

    The IMEI alone identifies: the software version changes with every update.

    Args:
        imei: the equipment.
        software_version: exactly 2 digits.

    Raises:
        InvalidIdentifierError: when the software version is not 2 digits.

    Source: 3GPP TS 23.003 clause 6.2.2.
    """

    imei: Imei
    software_version: str

    def __post_init__(self) -> None:
        require_digits(self.software_version, "A software version", range(2, 3))

    def __str__(self) -> str:
        return self.digits

    @classmethod
    def from_wire(cls, text: str) -> Self:
        """The IMEISV in its 16 digits.

        Raises:
            InvalidIdentifierError: when it is not 16 digits.
        """
        require_digits(text, "An IMEISV", range(16, 17))
        return cls(Imei(text[:14]), text[14:])

    @property
    def digits(self) -> str:
        """The 16 digits as a network sends them; there is no check digit in between."""
        return self.imei.digits + self.software_version

    @property
    def is_any_version(self) -> bool:
        """True when it stands for the equipment with whatever software."""
        return self.software_version == ANY_SOFTWARE_VERSION
