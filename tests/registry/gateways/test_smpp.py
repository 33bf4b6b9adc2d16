"""Short messages through a message centre, which is a process of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from message_centre import Centre, running_centre

from ceir.clock import system_clock
from ceir.registry.gateways import (
    Gateway,
    GatewayError,
    Incoming,
    Message,
    Outcome,
    Receipt,
    ReceiptState,
    open_gateway,
)

LONG = "This device will be blocked. " * 20
NUMBER = "2200000000"


class Kept:
    """What came from the centre."""

    def __init__(self) -> None:
        self.all: list[Receipt | Incoming] = []
        self.fail = 0
        self._came = threading.Condition()

    def __call__(self, told: Receipt | Incoming) -> None:
        with self._came:
            if self.fail:
                self.fail -= 1
                raise OSError("the database is away")
            self.all.append(told)
            self._came.notify_all()

    def wait(self, count: int) -> list[Receipt | Incoming]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.all) >= count, 20), self.all
            return list(self.all)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    with running_centre(tmp_path) as found:
        yield found


@pytest.fixture
def kept() -> Kept:
    return Kept()


@contextmanager
def opened(centre: Centre, kept: Kept, **more: object) -> Iterator[Gateway]:
    gateway = open_gateway("smpp", centre.options(**more), kept, system_clock)
    try:
        yield gateway
    finally:
        gateway.close()


def message(ending: str, text: str = "Your device will be blocked.", n: int = 1) -> Message:
    return Message(f"n{n}", NUMBER + ending, text)


def test_a_message_is_taken_and_its_receipt_names_it(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        (sent,) = gateway.send([message("00")])
        assert sent.outcome is Outcome.ACCEPTED
        (receipt,) = kept.wait(1)
        assert receipt == Receipt(sent.ids[0], ReceiptState.DELIVERED)
        (seen,) = centre.noted("submit")
    assert bytes.fromhex(seen["text"]) == b"Your device will be blocked."
    assert (seen["to"], seen["source"], seen["coding"], seen["esm_class"]) == (NUMBER + "00", "1234", 0, 0)
    assert (seen["registered"], seen["validity"]) == (1, "000002000000000R")
    assert centre.wait("unbind")
    assert centre.wait("deliver_sm_resp")[0]["status"] == 0


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [("01", Outcome.REFUSED), ("02", Outcome.LATER), ("04", Outcome.UNCERTAIN), ("05", Outcome.UNCERTAIN),
     ("13", Outcome.REFUSED)],
)  # fmt: skip
def test_what_becomes_of_a_message_is_told(centre: Centre, kept: Kept, ending: str, outcome: Outcome) -> None:
    with opened(centre, kept) as gateway:
        (sent,) = gateway.send([message(ending)])
        assert (sent.outcome, sent.ids) == (outcome, ())
        assert sent.detail
        assert NUMBER not in sent.detail
        assert len(centre.noted("submit")) == 1
        # whatever happened to that one, the next one goes
        assert gateway.send([message("00", n=2)])[0].outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("ending", "state"),
    [("06", ReceiptState.NOT_DELIVERED), ("07", ReceiptState.DELIVERED), ("08", ReceiptState.DELIVERED),
     ("09", ReceiptState.DELIVERED), ("12", ReceiptState.DELIVERED)],
)  # fmt: skip
def test_receipts_of_many_forms_are_understood(
    centre: Centre, kept: Kept, ending: str, state: ReceiptState
) -> None:
    with opened(centre, kept) as gateway:
        (sent,) = gateway.send([message(ending)])
        receipts = kept.wait(1)
        assert [(r.id, r.state) for r in receipts if isinstance(r, Receipt)] == [(sent.ids[0], state)]
        assert gateway.send([message("00", n=2)])[0].outcome is Outcome.ACCEPTED


def test_units_that_make_no_sense_are_answered_so_that_they_do_not_come_again(
    centre: Centre, kept: Kept
) -> None:
    with opened(centre, kept) as gateway:
        gateway.send([message("12")])
        kept.wait(1)
        assert [a["status"] for a in centre.wait("deliver_sm_resp", 4)] == [0, 0, 0x65, 0]
        assert centre.wait("generic_nack")[0]["status"] == 3
        assert len(centre.noted("bind")) == 1


def test_a_unit_of_four_gigabytes_ends_the_session_and_a_new_one_begins(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        assert gateway.send([message("14")])[0].outcome is Outcome.ACCEPTED
        centre.wait("bind", 2)
        assert gateway.send([message("00", n=2)])[0].outcome is Outcome.ACCEPTED


def test_a_centre_that_ends_the_session_is_bound_to_again(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        gateway.send([message("16")])
        assert centre.wait("unbind_resp")
        centre.wait("bind", 2)
        assert gateway.send([message("00", n=2)])[0].outcome is Outcome.ACCEPTED


def test_a_silent_line_is_tried(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept, quiet_seconds=0.2) as gateway:
        assert gateway.send([message("00")])[0].outcome is Outcome.ACCEPTED
        centre.wait("enquire_link", 3)
        assert len(centre.noted("bind")) == 1


def test_what_somebody_writes_is_kept(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        gateway.send([message("15")])
        assert kept.wait(1) == [Incoming(NUMBER + "15", "STOP")]


def test_a_receipt_that_cannot_be_kept_is_not_confirmed(centre: Centre, kept: Kept) -> None:
    kept.fail = 1
    with opened(centre, kept) as gateway:
        gateway.send([message("00")])
        assert centre.wait("deliver_sm_resp")[0]["status"] == 0x64
        gateway.send([message("00", n=2)])
        assert len(kept.wait(1)) == 1


def test_a_long_text_goes_in_parts_that_make_it_again(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        (sent,) = gateway.send([message("00", LONG)])
        assert len(sent.ids) == 4
        assert {r.id for r in kept.wait(4) if isinstance(r, Receipt)} == set(sent.ids)
    parts = [bytes.fromhex(s["text"]) for s in centre.noted("submit")]
    assert [p[:3] + p[4:6] for p in parts] == [bytes([5, 0, 3, 4, n]) for n in (1, 2, 3, 4)]
    assert len({p[3] for p in parts}) == 1
    assert all(s["esm_class"] == 0x40 for s in centre.noted("submit"))
    assert b"".join(p[6:] for p in parts).decode() == LONG


def test_arabic_goes_as_ucs2(centre: Centre, kept: Kept) -> None:
    text = "سيتم حظر جهازك في ٢٢ نوفمبر. " * 5
    with opened(centre, kept) as gateway:
        gateway.send([message("00", text)])
    seen = centre.noted("submit")
    assert {s["coding"] for s in seen} == {8}
    assert b"".join(bytes.fromhex(s["text"])[6:] for s in seen).decode("utf-16-be") == text


def test_a_long_text_may_go_as_one_payload(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept, long_messages="payload") as gateway:
        assert gateway.send([message("00", LONG)])[0].outcome is Outcome.ACCEPTED
    (seen,) = centre.noted("submit")
    assert bytes.fromhex(seen["payload"]).decode() == LONG
    assert (seen["text"], seen["esm_class"]) == ("", 0)


def test_a_part_that_is_throttled_is_tried_again(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        (sent,) = gateway.send([message("10", LONG)])
        assert sent.outcome is Outcome.ACCEPTED
        assert len(sent.ids) == 4
        assert len(centre.noted("submit")) == 5


def test_a_text_of_which_only_a_part_was_taken_is_uncertain(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept) as gateway:
        (sent,) = gateway.send([message("11", LONG)])
        assert (sent.outcome, len(sent.ids)) == (Outcome.UNCERTAIN, 1)
        assert sent.detail.startswith("1 of 4 parts")


def test_a_hundred_messages_go_at_once_and_each_has_its_own_answer(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept, window=20) as gateway:
        messages = [
            Message(f"n{n}", f"2201{n:06}{'01' if n % 10 == 0 else '00'}", f"text {n}") for n in range(100)
        ]
        results = gateway.send(messages)
        assert [r.outcome is Outcome.REFUSED for r in results] == [n % 10 == 0 for n in range(100)]
        assert len({r.ids for r in results if r.ids}) == 90
        kept.wait(90)


def test_no_more_go_a_second_than_the_centre_bears(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept, per_second=20) as gateway:
        gateway.send([message("00", n=0)])
        begun = time.monotonic()
        gateway.send([message("00", n=n) for n in range(1, 11)])
        assert time.monotonic() - begun >= 0.45


def test_a_wrong_password_sends_nothing_and_says_why(centre: Centre, kept: Kept) -> None:
    with opened(centre, kept, password="wrong") as gateway:
        (sent,) = gateway.send([message("00")])
        assert sent.outcome is Outcome.LATER
        assert "refuses to bind" in sent.detail
        assert centre.noted("submit") == []


def test_a_centre_that_is_away_is_told_and_found_when_it_is_back(tmp_path: Path, kept: Kept) -> None:
    with running_centre(tmp_path) as gone:
        pass
    with opened(gone, kept, answer_seconds=0.3) as gateway:
        assert gateway.send([message("00")])[0].outcome is Outcome.LATER


@pytest.mark.parametrize("to", ["", "+220000", "220 000", "2" * 21, "'; --", "22\n00", "٢٢٠"])
def test_what_is_no_number_is_refused_unsent(centre: Centre, kept: Kept, to: str) -> None:
    with opened(centre, kept) as gateway:
        assert gateway.send([Message("n1", to, "x")])[0].outcome is Outcome.REFUSED
    assert centre.noted("submit") == []


@pytest.mark.parametrize(
    "wrong",
    [{"port": 0}, {"password": "too long a one"}, {"system_id": "x" * 16}, {"source": "Straße"},
     {"window": 0}, {"receipt_ids": "guess"}, {"unknown": 1}, {"host": ""}],
)  # fmt: skip
def test_options_that_cannot_be_are_refused_without_showing_the_password(wrong: dict[str, object]) -> None:
    options = {"host": "x", "system_id": "ceir", "password": "secret", "source": "1234"}
    with pytest.raises(GatewayError) as refused:
        open_gateway("smpp", options | wrong, Kept(), system_clock)
    assert "secret" not in str(refused.value)
    assert "too long a one" not in str(refused.value)


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, secret


def test_the_line_may_be_encrypted_and_then_only_to_the_right_centre(tmp_path: Path, kept: Kept) -> None:
    cert, key = certificate(tmp_path)
    with running_centre(tmp_path, str(cert), str(key)) as centre:
        with opened(centre, kept, tls=True, ca_file=cert, host="localhost", window=5) as gateway:
            results = gateway.send([message("00", LONG, n=n) for n in range(30)])
            assert {r.outcome for r in results} == {Outcome.ACCEPTED}
            kept.wait(120)
        with opened(centre, kept, tls=True, host="localhost", answer_seconds=0.5) as gateway:
            assert gateway.send([message("00")])[0].outcome is Outcome.LATER
        with opened(centre, kept, tls=True, ca_file=cert, host="127.0.0.1", answer_seconds=0.5) as gateway:
            assert gateway.send([message("00")])[0].outcome is Outcome.LATER
