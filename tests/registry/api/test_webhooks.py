"""Webhooks, with a real web server that takes the messages."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from calling import bearer, call
from django.test import override_settings
from lost import police, reported
from people import NOW

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import record
from ceir.registry.calls import allowing
from ceir.registry.webhooks.models import Delivery, DeliveryState, Webhook
from ceir.registry.webhooks.registering import WebhookError, check_url
from ceir.registry.webhooks.sending import (
    BACK_OFF,
    WebhookAddressError,
    address_of,
    forget,
    gather,
    is_open,
    send_due,
)


class Receiver:
    """A web server that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.append((dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with override_settings(CEIR_WEBHOOKS_PRIVATE=True):
        yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def _leases() -> Iterator[None]:
    allowing.forget_leases()
    yield
    allowing.forget_leases()


def webhook(receiver: Receiver, role: Role = Role.OPERATOR, *events: str, of: str = "") -> tuple[Any, str]:
    asked = {"url": f"http://127.0.0.1:{receiver.port}/ceir?x=1", "events": list(events) or ["run."]}
    answer = call("POST", "webhooks", bearer(role, of=of), asked)
    assert answer.status_code == 201, answer.content
    made = Webhook.objects.get(pk=answer.json()["id"])
    made.made_at = NOW
    made.save()
    gather(NOW)  # what was recorded before is not told
    return made, answer.json()["secret"]


def test_a_message_is_signed_so_that_the_receiver_can_tell(receiver: Receiver) -> None:
    _, secret = webhook(receiver)
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    assert gather(NOW) == 1
    assert send_due(NOW).delivered == 1
    ((headers, body),) = receiver.messages
    told = json.loads(body)
    assert (told["event"], told["subject"], headers["Ceir-Event"]) == ("run.applied", "run:7", "run.applied")
    wanted = hmac.new(secret.encode(), headers["Ceir-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["Ceir-Signature"] == f"v1={wanted.hexdigest()}"
    assert headers["Ceir-Timestamp"] == str(int(NOW.timestamp()))
    assert send_due(NOW + timedelta(days=1)).delivered == 0, "once taken it is not sent again"


def test_the_secret_is_shown_once_and_kept_encrypted(receiver: Receiver) -> None:
    made, secret = webhook(receiver)
    assert secret.encode() not in bytes(made.secret)
    listed = call("GET", "webhooks", bearer(Role.OPERATOR))
    assert secret not in listed.content.decode()
    assert "secret" not in listed.json()["items"][0]


def test_each_event_is_told_once_however_often_it_is_gathered(receiver: Receiver) -> None:
    webhook(receiver)
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    assert (gather(NOW), gather(NOW)) == (1, 0)
    assert Delivery.objects.count() == 1


def test_what_fails_is_tried_again_later_and_later_and_then_lies_where_all_see_it(receiver: Receiver) -> None:
    made, _ = webhook(receiver)
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    gather(NOW)
    receiver.status = 503
    at = NOW
    for pause in BACK_OFF:
        assert send_due(at).failed == 1
        assert send_due(at + pause - timedelta(seconds=1)).failed == 0
        at += pause
    assert send_due(at).dead == 1
    assert len(receiver.messages) == len(BACK_OFF) + 1
    assert len({headers["Ceir-Delivery"] for headers, _ in receiver.messages}) == 1, "the same message"
    token = bearer(Role.OPERATOR)
    (dead,) = call("GET", f"webhooks/{made.pk}/deliveries", token, query={"state": "dead"}).json()["items"]
    assert (dead["tries"], dead["answer"]) == (8, "status 503")
    receiver.status = 200
    assert call("POST", f"webhooks/deliveries/{dead['id']}/again", token).status_code == 200
    assert send_due(NOW + timedelta(days=3650)).delivered == 1


def test_a_receiver_that_is_not_there_is_tried_again(receiver: Receiver) -> None:
    made, _ = webhook(receiver)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        made.url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        made.save()
        record(SYSTEM, "run.applied", "run:7", at=NOW)
        gather(NOW)
        assert send_due(NOW).failed == 1
    assert Delivery.objects.get().answer == "ConnectionRefusedError"


def test_nobody_is_led_on_to_another_address(receiver: Receiver) -> None:
    webhook(receiver)
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    gather(NOW)
    receiver.status = 302
    assert send_due(NOW).failed == 1
    assert len(receiver.messages) == 1


def test_the_police_are_told_of_what_their_own_station_did_and_not_of_others(receiver: Receiver) -> None:
    program_of_station = bearer(Role.POLICE, of="station-1")
    assert program_of_station
    webhook(receiver, Role.POLICE, "case.", of="station-1")
    reported(by=police("p1", "station-1"))
    reported(by=police("p2", "station-2"))
    gather(NOW)
    assert Delivery.objects.filter(event="case.reported").count() == 1


def test_an_organisation_that_is_out_of_use_is_told_nothing(receiver: Receiver) -> None:
    made, _ = webhook(receiver)
    made.organisation.active = False
    made.organisation.save()
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    assert gather(NOW) == 0


def test_an_ended_webhook_is_told_nothing_more(receiver: Receiver) -> None:
    made, _ = webhook(receiver)
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    gather(NOW)
    token = bearer(Role.OPERATOR)
    assert call("DELETE", f"webhooks/{made.pk}", bearer(Role.OPERATOR, of="operator9")).status_code == 404
    assert call("DELETE", f"webhooks/{made.pk}", token).status_code == 204
    record(SYSTEM, "run.applied", "run:8", at=NOW)
    assert gather(NOW) == 0
    assert send_due(NOW).delivered == 0
    assert receiver.messages == []


def test_events_that_the_role_may_not_see_cannot_be_asked_for() -> None:
    asked = {"url": "https://operator.example/", "events": ["release."]}
    refused = call("POST", "webhooks", bearer(Role.OPERATOR), asked)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    asked["events"] = ["personal."]
    assert call("POST", "webhooks", bearer(Role.OPERATOR), asked).json()["code"] == "webhook_refused"


@pytest.mark.parametrize(
    "url",
    [
        "http://operator.example/",
        "ftp://operator.example/",
        "https://user:pass@operator.example/",
        "https://operator.example/#x",
        "https:///path",
        "https://operator.example:99999/",
        "https://operator.example:0/",
        "https://operator.example/\r\nX: y",
        "https://oper\u00e4tor.example/",
        "file:///etc/passwd",
        "",
        "https://[::1",
        f"https://operator.example/{'x' * 500}",
    ],
)
def test_what_is_no_address_to_send_to_is_refused(url: str) -> None:
    with pytest.raises(WebhookError):
        check_url(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - to be refused
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "ff02::1",
    ],
)
def test_addresses_that_only_we_can_reach_are_never_sent_to(address: str) -> None:
    assert not is_open(address)


def test_addresses_of_the_internet_are_open() -> None:
    assert is_open("93.184.215.14")
    assert is_open("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]".strip("[]")])
def test_a_name_that_leads_here_is_refused_when_sending(host: str) -> None:
    with pytest.raises((WebhookAddressError, OSError)):
        address_of(host, 443)


def test_messages_are_forgotten_after_their_days(receiver: Receiver) -> None:
    webhook(receiver)
    record(SYSTEM, "run.applied", "run:7", at=NOW)
    gather(NOW)
    send_due(NOW)
    assert Delivery.objects.get().state == DeliveryState.DELIVERED.value
    assert forget(NOW + timedelta(days=29)) == 0
    assert forget(NOW + timedelta(days=30)) == 1
