"""What the lists say of equipment, asked through a function that whoever puts the register together gives."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ceir.identifiers import Imei


@dataclass(frozen=True)
class Standing:
    """How one IMEI stands.

    Args:
        listed: why it is blocked, notified, or in an open case now; empty: it is not.
        ever_listed: whether it ever was.
    """

    listed: tuple[str, ...] = ()
    ever_listed: bool = False

    @property
    def is_listed(self) -> bool:
        """Whether something is held against it now."""
        return bool(self.listed)


StandingOf = Callable[[Collection[Imei]], Mapping[Imei, Standing]]
"""The standing of each of some IMEIs; one that is missing in the answer has none against it."""

CLEAR = Standing()
"""Of an IMEI that nothing was ever held against."""


def standings(imeis: Collection[Imei], standing_of: StandingOf) -> Mapping[Imei, Standing]:
    """The standing of each, none missing."""
    found = standing_of(imeis)
    return {imei: found.get(imei, CLEAR) for imei in imeis}
