"""Short messages through an operator's message centre, by SMPP 3.4."""

import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Literal

import structlog
from pydantic import Field, SecretStr, StringConstraints

from ceir.clock import Clock
from ceir.registry.gateways._pace import Pace
from ceir.registry.gateways._receipts import read_receipt
from ceir.registry.gateways._smpp_pdu import REFUSED_FOR_NOW, ROK, TEMPORARY, Unit, described
from ceir.registry.gateways._smpp_session import Binding, NoAnswerError, NotSentError, Session
from ceir.registry.gateways._texts import UCS2, encode
from ceir.registry.gateways.declaration import (
    GatewayKind,
    Incoming,
    Keep,
    Message,
    Options,
    Outcome,
    Receipt,
    Sent,
)

_log = structlog.get_logger()

_TRIES_OF_A_PART = 5
"""A message of which some parts are out is not left half: the next part is tried so often."""
_HEADED = 0x40
_KIND_OF_MESSAGE, _RECEIPT = 0x3C, 0x04
"""esm_class, SMPP 3.4 clause 5.2.12: which bits tell the kind, and what a receipt has there."""

Ascii = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]*$")]


class SmppOptions(Options):
    """How to reach a message centre."""

    host: str = Field(min_length=1, description="Name or address.")
    port: int = Field(default=2775, ge=1, le=65535)
    system_id: Annotated[Ascii, StringConstraints(max_length=15)]
    password: SecretStr = Field(max_length=8, description="SMPP 3.4 allows 8 characters.")
    system_type: Annotated[Ascii, StringConstraints(max_length=12)] = ""
    tls: bool = Field(default=False, description="Encrypt; without it the line belongs into a tunnel.")
    ca_file: Path | None = Field(default=None, description="Certificates to trust instead of the system's.")
    source: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,20}$")] = Field(
        description="What people see as the sender: a short code, a number, or up to 11 letters."
    )
    source_ton: int = Field(
        default=5, ge=0, le=6, description="Of the source: 5 letters, 3 a short code, 1 a number."
    )
    source_npi: int = Field(default=0, ge=0, le=18, description="Of the source: 1 for a number, else 0.")
    window: int = Field(default=10, ge=1, le=100, description="Messages under way at once.")
    per_second: float = Field(default=50, gt=0, le=10_000, description="Parts a second at most.")
    validity_hours: int = Field(default=48, ge=1, le=168, description="How long the centre tries.")
    answer_seconds: float = Field(default=30, gt=0, le=300)
    quiet_seconds: float = Field(default=30, gt=0, le=300, description="Of silence until the line is tried.")
    pause_seconds: float = Field(default=1, gt=0, le=60, description="Before binding anew.")
    long_messages: Literal["parts", "payload"] = Field(
        default="parts", description="Long texts: parts with a header, or one message_payload."
    )
    receipt_ids: Literal["same", "decimal_of_hexadecimal", "hexadecimal_of_decimal"] = Field(
        default="same", description="How a receipt's text writes what the answer to the message called it."
    )


class SmppGateway:
    """See `ceir.registry.gateways.Gateway`."""

    def __init__(self, options: SmppOptions, keep: Keep) -> None:
        self._options = options
        self._keep = keep
        self._pace = Pace(options.per_second)
        self._workers = ThreadPoolExecutor(options.window, thread_name_prefix="smpp-send")
        tls = ssl.create_default_context(cafile=options.ca_file) if options.tls else None
        binding = Binding(
            options.host, options.port, options.system_id, options.password.get_secret_value(),
            options.system_type, tls, options.answer_seconds, options.quiet_seconds, options.pause_seconds,
        )  # fmt: skip
        self._session = Session(binding, self._delivered)

    def send(self, messages: Sequence[Message]) -> list[Sent]:
        """Hand messages over, several at once."""
        self._session.wait_bound(self._options.answer_seconds)
        return list(self._workers.map(self._send, messages))

    def close(self) -> None:
        """Unbind."""
        self._workers.shutdown(wait=True)
        self._session.close()

    def _send(self, message: Message) -> Sent:
        if not (message.to.isascii() and message.to.isdigit() and 1 <= len(message.to) <= 20):
            return Sent(Outcome.REFUSED, detail="not a number")
        try:
            encoded = encode(message.text, message.reference)
        except ValueError as error:
            return Sent(Outcome.REFUSED, detail=str(error))
        if self._options.long_messages == "payload" and encoded.headed:
            whole = b"".join(part[6:] for part in encoded.parts)
            return self._submit(message, encoded.coding, {"message_payload": whole}, 0)
        ids: tuple[str, ...] = ()
        for number, part in enumerate(encoded.parts):
            esm_class = _HEADED if encoded.headed else 0
            sent = self._submit(message, encoded.coding, {"short_message": part}, esm_class)
            for tried in range(1, _TRIES_OF_A_PART):
                if not number or sent.outcome is not Outcome.LATER:
                    break
                time.sleep(min(2.0 ** (tried - 1), 8.0) * self._options.pause_seconds)
                sent = self._submit(message, encoded.coding, {"short_message": part}, esm_class)
            ids += sent.ids
            if sent.outcome is not Outcome.ACCEPTED:
                if number:
                    detail = f"{number} of {len(encoded.parts)} parts were taken; {sent.detail}"
                    return Sent(Outcome.UNCERTAIN, ids, detail)
                return sent
        return Sent(Outcome.ACCEPTED, ids)

    def _submit(self, message: Message, coding: int, content: dict[str, bytes], esm_class: int) -> Sent:
        o = self._options
        self._pace.wait()
        days, hours = divmod(o.validity_hours, 24)
        try:
            answer = self._session.ask(
                "submit_sm", source_addr_ton=o.source_ton, source_addr_npi=o.source_npi,
                source_addr=o.source, dest_addr_ton=1, dest_addr_npi=1, destination_addr=message.to,
                esm_class=esm_class, registered_delivery=1, data_coding=coding,
                validity_period=f"0000{days:02}{hours:02}0000000R", **content,
            )  # fmt: skip
        except NotSentError as error:
            return Sent(Outcome.LATER, detail=str(error))
        except NoAnswerError as error:
            return Sent(Outcome.UNCERTAIN, detail=str(error))
        if answer.command == "generic_nack":
            return Sent(Outcome.REFUSED, detail=described(answer.status))
        if answer.status != ROK:
            outcome = Outcome.LATER if answer.status in TEMPORARY else Outcome.REFUSED
            return Sent(outcome, detail=described(answer.status))
        identifier = answer.octets("message_id").decode("latin-1").strip()
        return Sent(Outcome.ACCEPTED, (plain_id(identifier),) if identifier else ())

    def _delivered(self, unit: Unit) -> int:
        """Keep what the centre brings, then let it be answered."""
        identifier, state = unit.octets("receipted_message_id"), unit.number("message_state")
        text = unit.octets("short_message") or unit.octets("message_payload")
        told: Receipt | Incoming
        if (unit.number("esm_class") or 0) & _KIND_OF_MESSAGE == _RECEIPT or identifier:
            receipt = read_receipt(text, identifier or None, state)
            if receipt is None:
                _log.warning("smpp_receipt_not_understood", octets=len(text))
                return ROK  # brought again it would be understood no better
            written = receipt.id if identifier else self._as_answered(receipt.id)
            told = Receipt(plain_id(written), receipt.state, receipt.detail)
        else:
            wide = unit.number("data_coding") == UCS2
            words = text.decode("utf-16-be" if wide else "latin-1", "replace")
            told = Incoming(unit.octets("source_addr").decode("latin-1"), words)
            if not told.sender or not words.strip():
                return ROK
        try:
            self._keep(told)
        except Exception as error:  # noqa: BLE001 - whatever it is: the centre keeps it and brings it again
            _log.warning("smpp_delivery_not_kept", problem=type(error).__name__)
            return REFUSED_FOR_NOW
        return ROK

    def _as_answered(self, identifier: str) -> str:
        try:
            if self._options.receipt_ids == "decimal_of_hexadecimal":
                return f"{int(identifier):x}"
            if self._options.receipt_ids == "hexadecimal_of_decimal":
                return str(int(identifier, 16))
        except ValueError:
            return identifier
        return identifier


def plain_id(identifier: str) -> str:
    """An identifier as it is compared: centres write the same one with and without leading zeros, in capitals
    and in small letters."""
    return identifier.lower().lstrip("0") or "0"


def _open(options: SmppOptions, keep: Keep, clock: Clock) -> SmppGateway:  # noqa: ARG001 - as all are opened
    return SmppGateway(options, keep)


GATEWAY = GatewayKind(
    name="smpp",
    title="Short messages by SMPP",
    doc="Hands short messages to an operator's message centre by SMPP 3.4, bound as a transceiver, and takes "
    "delivery receipts and answers from it.",
    address="number",
    options=SmppOptions,
    open=_open,
)
