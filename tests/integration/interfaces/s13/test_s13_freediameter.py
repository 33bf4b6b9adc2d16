import shutil
import subprocess
from pathlib import Path

import pytest
from s13_server import SERVER, certificates, context, running

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.s13.conversation import Limits, Peer
from ceir.interfaces.s13.server import Endpoint, Transport
from vectors import VECTORS

pytestmark = [
    pytest.mark.skipif(shutil.which("freeDiameterd") is None, reason="needs Debian's freediameterd"),
    pytest.mark.skipif(
        shutil.which("gcc") is None or not Path("/usr/include/freeDiameter/extension.h").exists(),
        reason="needs gcc and freeDiameter's headers (Debian: gcc, libc6-dev, libfreediameter-dev)",
    ),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program"),
]

PEER = "mme.example.org"
SOURCE = Path(__file__).with_name("s13_asks.c")
WORDS = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}


def ask_with_freediameter(folder: Path, port: int, *, tls: bool, before: str = "") -> tuple[list[str], str]:
    """Builds the extension, runs the daemon until it has asked all vectors, gives its answers and its log."""
    extension, questions, log = folder / "s13_asks.fdx", folder / "questions", folder / "log"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", extension, SOURCE], check=True)
    lines = [
        f"{question.imei:014} "
        f"{'-' if question.software_version is None else f'{question.software_version:02}'} "
        f"{'-' if question.imsi is None else str(question.imsi)[1:]}"
        for question, _ in VECTORS
    ]
    questions.write_text(before + "\n".join(lines) + "\n")
    configuration = folder / "peer.conf"
    configuration.write_text(
        f'Identity = "{PEER}";\nRealm = "example.org";\nPort = 0;\nSecPort = 0;\nNo_SCTP;\nNo_IPv6;\n'
        f'ListenOn = "127.0.0.1";\nTwTimer = 6;\nTcTimer = 5;\n'
        f'TLS_Cred = "{folder}/{PEER}.pem", "{folder}/{PEER}.key";\nTLS_CA = "{folder}/ca.pem";\n'
        f'LoadExtension = "{extension}" : "{questions}";\n'
        f'ConnectPeer = "{SERVER.host}" {{ ConnectTo = "127.0.0.1"; Port = {port}; '
        f"{'' if tls else 'No_TLS; '}}};\n"
    )
    with log.open("w") as written:
        subprocess.run(
            ["freeDiameterd", "-dd", "-c", configuration],
            stdout=written,
            stderr=written,
            timeout=90,
            check=False,
        )
    return (folder / "questions.out").read_text().splitlines(), log.read_text(errors="replace")


def expected() -> list[str]:
    return [
        "-1 -1 5422" if answer.status is EquipmentStatus.UNKNOWN else f"{WORDS[answer.status]} 2001 -1"
        for _, answer in VECTORS
    ]


def test_freediameter_asks_over_tcp_watches_and_takes_leave(tmp_path: Path) -> None:
    certificates(tmp_path, PEER)
    limits = Limits(watchdog=3.0, farewell=2.0)
    with running(peers=[Peer(PEER, realm="example.org")], limits=limits) as server:
        # Silence first: the server's watchdog request and the daemon's answer keep the connection.
        answers, log = ask_with_freediameter(tmp_path, server.port, tls=False, before="sleep 8 -\n")
        counters = server.service.counters
        assert answers == expected(), log[-3000:]
        assert (counters.accepted, counters.answered) == (1, len(VECTORS))
        assert (counters.refused, counters.ignored, counters.failures) == ({}, 0, 0)
        assert log.count("Device-Watchdog-Answer") >= 1
        assert "STATE_CLOSING_GRACE" in log
        assert "Disconnect-Peer-Request" in log


def test_freediameter_asks_over_mutual_tls(tmp_path: Path) -> None:
    certificates(tmp_path, SERVER.host, PEER)
    endpoint = Endpoint("127.0.0.1", 0, Transport.TLS, context(tmp_path, SERVER.host, server=True))
    with running(endpoint, peers=[Peer(PEER, secured=True)]) as server:
        answers, log = ask_with_freediameter(tmp_path, server.port, tls=True)
        assert answers == expected(), log[-3000:]
        assert server.service.counters.answered == len(VECTORS)


def test_freediameter_is_refused_when_it_is_no_peer(tmp_path: Path) -> None:
    certificates(tmp_path, PEER)
    with running(peers=[Peer("other.example.org")]) as server:
        with pytest.raises(subprocess.TimeoutExpired):
            _run_briefly(tmp_path, server.port)
        assert server.service.counters.accepted == 0
        assert server.service.counters.rejected >= 1


def _run_briefly(folder: Path, port: int) -> None:
    configuration = folder / "peer.conf"
    configuration.write_text(
        f'Identity = "{PEER}";\nRealm = "example.org";\nPort = 0;\nSecPort = 0;\nNo_SCTP;\nNo_IPv6;\n'
        f'TLS_Cred = "{folder}/{PEER}.pem", "{folder}/{PEER}.key";\nTLS_CA = "{folder}/ca.pem";\n'
        f'ConnectPeer = "{SERVER.host}" {{ ConnectTo = "127.0.0.1"; Port = {port}; No_TLS; }};\n'
    )
    subprocess.run(["freeDiameterd", "-c", configuration], timeout=3, check=False, capture_output=True)
