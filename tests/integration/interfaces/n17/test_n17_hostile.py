"""Clients that hold places, send rubbish or stop in the middle."""

import contextlib
import random
import socket
import time

from n17_queries import PATH
from n17_starting import Serve, Served

from vectors import BLOCKED_IMEI

REQUEST = f"GET {PATH}?pei=imei-{BLOCKED_IMEI}0 HTTP/1.1\r\nhost: eir\r\nconnection: close\r\n\r\n".encode()
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes.fromhex("000000040000000000")


def connect(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=15)


def received(connection: socket.socket) -> bytes:
    told = b""
    with contextlib.suppress(ConnectionResetError):
        while more := connection.recv(65536):
            told += more
    return told


def answers(served: Served) -> bool:
    with connect(served) as connection:
        connection.sendall(REQUEST)
        return b"BLACKLISTED" in received(connection)


def test_a_connection_that_says_nothing_more_is_closed_whatever_it_said_before(serve: Serve) -> None:
    served = serve("--silence", "2", "--ping", "1")
    starts = [b"", b"PRI * HTTP", b"GET /", b"GET / HTTP/1.1\r\nhost:", PREFACE, PREFACE + SETTINGS]
    connections = [connect(served) for _ in starts]
    started = time.monotonic()
    for connection, start in zip(connections, starts, strict=True):
        connection.sendall(start)
    for connection in connections:
        received(connection)
        connection.close()
    assert time.monotonic() - started < 10
    assert answers(served)


def test_connections_that_hold_every_place_give_them_back(serve: Serve) -> None:
    served = serve("--connections", "8", "--silence", "2", "--ping", "1")
    silent = [connect(served) for _ in range(12)]
    started = time.monotonic()
    assert answers(served)
    assert 0.5 < time.monotonic() - started < 12
    for connection in silent:
        connection.close()


def test_a_header_larger_than_allowed_is_refused_and_the_server_lives(serve: Serve) -> None:
    served = serve()
    with connect(served) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 1_000_000)
        told = received(connection)
    assert told == b"" or b" 431 " in told or b" 400 " in told
    with connect(served) as connection:
        connection.sendall(REQUEST.replace(b"pei=", b"supi=nai-" + b"y" * 4000 + b"&pei="))
        assert b" 414 " in received(connection)
    assert answers(served)


def test_a_body_that_never_comes_changes_nothing(serve: Serve) -> None:
    served = serve("--silence", "2", "--ping", "1")
    with connect(served) as connection:
        connection.sendall(REQUEST.replace(b"host", b"content-length: 999999999\r\nhost"))
        assert b"BLACKLISTED" in received(connection)
    assert answers(served)


def test_no_bytes_whatsoever_end_the_server(serve: Serve) -> None:
    served = serve()
    draws = random.Random(17)
    for round_ in range(300):
        rubbish = draws.randbytes(draws.randrange(1, 400))
        start = [b"", PREFACE, PREFACE + SETTINGS, REQUEST[: draws.randrange(len(REQUEST))]][round_ % 4]
        with connect(served) as connection, contextlib.suppress(OSError):
            connection.sendall(start + rubbish)
            if round_ % 3 == 0:
                connection.shutdown(socket.SHUT_WR)
                received(connection)
    assert answers(served)
    assert served.process.poll() is None


def frames(told: bytes) -> list[int]:
    """Types of the HTTP/2 frames."""
    types = []
    while len(told) >= 9:
        types.append(told[3])
        told = told[9 + int.from_bytes(told[:3], "big") :]
    return types


def test_a_stopping_server_says_goodbye_and_does_not_wait_for_idle_clients(serve: Serve) -> None:
    served = serve()
    with connect(served) as connection:
        connection.sendall(PREFACE + SETTINGS)
        time.sleep(0.3)
        started = time.monotonic()
        served.process.terminate()
        told = received(connection)
    assert served.process.wait(10) == 0
    assert time.monotonic() - started < 4
    goaway = 7
    assert goaway in frames(told)
