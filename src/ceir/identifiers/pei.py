import re
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from ceir.identifiers._digits import require_digits
from ceir.identifiers._invalid import InvalidIdentifierError
from ceir.identifiers.hardware_address import HardwareAddress
from ceir.identifiers.imei import Imei
from ceir.identifiers.imeisv import Imeisv

PeiKind: TypeAlias = Literal["imei", "imeisv", "mac", "eui"]

_UNTRUSTED = "-untrusted"
_SPARE_DIGIT = "0"

_IMEI = re.compile(r"imei-([0-9]{14,15})")
_IMEISV = re.compile(r"imeisv-([0-9]{16})")
_MAC = re.compile(r"mac-([0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5})(-untrusted)?")
_EUI = re.compile(r"eui-([0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){7}|[0-9A-Fa-f]{16})")


@dataclass(frozen=True, slots=True)
class Pei:
    """Permanent Equipment Identifier: what a 5G core calls equipment, whatever its kind.

    Two are equal when they mean the same equipment in the same way: spare digit and letter case do not count.

    Args:
        kind: which of the four.
        value: 14 digits of an IMEI, 16 of an IMEISV, or pairs of upper-case hexadecimal digits joined by
            dashes.
        untrusted: only with a MAC address: the core could not confirm it.

    Raises:
        InvalidIdentifierError: when kind and value do not fit.

    Source: 3GPP TS 29.571 clause 5.3.2 (Pei); TS 23.003 clause 6.4.
    """

    kind: PeiKind
    value: str
    untrusted: bool = False

    def __post_init__(self) -> None:
        if self.kind in ("imei", "imeisv"):
            digits = 14 if self.kind == "imei" else 16
            require_digits(self.value, f"A PEI of kind {self.kind}", range(digits, digits + 1))
        elif HardwareAddress(self.value).is_mac != (self.kind == "mac"):
            raise InvalidIdentifierError("A PEI of kind mac has 6 octets, of kind eui 8.")
        if self.untrusted and self.kind != "mac":
            raise InvalidIdentifierError("Only a MAC address can be marked untrusted.")

    def __str__(self) -> str:
        return self.wire

    @classmethod
    def parse(cls, text: str) -> Self:
        """The PEI in its textual form.

        Args:
            text: `imei-` with 15 digits (14 are taken too), `imeisv-` with 16, `mac-` with 6 pairs and
                perhaps `-untrusted`, `eui-` with 8 pairs (16 digits without dashes are taken too).

        Raises:
            InvalidIdentifierError: any other form; the specification leaves room for forms of later releases.
        """
        if found := _IMEI.fullmatch(text):
            return cls("imei", found[1][:14])
        if found := _IMEISV.fullmatch(text):
            return cls("imeisv", found[1])
        if found := _MAC.fullmatch(text):
            return cls("mac", HardwareAddress.parse(found[1]).octets, found[2] is not None)
        if found := _EUI.fullmatch(text):
            return cls("eui", HardwareAddress.parse(found[1]).octets)
        raise InvalidIdentifierError(
            "The text is no known form of a permanent equipment identifier.",
            "Known forms: imei-<15 digits>, imeisv-<16 digits>, mac-<6 pairs>[-untrusted], eui-<8 pairs>.",
        )

    @property
    def imei(self) -> Imei | None:
        """The IMEI, also of an IMEISV; None for equipment that has none."""
        return Imei(self.value[:14]) if self.kind in ("imei", "imeisv") else None

    @property
    def imeisv(self) -> Imeisv | None:
        """The IMEISV when the PEI is one, else None."""
        return Imeisv.from_wire(self.value) if self.kind == "imeisv" else None

    @property
    def wire(self) -> str:
        """The textual form; the 15th digit of an IMEI is the spare 0 of TS 23.003 clause 6.2.1."""
        spare = _SPARE_DIGIT if self.kind == "imei" else ""
        return f"{self.kind}-{self.value}{spare}{_UNTRUSTED if self.untrusted else ''}"
