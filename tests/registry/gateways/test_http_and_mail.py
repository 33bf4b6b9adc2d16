"""Messages to a service over HTTP and to a mail server, which are processes of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from ceir.errors import UsageError
from ceir.registry.gateways import (
    GatewayError,
    Incoming,
    Message,
    Outcome,
    Receipt,
    ReceiptState,
    all_gateways,
    open_gateway,
)
from ceir.registry.gateways.email import read_delivery_report
from ceir.registry.gateways.http import read_reports, signature

HERE = Path(__file__).parent
SECRET = "a secret that both of them share, and nobody else"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NUMBER = "2200000000"


@contextmanager
def running(program: str, log: Path, *more: str) -> Iterator[int]:
    command = [sys.executable, str(HERE / program), str(log), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


def noted(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def nobody(told: Receipt | Incoming) -> None:
    raise AssertionError(told)


@pytest.fixture
def aggregator(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    with running("aggregator.py", tmp_path / "log", SECRET) as port:
        yield f"http://127.0.0.1:{port}/send", tmp_path / "log"


def post(url: str, *messages: Message, **more: object) -> list[tuple[Outcome, tuple[str, ...], str]]:
    options = {"url": url, "secret": SECRET, "sender": "1234", "seconds": 1.0}
    gateway = open_gateway("http", options | more, nobody, lambda: NOW)
    try:
        return [(s.outcome, s.ids, s.detail) for s in gateway.send(messages)]
    finally:
        gateway.close()


def test_a_message_goes_signed_and_the_service_names_it(aggregator: tuple[str, Path]) -> None:
    url, log = aggregator
    text = "Votre appareil sera bloqué. سيتم حظر جهازك"
    assert post(url, Message("n7.1", NUMBER + "00", text)) == [(Outcome.ACCEPTED, ("agg-n7.1",), "")]
    assert noted(log) == [
        {"signed": True, "id": "n7.1", "at": str(int(NOW.timestamp())), "to": f"+{NUMBER}00", "text": text,
         "sender": "1234"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ending", "outcome", "once"),
    [
        ("01", Outcome.REFUSED, Outcome.REFUSED), ("02", Outcome.LATER, Outcome.LATER),
        ("03", Outcome.UNCERTAIN, Outcome.LATER), ("04", Outcome.LATER, Outcome.LATER),
        ("05", Outcome.REFUSED, Outcome.REFUSED), ("06", Outcome.REFUSED, Outcome.REFUSED),
        ("08", Outcome.UNCERTAIN, Outcome.LATER), ("09", Outcome.UNCERTAIN, Outcome.LATER),
        ("10", Outcome.ACCEPTED, Outcome.ACCEPTED), ("11", Outcome.ACCEPTED, Outcome.ACCEPTED),
        ("12", Outcome.ACCEPTED, Outcome.ACCEPTED),
    ],
)  # fmt: skip
def test_what_is_not_known_is_sent_again_only_to_a_service_that_keeps_to_identifiers(
    aggregator: tuple[str, Path], ending: str, outcome: Outcome, once: Outcome
) -> None:
    message = Message("n1", NUMBER + ending, "x")
    for promised, wanted in ((False, outcome), (True, once)):
        ((found, ids, detail),) = post(aggregator[0], message, once=promised)
        assert (found, ids) == (wanted, ())
        assert detail
        assert NUMBER not in detail


def test_a_service_that_is_away_is_asked_later() -> None:
    assert post("http://127.0.0.1:1/", Message("n1", NUMBER, "x"))[0][0] is Outcome.LATER


def test_many_go_at_once_in_their_order(aggregator: tuple[str, Path]) -> None:
    messages = [Message(f"n{n}", NUMBER + "00", f"{n}") for n in range(50)]
    assert [ids for _, ids, _ in post(aggregator[0], *messages)] == [(f"agg-n{n}",) for n in range(50)]
    assert all(line["signed"] for line in noted(aggregator[1]))


@pytest.mark.parametrize(
    "wrong",
    [{"url": "http://example.org/"}, {"url": "ftp://x/"}, {"url": "file:///etc/passwd"}, {"secret": "short"},
     {"seconds": 0}, {"more": 1}],
)  # fmt: skip
def test_a_service_is_reached_encrypted_and_with_a_real_secret(wrong: dict[str, object]) -> None:
    with pytest.raises(GatewayError) as refused:
        open_gateway("http", {"url": "https://x/", "secret": SECRET} | wrong, nobody, lambda: NOW)
    assert SECRET not in str(refused.value)


def signed(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    seconds = int(at.timestamp())
    return {
        "webhook-id": "r1",
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,other {signature(secret, 'r1', seconds, body)}",
    }


def test_a_signed_report_is_read() -> None:
    body = json.dumps(
        {
            "receipts": [
                {"id": "agg-1", "state": "delivered"},
                {"id": "agg-2", "state": "refused", "detail": "x"},
            ]
        }
    ).encode()
    assert read_reports(body, signed(body), SECRET, NOW + timedelta(minutes=4)) == [
        Receipt("agg-1", ReceiptState.DELIVERED),
        Receipt("agg-2", ReceiptState.REFUSED, "x"),
    ]


def test_a_report_that_is_forged_changed_old_or_of_another_form_is_refused() -> None:
    body = b'{"receipts": [{"id": "agg-1", "state": "delivered"}]}'
    right = signed(body)
    for headers, content, at in (
        (signed(body, secret="another secret of the same length..........."), body, NOW),
        (right, body.replace(b"agg-1", b"agg-2"), NOW),
        (right, body, NOW + timedelta(minutes=6)),
        (right, body, NOW - timedelta(minutes=6)),
        (right | {"webhook-id": "r2"}, body, NOW),
        (right | {"webhook-timestamp": "now"}, body, NOW),
        (right | {"webhook-timestamp": "٣"}, body, NOW),
        (right | {"webhook-timestamp": "9" * 30}, body, NOW),
        (right | {"webhook-signature": "v1,é" * 1000}, body, NOW),
        ({}, body, NOW),
    ):
        with pytest.raises(GatewayError):
            read_reports(content, headers, SECRET, at)
    for content in (
        b"", b"[]", b"{}", b'{"receipts": [1]}', b'{"receipts": [{"id": "", "state": "delivered"}]}',
        b'{"receipts": [{"id": "x", "state": "eaten"}]}', b'{"receipts": [{"id": 5, "state": "delivered"}]}',
        b"[" * 100_000, b"\xff", b" " * 1_000_001,
    ):  # fmt: skip
        with pytest.raises(GatewayError):
            read_reports(content, signed(content), SECRET, NOW)


@pytest.fixture
def mailserver(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    with running("mailserver.py", tmp_path / "log") as port:
        yield port, tmp_path / "log"


def mail(port: int, *messages: Message) -> list[tuple[Outcome, tuple[str, ...]]]:
    options = {
        "host": "127.0.0.1", "port": port, "starttls": False, "sender": "ceir@example.org",
        "domain": "example.org",
    }  # fmt: skip
    gateway = open_gateway("email", options, nobody, lambda: NOW)
    try:
        return [(s.outcome, s.ids) for s in gateway.send(messages)]
    finally:
        gateway.close()


def test_mail_goes_out_with_an_identifier_of_ours(mailserver: tuple[int, Path]) -> None:
    port, log = mailserver
    text = "سيتم حظر جهازك.\nVotre appareil sera bloqué.\n"
    sent = mail(port, Message("n7.1", "amina@example.org", text, "Votre appareil é"))
    assert sent == [(Outcome.ACCEPTED, ("<n7.1@example.org>",))]
    (found,) = noted(log)
    assert (found["from"], found["to"], found["id"]) == (
        "ceir@example.org", ["amina@example.org"], "<n7.1@example.org>"
    )  # fmt: skip
    assert (found["subject"], found["auto"]) == ("Votre appareil é", "auto-generated")
    assert found["text"].replace("\r", "") == text


def test_what_becomes_of_mail_is_told_and_one_does_not_hold_up_the_next(mailserver: tuple[int, Path]) -> None:
    port, log = mailserver
    people = ("later@x.org", "never@x.org", "full@x.org", "spam@x.org", "hangup@x.org", "right@x.org")
    results = mail(port, *[Message(f"n{n}", to, "x", "s") for n, to in enumerate(people)])
    assert [outcome for outcome, _ in results] == [
        Outcome.LATER, Outcome.REFUSED, Outcome.LATER, Outcome.REFUSED, Outcome.UNCERTAIN, Outcome.ACCEPTED
    ]  # fmt: skip
    assert noted(log)[-1]["to"] == ["right@x.org"]


@pytest.mark.parametrize(
    ("to", "subject"),
    [("a@x.org\nBcc: b@x.org", "s"), ("a@x.org", "s\nBcc: b@x.org"), ("nobody", "s"), ("", "s"),
     ("a@x.org, b@x.org", "s"), ("'; --@", "s")],
)  # fmt: skip
def test_addresses_and_subjects_that_would_add_headers_or_people_are_refused(
    mailserver: tuple[int, Path], to: str, subject: str
) -> None:
    assert mail(mailserver[0], Message("n1", to, "x", subject)) == [(Outcome.REFUSED, ())]
    assert noted(mailserver[1]) == []


def test_a_mail_server_that_is_away_or_cannot_encrypt_gets_it_later(mailserver: tuple[int, Path]) -> None:
    assert mail(1, Message("n1", "a@x.org", "x", "s")) == [(Outcome.LATER, ())]
    options = {"host": "127.0.0.1", "port": mailserver[0], "sender": "c@x.org", "domain": "x.org"}
    gateway = open_gateway("email", options, nobody, lambda: NOW)
    assert gateway.send([Message("n1", "a@x.org", "x", "s")])[0].outcome is Outcome.LATER
    assert noted(mailserver[1]) == []


def report(action: str, identifier: str, *, headers_only: bool = False) -> bytes:
    original = EmailMessage()
    original["Message-ID"] = identifier
    original["Subject"] = "Your device"
    original.set_content("x")
    kind = "text/rfc822-headers" if headers_only else "message/rfc822"
    inner = original.as_string().split("\n\n")[0] + "\n\n" if headers_only else original.as_string()
    return (
        "From: MAILER-DAEMON@x.org\nTo: ceir@example.org\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSorry.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x.org\n\n"
        f"Final-Recipient: rfc822; a@x.org\nAction: {action}\nStatus: 5.1.1\n\n"
        f"--b\nContent-Type: {kind}\n\n{inner}\n--b--\n"
    ).encode()


@pytest.mark.parametrize("headers_only", [False, True])
@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("failed", ReceiptState.REFUSED),
        ("Delivered", ReceiptState.DELIVERED),
        ("delayed", ReceiptState.ON_ITS_WAY),
    ],
)
def test_a_mail_that_came_back_says_which_it_was(
    action: str, state: ReceiptState, headers_only: bool
) -> None:
    raw = report(action, "<n7.1@example.org>", headers_only=headers_only)
    assert read_delivery_report(raw) == [Receipt("<n7.1@example.org>", state)]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"Subject: hello\n\nhow are you", report("eaten", "<n1@x>"), report("failed", ""),
     b"Content-Type: multipart/report; boundary=b\n\n--b\n" * 500, b"x" * 1_000_001],
)  # fmt: skip
def test_other_mail_is_no_report(raw: bytes) -> None:
    assert read_delivery_report(raw) == []


def test_gateways_are_found_by_listing_and_each_says_what_it_is() -> None:
    found = all_gateways()
    assert list(found) == ["console", "email", "http", "smpp"]
    assert all(kind.title and kind.doc.endswith(".") for kind in found.values())
    with pytest.raises(UsageError, match="pigeon"):
        open_gateway("pigeon", {}, nobody, lambda: NOW)


def test_for_trials_messages_are_shown(tmp_path: Path) -> None:
    kept: list[Receipt | Incoming] = []
    gateway = open_gateway("console", {"file": str(tmp_path / "shown")}, kept.append, lambda: NOW)
    (sent,) = gateway.send([Message("n1", "220000", "سيتم\nx")])
    assert json.loads((tmp_path / "shown").read_text()) == {
        "reference": "n1",
        "to": "220000",
        "text": "سيتم\nx",
    }
    assert kept == [Receipt(sent.ids[0], ReceiptState.DELIVERED)]


def test_a_message_or_what_came_never_shows_a_person() -> None:
    assert "220000" not in f"{Message('n1', '220000', 'x')!r} {Incoming('220000', 'x')!r}"
