from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ceir.identifiers._digits import require_digits
from ceir.identifiers._invalid import InvalidIdentifierError
from ceir.identifiers.plmn import Plmn

_LENGTHS = range(14, 16)


@dataclass(frozen=True, slots=True, order=True)
class Imsi:
    """Identity of a mobile subscription.

    Args:
        digits: 14 or 15 digits. E.212 allows fewer, but a shorter one in operators' records is taken for
            truncated.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: 3GPP TS 23.003 clause 2.2; ITU-T E.212.
    """

    digits: str

    def __post_init__(self) -> None:
        require_digits(self.digits, "An IMSI", _LENGTHS)

    def __str__(self) -> str:
        return self.digits

    @classmethod
    def from_number(cls, number: int) -> Self:
        """The IMSI that `number` stands for, see `number`.

        Raises:
            InvalidIdentifierError: when it is not a 1 followed by 14 or 15 digits.
        """
        text = str(number)
        if not text.startswith("1"):
            raise InvalidIdentifierError("An IMSI as a number starts with the marker 1.")
        return cls(text[1:])

    @property
    def number(self) -> int:
        """The digits with a 1 before them, as an integer: what tables store, so that leading zeros live."""
        return int("1" + self.digits)

    @property
    def mcc(self) -> str:
        """Mobile country code: the first 3 digits."""
        return self.digits[:3]

    def plmn_in(self, plmns: Iterable[Plmn]) -> Plmn | None:
        """The network of `plmns` that the IMSI belongs to, the longest match of several; None without one."""
        fitting = [plmn for plmn in plmns if self.digits.startswith(plmn.prefix)]
        return max(fitting, key=lambda plmn: len(plmn.prefix), default=None)
