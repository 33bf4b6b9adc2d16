import subprocess
import time
from pathlib import Path

import freediameter
from freediameter import EXPECTED, PEER
from s13_server import SERVER, certificates, context, running

from ceir.interfaces.s13.conversation import Limits, Peer
from ceir.interfaces.s13.server import Endpoint, Transport
from vectors import VECTORS

pytestmark = freediameter.NEEDED


def test_freediameter_asks_over_tcp_watches_and_takes_leave(tmp_path: Path) -> None:
    certificates(tmp_path, PEER)
    limits = Limits(watchdog=3.0, farewell=2.0)
    with running(peers=[Peer(PEER, realm="example.org")], limits=limits) as server:
        # Silence first: the server's watchdog request and the daemon's answer keep the connection.
        answers, log = freediameter.ask(tmp_path, server.port, Transport.TCP, before="sleep 8 -\n")
        counters = server.service.counters
        assert answers == EXPECTED, log[-3000:]
        assert (counters.accepted, counters.answered) == (1, len(VECTORS))
        assert (counters.refused, counters.ignored, counters.failures) == ({}, 0, 0)
        assert log.count("Device-Watchdog-Answer") >= 1
        assert "STATE_CLOSING_GRACE" in log
        assert "Disconnect-Peer-Request" in log


def test_freediameter_asks_over_mutual_tls(tmp_path: Path) -> None:
    certificates(tmp_path, SERVER.host, PEER)
    endpoint = Endpoint("127.0.0.1", 0, Transport.TLS, context(tmp_path, SERVER.host, server=True))
    with running(endpoint, peers=[Peer(PEER, secured=True)]) as server:
        answers, log = freediameter.ask(tmp_path, server.port, Transport.TLS)
        assert answers == EXPECTED, log[-3000:]
        assert server.service.counters.answered == len(VECTORS)


def test_freediameter_is_refused_when_it_is_no_peer(tmp_path: Path) -> None:
    certificates(tmp_path, PEER)
    with running(peers=[Peer("other.example.org")]) as server:
        path = freediameter.configuration(tmp_path, server.port, Transport.TCP)
        with subprocess.Popen(
            ["freeDiameterd", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as daemon:
            try:
                until = time.monotonic() + 30
                while not server.service.counters.rejected and time.monotonic() < until:
                    time.sleep(0.05)
            finally:
                daemon.kill()
        assert server.service.counters.accepted == 0
        assert server.service.counters.rejected >= 1
