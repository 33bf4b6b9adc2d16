"""A freeDiameter daemon that asks a server all shared vectors with the extension in s13_asks.c."""

import shutil
import subprocess
from pathlib import Path

import pytest
from s13_server import SERVER

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.s13.server import Transport
from vectors import VECTORS

PEER = "mme.example.org"
SOURCE = Path(__file__).with_name("s13_asks.c")
_WORDS = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}
_WAY = {
    Transport.TCP: "No_TLS; No_SCTP; ",
    Transport.TLS: "No_SCTP; ",
    Transport.SCTP: "No_TLS; No_TCP; ",
}

NEEDED = [
    pytest.mark.skipif(shutil.which("freeDiameterd") is None, reason="needs Debian's freediameterd"),
    pytest.mark.skipif(
        shutil.which("gcc") is None or not Path("/usr/include/freeDiameter/extension.h").exists(),
        reason="needs gcc and freeDiameter's headers (Debian: gcc, libc6-dev, libfreediameter-dev)",
    ),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program"),
]

EXPECTED = [
    "-1 -1 5422" if answer.status is EquipmentStatus.UNKNOWN else f"{_WORDS[answer.status]} 2001 -1"
    for _, answer in VECTORS
]
"""What the extension prints of right answers: status, result, experimental result."""


def configuration(folder: Path, port: int, transport: Transport, *more: str) -> Path:
    """The daemon's configuration; its certificate and that of the authority have to be in `folder`."""
    lines = (
        f'Identity = "{PEER}";',
        'Realm = "example.org";',
        "Port = 0;",
        "SecPort = 0;",
        "No_IPv6;",
        # Never bound, but told to the peer; an address of the loopback interface would not do.
        'ListenOn = "192.0.2.1";',
        "TwTimer = 6;",
        "TcTimer = 5;",
        f'TLS_Cred = "{folder}/{PEER}.pem", "{folder}/{PEER}.key";',
        f'TLS_CA = "{folder}/ca.pem";',
        *more,
        f'ConnectPeer = "{SERVER.host}" {{ ConnectTo = "127.0.0.1"; Port = {port}; {_WAY[transport]}}};',
    )
    path = folder / "peer.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def ask(folder: Path, port: int, transport: Transport, before: str = "") -> tuple[list[str], str]:
    """Builds the extension, runs the daemon until it has asked all vectors, gives its answers and its log."""
    extension, questions, log = folder / "s13_asks.fdx", folder / "questions", folder / "log"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", extension, SOURCE], check=True, timeout=120)
    lines = [
        f"{question.imei:014} "
        f"{'-' if question.software_version is None else f'{question.software_version:02}'} "
        f"{'-' if question.imsi is None else str(question.imsi)[1:]}"
        for question, _ in VECTORS
    ]
    questions.write_text(before + "\n".join(lines) + "\n")
    path = configuration(folder, port, transport, f'LoadExtension = "{extension}" : "{questions}";')
    with log.open("w") as written:
        subprocess.run(
            ["freeDiameterd", "-dd", "-c", path], stdout=written, stderr=written, timeout=180, check=False
        )
    return (folder / "questions.out").read_text().splitlines(), log.read_text(errors="replace")
