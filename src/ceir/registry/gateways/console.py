"""Messages shown instead of sent: for trials."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from ceir.clock import Clock
from ceir.registry.gateways.declaration import (
    GatewayKind,
    Keep,
    Message,
    Options,
    Outcome,
    Receipt,
    ReceiptState,
    Sent,
)


class ConsoleOptions(Options):
    """Where messages are shown."""

    file: Path | None = Field(default=None, description="Appended to; none: standard error.")
    delivered: bool = Field(default=True, description="Every message counts as delivered at once.")


class ConsoleGateway:
    """See `ceir.registry.gateways.Gateway`: one line of JSON a message."""

    def __init__(self, options: ConsoleOptions, keep: Keep) -> None:
        self._options = options
        self._keep = keep

    def send(self, messages: Sequence[Message]) -> list[Sent]:
        """Show them."""
        return [self._send(message) for message in messages]

    def close(self) -> None:
        """Nothing stays open."""

    def _send(self, message: Message) -> Sent:
        shown = {"reference": message.reference, "to": message.to, "text": message.text}
        if message.subject:
            shown["subject"] = message.subject
        line = json.dumps(shown, ensure_ascii=False) + "\n"
        if self._options.file is None:
            sys.stderr.write(line)
        else:
            with self._options.file.open("a", encoding="utf-8") as file:
                file.write(line)
        if self._options.delivered:
            self._keep(Receipt(message.reference, ReceiptState.DELIVERED))
        return Sent(Outcome.ACCEPTED, (message.reference,))


def _open(options: ConsoleOptions, keep: Keep, clock: Clock) -> ConsoleGateway:  # noqa: ARG001 - as all are opened
    return ConsoleGateway(options, keep)


GATEWAY = GatewayKind(
    name="console",
    title="Shown instead of sent",
    doc="Writes messages to a file or to standard error, for trials; nobody receives anything.",
    address="number",
    options=ConsoleOptions,
    open=_open,
)
