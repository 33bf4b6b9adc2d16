"""`ceir load-test` as a person or a script types it."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from certificates import localhost_certificate
from load_servers import ROUTING_CONTEXT, Interface, free_port, serving
from typer.testing import CliRunner, Result

from ceir.cli._loading import Carrier, Target
from ceir.cli.main import whole
from vectors import BLOCKED_IMEI, TRACKED_IMEI

PROGRAM = Path(sys.executable).with_name("ceir")


def typed(*line: object, expect: int = 0) -> Result:
    result = CliRunner().invoke(whole(), ["load-test", *map(str, line)], env={"COLUMNS": "100"})
    assert result.exit_code == expect, result.output
    assert "Traceback" not in result.output
    return result


def told(*line: object, expect: int = 0) -> Any:
    result = typed(*line, "--json", expect=expect)
    return json.loads(result.stdout or result.stderr)


@pytest.mark.parametrize("interface", ["n17", "s13", "map"])
def test_a_load_is_told_to_a_script(interface: Interface) -> None:
    with serving(interface) as port:
        found = told(interface, "--to", f"tcp:127.0.0.1:{port}", "--rate", 200, "--seconds", 0.5)
    assert found["interface"] == interface
    assert found["to"] == f"127.0.0.1:{port}"
    assert found["due"] == found["sent"] == found["answered"] == 100
    assert found["answers"] == {"unknown": 100}
    assert found["errors"] == {}
    assert found["connections"] == 4
    assert found["connections_closed"] == 0
    assert list(found["milliseconds"]) == ["50 %", "90 %", "99 %", "99.9 %", "all"]
    assert found["rate_wanted"] == 200
    assert 50 < found["answers_per_second"] < 250


def test_a_load_is_told_to_a_person_without_any_identity(tmp_path: Path) -> None:
    asked = tmp_path / "asked.csv"
    asked.write_text(
        f"imei,imsi\n{BLOCKED_IMEI},001010123456789\n{TRACKED_IMEI},001010123456789\n{TRACKED_IMEI},\n"
    )
    with serving("s13") as port:
        result = typed("s13", "--to", f"127.0.0.1:{port}", "--rate", 300, "--seconds", 0.5, "--imeis", asked)
    output = result.output
    for words in (
        "s13 over tcp, 4 connections, 300 a second",
        "150",
        "tracked",
        "100",
        "66.7%",
        "blocked",
        "33.3%",
    ):
        assert words in output
    assert "99.9 %" in output
    assert "Errors" not in output
    assert str(BLOCKED_IMEI) not in output
    assert "00101" not in output


def test_a_share_hits_listed_equipment(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.csv"
    listed.write_text(f"imei,block_date,reasons\n{BLOCKED_IMEI},20261031,stolen\nABCDEF,20261031,x\n")
    with serving("n17") as port:
        line = ("n17", "--to", f"127.0.0.1:{port}", "--rate", 2_000, "--seconds", 1, "--listed", listed)
        result = typed(*line, "--listed-share", 0.25, "--json")
    found = json.loads(result.stdout)
    assert 300 < found["answers"]["blocked"] < 700
    assert found["answers"]["blocked"] + found["answers"]["unknown"] == 2_000
    assert "1 lines of blocked.csv hold no IMEI" in json.loads(result.stderr.splitlines()[0])["note"]


def test_without_a_rate_as_many_are_asked_as_are_answered() -> None:
    with serving("map") as port:
        line = ("map", "--to", f"tcp:127.0.0.1:{port}", "--seconds", 0.3, "--window", 16, "--connections", 2)
        found = told(*line, "--map-versions", "1,2,3", "--routing-context", ROUTING_CONTEXT)
    assert found["answered"] == found["sent"] > 32
    assert found["rate_wanted"] is None
    assert found["errors"] == {}


def test_errors_in_answers_are_counted_and_end_with_1() -> None:
    with serving("s13") as port:
        line = ("s13", "--to", f"127.0.0.1:{port}", "--rate", 100, "--seconds", 0.2)
        found = told(*line, "--destination-realm", "elsewhere", expect=1)
        assert found["errors"] == {"result 3003": 20}
        assert "result 3003" in typed(*line, "--destination-realm", "elsewhere", expect=1).output


def test_tls_is_spoken_with_the_authority_given(tmp_path: Path) -> None:
    files = localhost_certificate(tmp_path)
    with serving("n17", tls=(files.certificate, files.key)) as port:
        line = ("n17", "--to", f"tls:localhost:{port}", "--rate", 100, "--seconds", 0.2)
        assert told(*line, "--authority", files.authority)["answered"] == 20
        error = told(*line, expect=1)["error"]
        assert error["code"] == "load_unreachable"
        assert "certificate" in error["hint"]


@pytest.mark.parametrize("interface", ["n17", "s13", "map"])
def test_nobody_there_is_told_with_a_hint(interface: Interface) -> None:
    error = told(interface, "--to", f"tcp:127.0.0.1:{free_port()}", expect=1)["error"]
    assert error["code"] == "load_unreachable"
    assert error["hint"]


def test_a_refusal_of_the_server_is_told_with_a_hint() -> None:
    with serving("s13") as port:
        error = told("s13", "--to", f"127.0.0.1:{port}", "--origin-host", "stranger.example.org", expect=1)[
            "error"
        ]
    assert error["code"] == "load_peer_refused"
    assert "peer" in error["hint"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("n17", "--to", "sctp:127.0.0.1"), "usage"),
        (("map", "--to", "tls:127.0.0.1"), "usage"),
        (("s13", "--to", "127.0.0.1:0"), "usage"),
        (("s13", "--to", "127.0.0.1:x"), "usage"),
        (("s13", "--to", ":3868"), "usage"),
        (("s13", "--to", "::1"), "usage"),
        (("s13", "--to", "udp:127.0.0.1:3868"), "usage"),
        (("s13", "--to", "127.0.0.1", "--seconds", 0), "load_plan"),
        (("s13", "--to", "127.0.0.1", "--rate", 0.01), "load_plan"),
        (("map", "--to", "127.0.0.1", "--map-versions", "4"), "usage"),
        (("map", "--to", "127.0.0.1", "--map-versions", "x"), "usage"),
        (("map", "--to", "127.0.0.1", "--point-codes", "1"), "usage"),
        (("n17", "--to", "tls:127.0.0.1", "--authority", "nothing.pem"), "usage"),
        (("n17", "--to", "127.0.0.1", "--token", "nothing"), "usage"),
    ],
)
def test_wrong_use_is_told_before_anything_is_tried(line: tuple[object, ...], code: str) -> None:
    error = told(*line, expect=2)["error"]
    assert error["code"] == code
    assert error["hint"]


def test_a_file_without_imeis_is_refused(tmp_path: Path) -> None:
    asked = tmp_path / "asked.csv"
    asked.write_text("nothing\n")
    assert told("s13", "--to", "127.0.0.1", "--imeis", asked, expect=1)["error"]["code"] == "load_mix"


def test_ctrl_c_ends_a_load_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        port = listener.getsockname()[1]
        line = [PROGRAM, "load-test", "s13", "--to", f"127.0.0.1:{port}", "--seconds", "600"]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        made, _ = listener.accept()
        assert made.recv(1_000), "it introduces itself"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        made.close()
    assert process.returncode == 130, errors
    assert "Interrupted" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("eir.example.org", ("tcp", "eir.example.org", 3868)),
        ("eir.example.org:1", ("tcp", "eir.example.org", 1)),
        ("tls:eir.example.org", ("tls", "eir.example.org", 5868)),
        ("tcp:192.0.2.1:65535", ("tcp", "192.0.2.1", 65_535)),
        ("[::1]", ("tcp", "::1", 3868)),
        ("tls:[2001:db8::1]:5869", ("tls", "2001:db8::1", 5869)),
    ],
)
def test_an_address_may_have_transport_and_port_and_be_of_ipv6(
    text: str, target: tuple[Carrier, str, int]
) -> None:
    assert Target.parse("s13", text) == Target("s13", *target)
