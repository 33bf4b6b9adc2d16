"""What the lists say of equipment, asked through a function that whoever puts the register together gives."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ceir.identifiers import Imei


@dataclass(frozen=True)
class Standing:
    """How one IMEI stands.

    Args:
        listed: labels of the conditions for which it is blocked or notified now.
        missing: a case says that it is stolen or lost.
        ever_listed: whether it ever was one or the other.
    """

    listed: tuple[str, ...] = ()
    missing: bool = False
    ever_listed: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether nothing is held against it now."""
        return not self.listed and not self.missing


StandingOf = Callable[[Collection[Imei]], Mapping[Imei, Standing]]
"""The standing of each of some IMEIs; one that is missing in the answer has none against it."""

CLEAR = Standing()
"""Of an IMEI that nothing was ever held against."""


def standings(imeis: Collection[Imei], standing_of: StandingOf) -> Mapping[Imei, Standing]:
    """The standing of each, none missing."""
    found = standing_of(imeis)
    return {imei: found.get(imei, CLEAR) for imei in imeis}
