import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from ceir.identifiers._digits import require_digits
from ceir.identifiers._invalid import InvalidIdentifierError

_WRITTEN = re.compile(r"([0-9]{3})-?([0-9]{2,3})")


@dataclass(frozen=True, slots=True, order=True)
class Plmn:
    """A mobile network: country and network code, the beginning of its subscribers' IMSIs.

    Args:
        mcc: mobile country code, 3 digits.
        mnc: mobile network code, 2 or 3 digits; `01` and `001` are different networks.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: 3GPP TS 23.003 clause 2.2; ITU-T E.212.
    """

    mcc: str
    mnc: str

    def __post_init__(self) -> None:
        require_digits(self.mcc, "A mobile country code", range(3, 4))
        require_digits(self.mnc, "A mobile network code", range(2, 4))

    def __str__(self) -> str:
        return f"{self.mcc}-{self.mnc}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The network in `111-01`, `310-410`, `11101` or `310410`.

        Raises:
            InvalidIdentifierError: any other form.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise InvalidIdentifierError(
                "A network is 3 digits of country code and 2 or 3 of network code.",
                "Write it like 111-01 or 310-410.",
            )
        return cls(found[1], found[2])

    @property
    def prefix(self) -> str:
        """The 5 or 6 digits that open every IMSI of the network."""
        return self.mcc + self.mnc


def check_prefix_free(plmns: Iterable[Plmn]) -> None:
    """Refuses networks of which one could be taken for another by the beginning of an IMSI.

    Why: an IMSI does not say how long its network code is. With 310-41 and 310-410 together, the order of
    looking would decide whose subscriber an IMSI 310410... is.

    Args:
        plmns: networks that must be told apart; the same one given twice is refused too.

    Raises:
        InvalidIdentifierError: naming the two.
    """
    ordered = sorted(plmns, key=lambda plmn: plmn.prefix)
    # In sorted order whatever starts with a prefix follows it directly, so neighbours are enough.
    for shorter, longer in pairwise(ordered):
        if longer.prefix.startswith(shorter.prefix):
            raise InvalidIdentifierError(
                f"The networks {shorter} and {longer} cannot be told apart by the beginning of an IMSI.",
                "Give each operator networks that no other operator's begin with.",
            )
