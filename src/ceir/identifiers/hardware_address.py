import re
from dataclasses import dataclass
from typing import Self

from ceir.identifiers._invalid import InvalidIdentifierError

_CANONICAL = re.compile(r"[0-9A-F]{2}(?:-[0-9A-F]{2}){5}(?:(?:-[0-9A-F]{2}){2})?")
_WRITTEN = re.compile(
    r"[0-9A-F]{2}(?P<mark>[-:])[0-9A-F]{2}(?:(?P=mark)[0-9A-F]{2}){4}(?:(?:(?P=mark)[0-9A-F]{2}){2})?"
    r"|[0-9A-F]{4}(?:\.[0-9A-F]{4}){2,3}"
    r"|[0-9A-F]{12}(?:[0-9A-F]{4})?",
    re.IGNORECASE,
)
_LOCAL_BIT = 0b10
_GROUP_BIT = 0b01


@dataclass(frozen=True, slots=True, order=True)
class HardwareAddress:
    """An IEEE address of equipment that has no IMEI: MAC (6 octets) or EUI-64 (8 octets).

    Args:
        octets: pairs of upper-case hexadecimal digits joined by dashes.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: 3GPP TS 23.003 clause 6.4; IETF RFC 7042.
    """

    octets: str

    def __post_init__(self) -> None:
        if not _CANONICAL.fullmatch(self.octets):
            raise InvalidIdentifierError("A hardware address is 6 or 8 pairs of hexadecimal digits.")

    def __str__(self) -> str:
        return self.octets

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address in any usual writing: `-` or `:` between pairs, `.` between fours, or nothing at all.

        Raises:
            InvalidIdentifierError: any other form.
        """
        if not _WRITTEN.fullmatch(text):
            raise InvalidIdentifierError(
                "A hardware address is 6 or 8 pairs of hexadecimal digits.",
                "Write it like 00-11-22-33-44-55.",
            )
        bare = re.sub(r"[-:.]", "", text).upper()
        return cls("-".join(bare[place : place + 2] for place in range(0, len(bare), 2)))

    @property
    def is_mac(self) -> bool:
        """True for a MAC address (6 octets), False for an EUI-64."""
        return len(self.octets) == 17

    @property
    def is_locally_administered(self) -> bool:
        """True when no manufacturer assigned it: phones make such addresses up, often one a network."""
        return bool(int(self.octets[:2], 16) & _LOCAL_BIT)

    @property
    def is_group(self) -> bool:
        """True for a multicast address, which no single piece of equipment can have."""
        return bool(int(self.octets[:2], 16) & _GROUP_BIT)
