"""What the register itself knows to hold consignments against."""

from collections.abc import Sequence
from datetime import datetime

from ceir.identifiers import Imei
from ceir.registry.cases.standing import IN_FORCE, PENDING, standings
from ceir.registry.imports.checking import AskImeis, AskSeen, AskTacs, Checks


def register_checks(
    at: datetime,
    *,
    allocated: AskTacs | None = None,
    seen: AskSeen | None = None,
    registered: AskImeis | None = None,
) -> Checks:
    """Checks against the register's certificates and cases, and against what the caller can ask besides.

    A report that nobody has verified counts too: nothing is blocked by it here, somebody only looks.
    """

    def stolen(imeis: Sequence[int]) -> set[int]:
        asked = [Imei.from_number(number) for number in imeis]
        return {found.imei.number for found in standings(at, asked) if found.status in (IN_FORCE, PENDING)}

    return Checks(allocated=allocated, seen=seen, registered=registered, stolen=stolen)
