"""Messages to an aggregator or to an operator's own service, over HTTPS with a signed body."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr, model_validator

from ceir.clock import Clock
from ceir.registry.gateways._pace import Pace
from ceir.registry.gateways.declaration import (
    GatewayError,
    GatewayKind,
    Keep,
    Message,
    Options,
    Outcome,
    Receipt,
    ReceiptState,
    Sent,
)

_LONGEST_ANSWER = 64_000
LONGEST_REPORT = 1_000_000
_TOO_OLD = timedelta(minutes=5)
_NOT_TAKEN = frozenset({425, 429, 503})
"""The other side says itself that it did nothing: RFC 8470, RFC 6585, RFC 9110."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class HttpOptions(Options):
    """How to reach a service that sends short messages."""

    url: str = Field(max_length=500, description="https; http only on this machine.")
    secret: SecretStr = Field(min_length=32, description="Shared; signs bodies in both directions.")
    sender: str = Field(default="", max_length=20, description="What people see as the sender.")
    seconds: float = Field(default=10, gt=0, le=120, description="For an answer.")
    window: int = Field(default=10, ge=1, le=100, description="Messages under way at once.")
    per_second: float = Field(default=50, gt=0, le=10_000, description="Messages a second at most.")
    once: bool = Field(
        default=False,
        description="The service keeps to webhook-id: the same one sent twice is delivered once. Then what "
        "had no answer may be sent again.",
    )

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("the address must be one of https")
        return self


def signature(secret: str, identifier: str, seconds: int, body: bytes) -> str:
    """What goes with a body, after the specification Standard Webhooks: `v1,` and HMAC-SHA-256 over
    identifier, moment and body."""
    signed = f"{identifier}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode("ascii")


class HttpGateway:
    """See `ceir.registry.gateways.Gateway`. One POST a message: `{"id", "to", "text", "sender"}`.

    The answer to a message that was taken is 2xx with `{"ids": [...]}`: what receipts will name it by.
    """

    def __init__(self, options: HttpOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._pace = Pace(options.per_second)
        self._client = httpx.Client(timeout=options.seconds, follow_redirects=False, trust_env=False)
        self._workers = ThreadPoolExecutor(options.window, thread_name_prefix="http-send")

    def send(self, messages: Sequence[Message]) -> list[Sent]:
        """Hand messages over, several at once."""
        return list(self._workers.map(self._send, messages))

    def close(self) -> None:
        """End connections."""
        self._workers.shutdown(wait=True)
        self._client.close()

    def _send(self, message: Message) -> Sent:
        o = self._options
        content = {"id": message.reference, "to": f"+{message.to}", "text": message.text, "sender": o.sender}
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        self._pace.wait()
        seconds = int(self._clock().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": message.reference,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(o.secret.get_secret_value(), message.reference, seconds, body),
        }
        unknown = Outcome.LATER if o.once else Outcome.UNCERTAIN
        try:
            with self._client.stream("POST", o.url, content=body, headers=headers) as answer:
                return self._understood(answer, unknown)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Sent(Outcome.LATER, detail=type(error).__name__)
        except httpx.HTTPError as error:
            return Sent(unknown, detail=type(error).__name__)

    def _understood(self, answer: httpx.Response, unknown: Outcome) -> Sent:
        status = answer.status_code
        if status in _NOT_TAKEN:
            return Sent(Outcome.LATER, detail=f"answer {status}")
        if status >= 500 or status == 408:
            return Sent(unknown, detail=f"answer {status}")
        if not 200 <= status < 300:
            return Sent(Outcome.REFUSED, detail=f"answer {status}")
        text = b""
        for some in answer.iter_bytes():
            text += some
            if len(text) > _LONGEST_ANSWER:
                return Sent(Outcome.ACCEPTED, detail="the answer is too long to be read")
        try:
            ids = json.loads(text)["ids"]
            return Sent(Outcome.ACCEPTED, tuple(str(found)[:65] for found in ids[:20]))
        except (ValueError, LookupError, TypeError, RecursionError):
            return Sent(
                Outcome.ACCEPTED, detail="the answer names no identifiers: no receipt will be matched"
            )


def read_reports(body: bytes, headers: Mapping[str, str], secret: str, at: datetime) -> list[Receipt]:
    """The receipts in a call of the service's: `{"receipts": [{"id", "state", "detail"}]}`, signed as ours.

    Args:
        headers: with names in small letters.
        at: aware; a call much older or younger is refused, for it may be repeated by somebody.

    Raises:
        GatewayError: it is not signed by the service, is too old, or is no report.
    """
    if len(body) > LONGEST_REPORT:
        raise GatewayError("The report is too long.", "Send fewer receipts at once.")
    identifier, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
        raise GatewayError("The report has no moment.", "webhook-timestamp: seconds since 1970")
    if abs(datetime.fromtimestamp(int(moment), UTC) - at) > _TOO_OLD:
        raise GatewayError("The report is of another time.", "Set the clocks; do not repeat old reports.")
    wanted = signature(secret, identifier, int(moment), body).encode()
    given = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in given[:10]):
        raise GatewayError("The report is not signed with the shared secret.", "Compare the secrets.")
    try:
        return [_receipt(found) for found in json.loads(body)["receipts"]]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise GatewayError(
            "The report is not of the form that was agreed.", "See docs/notices.md."
        ) from error


def _receipt(found: Any) -> Receipt:
    identifier, detail = found["id"], found.get("detail", "")
    if not isinstance(identifier, str) or not isinstance(detail, str) or not 1 <= len(identifier) <= 65:
        raise ValueError("an identifier is none")
    return Receipt(identifier, ReceiptState(found["state"]), detail[:100])


def _open(options: HttpOptions, keep: Keep, clock: Clock) -> HttpGateway:  # noqa: ARG001 - reports are calls to us
    return HttpGateway(options, clock)


GATEWAY = GatewayKind(
    name="http",
    title="Short messages over HTTPS",
    doc="Hands short messages to a service by signed JSON over HTTPS; the service reports deliveries by "
    "signed calls to the register.",
    address="number",
    options=HttpOptions,
    open=_open,
)
