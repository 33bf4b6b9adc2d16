"""jSMPP, an independent implementation of SMPP, is the message centre."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ceir.clock import system_clock
from ceir.registry.gateways import (
    Gateway,
    Incoming,
    Message,
    Outcome,
    Receipt,
    ReceiptState,
    open_gateway,
)

pytestmark = [
    pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program} ({package})")
    for program, package in (("mvn", "Debian: maven"), ("java", "Debian: default-jdk-headless"))
]

JSMPP = Path(__file__).with_name("jsmpp") / "pom.xml"
SUBMITTED = re.compile(r"Received PDU [0-9a-f]{8}00000004[0-9a-f]{8}([0-9a-f]{8})([0-9a-f]+)")


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("jsmpp") / "class-path"
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath"
    command = ["mvn", "-q", "-B", "-f", str(JSMPP), goal, f"-Dmdep.outputFile={file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        pytest.skip(f"jSMPP cannot be had: {done.stdout[-500:]}")
    return file.read_text()


class Centre:
    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def told(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.log.read_text(encoding="utf-8", errors="replace"))

    def wait(self, pattern: str, count: int = 1) -> None:
        until = time.monotonic() + 30
        while len(self.told(pattern)) < count:
            assert time.monotonic() < until, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)


@pytest.fixture
def centre(class_path: str, tmp_path: Path) -> Iterator[Centre]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "jsmpp.log"
    # Its simulator's way of setting things: properties, and a program that never ends.
    command = [
        "java", "-XX:TieredStopAtLevel=1", "-cp", class_path, f"-Djsmpp.simulator.port={port}",
        "-Djsmpp.client.systemId=ceir", "-Djsmpp.client.password=geheim",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=debug", "org.jsmpp.examples.SMPPServerSimulator",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            found = Centre(port, log)
            found.wait("Listening on port")
            yield found
        finally:
            process.kill()
            process.wait(10)


@contextmanager
def opened(centre: Centre, kept: list[Receipt | Incoming], **more: object) -> Iterator[Gateway]:
    options: dict[str, object] = {
        "host": "127.0.0.1", "port": centre.port, "system_id": "ceir", "password": "geheim", "source": "1234",
        "source_ton": 3, "answer_seconds": 10, "pause_seconds": 0.1,
        "receipt_ids": "decimal_of_hexadecimal",
    }  # fmt: skip
    gateway = open_gateway("smpp", options | more, kept.append, system_clock)
    try:
        yield gateway
    finally:
        gateway.close()


def test_jsmpp_takes_our_messages_and_we_its_receipts(centre: Centre) -> None:
    kept: list[Receipt | Incoming] = []
    arabic = "سيتم حظر جهازك. " * 10
    messages = [
        Message("n1", "220000000000", "Your device {IMEI} will be blocked."),
        Message("n2", "220000000001", arabic),
        Message("n3", "220000000002", "One part and another. " * 15),
    ]
    with opened(centre, kept) as gateway:
        results = gateway.send(messages)
        assert [(r.outcome, len(r.ids)) for r in results] == [
            (Outcome.ACCEPTED, 1), (Outcome.ACCEPTED, 3), (Outcome.ACCEPTED, 3)
        ]  # fmt: skip
        ids = {identifier for result in results for identifier in result.ids}
        until = time.monotonic() + 30
        while {r.id for r in kept if isinstance(r, Receipt)} != ids:
            assert time.monotonic() < until, kept
            time.sleep(0.05)
    assert {r.state for r in kept if isinstance(r, Receipt)} == {ReceiptState.DELIVERED}
    # Whoever binds is greeted by its simulator.
    assert [i.text for i in kept if isinstance(i, Incoming)] == ["Hello World"]
    submitted = [bytes.fromhex(body) for _, body in SUBMITTED.findall(centre.log.read_text(errors="replace"))]
    assert len(submitted) == 7
    parts = sorted(
        (body[body.index(b"\x05\x00\x03") + 5], body[body.index(b"\x05\x00\x03") + 6 :])
        for body in submitted
        if b"220000000001" in body
    )
    assert b"".join(part for _, part in parts).decode("utf-16-be") == arabic


def test_jsmpp_keeps_a_wrong_password_out(centre: Centre) -> None:
    with opened(centre, [], password="wrong", answer_seconds=2) as gateway:
        (sent,) = gateway.send([Message("n1", "220000000000", "x")])
        assert sent.outcome is Outcome.LATER
        assert "refuses to bind" in sent.detail
    assert centre.told("Receiving submit_sm") == []


def test_a_silent_line_is_tried_and_jsmpp_answers(centre: Centre) -> None:
    with opened(centre, [], quiet_seconds=1) as gateway:
        assert gateway.send([Message("n1", "220000000000", "x")])[0].outcome is Outcome.ACCEPTED
        centre.wait("Received PDU 0000001000000015", 2)
        assert gateway.send([Message("n2", "220000000000", "x")])[0].outcome is Outcome.ACCEPTED
        assert len(centre.told("Accepting bind")) == 1
