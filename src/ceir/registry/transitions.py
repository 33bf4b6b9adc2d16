"""States change only as a table says."""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Protocol, TypeVar

from ceir.errors import CeirError


class IllegalTransitionError(CeirError):
    """What was asked for cannot be done from where the thing stands."""

    code: ClassVar[str] = "illegal_transition"


class _Stateful(Protocol):
    state: str


S = TypeVar("S", bound=Enum)


def move(thing: _Stateful, to: S, table: Mapping[S, frozenset[S]], named: str) -> None:
    """Put a locked row into another state; the caller saves it.

    Args:
        table: from each state, where it can go.
        named: the thing, as messages name it: `transfer 12`.

    Raises:
        IllegalTransitionError: it cannot go there.
    """
    now = type(to)(thing.state)
    if to not in table[now]:
        can = ", ".join(sorted(str(state.value) for state in table[now]))
        raise IllegalTransitionError(
            f"The {named} is {now.value}: it cannot become {to.value}.",
            f"From here it can become: {can}." if can else "It has ended: begin a new one.",
        )
    thing.state = str(to.value)
