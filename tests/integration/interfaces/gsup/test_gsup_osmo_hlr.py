"""OsmoHLR reads the Check-IMEI requests that our codec writes, and its answers are read by our codec."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ceir.interfaces.gsup import codec

pytestmark = pytest.mark.skipif(shutil.which("osmo-hlr") is None, reason="osmo-hlr is not installed")

HOST = "127.0.0.19"
IMSI = "901700000014701"
CONFIGURATION = f"""
log stderr
 logging filter all 1
 logging level set-all notice
line vty
 no login
 bind {HOST}
ctrl
 bind {HOST}
hlr
 gsup
  bind ip {HOST}
 subscriber-create-on-demand 5 cs+ps
"""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[socket.socket]:
    (folder / "hlr.cfg").write_text(CONFIGURATION)
    command = ["osmo-hlr", "-c", str(folder / "hlr.cfg"), "-l", str(folder / "hlr.db")]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as hlr,
    ):
        try:
            until = time.monotonic() + 20
            while True:
                try:
                    link = socket.create_connection((HOST, codec.PORT), 5)
                    break
                except OSError:
                    if hlr.poll() is not None or time.monotonic() > until:
                        pytest.fail((folder / "log").read_text())
                    time.sleep(0.1)
            with link:
                yield link
        finally:
            hlr.terminate()


def answer(link: socket.socket) -> bytes:
    buffer = b""
    while True:
        buffer += link.recv(4096)
        found, rest = codec.frames(buffer, 2048)
        buffer = buffer[rest:]
        for protocol, payload in found:
            if protocol == codec.PROTOCOL_OSMO and payload[0] == codec.EXTENSION_GSUP:
                return payload[1:]


def test_osmo_hlr_answers_what_we_ask(tmp_path: Path) -> None:
    with running(tmp_path) as link:
        link.settimeout(10)
        identity = b"\x05" + b"".join(
            (2 + len(text)).to_bytes(2, "big") + bytes((tag,)) + text + b"\0"
            for tag, text in ((1, b"MSC"), (0, b"MSC"), (8, b"0/0/0"))
        )
        link.sendall(codec.frame(codec.PROTOCOL_CCM, identity))
        link.sendall(codec.ask("35209900176148", IMSI))
        reply = answer(link)
        found = dict(codec.elements(reply))
        assert reply[0] == codec.CHECK_IMEI_RESULT, (tmp_path / "log").read_text()
        assert found[codec.IMEI_RESULT_IE] == bytes((codec.ACK,))
        assert found[codec.IMSI_IE] == codec.packed(IMSI)
        assert found[codec.MESSAGE_CLASS_IE] == b"\1"
        link.sendall(codec.message(codec.CHECK_IMEI_REQUEST, ((codec.IMSI_IE, codec.packed(IMSI)),)))
        reply = answer(link)
        assert reply[0] == codec.CHECK_IMEI_ERROR
        # The very cause that our server gives to a request without IMEI.
        assert dict(codec.elements(reply))[codec.CAUSE_IE] == bytes((codec.INVALID_MANDATORY_INFORMATION,))
