"""Mail, through the country's own mail server."""

import smtplib
from collections.abc import Sequence
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.message import Message as AnyMessage
from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage as Mail
from django.core.mail.backends.smtp import EmailBackend
from django.core.validators import validate_email
from pydantic import Field, SecretStr, StringConstraints

from ceir.clock import Clock
from ceir.registry.gateways._pace import Pace
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

_LONGEST_REPORT = 1_000_000
_DELIVERIES = {
    "delivered": ReceiptState.DELIVERED,
    "relayed": ReceiptState.ON_ITS_WAY,
    "expanded": ReceiptState.ON_ITS_WAY,
    "delayed": ReceiptState.ON_ITS_WAY,
    "failed": ReceiptState.REFUSED,
}
"""RFC 3464 clause 2.3.3."""

Domain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,200}$")]


class EmailOptions(Options):
    """How to reach the mail server."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    user: str = ""
    password: SecretStr = SecretStr("")
    starttls: bool = Field(
        default=True, description="Encrypt after connecting; refused if the server cannot."
    )
    tls: bool = Field(default=False, description="Encrypt from the first octet, usually on port 465.")
    sender: str = Field(max_length=200, description="Address that the mail comes from; reports go there.")
    domain: Domain = Field(description="Of message identifiers.")
    seconds: float = Field(default=30, gt=0, le=300)
    per_second: float = Field(default=20, gt=0, le=10_000, description="Mails a second at most.")


class EmailGateway:
    """See `ceir.registry.gateways.Gateway`."""

    def __init__(self, options: EmailOptions) -> None:
        self._options = options
        self._pace = Pace(options.per_second)

    def send(self, messages: Sequence[Message]) -> list[Sent]:
        """Hand mail over, one after another on one connection."""
        o = self._options
        backend = EmailBackend(
            host=o.host, port=o.port, username=o.user, password=o.password.get_secret_value(),
            use_tls=o.starttls and not o.tls, use_ssl=o.tls, timeout=int(o.seconds) or 1,
        )  # fmt: skip
        try:
            backend.open()
        except (OSError, smtplib.SMTPException) as error:
            return [Sent(Outcome.LATER, detail=_said(error))] * len(messages)
        try:
            return [self._send(backend, message) for message in messages]
        finally:
            with suppress(OSError, smtplib.SMTPException):  # what was taken was taken
                backend.close()

    def close(self) -> None:
        """Nothing stays open."""

    def _send(self, backend: EmailBackend, message: Message) -> Sent:
        self._pace.wait()
        identifier = f"<{message.reference}@{self._options.domain}>"
        try:
            validate_email(message.to)
            mail = Mail(
                message.subject, message.text, self._options.sender, [message.to],
                headers={"Message-ID": identifier, "Auto-Submitted": "auto-generated"}, connection=backend,
            )  # fmt: skip
            mail.message()
        except (ValidationError, ValueError):  # a line end in a subject is one
            return Sent(Outcome.REFUSED, detail="not an address or a subject of mail")
        try:
            backend.open()  # again, if it broke with the message before
        except (OSError, smtplib.SMTPException) as error:
            return Sent(Outcome.LATER, detail=_said(error))
        try:
            backend.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            later = all(400 <= code < 500 for code in codes)
            return Sent(Outcome.LATER if later else Outcome.REFUSED, detail=f"answer {codes[0]}")
        except smtplib.SMTPResponseException as error:
            later = 400 <= error.smtp_code < 500
            return Sent(Outcome.LATER if later else Outcome.REFUSED, detail=_said(error))
        except (OSError, smtplib.SMTPException) as error:
            # It broke somewhere on the way: whether the server had all of it is not known.
            backend.connection = None
            return Sent(Outcome.UNCERTAIN, detail=_said(error))
        return Sent(Outcome.ACCEPTED, (identifier,))


def read_delivery_report(raw: bytes) -> list[Receipt]:
    """The receipts in a mail that came back (RFC 3464); none: it is no report of one of ours.

    Args:
        raw: the mail as it lies in the mailbox of the sender.
    """
    if len(raw) > _LONGEST_REPORT:
        return []
    mail = message_from_bytes(raw, policy=policy.default)
    if not isinstance(mail, EmailMessage) or mail.get_content_type() != "multipart/report":
        return []
    parts = [part for part in mail.walk() if part is not mail]
    identifier = next((found for part in parts if (found := _original(part))), "")
    if not identifier:
        return []
    states = [
        _DELIVERIES[action]
        for part in parts
        if part.get_content_type() == "message/delivery-status"
        for block in part.get_payload() or []
        if isinstance(block, AnyMessage)
        and (action := str(block.get("Action", "")).strip().lower()) in _DELIVERIES
    ]
    return [Receipt(identifier, state) for state in states[:1]]


def _original(part: AnyMessage) -> str:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        headers = inner[0] if isinstance(inner, list) and inner else None
    elif kind == "text/rfc822-headers":
        payload = part.get_payload(decode=True)
        headers = message_from_bytes(payload, policy=policy.default) if isinstance(payload, bytes) else None
    else:
        return ""
    return str(headers.get("Message-ID", "")).strip()[:300] if isinstance(headers, AnyMessage) else ""


def _said(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"answer {code}" if code else type(error).__name__


def _open(options: EmailOptions, keep: Keep, clock: Clock) -> EmailGateway:  # noqa: ARG001 - as all are opened
    return EmailGateway(options)


GATEWAY = GatewayKind(
    name="email",
    title="Mail",
    doc="Hands mail to a mail server by SMTP; reports that come back to the sender's mailbox are understood.",
    address="mail",
    options=EmailOptions,
    open=_open,
)
