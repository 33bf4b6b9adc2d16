"""What the S13 integration tests share: a server on loopback, certificates, a raw peer, a capture."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import frames
from ceir.equipment_check import Checker
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits, Peer, Service
from ceir.interfaces.s13.server import DIAMETER_PORT, Endpoint, Transport, serve
from ceir.interfaces.serving.workers import new_event_loop
from vectors import SetChecker

SERVER = Node("eir.example.org", "example.org", origin_state_id=7)
MME = Node("mme.example.org", "example.org")
PEERS = (Peer(MME.host), Peer("sgsn.example.org"))


class Running:
    """A server in a thread of its own."""

    def __init__(self, service: Service, ports: list[int]) -> None:
        self.service = service
        self.ports = ports
        self.stopped = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        return self.ports[0]

    def begin(self, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
        self._loop, self._stop = loop, stop

    def stop(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)


@contextlib.contextmanager
def running(
    *endpoints: Endpoint,
    peers: Sequence[Peer] = PEERS,
    limits: Limits | None = None,
    node: Node = SERVER,
    checker: Checker | None = None,
) -> Iterator[Running]:
    service = Service(node, peers, checker or SetChecker(), limits or Limits(farewell=1.0), time.perf_counter)
    server = Running(service, [])
    started = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        server.begin(asyncio.get_running_loop(), stop)

        def begun(ports: list[int]) -> None:
            server.ports = ports
            started.set()

        await serve(service, endpoints or (Endpoint("127.0.0.1", 0),), stop, begun)

    def body() -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(main())
        finally:
            server.stopped.set()
            started.set()

    thread = threading.Thread(target=body)
    thread.start()
    try:
        assert started.wait(30)
        assert server.ports
        yield server
    finally:
        server.stop()
        thread.join(60)
        assert not thread.is_alive()


class RawPeer:
    """A peer on a plain socket, which keeps what went over it for a capture."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, name: str = SERVER.host) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket = tls.wrap_socket(plain, server_hostname=name) if tls else plain
        self.exchanged: list[tuple[bool, bytes]] = []
        self._rest = b""

    def send(self, message: bytes) -> None:
        self.exchanged.append((True, message))
        self.socket.sendall(message)

    def receive(self) -> bytes:
        """The next message; empty when the connection is closed."""
        while len(self._rest) < 20 or len(self._rest) < int.from_bytes(self._rest[1:4], "big"):
            try:
                block = self.socket.recv(65536)
            except ConnectionError:
                block = b""
            if not block:
                return b""
            self._rest += block
        size = int.from_bytes(self._rest[1:4], "big")
        message, self._rest = self._rest[:size], self._rest[size:]
        self.exchanged.append((False, message))
        return message

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def introduce(self, node: Node = MME) -> bytes:
        return self.ask(codec.encode_cer(node, 1, 1))

    def __enter__(self) -> "RawPeer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def result_code(message: bytes) -> int | None:
    """The number in the first Result-Code, found without the codec."""
    at = 20
    while at < len(message):
        size = int.from_bytes(message[at + 5 : at + 8], "big")
        if message[at : at + 4] == b"\0\0\x01\x0c":
            return int.from_bytes(message[at + 8 : at + 12], "big")
        at += (size + 3) // 4 * 4
    return None


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def certificates(folder: Path, *names: str) -> Path:
    """A certificate authority and a key and certificate for each name; gives the authority's certificate."""
    authority, key = folder / "ca.pem", folder / "ca.key"
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", authority,
        "-days", "2", "-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE",
    )  # fmt: skip
    for name in names:
        request, extension = folder / f"{name}.csr", folder / f"{name}.ext"
        extension.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth,clientAuth\n")
        openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-out", request,
            "-subj", f"/CN={name}",
        )  # fmt: skip
        openssl(
            "x509", "-req", "-in", request, "-CA", authority, "-CAkey", key, "-CAcreateserial", "-days", "2",
            "-out", folder / f"{name}.pem", "-extfile", extension,
        )  # fmt: skip
    return authority


def context(folder: Path, name: str, *, server: bool) -> ssl.SSLContext:
    """Mutual TLS with the certificates of `certificates`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    made.load_verify_locations(folder / "ca.pem")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def tls_endpoint(folder: Path) -> Endpoint:
    return Endpoint("127.0.0.1", 0, Transport.TLS, context(folder, SERVER.host, server=True))


def write_capture(path: Path, exchanged: Sequence[tuple[bool, bytes]]) -> None:
    """What a `RawPeer` exchanged, one TCP segment a message."""
    sent = {True: 0, False: 0}
    segments = []
    for asked, message in exchanged:
        segments.append(frames.tcp(asked, DIAMETER_PORT, message, sent[asked], sent[not asked]))
        sent[asked] += len(message)
    frames.capture(path, segments)
