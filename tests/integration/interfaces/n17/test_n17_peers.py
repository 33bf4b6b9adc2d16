"""The N17 server against HTTP programs that other people wrote."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from capturing import fields, recording
from hpack import Decoder, Encoder
from hyperframe.frame import DataFrame, Frame, HeadersFrame, PingFrame, SettingsFrame
from n17_queries import PATH, STATUS_WORDS, query_of
from n17_starting import Serve, Served, TlsFiles, free_port, program_at, wait_until_open

from ceir.equipment_check import EquipmentStatus
from vectors import BLOCKED_IMEI, VECTORS

BLOCKED = f"{PATH}?pei=imei-{BLOCKED_IMEI}0"

Program = Callable[[str], str]


def curl(program: Program, *arguments: str) -> tuple[int, str, str]:
    """Status, HTTP version and body."""
    command = [program("curl"), "-s", "--path-as-is", "-w", "\n%{http_code} %{http_version}", *arguments]
    answered = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    body, _, last = answered.stdout.rpartition("\n")
    status, version = last.split()
    return int(status), version, body


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")])
def test_curl_gets_every_shared_answer(plain: Served, program: Program, option: str, version: str) -> None:
    for question, answer in VECTORS:
        url = f"http://127.0.0.1:{plain.port}{PATH}?{query_of(question)}"
        status, spoken, body = curl(program, option, url)
        assert spoken == version
        if answer.status is EquipmentStatus.UNKNOWN:
            assert (status, json.loads(body)["cause"]) == (404, "ERROR_EQUIPMENT_UNKNOWN")
        else:
            assert (status, json.loads(body)) == (200, {"status": STATUS_WORDS[answer.status]})


def test_curl_negotiates_http_2_over_tls(serve: Serve, program: Program, tls_files: TlsFiles) -> None:
    served = serve("--certificate", tls_files.certificate, "--key", tls_files.key)
    arguments = ["--cacert", str(tls_files.authority), f"https://localhost:{served.port}{BLOCKED}"]
    assert curl(program, *arguments) == (200, "2", '{"status":"BLACKLISTED"}')
    assert curl(program, "--http1.1", *arguments) == (200, "1.1", '{"status":"BLACKLISTED"}')


def test_a_client_without_certificate_is_turned_away_where_one_is_asked_for(
    serve: Serve, program: Program, tls_files: TlsFiles
) -> None:
    authority, certificate, key = tls_files
    served = serve("--certificate", certificate, "--key", key, "--client-authorities", authority)
    arguments = ["--cacert", str(authority), f"https://localhost:{served.port}{BLOCKED}"]
    assert curl(program, *arguments, "--cert", str(certificate), "--key", str(key))[0] == 200
    with pytest.raises(subprocess.CalledProcessError):
        curl(program, *arguments)


def h2spec(program: Program, folder: Path, *arguments: str) -> list[str]:
    """The names of the failed cases.

    Some cases send a request and then what is wrong with it. The server may answer in between and forget the
    stream (RFC 9113 8.1), and then does not see the fault. So a failed case is repeated alone: if the fault
    comes in time even once, the server has to tell it.
    """
    report = folder / "h2spec.xml"
    command = [program("h2spec"), "-h", "127.0.0.1", "-P", BLOCKED, "--timeout", "5", *arguments]
    subprocess.run([*command, "--junit-report", report], capture_output=True, timeout=300, check=False)
    count, failed = 0, []
    for suite in ElementTree.parse(report).getroot():  # noqa: S314 - h2spec's own
        for number, case in enumerate(suite.findall("testcase"), 1):
            count += 1
            one = [*command, f"{suite.get('package')}/{number}"]
            if len(case) and not any(
                subprocess.run(one, capture_output=True, timeout=60, check=False).returncode == 0
                for _ in range(10)
            ):
                failed.append(case.get("classname", ""))
    assert count > 140
    return failed


def test_h2spec_passes_whole_over_tls(
    serve: Serve, program: Program, tls_files: TlsFiles, tmp_path: Path
) -> None:
    served = serve("--certificate", tls_files.certificate, "--key", tls_files.key, "--versions", "ONLY_2")
    assert h2spec(program, tmp_path, "-p", str(served.port), "-t", "-k") == []


@pytest.mark.parametrize("versions", ["ONLY_2", "BOTH"])
def test_h2spec_finds_nothing_over_prior_knowledge_but_how_a_bad_preface_ends(
    serve: Serve, program: Program, versions: str, tmp_path: Path
) -> None:
    # The connection ends, as it must. With HTTP/2 alone it is reset, because bytes were left unread, and
    # h2spec waits for an orderly end; with both versions an HTTP/1 answer comes before the end.
    served = serve("--versions", versions)
    assert set(h2spec(program, tmp_path, "-p", str(served.port))) <= {"Sends invalid connection preface"}
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(b"INVALID CONNECTION PREFACE\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass


GO_MODULE = Path(__file__).with_name("go")


@pytest.fixture(scope="session")
def go_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = program_at("go")
    built = tmp_path_factory.mktemp("go") / "client"
    environment = os.environ | {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, "build", "-o", built, "."],
        cwd=GO_MODULE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return built


def test_a_go_client_gets_every_shared_answer_with_prior_knowledge_and_by_alpn(
    serve: Serve, plain: Served, go_client: Path, tls_files: TlsFiles
) -> None:
    secured = serve("--certificate", tls_files.certificate, "--key", tls_files.key)
    rows = VECTORS * 10
    for origin in (f"http://127.0.0.1:{plain.port}", f"https://localhost:{secured.port}"):
        addresses = [f"{origin}{PATH}?{query_of(question)}" for question, _ in rows]
        told = subprocess.run(
            [go_client, tls_files.authority, *addresses],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.splitlines()
        assert len(told) == len(rows)
        for line, (_, answer) in zip(told, rows, strict=True):
            if answer.status is EquipmentStatus.UNKNOWN:
                assert line.startswith("HTTP/2.0 404 ")
                assert "ERROR_EQUIPMENT_UNKNOWN" in line
            else:
                assert line == f'HTTP/2.0 200 {{"status":"{STATUS_WORDS[answer.status]}"}}'


def h2load(program: Program, *arguments: str) -> dict[str, int]:
    told = subprocess.run(
        [program("h2load"), *arguments], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    found = re.search(r"requests: (.*)", told)
    assert found is not None, told
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", found[1])}
    codes = re.search(r"status codes: (.*)", told)
    assert codes is not None
    return counts | {word: int(number) for number, word in re.findall(r"(\d+) (\dxx)", codes[1])}


def test_h2load_gets_every_answer(serve: Serve, program: Program) -> None:
    served = serve("--workers", "2")
    url = f"http://127.0.0.1:{served.port}{BLOCKED}"
    counts = h2load(program, "-n", "20000", "-c", "16", "-m", "32", url)
    assert counts["2xx"] == counts["total"] == 20000
    counts = h2load(program, "--h1", "-n", "5000", "-c", "16", url)
    assert counts["2xx"] == counts["total"] == 5000


def test_above_the_agreed_rate_the_rest_is_refused_and_nothing_breaks(serve: Serve, program: Program) -> None:
    served = serve("--rate", "100")
    counts = h2load(program, "-n", "2000", "-c", "4", "-m", "16", f"http://127.0.0.1:{served.port}{BLOCKED}")
    assert counts["2xx"] + counts["4xx"] == 2000
    assert counts["4xx"] > 0
    assert counts["2xx"] >= 100


def children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def workers_of(process: int) -> list[int]:
    marks = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children_of(process)}
    return [child for child, line in marks.items() if b"spawn_main" in line]


def test_a_killed_worker_is_replaced_and_the_others_go_on(serve: Serve, program: Program) -> None:
    served = serve("--workers", "2")
    deadline = time.monotonic() + 60
    while len(workers_of(served.process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    first, other = workers_of(served.process.pid)
    os.kill(first, signal.SIGKILL)
    while not (len(now := workers_of(served.process.pid)) == 2 and first not in now):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert other in now
    assert h2load(program, "-n", "500", "-c", "4", f"http://127.0.0.1:{served.port}{BLOCKED}")["2xx"] == 500


def test_prometheus_reads_what_all_workers_answered(serve: Serve, program: Program, tmp_path: Path) -> None:
    port = free_port()
    served = serve("--workers", "2", "--administration", str(port), "--board", tmp_path / "board")
    wait_until_open(port, served.process)
    url = f"http://127.0.0.1:{served.port}{PATH}?pei=imei-"
    assert h2load(program, "-n", "4000", "-c", "16", f"{url}{BLOCKED_IMEI}0")["2xx"] == 4000
    assert h2load(program, "-n", "400", "-c", "4", f"{url}12")["4xx"] == 400
    status, _, told = curl(program, f"http://127.0.0.1:{port}/metrics")
    assert status == 200
    answers = 'ceir_equipment_check_answers_total{interface="n17",reason="identity",status="blocked"} 4000.0'
    assert answers in told
    assert 'ceir_equipment_check_refusals_total{code="400",interface="n17"} 400.0' in told
    assert curl(program, f"http://127.0.0.1:{port}/healthz")[0] == 200


def test_stopping_answers_what_is_under_way(serve: Serve) -> None:
    served = serve("--slow")
    fields_asked = {":method": "GET", ":scheme": "http", ":authority": "eir", ":path": BLOCKED}
    asked = HeadersFrame(1, Encoder().encode(fields_asked), flags=["END_HEADERS", "END_STREAM"])
    status = body = None
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame().serialize() + asked.serialize()
        )
        wait_until_read(connection)
        served.process.terminate()
        with connection.makefile("rb") as stream:
            while head := stream.read(9):
                frame, size = Frame.parse_frame_header(memoryview(head))
                frame.parse_body(memoryview(stream.read(size)))
                if isinstance(frame, HeadersFrame):
                    status = dict(Decoder().decode(frame.data))[":status"]
                elif isinstance(frame, DataFrame):
                    body = frame.data
                elif isinstance(frame, PingFrame):
                    # Asked after its goodbye: whether everything of before that has arrived.
                    frame.flags.add("ACK")
                    connection.sendall(frame.serialize())
    assert (status, body) == ("200", b'{"status":"GREYLISTED"}')
    assert served.process.wait(20) == 0


def wait_until_read(connection: socket.socket) -> None:
    """Waits until nothing that was sent lies unread at the other end of the loopback interface."""
    here, there = (f"{port:04X}" for port in (connection.getsockname()[1], connection.getpeername()[1]))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            words = row.split()
            ends = words[1].endswith(f":{there}") and words[2].endswith(f":{here}")
            if ends and words[4].endswith(":00000000"):
                return
        time.sleep(0.01)
    raise AssertionError("the server does not read")


def test_tshark_reads_the_exchange_as_the_service_meant_it(
    plain: Served, program: Program, tmp_path: Path
) -> None:
    with recording(tmp_path / "n17.pcapng", f"tcp port {plain.port}"):
        for question, _ in VECTORS:
            url = f"http://127.0.0.1:{plain.port}{PATH}?{query_of(question)}"
            curl(program, "--http2-prior-knowledge", url)
    names = (
        *("_ws.malformed", "tcp.stream", "http2.headers.method", "http2.headers.path"),
        *("http2.headers.status", "http2.headers.content_type", "json.value.string"),
    )
    rows = fields(tmp_path / "n17.pcapng", names, "-d", f"tcp.port=={plain.port},http2")
    assert not [row for row in rows if row[0]]
    streams = sorted({int(row[1]) for row in rows})
    assert len(streams) == len(VECTORS)
    for stream, (question, answer) in zip(streams, VECTORS, strict=True):
        # Each field as it came on this connection, header and body in one packet or two.
        method, path, status, kind, words = (
            ",".join(row[at] for row in rows if int(row[1]) == stream and row[at]) for at in range(2, 7)
        )
        assert (method, path) == ("GET", f"{PATH}?{query_of(question)}")
        if answer.status is EquipmentStatus.UNKNOWN:
            assert (status, kind) == ("404", "application/problem+json")
            assert "ERROR_EQUIPMENT_UNKNOWN" in words.split(",")
        else:
            assert (status, kind, words) == ("200", "application/json", STATUS_WORDS[answer.status])
