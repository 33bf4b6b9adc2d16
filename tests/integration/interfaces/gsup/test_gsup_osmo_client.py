"""libosmo-gsup-client, with which OsmoMSC and OsmoSGSN ask, is answered by our server; tshark looks on."""

import asyncio
import contextlib
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from capturing import fields, recording

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.gsup.server import GsupServer, Options
from vectors import BLOCKED_IMEI, OTHER_IMSI, VECTORS, SetChecker

HEADERS = ("osmocom/gsupclient/gsup_client.h", "osmocom/core/select.h")

pytestmark = [
    pytest.mark.skipif(
        not all(Path("/usr/include", header).exists() for header in HEADERS),
        reason="needs the headers of libosmo-gsup-client-dev and libosmocore-dev",
    ),
    pytest.mark.skipif(
        shutil.which("gcc") is None or shutil.which("pkg-config") is None, reason="needs gcc and pkg-config"
    ),
]

SOURCE = Path(__file__).with_name("gsup_asks.c")


def told(*command: str | Path, text: str = "") -> str:
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("gsup") / "gsup_asks"
    libraries = told(
        "pkg-config", "--cflags", "--libs", "libosmo-gsup-client", "libosmocore", "libosmogsm", "talloc"
    )
    told("gcc", "-O1", "-o", built, SOURCE, *libraries.split())
    return built


@contextlib.contextmanager
def running(options: Options) -> Iterator[GsupServer]:
    server = GsupServer(SetChecker(), options)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.run(stop),))
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.ready.wait(), loop).result(30)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def asked(client: Path, port: int, questions: Sequence[tuple[int, str]]) -> list[str]:
    text = "".join(f"{str(imsi)[1:]} {imei}\n" for imsi, imei in questions)
    return told(client, "127.0.0.1", str(port), text=text).splitlines()


@pytest.mark.parametrize("accept_unknown", [True, False])
def test_osmocoms_client_gets_yes_and_no_for_every_vector_with_and_without_software_version(
    client: Path, accept_unknown: bool
) -> None:
    questions, expected = [], []
    for question, _ in VECTORS:
        imsi = question.imsi or OTHER_IMSI
        version = question.software_version
        questions.append((imsi, f"{question.imei:014}" + ("" if version is None else f"{version:02}")))
        status = SetChecker().verdict(question.imei, version, imsi).status
        yes = accept_unknown if status is EquipmentStatus.UNKNOWN else status is not EquipmentStatus.BLOCKED
        expected.append(f"{str(imsi)[1:]} {'ack' if yes else 'nack'}")
    with running(Options(port=0, accept_unknown=accept_unknown)) as server:
        assert asked(client, server.port, questions) == expected
        assert server.counters.acknowledged + server.counters.refused == len(VECTORS)
        assert server.counters.errors == server.counters.failures == 0


def test_osmocoms_client_reads_the_cause_of_an_error_and_goes_on(client: Path) -> None:
    with running(Options(port=0)) as server:
        questions = [(OTHER_IMSI, "-"), (OTHER_IMSI, str(BLOCKED_IMEI))]
        imsi = str(OTHER_IMSI)[1:]
        # 96: invalid mandatory information (TS 24.008 10.5.5.14).
        assert asked(client, server.port, questions) == [f"{imsi} error 96", f"{imsi} nack"]


def test_tshark_sees_what_osmocoms_client_and_our_server_say_to_each_other(
    client: Path, tmp_path: Path
) -> None:
    path = tmp_path / "gsup.pcap"
    with running(Options(port=0)) as server:
        with recording(path, f"tcp port {server.port}"):
            asked(client, server.port, [(OTHER_IMSI, str(BLOCKED_IMEI))])
        rows = fields(
            path,
            ("_ws.malformed", "tcp.srcport", "gsup.msg_type", "e212.imsi", "gsup.imei_check_res"),
            *("-d", f"tcp.port=={server.port},gsm_ipa"),
        )
    assert not [row for row in rows if row[0]]
    imsi = str(OTHER_IMSI)[1:]
    assert [(row[1] == str(server.port), *row[2:]) for row in rows if row[2]] == [
        (False, "48", imsi, ""),
        (True, "50", imsi, "1"),
    ]
