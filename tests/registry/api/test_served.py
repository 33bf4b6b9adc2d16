"""The API as a program reaches it: over a socket, served by a real granian process."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ceir.registry.personal.keys import make_keys

SERVED = Path(__file__).with_name("served.py")
SECRET = "correct horse battery staple, and more of it"
PATIENCE = 180


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served")
    make_keys(made / "keys")
    return made


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    # Tests use a database beside the one named: that one is free.
    database = os.environ.get("CEIR_TEST_DATABASE") or str(folder / "register.sqlite3")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    server = subprocess.Popen([sys.executable, str(SERVED), database, str(folder / "keys"), str(free)])
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            try:
                if ask(free, "GET", "/api/v1/version")[0] == 200:
                    break
            except OSError:
                time.sleep(0.3)
        yield free
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def _worker(folder: Path, port: int) -> Iterator[None]:  # noqa: ARG001 - whose tables it finds
    database = os.environ.get("CEIR_TEST_DATABASE") or str(folder / "register.sqlite3")
    worker = subprocess.Popen([sys.executable, str(SERVED), database, str(folder / "keys"), "work"])
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)


def ask(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def token(port: int) -> str:
    form = {"grant_type": "client_credentials", "client_id": "served", "client_secret": SECRET}
    status, _, body = ask(
        port,
        "POST",
        "/api/v1/token",
        urlencode(form).encode(),
        Content_Type="application/x-www-form-urlencoded",
    )
    assert status == 200, body
    found: str = json.loads(body)["access_token"]
    return found


def test_a_program_gets_a_token_and_a_status_over_a_socket(port: int, token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    status, headers, body = ask(port, "GET", "/api/v1/status/35674108000001", **bearer)
    assert (status, json.loads(body)["status"]) == (200, "permitted")
    assert headers["ratelimit"].startswith('"calls";r=')
    status, headers, body = ask(
        port, "GET", "/api/v1/status/35674108000001", If_None_Match=headers["etag"], **bearer
    )
    assert (status, body) == (304, b"")


def test_a_batch_and_a_refusal_come_over_a_socket(port: int, token: str) -> None:
    asked = json.dumps({"imeis": ["35674108000001", "x y"]}).encode()
    bearer = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}
    status, _, body = ask(port, "POST", "/api/v1/status/batch", asked, **bearer)
    assert status == 200
    assert [row["problem"] is None for row in json.loads(body)["results"]] == [True, False]
    status, headers, body = ask(port, "GET", "/api/v1/runs", **bearer)
    assert (status, json.loads(body)["code"]) == (403, "permission_denied")
    assert headers["content-type"] == "application/problem+json"


def raw(port: int, octets: bytes) -> tuple[int, dict[str, Any]]:
    """What is answered before a body of any length came."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(octets)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read())


def test_ten_gigabytes_that_are_only_claimed_are_refused_at_once(port: int, token: str) -> None:
    status, problem = raw(
        port,
        b"POST /api/v1/status/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + token.encode() + b"\r\nContent-Length: 10737418240\r\n\r\n{",
    )
    assert (status, problem["code"]) == (413, "request_too_large")


def test_a_body_without_a_length_is_refused(port: int, token: str) -> None:
    status, problem = raw(
        port,
        b"POST /api/v1/status/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer "
        + token.encode()
        + b"\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    )
    assert (status, problem["code"]) in {(411, "length_required"), (422, "request_invalid")}


def pasted() -> str:
    """The lines that docs/api.md tells developers to paste."""
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    part = page.split("## An afternoon with curl")[1].split("\n## ")[0]
    return "".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
@pytest.mark.usefixtures("_worker")
def test_what_the_page_tells_to_paste_works_from_the_token_to_the_job(port: int) -> None:
    told = {"CEIR": f"http://127.0.0.1:{port}/api/v1", "CLIENT": "served", "SECRET": SECRET}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", pasted()],
        env={"PATH": os.environ["PATH"], **told},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    one, left, same, refused, batch, replayed, count, first, gone = done.stdout.splitlines()
    assert json.loads(one)["status"] == "permitted"
    assert left.lower().startswith("ratelimit:")
    assert (same, gone, count.strip()) == ("304", "204", "3")
    assert json.loads(refused)["code"] == "invalid_identifier"
    assert [row["problem"] is None for row in json.loads(batch)["results"]] == [True, True, False]
    assert replayed.lower().startswith("idempotency-replayed: true")
    assert json.loads(first)["status"]["imei"] == "35674108000001"
