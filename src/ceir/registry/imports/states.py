"""Where consignments may go from where they stand."""

from collections.abc import Mapping
from typing import ClassVar

from ceir.errors import CeirError
from ceir.registry.imports.models import Consignment, State

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.RECEIVING: frozenset({State.SUBMITTED, State.UNREADABLE, State.WITHDRAWN}),
    State.UNREADABLE: frozenset({State.RECEIVING, State.WITHDRAWN}),
    State.SUBMITTED: frozenset({State.CHECKED, State.REFUSED, State.WITHDRAWN}),
    State.CHECKED: frozenset({State.RELEASED, State.REFUSED, State.WITHDRAWN}),
    State.RELEASED: frozenset({State.ON_SALE}),
    State.ON_SALE: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
"""Every step there is; a checked consignment may be checked again, and one half received be sent again."""


class ConsignmentStateError(CeirError):
    """A consignment cannot go there from where it stands."""

    code: ClassVar[str] = "consignment_state"


class ConsignmentUnknownError(CeirError):
    """There is no such consignment."""

    code: ClassVar[str] = "consignment_unknown"


def move(consignment: Consignment, to: State) -> None:
    """Bring a locked consignment into another state; whoever calls saves it.

    Raises:
        ConsignmentStateError: the table of transitions has no such one.
    """
    before = State(consignment.state)
    if to not in TRANSITIONS[before]:
        could = ", ".join(sorted(state.value for state in TRANSITIONS[before])) or "nothing else"
        raise ConsignmentStateError(
            f"Consignment {consignment.number} is {before.value} and cannot become {to.value}.",
            f"It can become: {could}.",
        )
    consignment.state = to.value


def locked(consignment_id: int) -> Consignment:
    """A consignment that nobody else changes until the transaction ends.

    Raises:
        ConsignmentUnknownError: there is none.
    """
    found = Consignment.objects.select_for_update().filter(pk=consignment_id).first()
    if found is None:
        raise ConsignmentUnknownError(
            f"There is no consignment {consignment_id}.", "List those that there are."
        )
    return found
