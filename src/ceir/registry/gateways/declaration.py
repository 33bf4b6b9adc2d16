"""How a way to reach people is declared: one module a back end, found by listing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from ceir.clock import Clock
from ceir.declarations import declared
from ceir.errors import CeirError, UsageError

Address: TypeAlias = Literal["number", "mail"]


class GatewayError(CeirError):
    """A gateway cannot be opened as it is set up, or what came is not from it."""

    code: ClassVar[str] = "gateway"


@dataclass(frozen=True, slots=True)
class Message:
    """A text for one person.

    Args:
        reference: of whoever sends it; two messages never have the same one. Letters, digits, `-`, `.`.
        to: digits of a number with its country code, or an address of mail.
        text: as the person reads it.
        subject: of mail.
    """

    reference: str
    to: str
    text: str
    subject: str = ""

    def __repr__(self) -> str:
        return f"Message({self.reference})"


class Outcome(Enum):
    """What became of handing a message over."""

    ACCEPTED = "accepted"
    """The other side took it; a receipt may follow."""
    LATER = "later"
    """It certainly was not taken; it may be sent again."""
    REFUSED = "refused"
    """It will never be taken."""
    UNCERTAIN = "uncertain"
    """Nobody knows; sent again it could arrive twice."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of handing one message over.

    Args:
        ids: what receipts will name it by; a long text has several.
        detail: why; never a person's number.
    """

    outcome: Outcome
    ids: tuple[str, ...] = ()
    detail: str = ""


class ReceiptState(Enum):
    """What a receipt says."""

    ON_ITS_WAY = "on_its_way"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    """It was not delivered, and is not tried any more: the phone was off. It may be sent again."""
    REFUSED = "refused"
    """It was not delivered, and would not be if sent again."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side says of a message it took."""

    id: str
    state: ReceiptState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text that somebody sent to us.

    Args:
        sender: digits of a number, or whatever stood there.
    """

    sender: str
    text: str

    def __repr__(self) -> str:
        return "Incoming()"


Keep: TypeAlias = Callable[[Receipt | Incoming], None]
"""Keeps what came from the other side, which is told only afterwards that it was taken; called from a thread
of the gateway's own. What raises is offered again later."""


class Gateway(Protocol):
    """An open way to reach people."""

    def send(self, messages: Sequence[Message]) -> list[Sent]:
        """Hand messages over; one result each, in their order. Waits for the other side, within limits."""

    def close(self) -> None:
        """Stop; what is on its way is waited for, within limits."""


class Options(BaseModel):
    """What an installer sets; each back end has its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class GatewayKind:
    """A back end.

    Args:
        name: as settings name it.
        address: what `Message.to` is.
        options: the type of its options.
        open: makes one; nothing is connected yet, or it goes on by itself.
    """

    name: str
    title: str
    doc: str
    address: Address
    options: type[Options]
    open: Callable[[Any, Keep, Clock], Gateway]


def all_gateways() -> Mapping[str, GatewayKind]:
    """Every back end by name."""
    import ceir.registry.gateways  # noqa: PLC0415 - the package imports this module

    return declared(ceir.registry.gateways, "GATEWAY", GatewayKind)


def open_gateway(name: str, options: Mapping[str, object], keep: Keep, clock: Clock) -> Gateway:
    """Open the gateway called `name`.

    Args:
        options: as the installer wrote them.

    Raises:
        UsageError: there is none.
        GatewayError: its options are not what it takes.
    """
    found = all_gateways()
    if name not in found:
        raise UsageError(f"There is no gateway {name!r}.", f"Gateways: {', '.join(found)}.")
    kind = found[name]
    try:
        read = kind.options.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "options"
        raise GatewayError(f"Gateway {name}: {where}: {first['msg']}.", "See docs/notices.md.") from error
    return kind.open(read, keep, clock)
