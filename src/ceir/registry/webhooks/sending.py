"""Telling addresses what happened: gathered from the record, signed, tried again, given up where all can see.

What happened is read from the record of deeds: an event is there exactly when the deed is, each once.
"""

import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.audit.models import Entry
from ceir.registry.personal.fields import keys
from ceir.registry.webhooks.models import Delivery, DeliveryState, Told, Webhook
from ceir.registry.webhooks.registering import EVENTS, SECRET_LABEL, may_be_told

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""Between tries; after the last the message is dead."""

KEPT = timedelta(days=30)
_SECONDS = 10
_LEASE = timedelta(minutes=2)
_AT_ONCE = 200
_ENTRIES = 5000


class WebhookAddressError(CeirError):
    """An address leads where nothing is sent."""

    code: ClassVar[str] = "webhook_address_refused"


@dataclass(frozen=True)
class Sent:
    """What sending came to."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0


def gather(at: datetime) -> int:
    """Make messages of what was recorded since the last time. Returns: how many."""
    made = 0
    with transaction.atomic():
        Told.objects.get_or_create(pk=1, defaults={"sequence": _last()})
        told = Told.objects.select_for_update().get(pk=1)
        entries = list(Entry.objects.filter(sequence__gt=told.sequence).order_by("sequence")[:_ENTRIES])
        if not entries:
            return 0
        webhooks = list(Webhook.objects.filter(ended_at=None, organisation__active=True))
        for entry in entries:
            if not any(entry.action.startswith(event) for event in EVENTS):
                continue
            for webhook in webhooks:
                if webhook.made_at <= entry.at and may_be_told(webhook, entry.action, entry.organisation):
                    _, new = Delivery.objects.get_or_create(
                        webhook=webhook,
                        sequence=entry.sequence,
                        defaults={
                            "event": entry.action,
                            "body": _body(entry),
                            "made_at": at,
                            "due_at": at,
                        },
                    )
                    made += new
        told.sequence = entries[-1].sequence
        told.save()
    return made


def send_due(at: datetime) -> Sent:
    """Send what is due. Each message is leased first, so that two workers do not send it at once."""
    delivered = failed = dead = 0
    due = Delivery.objects.filter(state=DeliveryState.WAITING.value, due_at__lte=at).order_by("due_at")
    for delivery in due.select_related("webhook")[:_AT_ONCE]:
        leased = Delivery.objects.filter(
            pk=delivery.pk, state=DeliveryState.WAITING.value, due_at=delivery.due_at
        ).update(due_at=at + _LEASE, tries=delivery.tries + 1)
        if not leased:
            continue
        delivery.tries += 1
        try:
            status = post(delivery.webhook, delivery, at)
            answer, taken = f"status {status}", 200 <= status < 300
        except (OSError, http.client.HTTPException, WebhookAddressError) as error:
            answer, taken = type(error).__name__, False
        if taken:
            _end(delivery, DeliveryState.DELIVERED, answer, at)
            delivered += 1
        elif delivery.tries > len(BACK_OFF):
            _end(delivery, DeliveryState.DEAD, answer, at)
            dead += 1
        else:
            Delivery.objects.filter(pk=delivery.pk).update(
                due_at=at + BACK_OFF[delivery.tries - 1], answer=answer
            )
            failed += 1
    return Sent(delivered, failed, dead)


def post(webhook: Webhook, delivery: Delivery, at: datetime) -> int:
    """Send a message once. Returns: the status of the answer; its body is not looked at.

    Raises:
        WebhookAddressError: the address leads to this machine, or into a network of its own.
        OSError, HTTPException: it cannot be reached, or what answers is no web server.
    """
    parts = urlsplit(webhook.url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    address = address_of(host, port)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = delivery.body.encode()
    moment = str(int(at.timestamp()))
    secret = keys().decrypt(SECRET_LABEL, bytes(webhook.secret))
    headers = {
        "Host": host if parts.port is None else f"{host}:{port}",
        "Content-Type": "application/json",
        "User-Agent": "OpenCEIR",
        "Ceir-Event": delivery.event,
        "Ceir-Delivery": str(delivery.pk),
        "Ceir-Timestamp": moment,
        "Ceir-Signature": f"v1={signature(secret, moment, body)}",
    }
    # To the address that was looked at, whatever the name says by the time of connecting.
    connection = _Pinned(address, port, host, tls=parts.scheme == "https")
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def signature(secret: str, moment: str, body: bytes) -> str:
    """HMAC-SHA-256 over the moment, a dot and the body: who has the secret can tell that it is ours, and when
    it was made."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def address_of(host: str, port: int) -> str:
    """The address that a name leads to now.

    Raises:
        WebhookAddressError: one of its addresses is not of the open Internet: a program that anybody can tell
            where to send must not reach what only we can reach.
        OSError: there is no such name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not settings.CEIR_WEBHOOKS_PRIVATE and not all(is_open(address) for address in addresses):
        raise WebhookAddressError("The address is not of the open Internet.", "Register another address.")
    return addresses[0]


def is_open(address: str) -> bool:
    """Whether an address is one of the open Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    teredo = getattr(ip, "teredo", None)
    inner = [one for one in (mapped, *(teredo or ())) if one is not None]
    nat64 = isinstance(ip, ipaddress.IPv6Address) and ip in ipaddress.ip_network("64:ff9b::/96")
    return all(one.is_global and not one.is_multicast for one in (ip, *inner)) and not nat64


def forget(at: datetime) -> int:
    """Remove messages that ended long ago. Returns: how many."""
    removed, _ = Delivery.objects.filter(ended_at__lte=at - KEPT).delete()
    return removed


class _Pinned(http.client.HTTPConnection):
    def __init__(self, address: str, port: int, host: str, *, tls: bool) -> None:
        super().__init__(address, port, timeout=_SECONDS)
        self._host_name, self._tls = host, tls

    def connect(self) -> None:
        """To the address; with TLS for the name."""
        self.sock = socket.create_connection((self.host, self.port), timeout=_SECONDS)
        if self._tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._host_name)


def _end(delivery: Delivery, state: DeliveryState, answer: str, at: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state.value, answer=answer[:200], due_at=None, ended_at=at
    )


def _body(entry: Entry) -> str:
    """What happened to what; the rest is asked for over the API, by whoever may know it."""
    told = {
        "sequence": entry.sequence,
        "event": entry.action,
        "subject": entry.subject,
        "at": entry.at.astimezone(UTC).isoformat(),
    }
    return json.dumps(told, separators=(",", ":"))


def _last() -> int:
    newest: Iterable[int] = Entry.objects.order_by("-sequence").values_list("sequence", flat=True)[:1]
    return next(iter(newest), 0)
