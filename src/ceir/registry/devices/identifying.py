"""What identifies a device, and whether its identifiers can be one device's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from ceir.errors import CeirError
from ceir.identifiers import Eid, Imei, Tac, is_placeholder
from ceir.registry.devices.models import IdentifierKind

MOST_IMEIS = 4
_SERIAL = re.compile(r"[0-9A-Z][0-9A-Z./_-]{3,62}[0-9A-Z]")


class IdentifiersRefusedError(CeirError):
    """What was given does not identify one device."""

    code: ClassVar[str] = "identifiers_refused"


@dataclass(frozen=True)
class Model:
    """What the TAC list says of a model.

    Args:
        sim_slots: IMEIs that one device of it has at most; 0: not known.
    """

    manufacturer: str
    name: str
    brand: str = ""
    device_type: str = ""
    radio_interface: str = ""
    sim_slots: int = 0

    @property
    def known(self) -> bool:
        """Whether it can be told from others at all."""
        return bool(self.manufacturer.strip() and self.name.strip())

    def same_as(self, other: "Model") -> bool:
        """Whether two TACs are of one model: same maker, same name, whatever the case of letters."""
        mine = (self.manufacturer.strip().casefold(), self.name.strip().casefold())
        return self.known and mine == (other.manufacturer.strip().casefold(), other.name.strip().casefold())


ModelOf = Callable[[Tac], Model | None]
"""The model that a TAC was given to; None: the TAC is on no list."""


@dataclass(frozen=True)
class Identifiers:
    """Everything that identifies one device.

    Args:
        imeis: 1 to 4, in the order of their slots.
        eid: of its embedded SIM chip.
        serial: its maker's serial number: 5 to 64 letters, digits and . / _ -.

    Raises:
        IdentifiersRefusedError: too many or too few, one twice, or a serial number of other characters.
    """

    imeis: tuple[Imei, ...]
    eid: Eid | None = None
    serial: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.imeis) <= MOST_IMEIS:
            raise IdentifiersRefusedError(
                f"A device has 1 to {MOST_IMEIS} IMEIs; {len(self.imeis)} came.",
                "Dial *#06# to see them all.",
            )
        if len(set(self.imeis)) != len(self.imeis):
            raise IdentifiersRefusedError("The same IMEI came twice.", "Each slot has an IMEI of its own.")
        if self.serial and not _SERIAL.fullmatch(self.serial):
            raise IdentifiersRefusedError(
                "A serial number has 5 to 64 capital letters, digits and . / _ -.",
                "Copy it from the label, or leave it out.",
            )

    @classmethod
    def read(cls, imeis: tuple[str, ...], eid: str = "", serial: str = "") -> "Identifiers":
        """From what a person typed; empty ones are left out.

        Raises:
            InvalidIdentifierError, IdentifiersRefusedError: with what is wrong.
        """
        return cls(
            tuple(Imei.from_printed(text) for text in imeis if text.strip()),
            Eid("".join(eid.split())) if eid.strip() else None,
            "".join(serial.split()).upper(),
        )

    def columns(self, maker: str) -> list[dict[str, Any]]:
        """The rows of `Identifier` that say it, IMEIs by number: whoever binds several does it in one order.

        Args:
            maker: whose serial numbers they are; empty: its TAC stands for it.
        """
        by_number = sorted(enumerate(self.imeis, 1), key=lambda pair: pair[1])
        rows: list[dict[str, Any]] = [
            {"kind": IdentifierKind.IMEI.value, "slot": slot, "imei": imei.number} for slot, imei in by_number
        ]
        if self.eid is not None:
            rows.append({"kind": IdentifierKind.EID.value, "value": self.eid.digits})
        if self.serial:
            whose = maker.strip().casefold() or self.imeis[0].tac.digits
            rows.append({"kind": IdentifierKind.SERIAL.value, "value": self.serial, "maker": whose})
        return rows


@dataclass(frozen=True)
class Strictness:
    """How far a country goes.

    Args:
        unknown_models: devices whose TACs are on no list are taken, if all their IMEIs share one TAC.
        test_identities: test TACs are taken: for test equipment only.
    """

    unknown_models: bool = False
    test_identities: bool = False


def check(identifiers: Identifiers, model_of: ModelOf, strictness: Strictness = Strictness()) -> Model | None:
    """The model that all identifiers belong to; None: unknown, and that is allowed.

    Why one model: two phones registered as the two slots of one would share one fee, and one would hide
    behind the other.

    Raises:
        IdentifiersRefusedError: a placeholder, a test identity, an unknown model, IMEIs of several models, or
            more of them than the model has slots.
    """
    for imei in identifiers.imeis:
        if is_placeholder(imei):
            raise IdentifiersRefusedError(
                "The digits of an IMEI follow a pattern: nobody allocated it.",
                "Dial *#06#. If the phone itself shows it, take it to a shop that can tell what it is.",
            )
        if imei.tac.is_test and not strictness.test_identities:
            raise IdentifiersRefusedError(
                "The IMEI is set aside for test equipment.", "Test equipment is registered as such."
            )
    tacs = list(dict.fromkeys(imei.tac for imei in identifiers.imeis))
    models = [model_of(tac) for tac in tacs]
    first = models[0]
    if len(tacs) == 1 and first is None:
        if strictness.unknown_models or strictness.test_identities:
            return None
        raise IdentifiersRefusedError(
            f"The TAC {tacs[0]} is not on the list of allocated ones.",
            "Compare the first eight digits with the label; the newest models may not be on it yet.",
        )
    for tac, model in zip(tacs[1:], models[1:], strict=True):
        if first is None or model is None or not first.same_as(model):
            raise IdentifiersRefusedError(
                f"The TACs {tacs[0]} and {tac} are not of the same model.",
                "Register each device with its own IMEIs: dial *#06# on it.",
            )
    assert first is not None
    if first.sim_slots and len(identifiers.imeis) > first.sim_slots:
        raise IdentifiersRefusedError(
            f"A device of this model has {first.sim_slots} IMEIs; {len(identifiers.imeis)} came.",
            "Register each device with its own IMEIs: dial *#06# on it.",
        )
    return first
