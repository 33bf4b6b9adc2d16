"""What a case is, where it stands and where it can go from there."""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from ceir.errors import CeirError


class CaseError(CeirError):
    """A case cannot be made or changed like this."""

    code: ClassVar[str] = "case_refused"


class IllegalMoveError(CaseError):
    """A case cannot go from where it stands to where somebody wants it."""

    code: ClassVar[str] = "case_move_refused"


class Loss(Enum):
    """How the owner lost the device."""

    STOLEN = "stolen"
    LOST = "lost"


class Mode(Enum):
    """What is done about it."""

    BLOCK = "block"
    """No network serves the device."""
    RECOVERY = "recovery"
    """The device goes on working, and whoever uses it is asked to come forward."""


class Reporter(Enum):
    """Who reports."""

    CONSUMER = "consumer"
    OPERATOR = "operator"
    POLICE = "police"


class State(Enum):
    """Where a case stands."""

    REPORTED = "reported"
    VERIFIED = "verified"
    BLOCKED = "blocked"
    SEEN = "seen"
    RECOVERED = "recovered"
    RESTORED = "restored"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


ENDED = frozenset({State.RESTORED, State.WITHDRAWN, State.REJECTED})
"""Nothing comes after these; how long personal data is kept counts from here."""

BLOCKING = frozenset({State.BLOCKED, State.SEEN})
"""In mode block the devices of such a case are on the stolen list, whatever else there is."""

_BACK = frozenset({State.WITHDRAWN, State.REJECTED})

MOVES: Mapping[Mode, Mapping[State, frozenset[State]]] = {
    Mode.BLOCK: {
        State.REPORTED: frozenset({State.VERIFIED}) | _BACK,
        State.VERIFIED: frozenset({State.BLOCKED, State.RECOVERED}) | _BACK,
        State.BLOCKED: frozenset({State.SEEN, State.RECOVERED}) | _BACK,
        State.SEEN: frozenset({State.RECOVERED}) | _BACK,
        State.RECOVERED: frozenset({State.RESTORED}),
    },
    Mode.RECOVERY: {
        State.REPORTED: frozenset({State.VERIFIED}) | _BACK,
        State.VERIFIED: frozenset({State.SEEN, State.RECOVERED}) | _BACK,
        State.SEEN: frozenset({State.RECOVERED}) | _BACK,
        State.RECOVERED: frozenset({State.RESTORED}),
    },
}
"""Where a case can go, by its mode; what is not here is refused."""


def require_move(mode: Mode, here: State, there: State) -> None:
    """Let a case move, or refuse.

    Raises:
        IllegalMoveError: the table has no such move.
    """
    ways = MOVES[mode].get(here, frozenset())
    if there not in ways:
        named = ", ".join(state.value for state in State if state in ways)
        raise IllegalMoveError(
            f"A case in mode {mode.value} that is {here.value} cannot become {there.value}.",
            f"It can become: {named}." if named else "It has ended; report the device again.",
        )
